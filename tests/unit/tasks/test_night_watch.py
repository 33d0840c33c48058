"""Each night begins once, and ends with a report."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from events.errors import Unavailable
from events.nightly import COMPLETED, TRIGGER
from events.payloads import validate
from features.offline.nights import CLAIM_MS, PLAN_MS
from models.night_report import GIVE_UP_MS, Accuracy, Failure, Report
from models.seasonal_naive import METHOD
from tests.unit.tasks.night import NIGHT, TENANT, UTC_AT_TWO, Shop, at

NAME = NIGHT.isoformat()


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path)
    made.sell({1: {"a": 5, "b": 1}, 8: {"a": 3}})
    yield made
    made.store.close()


def end(shop: Shop) -> Report:
    ((_, report),) = shop.watch.look()
    return report


class TestHowItBegins:
    def test_a_night_is_triggered_once_however_often_is_looked(self, shop: Shop) -> None:
        assert [shop.watch.begin(TENANT, UTC_AT_TWO, shop.now) for _ in range(3)] == [NIGHT, None, None]
        (event,) = shop.published()
        assert (event.event_type, event.payload) == (TRIGGER, {"forecast_date": NAME})
        validate(event)

    def test_two_clocks_trigger_it_once(self, shop: Shop) -> None:
        watches = [shop.watch, shop.another_watch()]
        assert [watch.begin(TENANT, UTC_AT_TWO, shop.now) for watch in watches] == [NIGHT, None]
        assert len(shop.published()) == 1

    def test_a_missed_night_is_made_up_for_once_and_those_before_it_are_not(self, shop: Shop) -> None:
        shop.watch.begin(TENANT, UTC_AT_TWO, shop.now)
        shop.published()
        shop.now = at(NIGHT + timedelta(days=4), 1)
        assert [shop.watch.begin(TENANT, UTC_AT_TWO, shop.now) for _ in range(2)] == [
            NIGHT + timedelta(days=3),
            None,
        ]

    def test_who_dies_between_its_claim_and_the_trigger_is_made_up_for(self, shop: Shop) -> None:
        shop.kafka.down = 1
        with pytest.raises(Unavailable):
            shop.watch.begin(TENANT, UTC_AT_TWO, shop.now)
        assert shop.another_watch().begin(TENANT, UTC_AT_TWO, shop.now) is None
        shop.now += CLAIM_MS
        assert shop.another_watch().begin(TENANT, UTC_AT_TWO, shop.now) == NIGHT
        assert shop.watch.begin(TENANT, UTC_AT_TWO, shop.now) is None

    def test_a_trigger_that_was_lost_is_sent_again(self, shop: Shop) -> None:
        shop.watch.begin(TENANT, UTC_AT_TWO, shop.now)
        shop.now += PLAN_MS - 1
        assert shop.watch.begin(TENANT, UTC_AT_TWO, shop.now) is None
        shop.now += 1
        assert [shop.watch.begin(TENANT, UTC_AT_TWO, shop.now) for _ in range(2)] == [NIGHT, None]
        first, second = shop.published()
        assert first.event_id == second.event_id
        shop.infer([second])
        shop.now += PLAN_MS
        assert shop.watch.begin(TENANT, UTC_AT_TWO, shop.now) is None

    @pytest.mark.parametrize(
        "counted_until",
        [
            pytest.param(at(NIGHT, 0) - 1, id="the pipeline stands still since before midnight"),
            pytest.param(None, id="nobody can say how far it is"),
        ],
    )
    def test_a_night_waits_until_the_day_before_it_is_counted(
        self, shop: Shop, counted_until: int | None, caplog: pytest.LogCaptureFixture
    ) -> None:
        assert shop.watch.begin(TENANT, UTC_AT_TWO, counted_until) is None
        assert "the night of 2026-03-02 waits" in caplog.text
        assert shop.watch.begin(TENANT, UTC_AT_TWO, at(NIGHT, 0)) == NIGHT

    def test_a_night_that_was_begun_by_hand_is_not_triggered_again(self, shop: Shop) -> None:
        shop.trigger()
        assert shop.watch.begin(TENANT, UTC_AT_TWO, shop.now) is None

    def test_the_same_night_has_the_same_id_whoever_triggers_it(self, shop: Shop) -> None:
        shop.watch.begin(TENANT, UTC_AT_TWO, shop.now)
        shop.now += 5_000
        shop.watch.trigger(TENANT, NIGHT)
        shop.watch.trigger("another", NIGHT)
        first, second, other = shop.published()
        assert first.event_id == second.event_id != other.event_id


class TestHowItEnds:
    def test_a_night_ends_when_each_sku_has_its_forecast(self, shop: Shop) -> None:
        shop.trigger()
        requests = shop.published()
        shop.infer(requests[:1])
        assert shop.watch.look() == []
        shop.now += 90_000
        shop.infer(requests)
        shop.now += 30_000
        report = end(shop)
        assert (report.planned, report.forecast, report.failed, report.unanswered) == (2, 2, 0, 0)
        assert (report.duration_s, report.within_sla) == (90, True)
        assert (report.methods, report.models) == ({METHOD: 2}, ("seasonal-naive-v2",))

    def test_its_report_goes_out_once_as_an_event(self, shop: Shop) -> None:
        shop.trigger()
        shop.infer(shop.published())
        end(shop)
        assert shop.watch.look() == []
        (event,) = shop.published()
        assert event.event_type == COMPLETED
        validate(event)

    def test_a_report_that_kafka_did_not_take_goes_out_later(self, shop: Shop) -> None:
        shop.trigger()
        shop.infer(shop.published())
        shop.kafka.down = 1
        with pytest.raises(Unavailable):
            shop.watch.look()
        ended_at = shop.now
        shop.now += 60_000
        assert shop.another_watch().look() == []
        said = [(event.event_type, event.occurred_at) for event in shop.published()]
        assert said == [(COMPLETED, ended_at)]

    def test_a_sku_that_was_given_up_is_named_with_its_reason(self, shop: Shop) -> None:
        shop.trigger()
        shop.infer(shop.published()[:1])
        gone = Failure("b", "timeout", "over 120 s", shop.now)
        shop.failed = {(TENANT, NAME): {"b": gone}}
        report = end(shop)
        assert (report.forecast, report.failed, report.within_sla) == (1, 1, True)
        assert report.failures == (gone,)
        assert shop.looked_since == [shop.now]

    def test_nobody_reads_the_dead_letters_of_a_night_without_open_skus(self, shop: Shop) -> None:
        shop.trigger()
        shop.infer(shop.published())
        end(shop)
        assert shop.looked_since == []

    def test_a_night_of_nothing_ends_at_once(self, shop: Shop) -> None:
        shop.trigger(NIGHT - timedelta(days=300))
        assert end(shop).planned == 0

    def test_a_night_is_not_waited_for_for_ever(self, shop: Shop) -> None:
        shop.trigger()
        shop.infer(shop.published()[:1])
        shop.now += GIVE_UP_MS
        report = end(shop)
        assert (report.forecast, report.unanswered, report.within_sla) == (1, 1, False)

    def test_a_night_that_took_longer_than_promised_says_so(self, shop: Shop) -> None:
        shop.trigger()
        shop.now += 3_600_001
        shop.infer(shop.published())
        assert not end(shop).within_sla

    def test_one_that_ended_without_all_goes_on_when_it_is_triggered_again(self, shop: Shop) -> None:
        shop.trigger()
        first, second = shop.published()
        shop.infer([first])
        shop.failed = {(TENANT, NAME): {"b": Failure("b", "timeout", "", shop.now)}}
        assert end(shop).failed == 1
        (ended,) = shop.published()
        shop.now += 24 * 3_600_000
        shop.trigger()
        assert shop.watch.look() == [], "its old dead letter is no answer to the new request"
        again = shop.published()
        assert [event.event_id for event in again] == [second.event_id]
        shop.infer(again)
        assert end(shop).forecast == 2
        (ended_again,) = shop.published()
        assert ended_again.event_id != ended.event_id, "another report is another event"

    def test_one_that_ended_whole_stays_ended_when_it_is_triggered_again(self, shop: Shop) -> None:
        shop.trigger()
        shop.infer(shop.published())
        end(shop)
        shop.trigger()
        assert shop.watch.look() == []
        assert shop.watch.standing(TENANT, NIGHT).report is not None


class TestLastNight:
    def test_the_forecast_of_the_day_that_is_over_is_held_against_what_was_sold(self, shop: Shop) -> None:
        before = NIGHT - timedelta(days=1)
        shop.infer([shop.request("a", before), shop.request("b", before)])
        shop.trigger()
        shop.infer([event for event in shop.published() if event.payload["forecast_date"] == NAME])
        said = end(shop).accuracy
        # a: 3 expected a week after 3 were sold, 5 came; b: nothing expected, 1 came
        assert said == Accuracy("2026-03-01", "2026-03-01", 2, sold=6, expected=3, wape=0.5, coverage=0.0)

    def test_the_first_night_has_none_before_it(self, shop: Shop) -> None:
        shop.trigger()
        shop.infer(shop.published())
        assert end(shop).accuracy is None
