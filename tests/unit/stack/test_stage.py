"""What is a demonstration's stack told that another is not?"""

from stack.stage import played


def test_a_demonstration_does_not_forecast_todays_night_beside_its_own() -> None:
    assert played({"REDIS_URL": "redis://r", "SIGNALBOX_NIGHTLY_AT": "02:00"}) == {
        "REDIS_URL": "redis://r",
        "SIGNALBOX_NIGHTLY_AT": "off",
    }
