"""A database that is away is not asked by every read."""

from collections.abc import Sequence

import pytest

from events.errors import Unavailable
from features.leaning import ASK_AGAIN_S, Leaning, Outage, mostly
from features.reading import BatchRows, Of, Rows
from features.retail import DEFINITIONS
from features.views import BatchView, StreamView

STREAM, BATCH = DEFINITIONS.stream_views[0], DEFINITIONS.batch_views[0]
WHO = [("acme", "c-1")]


class Away:
    """A database that hangs, and how often it was asked."""

    asked = 0

    def rows(self, view: StreamView, keys: Sequence[Of], *, folded: bool = True) -> Rows:
        self.asked += 1
        raise Unavailable("offline feature store")

    def batch_rows(self, view: BatchView, keys: Sequence[Of]) -> BatchRows:
        self.asked += 1
        raise Unavailable("offline feature store")


def test_once_it_was_away_it_is_asked_again_after_two_seconds() -> None:
    now, database = [100.0], Away()
    outage = Outage(lambda: now[0])
    for seconds, times in ((0.0, 1), (ASK_AGAIN_S - 0.1, 1), (0.1, 2)):
        now[0] += seconds
        source = Leaning(database, outage)
        assert source.rows(STREAM, WHO) == Rows({}, {})
        assert source.batch_rows(BATCH, WHO) == BatchRows({}, None)
        assert source.gave_up == {STREAM.name, BATCH.name}
        assert database.asked == times


def test_what_needs_the_whole_history_is_not_made_up() -> None:
    with pytest.raises(Unavailable):
        Leaning(Away(), Outage()).rows(STREAM, WHO, folded=False)


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        pytest.param([b"", b"", None], True, id="one of three lacks"),
        pytest.param([b"", None], True, id="a known customer at a terminal that is new"),
        pytest.param([None, None, b""], False, id="most lack: Redis has lost them"),
        pytest.param([None], False, id="the only one lacks"),
    ],
)
def test_most_rows_are_there_or_they_are_not(stored: list[bytes | None], expected: bool) -> None:
    assert mostly(stored) is expected
