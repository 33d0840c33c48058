"""That an inference has one identifier for ever."""

from uuid import uuid5

from hypothesis import given, settings
from hypothesis import strategies as st

from events.identity import NAMESPACE, prediction_id

Parts = tuple[str, str, str, str, str]
parts = st.tuples(*[st.text(max_size=20)] * 5)


def test_the_id_of_a_known_inference_never_changes() -> None:
    made = prediction_id("retailpulse", "shop.web", "evt-1", "fraud-classifier", "champion")
    assert made == "pred_18ab4bbc-a95c-510e-954d-f8d9cbe845e6"


@given(parts)
@settings(deadline=None)
def test_it_is_a_version_5_uuid_of_the_parts_with_their_lengths(given_parts: Parts) -> None:
    name = "".join(f"{len(part)}:{part}" for part in given_parts)
    assert prediction_id(*given_parts) == f"pred_{uuid5(NAMESPACE, name)}"


@given(parts, parts)
@settings(deadline=None)
def test_different_inferences_have_different_ids(one: Parts, other: Parts) -> None:
    assert (prediction_id(*one) == prediction_id(*other)) == (one == other)


def test_a_part_cannot_borrow_from_its_neighbour() -> None:
    assert prediction_id("ab", "c", "e", "w", "a") != prediction_id("a", "bc", "e", "w", "a")
    assert prediction_id("a", "1:b", "e", "w", "a") != prediction_id("a1:b", "", "e", "w", "a")
