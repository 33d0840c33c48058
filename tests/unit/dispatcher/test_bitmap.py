"""The bitmap of completed offsets, whatever their order."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatcher import bitmap
from dispatcher.bitmap import Bitmap

START = st.integers(0, 40)
OFFSET = st.integers(0, 90)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), OFFSET),
        st.tuples(st.just("fill"), OFFSET),
        st.tuples(st.just("run"), OFFSET),
    ),
    max_size=40,
)


@pytest.fixture(scope="module", params=[1, 4_096], ids=["trimmed at once", "trimmed by the page"])
def trim_at(request: pytest.FixtureRequest) -> int:
    return int(request.param)


def lowest_missing(done: set[int]) -> int:
    offset = 0
    while offset in done:
        offset += 1
    return offset


@settings(max_examples=400, deadline=None)
@given(start=START, steps=STEPS, lower=OFFSET, below=OFFSET)
def test_a_bitmap_is_a_set_of_offsets(
    trim_at: int, start: int, steps: list[tuple[str, int]], lower: int, below: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bitmap, "_TRIM_AT", trim_at)
        real, model = Bitmap(start), set(range(start))
        for action, offset in steps:
            if action == "add":
                assert real.add(offset) is (offset not in model)
                model.add(offset)
            elif action == "fill":
                real.fill(offset)
                model.update(range(offset))
            else:
                for each in range(offset, offset + 20):
                    real.add(each)
                model.update(range(offset, offset + 20))
            assert real.watermark == lowest_missing(model)
    assert [offset for offset in range(120) if offset in real] == sorted(model)
    assert list(real.open(below)) == [offset for offset in range(below) if offset not in model]
    assert list(real.open(below, lower)) == [offset for offset in range(lower, below) if offset not in model]
    assert real.count_open(below) == sum(offset not in model for offset in range(below))


def test_what_lies_below_the_watermark_takes_no_memory() -> None:
    done = Bitmap(0)
    for offset in range(100_000):
        done.add(offset)
    assert done.watermark == 100_000
    assert len(done._bits) <= bitmap._TRIM_AT


def test_one_lost_record_costs_a_bit_for_each_above_it() -> None:
    done = Bitmap(0)
    for offset in range(1, 80_000):
        done.add(offset)
    assert done.watermark == 0
    assert len(done._bits) == 10_000
    assert list(done.open(80_002)) == [0, 80_000, 80_001]
    done.add(0)
    assert (done.watermark, len(done._bits)) == (80_000, 0)
