"""What the payloads of RetailPulse's events hold, in each major version. Fields beyond these are kept."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from events.contract import DAY_MS, Contract, Span, Upcaster

Id = Annotated[str, Field(min_length=1, max_length=256)]
Text = Annotated[str, Field(max_length=100_000)]
# bounds that a float64 and a signed 64-bit column hold with all their digits
Amount = Annotated[float, Field(ge=0, le=1e12)]
Count = Annotated[int, Field(ge=0, le=10**15)]
Change = Annotated[int, Field(ge=-(10**15), le=10**15)]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
EpochMillis = Annotated[int, Field(ge=0, le=253_402_300_799_999)]
# a name, or whatever the shop knows about it
Described = str | dict[str, Any]


class Payload(BaseModel):
    """A text is no number and a number no text: what a model sees is what the producer wrote."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)


class Item(Payload):
    sku: Id
    quantity: Annotated[int, Field(ge=1, le=10**9)]
    unit_price: Amount
    # of the product; an order's own category says nothing of one product among several
    category: Annotated[str, Field(max_length=256)] | None = None


Items = Annotated[list[Item], Field(max_length=10_000, fail_fast=True)]


class OrderPlaced(Payload):
    order_id: Id
    customer_id: Id
    terminal_id: Id
    amount: Amount
    currency: Currency
    device: Described | None = None
    location: Described | None = None
    category: str | None = None
    items: Items | None = None


class OrderFraudConfirmed(Payload):
    order_id: Id
    customer_id: Id | None = None
    terminal_id: Id | None = None
    confirmed_at: EpochMillis | None = None


class OrderReturned(Payload):
    order_id: Id
    customer_id: Id
    reason: Text | None = None
    items: Items | None = None


class RefundRequested(Payload):
    refund_id: Id
    order_id: Id
    customer_id: Id
    amount: Amount
    currency: Currency
    reason: Text | None = None


class CartUpdated(Payload):
    cart_id: Id
    customer_id: Id | None = None
    items: Items


class PageViewed(Payload):
    session_id: Id
    url: Text
    customer_id: Id | None = None
    sku: Id | None = None


class ClickstreamRaw(Payload):
    session_id: Id
    customer_id: Id | None = None


class InventoryUpdated(Payload):
    sku: Id
    quantity: Change
    store_id: Id | None = None


class InventoryRestockRequested(Payload):
    sku: Id
    store_id: Id | None = None
    quantity: Count | None = None
    horizon_days: Annotated[int, Field(ge=1, le=1_000)] | None = None


class CustomerInactive(Payload):
    customer_id: Id
    inactive_days: Count | None = None
    last_seen_at: EpochMillis | None = None


class SupportTicketOpened(Payload):
    ticket_id: Id
    customer_id: Id
    subject: Text | None = None
    body: Text | None = None
    order_id: Id | None = None


class SupportTicketResolved(Payload):
    ticket_id: Id
    customer_id: Id | None = None
    resolution: Text | None = None


class SupportTicketEscalated(Payload):
    ticket_id: Id
    customer_id: Id
    reason: Text | None = None
    subject: Text | None = None
    body: Text | None = None
    order_id: Id | None = None


class NightlyForecastTrigger(Payload):
    forecast_date: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")] | None = None
    horizon_days: Annotated[int, Field(ge=1, le=1_000)] | None = None
    skus: Annotated[list[Id], Field(max_length=100_000, fail_fast=True)] | None = None


class NightlyForecastRequested(Payload):
    forecast_date: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    sku: Id
    horizon_days: Annotated[int, Field(ge=1, le=1_000)] | None = None


class NightlyForecastCompleted(Payload):
    forecast_date: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    planned: Count
    forecast: Count
    failed: Count
    unanswered: Count
    duration_s: Annotated[float, Field(ge=0)]
    within_sla: bool


class DatasetUpdated(Payload):
    model_id: Id
    dataset_version: Id
    rows_added: Count
    triggered_at: EpochMillis


PAYLOADS: dict[str, dict[int, type[Payload]]] = {
    "order.placed": {1: OrderPlaced},
    "order.fraud_confirmed": {1: OrderFraudConfirmed},
    "order.returned": {1: OrderReturned},
    "refund.requested": {1: RefundRequested},
    "cart.updated": {1: CartUpdated},
    "page.viewed": {1: PageViewed},
    "clickstream.raw": {1: ClickstreamRaw},
    "inventory.updated": {1: InventoryUpdated},
    "inventory.restock_requested": {1: InventoryRestockRequested},
    "customer.inactive": {1: CustomerInactive},
    "support.ticket.opened": {1: SupportTicketOpened},
    "support.ticket.resolved": {1: SupportTicketResolved},
    "support.ticket.escalated": {1: SupportTicketEscalated},
    "nightly.forecast.trigger": {1: NightlyForecastTrigger},
    "nightly.forecast.requested": {1: NightlyForecastRequested},
    "nightly.forecast.completed": {1: NightlyForecastCompleted},
    "dataset.updated": {1: DatasetUpdated},
}

# by event type, and the major version that each starts from
UPCASTERS: dict[str, dict[int, Upcaster]] = {}

# (event type, major version) that is accepted no more
RETIRED: frozenset[tuple[str, int]] = frozenset()

# how far from its entry into Kafka an event may have happened, if that is not what is usual
SPANS: dict[str, Span] = {
    # it happened when the days without an order were over, and may be found long after
    "customer.inactive": Span(age=3_650 * DAY_MS),
}

CONTRACT = Contract(PAYLOADS, UPCASTERS, RETIRED, SPANS)
