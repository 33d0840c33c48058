"""An event's own time is bounded by its entry, and what is wrong with it is named."""

import pytest

from events.contract import DAY_MS, MINUTE_MS, Contract, Span
from events.envelope import Envelope
from events.errors import ConfigError, DeadLetter
from events.retail import CONTRACT
from events.timeliness import ANY_AGE, DECLARED, Spans

ENTERED = 1_795_266_000_000
ORDER, INACTIVE = "order.placed", "customer.inactive"


def event(at: int, event_type: str = ORDER) -> Envelope:
    return Envelope(
        event_id="e-1",
        event_type=event_type,
        source="till",
        version="1.0.0",
        occurred_at=at,
        tenant_id="retailpulse",
        payload={},
    )


@pytest.mark.parametrize(
    ("at", "event_type"),
    [
        pytest.param(ENTERED, ORDER, id="as it enters"),
        pytest.param(ENTERED + 5 * MINUTE_MS, ORDER, id="by a clock that is a little ahead"),
        pytest.param(ENTERED - 30 * DAY_MS, ORDER, id="of a till that was offline"),
        pytest.param(ENTERED - 400 * DAY_MS, INACTIVE, id="a spell that was found late"),
    ],
)
def test_what_is_within_its_bounds(at: int, event_type: str) -> None:
    DECLARED.check(event(at, event_type), ENTERED)


@pytest.mark.parametrize(
    ("at", "event_type", "likely"),
    [
        pytest.param(ENTERED // 1_000, ORDER, "it looks like seconds: give epoch milliseconds", id="seconds"),
        pytest.param(0, ORDER, "before 2000; give epoch milliseconds", id="nothing"),
        pytest.param(ENTERED + 5 * MINUTE_MS + 1, ORDER, "clock ahead", id="a clock that is ahead"),
        pytest.param(ENTERED + 120 * MINUTE_MS, ORDER, "2 hours after it entered Kafka", id="local time"),
        pytest.param(ENTERED + 730 * DAY_MS, ORDER, "730 days after it entered Kafka", id="two years ahead"),
        pytest.param(253_402_300_799_999, INACTIVE, "is 9999-12-31", id="the last time that there is"),
        pytest.param(ENTERED - 30 * DAY_MS - 1, ORDER, "order.placed may be 30 days old", id="an old order"),
        pytest.param(ENTERED - 200 * DAY_MS, ORDER, "`signalbox features backfill`", id="a backfill"),
        pytest.param(ENTERED + 6 * MINUTE_MS, "cat.fed", "may be 5 minutes ahead", id="an undeclared type"),
    ],
)
def test_what_is_not_is_refused_with_the_likely_mistake(at: int, event_type: str, likely: str) -> None:
    with pytest.raises(DeadLetter) as refusal:
        DECLARED.check(event(at, event_type), ENTERED)
    assert refusal.value.cause == "invalid_envelope"
    assert "occurred_at" in str(refusal.value)
    assert likely in str(refusal.value)


def test_an_installation_that_plays_history_takes_it_and_no_future() -> None:
    ANY_AGE.check(event(ENTERED - 5_000 * DAY_MS), ENTERED)
    DECLARED.with_age(40).check(event(ENTERED - 40 * DAY_MS), ENTERED)
    for at in (ENTERED + DAY_MS, ENTERED // 1_000):
        with pytest.raises(DeadLetter):
            ANY_AGE.check(event(at), ENTERED)


def test_a_type_may_declare_its_own() -> None:
    spans = Spans({ORDER: Span(age=DAY_MS, ahead=0)})
    spans.check(event(ENTERED - DAY_MS), ENTERED)
    for at in (ENTERED + 1, ENTERED - DAY_MS - 1):
        with pytest.raises(DeadLetter):
            spans.check(event(at), ENTERED)


def test_a_span_of_a_type_that_is_not_declared_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"cat\.fed"):
        Contract(CONTRACT.payloads, spans={"cat.fed": Span()})
