"""HTTP retries: when a call is made again, and when it is given up."""

import pytest

from models.support.repeating import Patience, asks_again, retry_after_s

PATIENCE = Patience(attempts=4, first_s=1, longest_s=3, total_s=10)
NOW = 1_795_266_000_000  # Sat, 21 Nov 2026 13:00:00 GMT


@pytest.mark.parametrize(
    ("attempt", "spent_s", "asked_s", "expected"),
    [
        pytest.param(1, 0, None, 1, id="the first pause is the shortest"),
        pytest.param(2, 1, None, 2, id="the next one doubles"),
        pytest.param(3, 3, None, 3, id="none is longer than the longest"),
        pytest.param(4, 6, None, None, id="after the last attempt it is given up"),
        pytest.param(1, 0, 5, 5, id="who asks for longer is waited for"),
        pytest.param(1, 0, 0, 1, id="who asks for nothing gets a pause all the same"),
        pytest.param(1, 0, 11, None, id="nobody is waited for beyond the patience"),
        pytest.param(2, 9, None, None, id="nor is anything tried after it"),
        pytest.param(2, 7.5, None, None, id="nor what would have less than a second"),
    ],
)
def test_pause(attempt: int, spent_s: float, asked_s: float | None, expected: float | None) -> None:
    assert PATIENCE.pause_s(attempt, spent_s, asked_s, jitter=1) == expected


@pytest.mark.parametrize(
    ("left", "total_s"),
    [
        pytest.param(4_000, 4, id="no longer than what is left"),
        pytest.param(60_000, 10, id="nor than the patience"),
        pytest.param(-5_000, 2, id="what is late has the least"),
    ],
)
def test_what_is_left_caps_the_patience(left: int, total_s: float) -> None:
    assert PATIENCE.capped(left, least_s=2).total_s == total_s


def test_those_who_failed_together_do_not_come_back_together() -> None:
    pauses = {PATIENCE.pause_s(2, 0, None, jitter) for jitter in (0, 0.5, 1)}
    assert pauses == {1.0, 1.5, 2.0}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param("3", 3, id="seconds"),
        pytest.param("Sat, 21 Nov 2026 13:00:07 GMT", 7, id="a date"),
        pytest.param("Sat, 21 Nov 2026 12:00:00 GMT", 0, id="a date that is over"),
        pytest.param("-3", None, id="no number of seconds"),
        pytest.param("²", None, id="a digit, but no number"),
        pytest.param("soon", None, id="a word"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_retry_after(value: str, expected: float | None) -> None:
    assert retry_after_s({"Retry-After": value}, NOW) == expected


def test_without_the_header_nothing_is_asked() -> None:
    assert retry_after_s({}, NOW) is None


@pytest.mark.parametrize(
    ("status", "again"),
    [
        (200, False),
        (400, False),
        (404, False),
        (422, False),
        (408, True),
        (429, True),
        (500, True),
        (503, True),
    ],
)
def test_which_answers_are_of_the_moment(status: int, again: bool) -> None:
    assert asks_again(status) is again
