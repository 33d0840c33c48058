"""A database whose increments would be read with another meaning is refused; no other is."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from sqlalchemy import inspect

from events.errors import ConfigError
from features.offline.layouts import check_layouts
from features.offline.store import OfflineStore, open_offline
from features.retail import CUSTOMER_ORDERS, DEFINITIONS, TERMINAL_ORDERS
from features.schema import Definitions, Measure, StreamView


def definitions(views: Sequence[StreamView]) -> Definitions:
    return Definitions.of(DEFINITIONS.entities.values(), views)


@pytest.mark.parametrize(
    "view",
    [
        pytest.param(CUSTOMER_ORDERS, id="as it is"),
        pytest.param(
            replace(CUSTOMER_ORDERS, features=CUSTOMER_ORDERS.features[:2]), id="with fewer features"
        ),
        pytest.param(replace(CUSTOMER_ORDERS, name="new", resolution_s=60), id="under a name of its own"),
    ],
)
def test_what_was_stored_by_the_same_layout_is_read(store: OfflineStore, view: StreamView) -> None:
    check_layouts(store.database, definitions([view]))


@pytest.mark.parametrize(
    "view",
    [
        pytest.param(replace(CUSTOMER_ORDERS, resolution_s=60), id="another resolution"),
        pytest.param(
            replace(CUSTOMER_ORDERS, measures=(Measure("orders", "order.placed", of="amount", decimals=3),)),
            id="amounts of another size",
        ),
    ],
)
def test_what_was_stored_by_another_layout_is_refused_by_name(store: OfflineStore, view: StreamView) -> None:
    with pytest.raises(ConfigError, match=r"customer_orders.*signalbox features backfill") as refused:
        check_layouts(store.database, definitions([view, TERMINAL_ORDERS]))
    assert "terminal_orders" not in str(refused.value)


def test_an_empty_database_is_fine_and_stays_empty(offline_url: str) -> None:
    store = open_offline(offline_url)
    check_layouts(store.database, DEFINITIONS)
    assert inspect(store.database.engine).get_table_names() == []
    store.close()
