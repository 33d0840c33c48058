"""The Redis key of a row."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.keys import POSITION_KEY, row_key, shelf_of
from features.retail import CUSTOMER_ORDERS, PRODUCT_CATALOGUE, TERMINAL_ORDERS
from features.views import BatchView, StreamView

PARTS = st.tuples(*[st.text(alphabet="ab:%3A25", max_size=6)] * 3)


@pytest.mark.parametrize(
    ("tenant", "shelf", "entity", "expected"),
    [
        pytest.param("acme", "orders", "c-17", "features:acme:orders:c-17", id="it reads as it is"),
        pytest.param("acme", "orders", "eu:17", "features:acme:orders:eu:17", id="an id comes last"),
        pytest.param("acme:uk", "orders", "17", "features:acme%3Auk:orders:17", id="a colon is escaped"),
        pytest.param("100%", "orders", "17", "features:100%25:orders:17", id="so is the escaping sign"),
    ],
)
def test_a_key_names_tenant_shelf_and_entity(tenant: str, shelf: str, entity: str, expected: str) -> None:
    assert row_key(tenant, shelf, entity) == expected


@pytest.mark.parametrize(
    ("view", "other", "same"),
    [
        pytest.param(CUSTOMER_ORDERS, replace(CUSTOMER_ORDERS, owner="you"), True, id="whoever owns it"),
        pytest.param(
            CUSTOMER_ORDERS,
            replace(CUSTOMER_ORDERS, features=CUSTOMER_ORDERS.features[:1]),
            True,
            id="whatever is made of its measures",
        ),
        pytest.param(
            CUSTOMER_ORDERS,
            replace(CUSTOMER_ORDERS, resolution_s=60),
            False,
            id="but not at another resolution",
        ),
        pytest.param(
            TERMINAL_ORDERS,
            replace(TERMINAL_ORDERS, measures=TERMINAL_ORDERS.measures[::-1]),
            False,
            id="nor where its measures have other numbers",
        ),
        pytest.param(
            PRODUCT_CATALOGUE,
            replace(PRODUCT_CATALOGUE, fields=(replace(PRODUCT_CATALOGUE.fields[0], name="kind"),)),
            False,
            id="nor with other fields",
        ),
        pytest.param(
            PRODUCT_CATALOGUE, replace(PRODUCT_CATALOGUE, table="other"), False, id="nor out of another table"
        ),
    ],
)
def test_a_view_keeps_its_shelf_as_long_as_its_layout(
    view: StreamView | BatchView, other: StreamView | BatchView, same: bool
) -> None:
    assert shelf_of(view).startswith(f"{view.name}.")
    assert (shelf_of(view) == shelf_of(other)) == same


@given(PARTS, PARTS)
def test_no_two_rows_share_a_key(one: tuple[str, str, str], other: tuple[str, str, str]) -> None:
    assert (row_key(*one) == row_key(*other)) == (one == other)
    assert row_key(*one) != POSITION_KEY
