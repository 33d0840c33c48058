"""Each sale is counted on the day on which it happened, by the shop's local clock."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from features.offline.batch import StreamEvent
from features.offline.daily import daily, midnights
from features.offline.sales import Sales
from features.offline.store import OfflineStore
from tests.integration.features.made import TENANT, batch, event, view_of

LONDON = ZoneInfo("Europe/London")
SKU = (TENANT, "sku-1")


def sale(
    offset: int, at: str, *, sku: str = "sku-1", quantity: int = 1, price: float = 2.5, repeated: int = 1
) -> StreamEvent:
    """An order of one SKU at a time (ISO 8601, UTC where it names no zone)."""
    when = datetime.fromisoformat(at)
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    items = [{"sku": sku, "quantity": quantity, "unit_price": price}] * repeated
    payload = {"customer_id": "c-1", "terminal_id": "t-1", "amount": 1.0, "items": items}
    return event("order.placed", payload, offset=offset, at=int(when.timestamp() * 1_000))


def sold(store: OfflineStore, first: date, days: int, zone: ZoneInfo) -> list[float]:
    """Pieces of `sku-1` a day."""
    borders = midnights(first, days, zone)
    amounts: list[float] = (
        daily(store.database, view_of("sku_demand"), "sold", [SKU], borders).amount[0].tolist()
    )
    return amounts


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        pytest.param("2026-07-01T22:59:59.999", [1, 0, 0], id="the last moment of a summer's day"),
        pytest.param("2026-07-01T23:00:00", [0, 1, 0], id="by then the shop has the next day, UTC not yet"),
        pytest.param("2026-07-03T22:59:59", [0, 0, 1], id="the last day is whole"),
        pytest.param("2026-07-03T23:00:00", [0, 0, 0], id="what happens from midnight on is not known yet"),
        pytest.param("2026-06-30T22:59:59", [0, 0, 0], id="what is before the first day is left out"),
    ],
)
def test_a_sale_falls_on_the_shops_own_day(store: OfflineStore, at: str, expected: list[float]) -> None:
    store.commit(batch(sale(0, at)))
    assert sold(store, date(2026, 7, 1), 3, LONDON) == expected


@pytest.mark.parametrize(
    ("day", "hours"),
    [
        pytest.param(date(2026, 3, 29), 23, id="clocks go forward"),
        pytest.param(date(2026, 10, 25), 25, id="clocks go back"),
        pytest.param(date(2026, 6, 1), 24, id="any other day"),
    ],
)
def test_a_day_is_as_long_as_it_is(day: date, hours: int) -> None:
    assert np.diff(midnights(day, 1, LONDON)).tolist() == [hours * 3_600_000]


def test_each_item_counts_and_each_entity_alone(store: OfflineStore) -> None:
    events: Sequence[StreamEvent] = [
        sale(0, "2026-07-01T10:00", quantity=2, repeated=2),
        sale(1, "2026-07-01T11:00", sku="sku-2", quantity=50),
        sale(2, "2026-07-02T10:00"),
    ]
    store.commit(batch(*events))
    assert sold(store, date(2026, 7, 1), 2, LONDON) == [4, 1]


def test_a_series_begins_with_the_first_sale_and_knows_the_price_of_days_with_sales(
    store: OfflineStore,
) -> None:
    first = [sale(0, "2026-07-03T10:00", price=2.0), sale(1, "2026-07-03T11:00", price=3.0)]
    store.commit(batch(*first, sale(2, "2026-07-05T10:00", quantity=7), sale(3, "2026-07-06T10:00")))
    series = Sales(store.database, LONDON).series(TENANT, ["sku-1", "sku-9", "sku-1"], date(2026, 7, 6))
    assert list(series) == ["sku-1", "sku-9"]
    known = series["sku-1"]
    assert (known.first, known.end) == (date(2026, 7, 3), date(2026, 7, 6))
    assert known.demand.tolist() == [2, 0, 7]
    assert known.price.tolist() == pytest.approx([2.5, np.nan, 2.5], nan_ok=True)
    assert len(series["sku-9"]) == 0
    assert series["sku-9"].end == date(2026, 7, 6)


def test_what_was_sold_on_a_day_is_what_the_shop_calls_that_day(store: OfflineStore) -> None:
    store.commit(
        batch(
            sale(0, "2026-06-30T23:30", quantity=2),
            sale(1, "2026-07-01T22:30", quantity=3),
            sale(2, "2026-07-01T23:30", quantity=5),
            sale(3, "2025-06-30T10:00", sku="sku-old"),
        )
    )
    sales = Sales(store.database, LONDON)
    assert sales.sold_on(TENANT, date(2026, 7, 1)) == {"sku-1": 5}
    assert sales.catalogue(TENANT, date(2026, 7, 2)) == ["sku-1"]
