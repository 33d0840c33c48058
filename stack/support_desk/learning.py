"""Ingest of the shop's events into the support desk: orders placed, tickets escalated."""

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from confluent_kafka import KafkaException, Message

from events.codec import decode
from events.envelope import Envelope
from events.errors import DeadLetter, Unavailable
from events.money import minor_units
from events.payloads import declared, validate
from events.topics import EVENTS
from events.upcasting import upcast
from stack.support_desk.books import Books
from transport.cluster import Bootstrap
from transport.group import GroupConsumer, Partition
from transport.kafka import headers_of, position_of

GROUP = "signalbox.support-desk"
UNHURRIED: dict[str, Any] = {"fetch.wait.max.ms": 200}
"""A ticket comes seconds after its order at the soonest."""
BATCH = 2_000
WAIT_S = 0.05
AGAIN_S = 1.0
ORDER, TICKET = "order.placed", "support.ticket.escalated"
_log = logging.getLogger(__name__)
Row = dict[str, Any]


def row_of(event: Envelope) -> tuple[str, Row] | None:
    """The kind of row that a sound event makes, and the row; None if it makes none."""
    payload, common = event.payload, {"tenant_id": event.tenant_id}
    if event.event_type == ORDER:
        currency = payload["currency"]
        return ORDER, {
            **common,
            "order_id": payload["order_id"],
            "customer_id": payload["customer_id"],
            "currency": currency,
            "total_minor": minor_units(payload["amount"], currency),
            "placed_at": event.occurred_at,
        }
    if event.event_type == TICKET:
        return TICKET, {
            **common,
            "ticket_id": payload["ticket_id"],
            "event_id": event.event_id,
            "customer_id": payload["customer_id"],
            "order_id": payload.get("order_id"),
            "subject": payload.get("subject") or "",
            "body": payload.get("body") or "",
            "escalated_at": event.occurred_at,
        }
    return None


def rows_of(messages: Iterable[Message]) -> dict[str, list[Row]]:
    """The rows of these records by kind. What is no sound event is the router's to complain of."""
    rows: dict[str, list[Row]] = {ORDER: [], TICKET: []}
    for message in messages:
        try:
            event, json, _ = decode(message.value(), headers_of(message))
            if not declared(event.event_type):
                continue
            validate(event)
            event, _ = upcast(event, json)
            made = row_of(event)
        except DeadLetter:
            continue
        except Unavailable:
            raise
        except Exception:  # noqa: BLE001 - the net: one record must not end the learning from all others
            _log.exception("%s: passed over", position_of(message))
            continue
        if made is not None:
            rows[made[0]].append(made[1])
    return rows


class _Read:
    """How far the books know each partition."""

    def __init__(self) -> None:
        self._next: dict[Partition, int] = {}

    def entered(self, messages: Iterable[Message]) -> None:
        for message in messages:
            place = position_of(message)
            self._next[place.topic, place.partition] = place.offset + 1

    def take_committable(self) -> dict[Partition, int]:
        taken, self._next = self._next, {}
        return taken

    def restore(self, positions: Mapping[Partition, int]) -> None:
        self._next = {**positions, **self._next}

    def forget(self, partitions: Iterable[Partition]) -> None:
        for partition in partitions:
            self._next.pop(partition, None)


def learn(bootstrap: Bootstrap, books: Books, stop: threading.Event, group: str = GROUP) -> None:
    """Enter what comes to the event topic, until `stop` is set. Waits out what is unavailable."""
    while not stop.is_set():
        read = _Read()
        consumer = GroupConsumer(bootstrap, group, EVENTS, read, _leave, None, **UNHURRIED)
        try:
            _learn(consumer, read, books, stop.is_set)
        except (KafkaException, Unavailable) as error:
            _log.warning("the support desk learns nothing: %s", error)
            stop.wait(AGAIN_S)
        finally:
            consumer.close()


def _learn(consumer: GroupConsumer, read: _Read, books: Books, stopped: Callable[[], bool]) -> None:
    while not stopped():
        messages = consumer.read(BATCH, WAIT_S)
        if messages:
            rows = rows_of(messages)
            # entered again after a crash: a row that is known stays as it is
            books.learn(rows[ORDER], rows[TICKET])
            read.entered(messages)
        consumer.commit_when_due()


def _leave(_partitions: frozenset[Partition], _lost: bool) -> None:
    """Nothing is on its way: what was read is in the books."""
