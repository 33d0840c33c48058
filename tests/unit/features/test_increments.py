"""Rows of increments: to bytes and back, and what is no row."""

import struct

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from features.decoding import decode_rows, segments_of
from features.extraction import Increment
from features.increments import (
    MOST_GROWTH,
    Increments,
    Positions,
    Segment,
    encode_increments,
    encode_row,
    of_segments,
    packed,
)
from features.retail import CUSTOMER_ORDERS, TERMINAL_ORDERS
from features.segments import HEADER, INCREMENT, NO_TILE, ONE, SMALLEST_CAP, VERSION
from tests.unit.features.plainly import segment

_RAW = st.tuples(
    st.integers(0, 2**32 - 2),
    st.sampled_from([0, 1, 0x80, 0x81]),
    st.integers(-(2**31), 2**31 - 1),
    st.integers(-(2**63), 2**63 - 1),
)
_SEGMENTS = st.lists(
    st.builds(
        Segment,
        partition=st.integers(-1, 2**15 - 1),
        position=st.integers(0, 2**64 - 1),
        increments=st.lists(_RAW, max_size=5).map(packed),
        since=st.integers(0, 2**32 - 1),
    ),
    max_size=3,
    unique_by=lambda each: each.partition,
)


def _listed(positions: Positions) -> list[tuple[int, ...]]:
    return sorted(zip(*(column.tolist() for column in positions), strict=True))


def columns(found: Increments) -> list[list[object]]:
    """All that stands in them, to compare."""
    arrays = (found.of, found.tile, found.measure, found.n, found.amount)
    folded = None if found.base is None else found.base.tolist()
    since = None if found.since is None else found.since.tolist()
    said = (folded, _listed(found.positions), list(found.broken), since)
    return [*(column.tolist() for column in arrays), *said]


@given(st.lists(_SEGMENTS, max_size=4), st.sampled_from([1, 40]))
@example([[], [], []], 1)
def test_what_goes_in_comes_out(few: list[list[Segment]], times: int) -> None:
    rows = times * few
    encoded = [encode_row(row, TERMINAL_ORDERS) for row in rows]
    assert columns(decode_rows(encoded, 2)) == columns(of_segments(rows))
    for row, value in zip(rows, encoded, strict=True):
        for before, after in zip(row, segments_of(value), strict=True):
            assert (before[:2], before.since) == (after[:2], after.since)
            assert before.increments.tobytes() == after.increments.tobytes()


def test_the_bytes_stand_where_the_scripts_look_for_them() -> None:
    part = segment((5, 0x80, 3, -7), (9, 1, 1, 0), (8, 0, 1, 250), partition=-1, position=77)
    part = part._replace(since=6)
    row = encode_row([part], TERMINAL_ORDERS)
    assert (HEADER.size, ONE.size, INCREMENT.itemsize) == (26, 17, 17)
    assert (row[:1], NO_TILE) == (b"\x03", 2**32 - 1)
    assert struct.unpack("<h", row[1:3]) == (-1,)
    assert struct.unpack("<Q", row[3:11]) == (77,)
    assert struct.unpack("<IIII", row[11:27]) == (8, SMALLEST_CAP, 6, 3 * 17)
    assert struct.unpack("<IBiq", row[27:44]) == (5, 0x80, 3, -7)


def test_what_is_appended_reads_like_what_was_put() -> None:
    increments = [
        Increment("acme", "terminal_orders", "t-1", 1, 2**32 - 2, 1, 0, 0),
        Increment("acme", "terminal_orders", "t-1", 0, 5, 1, -(2**53), 0),
    ]
    written = packed((each.tile, each.measure, each.n, each.amount) for each in increments)
    assert encode_increments(increments) == written.tobytes()


def test_what_a_batch_has_of_one_tile_is_appended_as_one() -> None:
    increments = [Increment("acme", "terminal_orders", "t-1", 0, 5, 1, 2**53, 0)] * 1_500
    written = np.frombuffer(encode_increments(increments), INCREMENT)
    assert len(written) == 2, "more than 64 bits are spread over two"
    assert (written["n"].sum(), sum(written["amount"].tolist())) == (1_500, 1_500 * 2**53)


