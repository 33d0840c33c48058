"""A night's trigger, and the events that it is split into."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from events.envelope import Envelope
from events.errors import DeadLetter, Unavailable
from events.nightly import REQUESTED, trigger
from events.payloads import validate
from events.prediction import ForecastDetail, NightDetail
from models.nights import EARLIEST
from models.seasonal_naive import METHOD
from models.workflow import Answer
from tests.unit.tasks.night import NIGHT, TENANT, UTC_AT_TWO, Shop, at

SOLD = {1: {"a": 5, "b": 1}, 8: {"a": 3}, 400: {"gone": 9}}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path)
    made.sell(SOLD)
    yield made
    made.store.close()


def detail(answer: object) -> object:
    assert isinstance(answer, Answer), answer
    return answer.output.detail


def test_a_night_is_of_each_sku_that_was_sold_in_the_year_before(shop: Shop) -> None:
    (answer,) = shop.trigger()
    assert detail(answer) == NightDetail("2026-03-02", planned=2, requested=2)
    events = shop.published()
    assert [(event.event_type, event.payload["sku"]) for event in events] == [
        (REQUESTED, "a"),
        (REQUESTED, "b"),
    ]
    for event in events:
        validate(event)


def test_a_trigger_may_name_its_skus(shop: Shop) -> None:
    event = trigger(TENANT, NIGHT, shop.now)
    named = msgspec.structs.replace(event, payload={**event.payload, "skus": ["b", "new"]})
    (answer,) = shop.infer([named])
    assert detail(answer) == NightDetail("2026-03-02", planned=2, requested=2)
    assert [event.payload["sku"] for event in shop.published()] == ["b", "new"]


def test_skus_that_are_named_do_not_stand_for_the_nights_catalogue(shop: Shop) -> None:
    event = trigger(TENANT, NIGHT, shop.now)
    shop.infer([msgspec.structs.replace(event, payload={**event.payload, "skus": ["b", "new"]})])
    shop.infer(shop.published())
    shop.watch.look()
    assert shop.watch.begin(TENANT, UTC_AT_TWO, shop.now) == NIGHT
    assert shop.watch.begin(TENANT, UTC_AT_TWO, shop.now) is None
    shop.published()
    (answer,) = shop.trigger()
    assert detail(answer) == NightDetail("2026-03-02", planned=3, requested=1)
    assert [event.payload["sku"] for event in shop.published()] == ["a"]


def test_skus_that_are_named_while_the_nights_trigger_is_under_way_do_not_take_its_place(shop: Shop) -> None:
    shop.watch.begin(TENANT, UTC_AT_TWO, shop.now)
    (nightly,) = shop.published()
    shop.infer([msgspec.structs.replace(nightly, payload={**nightly.payload, "skus": ["new"]})])
    shop.infer(shop.published())
    assert shop.watch.look() == []
    (answer,) = shop.infer([nightly])
    assert detail(answer) == NightDetail("2026-03-02", planned=3, requested=2)


def test_a_trigger_that_comes_again_asks_only_for_what_is_unanswered_under_the_same_ids(shop: Shop) -> None:
    shop.trigger()
    first = shop.published()
    shop.infer(first[:1])
    shop.sell({2: {"c": 1}})
    (answer,) = shop.trigger()
    assert detail(answer) == NightDetail("2026-03-02", planned=3, requested=2)
    again = shop.published()
    assert [event.payload["sku"] for event in again] == ["b", "c"]
    assert again[0].event_id == first[1].event_id


def test_a_trigger_that_kafka_cut_short_is_planned_the_same_way_again(shop: Shop) -> None:
    shop.kafka.down = 1
    (refused,) = shop.trigger()
    assert isinstance(refused, Unavailable)
    shop.trigger()
    assert [event.payload["sku"] for event in shop.published()] == ["a", "b"]


def test_a_triggers_trouble_is_no_skus(shop: Shop) -> None:
    shop.kafka.down = 1
    refused, answer = shop.infer([trigger(TENANT, NIGHT, shop.now), shop.request("a")])
    assert isinstance(refused, Unavailable)
    assert isinstance(detail(answer), ForecastDetail)


def test_a_forecast_is_seven_days_with_their_intervals(shop: Shop) -> None:
    (answer,) = shop.infer([shop.request("a")])
    said = detail(answer)
    assert isinstance(said, ForecastDetail)
    assert (said.night, said.method, said.coverage) == ("2026-03-02", METHOD, 0.8)
    assert [day.day for day in said.days] == [(NIGHT + timedelta(days=n)).isoformat() for n in range(7)]
    assert [day.mean for day in said.days] == [0, 0, 0, 0, 0, 0, 5]
    assert all(0 <= day.low <= day.mean <= day.high for day in said.days)


def test_what_was_forecast_in_a_night_is_said_again_and_not_made_again(shop: Shop) -> None:
    first = shop.infer([shop.request("a"), shop.request("b")])
    shop.sell({3: {"a": 70}})
    again = shop.infer([shop.request("b"), shop.request("a"), shop.request("a")])
    assert again == [first[1], first[0], first[0]]
    assert shop.forecaster.asked == ["a", "b"]


def test_a_restock_request_is_told_the_forecast_of_the_day_on_which_it_came(shop: Shop) -> None:
    (by_night,) = shop.infer([shop.request("a")])
    restock = msgspec.structs.replace(
        shop.request("a"), event_type="inventory.restock_requested", payload={"sku": "a"}
    )
    assert shop.infer([restock]) == [by_night]
    assert shop.forecaster.asked == ["a"]


@pytest.mark.parametrize(
    "counted_until",
    [
        pytest.param(at(NIGHT, 0) - 1, id="the pipeline is a little behind"),
        pytest.param(None, id="nobody can say how far it is"),
    ],
)
def test_who_asks_before_the_day_that_is_over_is_counted_is_told_the_night_before(
    shop: Shop, counted_until: int | None
) -> None:
    shop.counted_until = counted_until
    restock = msgspec.structs.replace(
        shop.request("a"), event_type="inventory.restock_requested", payload={"sku": "a"}
    )
    (early,) = shop.infer([restock])
    shop.sell({1: {"a": 70}})
    shop.counted_until = at(NIGHT, 0)
    (later,) = shop.infer([restock])
    nights = [found.night for found in map(detail, (early, later)) if isinstance(found, ForecastDetail)]
    assert nights == ["2026-03-01", "2026-03-02"]


def test_a_restock_request_from_a_clock_that_is_ahead_is_told_this_night(shop: Shop) -> None:
    restock = msgspec.structs.replace(
        shop.request("a"),
        event_type="inventory.restock_requested",
        payload={"sku": "a"},
        occurred_at=at(NIGHT + timedelta(days=400)),
    )
    assert shop.infer([restock]) == shop.infer([shop.request("a")])


@pytest.mark.parametrize(
    "night",
    [
        pytest.param("2026-03-03", id="that has not begun"),
        pytest.param("9999-12-31", id="that never comes"),
        pytest.param("0001-01-01", id="before there were sales"),
    ],
)
def test_a_night_that_cannot_be_forecast_is_refused(shop: Shop, night: str) -> None:
    for event in (shop.request("a"), trigger(TENANT, NIGHT, shop.now)):
        other = msgspec.structs.replace(event, payload={**event.payload, "forecast_date": night})
        with pytest.raises(DeadLetter, match="is none of the nights"):
            shop.workflow.entities(other)


def test_who_triggers_a_night_at_its_midnight_by_a_faster_clock_is_not_refused(shop: Shop) -> None:
    event = trigger(TENANT, NIGHT, at(NIGHT, 0))
    shop.now = at(NIGHT, 0) - 30_000
    (answer,) = shop.infer([event])
    assert isinstance(answer, Answer)


def test_the_earliest_night_that_is_not_refused_can_be_planned(shop: Shop) -> None:
    (answer,) = shop.trigger(EARLIEST)
    assert detail(answer) == NightDetail("1970-01-01", planned=0, requested=0)


def test_a_batch_may_hold_several_nights(shop: Shop) -> None:
    tonight, before = shop.infer([shop.request("a"), shop.request("a", NIGHT - timedelta(days=1))])
    assert (detail(tonight), detail(before)) != (detail(before), detail(tonight))


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param({"forecast_date": "2026-03-02"}, id="no SKU"),
        pytest.param({"forecast_date": "2026-02-30", "sku": "a"}, id="a day that there is not"),
    ],
)
def test_a_request_that_names_no_sku_or_no_day_is_refused_alone(
    shop: Shop, payload: dict[str, object]
) -> None:
    event: Envelope = msgspec.structs.replace(shop.request("a"), payload=payload)
    with pytest.raises(DeadLetter):
        shop.workflow.entities(event)


def test_a_night_is_forecast_over_the_horizon_that_its_trigger_names(shop: Shop) -> None:
    event = trigger(TENANT, NIGHT, shop.now)
    event.payload["horizon_days"] = 14
    shop.infer([event])
    requests = shop.published()
    assert {request.payload["horizon_days"] for request in requests} == {14}
    # a request for another horizon is another event, with another answer
    assert {request.event_id for request in requests}.isdisjoint([shop.request("a").event_id])
    for answer in shop.infer(requests):
        said = detail(answer)
        assert isinstance(said, ForecastDetail)
        assert len(said.days) == 14


def test_a_trigger_over_a_horizon_that_no_forecast_reaches_is_refused(shop: Shop) -> None:
    event = trigger(TENANT, NIGHT, shop.now)
    event.payload["horizon_days"] = 29
    with pytest.raises(DeadLetter, match=r"payload\.horizon_days must be from 1 to 28, is 29"):
        shop.infer([event])
