"""The events of a schedule, and the expected fate of each."""

import json
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Literal

from events.decision import Millis
from events.identity import prediction_id
from events.priority import Priority
from routing import LaneSpec, Route, Table

Kind = Literal[
    "good",
    "flaky",  # fails for a while, then works
    "hopeless",  # fails each time, as if it might work the next
    "bad",  # the workflow says that it can never succeed
    "poison",  # kills the process that works on it
    "slow",  # runs over its time limit
    "bug",  # raises what no workflow may raise
    "undecodable",
    "invalid",
    "undeclared",
    "ignored",
]
ROUTED: tuple[Kind, ...] = ("good", "flaky", "hopeless", "bad", "poison", "slow", "bug")
_WEIGHTS: dict[Kind, int] = {
    "good": 60,
    "flaky": 12,
    "hopeless": 3,
    "bad": 4,
    "poison": 3,
    "slow": 2,
    "bug": 2,
    "undecodable": 3,
    "invalid": 2,
    "undeclared": 2,
    "ignored": 2,
}

TENANT, SOURCE = "acme", "shop"
FRAUD, CHURN = "ml.fraud.input", "ml.churn.input"
WORKFLOWS = {FRAUD: "fraud-classifier", CHURN: "churn-predictor"}
TYPES = {
    "order.placed": ("fraud-classifier",),
    "refund.requested": ("fraud-classifier",),
    "order.returned": ("fraud-classifier", "churn-predictor"),
}
MAX_RETRIES = 3
BACKOFF: Millis = 60
LONG_BACKOFF: Millis = 1_000


def _route(event_type: str, rank: int, queue: str, priority: Priority, backoff: Millis = BACKOFF) -> Route:
    return Route(
        event_type=event_type,
        rule=f"{event_type}[{rank}]",
        workflow=WORKFLOWS[queue],
        priority=priority,
        sla_ms=100,
        queue=queue,
        max_retries=MAX_RETRIES,
        backoff_ms=backoff,
    )


# they wake the same workflows, over other lanes: whatever table is in force, an event has the same ids
TABLES = (
    Table.of(
        [
            _route("order.placed", 0, FRAUD, Priority.HIGH),
            _route("refund.requested", 0, FRAUD, Priority.LOW),
            _route("order.returned", 0, FRAUD, Priority.LOW),
            _route("order.returned", 1, CHURN, Priority.STANDARD),
        ]
    ),
    Table.of(
        [
            _route("order.placed", 0, FRAUD, Priority.LOW),
            _route("refund.requested", 0, FRAUD, Priority.HIGH),
            _route("order.returned", 0, CHURN, Priority.STANDARD),
            _route("order.returned", 1, FRAUD, Priority.HIGH),
        ]
    ),
)
FLOODED = (Table.of([_route("order.placed", 0, FRAUD, Priority.HIGH, LONG_BACKOFF)]),)


def lanes(max_batch: int) -> dict[str, tuple[LaneSpec, ...]]:
    """The lanes of each queue; the lower lane has the smaller batches."""
    high = LaneSpec(f"{FRAUD}.high", FRAUD, Priority.HIGH, "tasks.fraud.score", max_batch)
    low = LaneSpec(f"{FRAUD}.low", FRAUD, Priority.LOW, "tasks.fraud.score", max(1, max_batch // 2))
    churn = LaneSpec(f"{CHURN}.standard", CHURN, Priority.STANDARD, "tasks.churn.predict", max_batch)
    return {FRAUD: (high, low), CHURN: (churn,)}


@dataclass(frozen=True, slots=True)
class Sent:
    """One event as its producer wrote it, and what must become of it."""

    kind: Kind
    event_id: str
    key: bytes
    value: bytes
    predictions: tuple[str, ...]
    """The ids of its inferences, one for each workflow that it wakes."""


def traffic(random: Random, count: int, flood: bool) -> list[Sent]:
    """The events of one schedule. Some stand there twice, as a producer that was not sure writes them.

    A flood is of one type, and nothing of it works at once.
    """
    events: list[Sent] = []
    for number in range(count):
        if events and random.random() < 0.04:
            events.append(random.choice(events))
        elif flood:
            events.append(event("flaky", "order.placed", number))
        else:
            kind = random.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
            event_type = (
                random.choice(list(TYPES)) if kind in ROUTED else _UNROUTED_TYPES.get(kind, "order.placed")
            )
            events.append(event(kind, event_type, number))
    return events


_UNROUTED_TYPES = {"undeclared": "order.dreamt", "ignored": "page.viewed"}


@cache
def event(kind: Kind, event_type: str, number: int) -> Sent:
    """One event. Its id tells the model how to behave."""
    event_id = f"{kind}-{number}"
    payload = {
        "order_id": f"o{number}",
        "refund_id": f"r{number}",
        "customer_id": f"c{number % 7}",
        "terminal_id": "t1",
        "session_id": "s1",
        "url": "/",
        "amount": -1 if kind == "invalid" else 12.5,
        "currency": "EUR",
    }
    envelope = {
        "event_id": event_id,
        "event_type": event_type,
        "source": SOURCE,
        "version": "1.0.0",
        "occurred_at": 1_700_000_000_000,
        "tenant_id": TENANT,
        "payload": payload,
    }
    value = b"\xff" + bytes([number % 256]) if kind == "undecodable" else json.dumps(envelope).encode()
    woken = TYPES[event_type] if kind in ROUTED else ()
    ids = tuple(prediction_id(TENANT, SOURCE, event_id, workflow, "champion") for workflow in woken)
    return Sent(kind, event_id, f"c{number % 7}".encode(), value, ids)
