"""Dataset updates that start a training, and one training for a storm of them."""

import pytest

from models.retraining import Begin, Hold, Known, Taken, next_run, take
from tests.unit.models.plans import PLAN

NOW = 1_800_000_000_000
ENOUGH = PLAN.min_rows


@pytest.mark.parametrize(
    ("tenant_id", "fresh", "pending", "expected"),
    [
        pytest.param("acme", True, ENOUGH, "due", id="the rows reach the threshold"),
        pytest.param("acme", True, ENOUGH - 1, "waiting", id="one row is missing"),
        pytest.param("acme", True, 9 * ENOUGH, "due", id="a run was due before: this belongs to it"),
        pytest.param("acme", False, ENOUGH, "known", id="told of twice, it is counted once"),
        pytest.param("other", True, ENOUGH, "foreign", id="a tenant on whose rows nothing is trained"),
    ],
)
def test_what_an_event_means(tenant_id: str, fresh: bool, pending: int, expected: Taken) -> None:
    assert take(PLAN, tenant_id, fresh, Known(pending=pending)) == expected


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        pytest.param(Known(), "0 of 1,000 rows", id="nothing came"),
        pytest.param(Known(pending=999), "999 of 1,000 rows", id="too little came"),
        pytest.param(Known(pending=1_000), None, id="enough came"),
        pytest.param(
            Known(pending=1_000, leased_until=NOW + 1), "a run is going on", id="one run is going on"
        ),
        pytest.param(Known(pending=1_000, leased_until=NOW), None, id="whoever ran says nothing any more"),
        pytest.param(
            Known(pending=1_000, failures=1, failed_at=NOW - 59_001),
            "a run came to no end: the next one in 1 s",
            id="after a failure there is a pause",
        ),
        pytest.param(
            Known(pending=1_000, failures=1, failed_at=NOW - 60_000),
            None,
            id="after the pause it is tried again",
        ),
        pytest.param(
            Known(pending=1_000, failures=2, failed_at=NOW - 60_000),
            "a run came to no end: the next one in 60 s",
            id="the second pause is twice as long",
        ),
        pytest.param(
            Known(pending=1_000, failures=3, failed_at=0),
            "3 runs came to no end: waiting for another dataset version",
            id="at some time it is enough",
        ),
    ],
)
def test_when_a_run_begins(known: Known, expected: str | None) -> None:
    assert next_run(PLAN, known, NOW) == (Begin() if expected is None else Hold(expected))
