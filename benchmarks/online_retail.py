"""The UCI *Online Retail* data (Chen, 2015) as events: what was ordered, and what was sent back.

A parquet file of invoice lines: `invoice_no`, `stock_code`, `quantity`, `invoice_date`, `unit_price`,
`customer_id`. Lines without a price or with a quantity that is not positive are corrections, and left out.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd

from features.backfilling import count_history
from features.offline.store import OfflineStore, open_offline
from features.pipeline.reading import Record
from features.retail import DEFINITIONS
from transport.clock import system_clock

TENANT = "online-retail"
SHOP = "web"
"""The terminal of every order: it is a mail-order house."""

_COLUMNS = ["invoice_no", "stock_code", "quantity", "invoice_date", "unit_price", "customer_id"]


def events(path: Path, *, guests: bool) -> Iterator[dict[str, Any]]:
    """By time. A quarter of the lines name no customer: with `guests`, each such invoice is one's own."""
    lines = pd.read_parquet(path, columns=_COLUMNS)
    cancelled = lines["invoice_no"].str.startswith("C")
    lines["quantity"] = lines["quantity"].where(~cancelled, -lines["quantity"])
    lines = lines[(lines["quantity"] > 0) & (lines["unit_price"] > 0)]
    if not guests:
        lines = lines.dropna(subset=["customer_id"])
    lines["at"] = lines.groupby("invoice_no")["invoice_date"].transform("min")
    for (_, invoice), part in lines.groupby(["at", "invoice_no"], sort=True):
        yield _event(str(invoice), part)


def fill(path: Path, url: str, *, guests: bool) -> OfflineStore:
    """An offline store at a new database, in which all of it was counted by the pipeline's own extraction."""
    store, now = open_offline(url), system_clock()
    store.create(DEFINITIONS)
    records = (
        Record(place, now, msgspec.json.encode(event), None)
        for place, event in enumerate(events(path, guests=guests))
    )
    report = count_history(records, DEFINITIONS, store)
    if report.skipped:
        raise ValueError(f"{report.skipped.total():,} events were skipped: {report.first}")
    return store


def _event(invoice: str, lines: pd.DataFrame) -> dict[str, Any]:
    first = lines.iloc[0]
    customer = f"guest-{invoice}" if pd.isna(first["customer_id"]) else str(int(first["customer_id"]))
    columns = (lines[name].tolist() for name in ("stock_code", "quantity", "unit_price"))
    items = [
        {"sku": sku, "quantity": quantity, "unit_price": price}
        for sku, quantity, price in zip(*columns, strict=True)
    ]
    payload: dict[str, Any] = {"order_id": invoice, "customer_id": customer, "items": items}
    if not invoice.startswith("C"):
        amount = sum(item["quantity"] * item["unit_price"] for item in items)
        payload |= {"terminal_id": SHOP, "amount": round(amount, 2), "currency": "GBP"}
    return {
        "event_id": f"invoice-{invoice}",
        "event_type": "order.returned" if invoice.startswith("C") else "order.placed",
        "source": "online-retail",
        "version": "1.0.0",
        "occurred_at": int(first["at"].value // 1_000_000),
        "tenant_id": TENANT,
        "payload": payload,
    }
