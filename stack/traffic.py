"""One day of RetailPulse's events. Seeded: a day is always the same, byte for byte."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from dispatcher.sorting import Fate
from events.codec import Form
from events.decision import Millis
from features.retail import LABEL_DELAY_DAYS
from routing import Rules
from stack.assortment import BESIDE, UNDECLARED, Payload, order_placed
from stack.confirmed import LABEL, labels_of
from stack.damage import damaged
from stack.emission import Emission, Event, in_form
from stack.retail import DAY_S, FIRST_DAY, SOURCE, TENANT, Order, Retail, midnight, numbered
from stack.tickets import escalated

ORDER = "order.placed"
TICKET = "support.ticket.escalated"
ESCALATED = 0.006
"""The share of the orders of which a ticket escalates on the same day."""
_ESCALATED_AFTER_MS = (3_600_000, 6 * 3_600_000)
_FORMS: tuple[Form, ...] = ("json", "cloudevents-structured", "cloudevents-binary")
_REPEATED_AFTER_MS = (20, 5_000)


@dataclass(frozen=True, slots=True)
class Flood:
    """So many orders more, from a second of the day on, for so many seconds."""

    second: int
    seconds: int
    orders: int


FLOODS = (Flood(10 * 3_600, 600, 1_500), Flood(18 * 3_600, 300, 1_500))
"""The morning's newsletter and the evening's."""


@dataclass(frozen=True, slots=True)
class Mix:
    """What stands among the good events. Shares of the orders, 0 to 1; `forms`: JSON, structured, binary."""

    bad: float = 0.01
    repeated: float = 0.005
    forms: tuple[float, float, float] = (0.8, 0.1, 0.1)
    floods: tuple[Flood, ...] = FLOODS


@dataclass(frozen=True, slots=True)
class Audience:
    """Which event types have a route whose queue has a worker, and which have one without a worker yet."""

    served: frozenset[str] = frozenset({ORDER})
    unserved: frozenset[str] = frozenset()

    @classmethod
    def of(cls, rules: Rules) -> "Audience":
        """A type of which one route is not served counts as unserved: its lane would only grow."""
        queues = rules.catalogue.queues
        served = {
            event_type
            for event_type, routes in rules.table.routes.items()
            if all(queues[route.queue].served for route in routes)
        }
        return cls(frozenset(served), frozenset(rules.table.routes) - served)


def day_of_traffic(retail: Retail, day: date, audience: Audience, mix: Mix | None = None) -> list[Emission]:
    """All that is sent on one day (UTC), by time. A type without a worker is not sent.

    The labels are those of the orders a week before, without that day's floods: they come from a past in
    which there were none.
    """
    scene = _Scene(retail, day, audience, mix or Mix())
    emissions = list(scene.emissions())
    if LABEL not in audience.unserved:
        labelled = day - timedelta(days=LABEL_DELAY_DAYS)
        emissions += labels_of(retail.orders(labelled), labelled)
    emissions.sort(key=lambda emission: emission.at)
    return emissions


def days_of_traffic(
    retail: Retail, audience: Audience, mix: Mix | None = None, first: date = FIRST_DAY
) -> Iterator[Emission]:
    """Day after day without an end."""
    day = first
    while True:
        yield from day_of_traffic(retail, day, audience, mix)
        day += timedelta(days=1)


class _Scene:
    """One day in the making."""

    def __init__(self, retail: Retail, day: date, audience: Audience, mix: Mix) -> None:
        self._retail = retail
        self._day = day
        self._midnight = midnight(day) * 1_000
        self._audience = audience
        self._sent_beside = {
            event_type: beside
            for event_type, beside in (BESIDE | UNDECLARED).items()
            if event_type not in audience.unserved
        }
        self._mix = mix
        self._rng = random.Random(f"{retail.seed}/traffic/{day}")  # noqa: S311  # repeatable by seed
        # apart, so that the rest of a day is the same with tickets and without
        self._tickets = random.Random(f"{retail.seed}/tickets/{day}")  # noqa: S311  # repeatable by seed

    def emissions(self) -> Iterator[Emission]:
        """In no order of time."""
        for number, order in enumerate(self._orders()):
            at = self._midnight + order.second * 1_000 + self._rng.randrange(1_000)
            if ORDER in self._audience.served:
                yield from self._order(number, order, at)
            if self._rng.random() < self._mix.bad:
                yield self._bad(number, order, at)
            yield from self._beside(number, order, at)
            if TICKET not in self._audience.unserved and self._tickets.random() < ESCALATED:
                yield self._ticket(number, order, at)

    def _orders(self) -> Iterator[Order]:
        yield from self._retail.orders(self._day)
        for flood in self._mix.floods:
            yield from self._retail.crowd(self._day, flood.orders, flood.second, flood.seconds)

    def _order(self, number: int, order: Order, at: Millis) -> Iterator[Emission]:
        event = self._order_event("order", number, order, at)
        (form,) = self._rng.choices(_FORMS, self._mix.forms)
        value, headers = in_form(event, form)
        key = order.customer.encode()
        sent = Emission(at, event.event_id, key, value, headers, fraud=int(order.scenario))
        yield sent
        if self._rng.random() < self._mix.repeated:
            again = at + self._rng.randrange(*_REPEATED_AFTER_MS)
            yield Emission(again, event.event_id, key, value, headers, repeats=True, fraud=sent.fraud)

    def _bad(self, number: int, order: Order, at: Millis) -> Emission:
        event = self._order_event("bad", number, order, at)
        value, headers, cause = damaged(event, self._rng)
        key = order.customer.encode()
        return Emission(at, event.event_id, key, value, headers, fate="dead_letter", cause=cause)

    def _ticket(self, number: int, order: Order, at: Millis) -> Emission:
        # the shop must have heard of the order before its customer complains
        later = at + self._tickets.randrange(*_ESCALATED_AFTER_MS)
        at = min(later, self._midnight + DAY_S * 1_000 - 1)
        payload = escalated(self._id("ticket", number), self._id("o", number), order, self._tickets)
        event = _event(self._id("escalated", number), TICKET, at, payload)
        value, headers = in_form(event, "json")
        return Emission(at, event.event_id, order.customer.encode(), value, headers, fate=self._fate(TICKET))

    def _beside(self, number: int, order: Order, at: Millis) -> Iterator[Emission]:
        for event_type, (share, payload) in self._sent_beside.items():
            if self._rng.random() < share:
                event_id = self._id(event_type.replace(".", "-"), number)
                event = _event(event_id, event_type, at, payload(order, self._rng))
                value, headers = in_form(event, "json")
                fate = self._fate(event_type)
                yield Emission(at, event_id, order.customer.encode(), value, headers, fate=fate)

    def _fate(self, event_type: str) -> Fate:
        if event_type in UNDECLARED:
            return "unrouted"
        return "routed" if event_type in self._audience.served else "ignored"

    def _order_event(self, kind: str, number: int, order: Order, at: Millis) -> Event:
        payload = order_placed(self._id("o", number), order, self._rng)
        return _event(self._id(kind, number), ORDER, at, payload)

    def _id(self, kind: str, number: int) -> str:
        return numbered(kind, self._day, number)


def _event(event_id: str, event_type: str, at: Millis, payload: Payload) -> Event:
    return Event(
        event_id=event_id,
        event_type=event_type,
        source=SOURCE,
        occurred_at=at,
        tenant_id=TENANT,
        payload=payload,
    )
