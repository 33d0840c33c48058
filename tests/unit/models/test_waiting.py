"""A promotion is effective once every process says so."""

from collections.abc import Sequence

from models.reports import Report
from models.waiting import await_served

OLD, NEW = Report("a:1", "1", "old", 0), Report("a:1", "2", "new", 0)
OTHER = Report("b:2", "1", "old", 0, "v2 is refused: broken")


class Time:
    """Passes where somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def looked(*answers: Sequence[Report]) -> tuple[bool, str]:
    time, left = Time(), list(answers)

    def read() -> Sequence[Report]:
        return left.pop(0) if len(left) > 1 else left[0]

    took = await_served(read, "new", 1.0, time, time.sleep)
    return took.all, took.told


def test_it_waits_until_the_last_process_has_it() -> None:
    assert looked([OLD], [OLD], [NEW]) == (True, "1 of 1 processes serve it, 0.2 s later")


def test_who_does_not_take_it_is_named_with_the_reason() -> None:
    assert looked([NEW, OTHER]) == (
        False,
        "1 of 2 processes serve it after 1.1 s; the others:\n  b:2: v1; v2 is refused: broken",
    )


def test_who_falls_silent_before_it_took_it_is_waited_for() -> None:
    assert looked([OLD, OTHER], [NEW]) == (
        False,
        "1 of 2 processes serve it after 1.1 s; the others:\n"
        "  b:2: v1; it ended, or loads, or hangs: it says nothing any more",
    )
    assert looked([OLD, OTHER], [], [NEW, OTHER._replace(digest="new")]) == (
        True,
        "2 of 2 processes serve it, 0.2 s later",
    )


def test_who_took_it_may_end() -> None:
    assert looked([OLD, OTHER], [OLD, OTHER._replace(digest="new")], [NEW])[0]


def test_where_nobody_serves_the_model_nobody_is_waited_for() -> None:
    assert looked([]) == (True, "no process serves this model at the moment")
