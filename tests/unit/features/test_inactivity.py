"""Inactive customers, and the time up to which that is known."""

import pytest

from events.decision import Millis
from events.errors import ConfigError
from events.inactivity import DAY_MS
from features.heartbeats import Heartbeat
from features.inactivity import Rule, known_until
from features.offline.batch import BACKFILL

NOW = 1_772_409_600_000
RULE = Rule(after_days=30, lost_days=90)


@pytest.mark.parametrize(
    ("days_ago", "tell"),
    [
        pytest.param(29.999, False, id="not for thirty days yet"),
        pytest.param(30, True, id="for thirty days to the millisecond"),
        pytest.param(89.999, True, id="nobody looked for long"),
        pytest.param(90, False, id="lost: nobody needs to be told any more"),
    ],
)
def test_who_is_told_of(days_ago: float, tell: bool) -> None:
    seen = RULE.seen(NOW)
    assert (seen.after < NOW - int(days_ago * DAY_MS) <= seen.until) is tell


def beat(as_of: Millis) -> Heartbeat:
    return Heartbeat(1, as_of, as_of)


@pytest.mark.parametrize(
    ("counted", "until"),
    [
        pytest.param({0: beat(NOW - 5), 1: beat(NOW - 9)}, NOW - 9, id="as far as the slowest partition is"),
        pytest.param({0: beat(NOW + 70)}, NOW, id="not beyond now, whatever another's clock says"),
        pytest.param({BACKFILL: beat(0), 0: beat(NOW - 5)}, NOW - 5, id="history says nothing of today"),
        pytest.param({BACKFILL: beat(0)}, None, id="only history: orders of today are not known"),
        pytest.param({}, None, id="nothing counted"),
    ],
)
def test_up_to_when_every_order_is_known(counted: dict[int, Heartbeat], until: Millis | None) -> None:
    assert known_until(counted, NOW) == until


@pytest.mark.parametrize("lost_days", [29, 30])
def test_who_is_lost_was_inactive_before(lost_days: int) -> None:
    with pytest.raises(ConfigError, match=r"SIGNALBOX_LOST_AFTER_DAYS: must be above .* \(30\), is"):
        Rule(30, lost_days)
