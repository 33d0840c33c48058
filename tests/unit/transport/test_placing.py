"""The position of a group if Kafka does not hold its own."""

import pytest

from transport.placing import begin_again


@pytest.mark.parametrize(
    ("at", "committed", "floor", "low", "high", "offset", "lost"),
    [
        pytest.param(-1, -1, None, 0, 0, 0, 0, id="a new group in an empty topic"),
        pytest.param(-1, -1, None, 40, 90, 40, 0, id="a new group begins with what there is"),
        pytest.param(-1, -1, 70, 40, 90, 70, 0, id="it expired: what is answered is not read again"),
        pytest.param(-1, -1, 10, 40, 90, 40, 30, id="it expired, and so did unanswered records"),
        pytest.param(-1, -1, 99, 0, 90, 90, 0, id="no place lies beyond the end"),
        pytest.param(10, 10, None, 40, 90, 40, 30, id="retention passed over unread records"),
        pytest.param(10, -1, None, 40, 90, 40, 30, id="before the group had committed anything"),
        pytest.param(95, 95, None, 0, 90, 90, 0, id="the tail is gone: what is left was read"),
        pytest.param(95, -1, None, 0, 9, 0, 0, id="the topic was deleted and made again: all is new"),
        pytest.param(50, 50, None, 0, 90, 50, 0, id="the position is there after all"),
    ],
)
def test_where_a_group_goes_on(
    at: int, committed: int, floor: int | None, low: int, high: int, offset: int, lost: int
) -> None:
    begin = begin_again(at, committed, floor, low, high)
    assert (begin.offset, begin.lost) == (offset, lost)


def test_only_a_group_without_anything_to_read_begins_in_silence() -> None:
    assert not begin_again(-1, -1, None, 7, 7).said
    assert begin_again(-1, -1, None, 0, 7).said
    assert begin_again(3, 3, None, 7, 9).said
