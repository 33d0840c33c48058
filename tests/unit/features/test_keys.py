"""Under which key does a row stand?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.keys import POSITION_KEY, row_key

PARTS = st.tuples(*[st.text(alphabet="ab:%3A25", max_size=6)] * 3)


@pytest.mark.parametrize(
    ("tenant", "view", "entity", "expected"),
    [
        pytest.param("acme", "orders", "c-17", "features:acme:orders:c-17", id="it reads as it is"),
        pytest.param("acme", "orders", "eu:17", "features:acme:orders:eu:17", id="an id comes last"),
        pytest.param("acme:uk", "orders", "17", "features:acme%3Auk:orders:17", id="a colon is escaped"),
        pytest.param("100%", "orders", "17", "features:100%25:orders:17", id="so is the escaping sign"),
    ],
)
def test_a_key_names_tenant_view_and_entity(tenant: str, view: str, entity: str, expected: str) -> None:
    assert row_key(tenant, view, entity) == expected


@given(PARTS, PARTS)
def test_no_two_rows_share_a_key(one: tuple[str, str, str], other: tuple[str, str, str]) -> None:
    assert (row_key(*one) == row_key(*other)) == (one == other)
    assert row_key(*one) != POSITION_KEY
