"""A database that is slow or away costs one read its time limit, and no other read anything."""

from collections.abc import Callable, Sequence

import pytest

from events.errors import Unavailable
from features.leaning import PROBE_S, WINDOW, Coverage, Leaning, Outage
from features.reading import BatchRows, Heartbeat, Of, Rows, Span, Within
from features.retail import DEFINITIONS
from features.views import BatchView, StreamView

STREAM, BATCH = DEFINITIONS.stream_views[0], DEFINITIONS.batch_views[0]
WHO = [("acme", "c-1")]
ANSWER = Rows({}, {0: Heartbeat(7, 0, 0)})


class Sql:
    """A database that hangs for so many queries of its stream views, and what it was asked."""

    def __init__(self, failing: int = 1_000_000) -> None:
        self.failing = failing
        self.asked: list[str] = []

    def rows(self, view: StreamView, keys: Sequence[Of]) -> Rows:
        self.asked.append(view.name)
        if len(self.asked) <= self.failing:
            raise Unavailable("offline feature store", "lock timeout")
        return ANSWER

    def rows_within(self, view: StreamView, spans: Sequence[Span]) -> Within:
        self.asked.append(view.name)
        raise Unavailable("offline feature store", "lock timeout")

    def batch_rows(self, view: BatchView, keys: Sequence[Of]) -> BatchRows:
        self.asked.append(view.name)
        return BatchRows({}, None)


class Threads:
    """Keeps what is to be run beside, until a test runs it."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], None]] = []
        self.slept: list[float] = []

    def outage(self) -> Outage:
        return Outage(self.waiting.append, self.slept.append)


def test_only_the_first_read_meets_an_outage() -> None:
    threads, sql = Threads(), Sql()
    outage = threads.outage()
    for _ in range(3):
        source = Leaning(sql, outage)
        assert source.rows(STREAM, WHO) == Rows({}, {})
        assert source.batch_rows(BATCH, WHO) == BatchRows({}, None)
        assert source.gave_up == {STREAM.name, BATCH.name}
    assert sql.asked == [STREAM.name]
    assert len(threads.waiting) == 1


def test_what_failed_is_asked_beside_until_it_is_answered_and_then_reads_ask_again() -> None:
    threads, sql = Threads(), Sql(failing=4)
    outage = threads.outage()
    Leaning(sql, outage).rows(STREAM, WHO)
    threads.waiting.pop()()
    assert sql.asked == [STREAM.name] * 5, "the very query that failed"
    assert threads.slept == [PROBE_S] * 3
    source = Leaning(sql, outage)
    assert source.rows(STREAM, WHO) == ANSWER
    assert not source.gave_up


def test_an_error_that_is_no_outage_ends_the_asking() -> None:
    threads = Threads()
    outage = threads.outage()

    def broken() -> None:
        raise ValueError("of one entity")

    outage.began(Unavailable("sql"), broken)
    assert outage.open
    with pytest.raises(ValueError, match="of one entity"):
        threads.waiting.pop()()
    assert not outage.open


def test_what_needs_the_whole_history_is_not_made_up_and_has_the_longer_limit() -> None:
    hurried, patient = Sql(), Sql()
    with pytest.raises(Unavailable):
        Leaning(hurried, Threads().outage(), patient).rows_within(STREAM, [Span(WHO[0], 1, 2)])


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        pytest.param([b"", b"", None], True, id="one of three is absent"),
        pytest.param([b"", None], True, id="a known customer at a terminal that is new"),
        pytest.param([None, None, b""], False, id="most are absent: Redis has lost them"),
        pytest.param([None], False, id="the only one is absent, and nothing else is known"),
    ],
)
def test_the_first_read_decides_by_itself(stored: list[bytes | None], expected: bool) -> None:
    assert Coverage().mostly(stored) is expected


def test_a_new_customer_who_comes_alone_does_not_wait_if_the_others_were_online() -> None:
    coverage = Coverage()
    assert coverage.mostly([b""] * WINDOW)
    assert coverage.mostly([None, None, None])


def test_a_redis_that_lost_its_rows_is_noticed_within_the_window() -> None:
    coverage = Coverage()
    assert coverage.mostly([b""] * 10 * WINDOW)
    answers = [coverage.mostly([None]) for _ in range(WINDOW)]
    assert answers[0]
    assert not answers[-1]
    assert coverage.mostly([None] * WINDOW) is False, "a large read decides by itself"
