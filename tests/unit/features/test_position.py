"""The position of a prediction's features comes back out of its text."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.position import offsets_text, parse_standing, standing_text

OFFSETS = st.dictionaries(st.integers(-1, 300), st.integers(0, 2**60), max_size=4)
VIEWS = st.dictionaries(st.sampled_from(["customer_orders", "terminal_orders", "activity"]), OFFSETS)


@pytest.mark.parametrize(
    ("views", "text"),
    [
        pytest.param({"a": {1: 1_500, 0: 1_234, -1: 7}}, "-1@7 0@1234 1@1500", id="one view"),
        pytest.param({"a": {0: 5}, "b": {0: 5}}, "0@5", id="two that stand at the same place"),
        pytest.param({"b": {0: 6}, "a": {0: 5, 1: 2}}, "a 0@5 1@2; b 0@6", id="two that stand apart"),
        pytest.param({"a": {}, "b": {0: 6}}, "a; b 0@6", id="one of which nothing was counted"),
        pytest.param({"a": {}}, "", id="nothing was counted"),
        pytest.param({}, "", id="no view at all"),
    ],
)
def test_how_it_reads(views: Mapping[str, Mapping[int, int]], text: str) -> None:
    assert standing_text({view: offsets_text(offsets) for view, offsets in views.items()}) == text


@given(VIEWS)
def test_it_comes_back(views: dict[str, dict[int, int]]) -> None:
    text = standing_text({view: offsets_text(offsets) for view, offsets in views.items()})
    found = parse_standing(text)
    assert {view: found.of(view) for view in views} == views


@pytest.mark.parametrize("text", ["0@", "a@1", "a 0", "0@1 2", "a 0@1; b 1-2"])
def test_what_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_standing(text)
