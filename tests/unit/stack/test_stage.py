"""Settings of a demonstration's stack that differ from another's."""

from stack.stage import played


def test_a_demonstration_plays_its_own_night_and_its_own_days() -> None:
    assert played({"REDIS_URL": "redis://r", "SIGNALBOX_NIGHTLY_AT": "02:00"}) == {
        "REDIS_URL": "redis://r",
        "SIGNALBOX_NIGHTLY_AT": "off",
        "SIGNALBOX_EVENT_AGE_DAYS": "36500",
    }
