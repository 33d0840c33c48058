"""The retry policy: a worker's reaction to each error."""

from typing import Any

import pytest

from events.errors import DeadLetter, Escalate, Fallback, Retry, SignalboxError, Unavailable
from routing.catalogue import QueueSpec
from tasks.policy import (
    Again,
    Await,
    DeadLettered,
    HandBack,
    Limits,
    Pause,
    Surrender,
    backoff,
    next_refusal,
    next_wait,
    reaction,
    successor_id,
)
from tests.unit.tasks.fakes import batch_of

LIMITS = Limits(patience=5_000, surrender=8_000, publish=3_000, longest_backoff=10_000)


def spec(**changes: Any) -> QueueSpec:
    """A queue of the fraud workflow."""
    said: dict[str, Any] = {
        "name": "ml.fraud.input",
        "workflow": "fraud-classifier",
        "task": "tasks.fraud.score",
        "pool": "prefork",
        "concurrency": 2,
        "prefetch": 1,
        "nice": 0,
        "soft_time_limit_s": 10,
        "time_limit_s": 12,
        "visibility_timeout_s": 15,
        "window": 2,
        "max_batch": 1_024,
        "served": True,
        **changes,
    }
    return QueueSpec(**said)


@pytest.mark.parametrize(
    ("error", "retries", "expected"),
    [
        pytest.param(Retry("x"), 0, Again(), id="a failure is tried again"),
        pytest.param(Retry("x"), 2, Again(), id="and again, up to the last retry"),
        pytest.param(
            Retry("x"), 3, DeadLettered("retries_exhausted"), id="after which the event is given up"
        ),
        pytest.param(Unavailable("redis"), 99, Await(), id="what waits for an outage uses up no attempt"),
        pytest.param(
            DeadLetter("missing_feature", "x"), 0, DeadLettered("missing_feature"), id="bad data is given up"
        ),
        pytest.param(Fallback("x"), 0, DeadLettered("rejected"), id="a fallback that no workflow has"),
        pytest.param(Escalate("x"), 0, DeadLettered("rejected"), id="an escalation that no workflow has"),
    ],
)
def test_an_error_calls_for_its_reaction(error: SignalboxError, retries: int, expected: object) -> None:
    assert reaction(error, retries, max_retries=3) == expected


@pytest.mark.parametrize(
    ("retries", "share", "expected"),
    [
        pytest.param(0, 0.0, 500, id="half of the first pause is certain"),
        pytest.param(0, 1.0, 1_000, id="the other half is chance"),
        pytest.param(2, 0.5, 3_000, id="each pause doubles"),
        pytest.param(9, 1.0, 10_000, id="up to the longest"),
        pytest.param(5_000, 1.0, 10_000, id="however many retries there were"),
    ],
)
def test_a_pause_grows_and_is_never_nothing(retries: int, share: float, expected: int) -> None:
    assert backoff(retries, 1_000, 10_000, share) == expected


@pytest.mark.parametrize(
    ("waited", "pauses", "stopping", "expected"),
    [
        pytest.param(0, 0, False, Pause(50), id="the first pause is short"),
        pytest.param(400, 3, False, Pause(400), id="each is twice the last"),
        pytest.param(3_000, 60, False, Pause(1_000), id="none is longer than a second"),
        pytest.param(4_001, 60, False, HandBack(), id="it gives up before its patience ends"),
        pytest.param(0, 0, True, HandBack(), id="a worker that stops does not wait"),
    ],
)
def test_a_worker_waits_in_place_for_as_long_as_it_may(
    waited: int, pauses: int, stopping: bool, expected: object
) -> None:
    assert next_wait(waited, pauses, LIMITS, stopping) == expected


@pytest.mark.parametrize(
    ("waited", "stopping", "expected"),
    [
        pytest.param(5_000, False, Pause(1_000), id="it tries the broker again past its patience"),
        pytest.param(7_001, False, Surrender(), id="but gives the message back before a time limit strikes"),
        pytest.param(5_000, True, Surrender(), id="and at once where the worker stops"),
    ],
)
def test_a_worker_whose_broker_is_down_too_keeps_its_message(
    waited: int, stopping: bool, expected: object
) -> None:
    assert next_refusal(waited, 60, LIMITS, stopping) == expected


@pytest.mark.parametrize(
    "specs",
    [
        pytest.param((spec(),), id="a short workflow"),
        pytest.param((spec(soft_time_limit_s=85, time_limit_s=90, visibility_timeout_s=120),), id="an agent"),
        pytest.param(
            (spec(soft_time_limit_s=900, time_limit_s=960, visibility_timeout_s=1_200),), id="a night"
        ),
        pytest.param((spec(), spec(soft_time_limit_s=900, time_limit_s=960)), id="both in one worker"),
    ],
)
def test_waiting_ends_before_any_limit_of_the_queue(specs: tuple[QueueSpec, ...]) -> None:
    limits = Limits.of(specs)
    soft = 1_000 * min(queue.soft_time_limit_s for queue in specs)
    visibility = 1_000 * min(queue.visibility_timeout_s for queue in specs)

    assert 0 < limits.publish < limits.patience < limits.surrender < soft
    assert limits.longest_backoff + limits.surrender < visibility
    assert limits.longest_backoff <= 60_000


@pytest.mark.parametrize(
    ("parent", "expected"),
    [
        pytest.param("lane[3]@1200+64", "ml.test.input.high[3]@1200+2~1", id="the first successor"),
        pytest.param("lane[3]@1200+2~1", "ml.test.input.high[3]@1200+2~2", id="a successor's successor"),
        pytest.param("some~thing", "ml.test.input.high[3]@1200+2~1", id="a foreign id"),
    ],
)
def test_a_successor_has_an_id_of_its_own(parent: str, expected: str) -> None:
    assert successor_id(parent, batch_of("a", "b")) == expected