def test_a_row_without_segments_says_that_nothing_is_known() -> None:
    assert encode_row([], TERMINAL_ORDERS) == VERSION
    found = decode_rows([VERSION])
    assert columns(found) == [[], [], [], [], [], None, [], [], None]


def test_a_segment_whose_increments_are_all_folded_has_no_oldest() -> None:
    row = encode_row([segment((5, 0x80, 3, 0))], TERMINAL_ORDERS)
    assert HEADER.unpack_from(row, 1)[2] == NO_TILE


@pytest.mark.parametrize(
    ("length", "cap"), [(10, SMALLEST_CAP), (1_000, 2_000), (10_000, 10_000 + MOST_GROWTH)]
)
def test_a_long_segment_may_grow_before_it_wants_compacting(length: int, cap: int) -> None:
    row = encode_row([segment(*((tile, 0, 1, 0) for tile in range(length)))], TERMINAL_ORDERS)
    assert HEADER.unpack_from(row, 1)[3] == cap


def test_an_increment_of_no_measure_of_the_view_is_not_written() -> None:
    with pytest.raises(ValueError, match="customer_orders has 1 measures"):
        encode_row([segment((5, 1, 1, 0))], CUSTOMER_ORDERS)


_GOOD = encode_row([segment((5, 0, 1, 0), (6, 1, 1, 0), position=3)], TERMINAL_ORDERS)
_OF_ANOTHER = encode_row([segment((5, 0, 1, 0), partition=1, position=3)], TERMINAL_ORDERS)[1:]
_PARTS = [segment((5, 0, 1, partition), partition=partition) for partition in range(1_000)]
_MANY = encode_row(_PARTS, TERMINAL_ORDERS)


def test_rows_of_few_segments_and_of_many_stand_side_by_side() -> None:
    rows = 10 * [_PARTS[:2], _PARTS, [], _PARTS[3:4], _PARTS[:9], _PARTS[:8]]
    found = decode_rows([encode_row(row, TERMINAL_ORDERS) for row in rows], 2)
    assert columns(found) == columns(of_segments(rows))


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(b"", id="no bytes"),
        pytest.param(b'{"event_time": 1}', id="somebody else's JSON"),
        pytest.param(b"\x01" + _GOOD[1:], id="an older version"),
        pytest.param(_GOOD[:-1], id="a byte short"),
        pytest.param(_GOOD + b"\x00", id="a byte too many"),
        pytest.param(_GOOD[:12], id="half a header"),
        pytest.param(_GOOD + _GOOD[1:], id="one partition twice"),
        pytest.param(_GOOD + _OF_ANOTHER + _GOOD[1:], id="one partition twice, another between"),
        pytest.param(VERSION + 10 * _GOOD[1:], id="one partition ten times"),
        pytest.param(_MANY[:-1], id="many segments, a byte short"),
        pytest.param(_MANY + b"\x00", id="many segments, a byte too many"),
        pytest.param(
            encode_row([segment((5, 0, 1, 0))], TERMINAL_ORDERS)[:-17] + ONE.pack(5, 9, 1, 0),
            id="a measure that the view does not have",
        ),
    ],
)
def test_a_broken_row_counts_as_not_there_and_harms_no_other(value: bytes) -> None:
    for others in (1, 50):
        found = decode_rows([None, value, *others * [_GOOD]], 2)
        assert found.broken == (1,)
        assert _listed(found.positions) == [(place, 0, 3) for place in range(2, 2 + others)]
        assert found.of.tolist() == [place for place in range(2, 2 + others) for _ in range(2)]
        assert found.tile.tolist() == others * [5, 6]


@given(st.binary(max_size=60), st.integers(0, len(_GOOD)))
@example(VERSION + bytes(1 << 20), 0)  # a million bytes that say partition 0 again and again
def test_no_bytes_raise_anything(noise: bytes, at: int) -> None:
    damaged = _GOOD[:at] + noise + _GOOD[at:]
    for others in (0, 50):
        found = decode_rows([noise, damaged, *others * [_GOOD]], 2)
        assert np.all(found.measure < 2)
        assert all(place not in found.broken for place in found.of.tolist())


def test_segments_of_what_is_no_row_are_refused() -> None:
    with pytest.raises(ValueError, match="no row of increments"):
        segments_of(b"\x02abc")
