"""A support platform in memory, for tests: it remembers what it was told, and fails where it is told to."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from models.support.actions import Action
from models.support.platform import (
    AlreadyEndedError,
    HandOver,
    Order,
    Receipt,
    RefusalError,
    Resolution,
    TicketRef,
)


@dataclass
class MemoryPlatform:
    """Does each key once. `failures` are raised one by one, before anything is done; `lost` after it is."""

    orders: dict[str, Order] = field(default_factory=dict)
    key_life: int = 86_400_000
    failures: list[Exception] = field(default_factory=list)
    lost: list[Exception] = field(default_factory=list)
    acted: dict[str, Action] = field(default_factory=dict)
    ended: dict[str, tuple[str, Resolution | HandOver]] = field(default_factory=dict)
    calls: int = 0
    untils: list[int] = field(default_factory=list)

    @classmethod
    def of(cls, orders: Iterable[Order] = ()) -> "MemoryPlatform":
        """One that knows these orders."""
        return cls({order.order_id: order for order in orders})

    def within(self, until: int) -> "MemoryPlatform":
        self.untils.append(until)
        return self

    def order(self, tenant_id: str, order_id: str) -> Order | None:  # one tenant is enough for a test
        self._called()
        return self.orders.get(order_id)

    def act(self, key: str, ticket: TicketRef, action: Action) -> Receipt:
        self._called()
        if key in self.acted and self.acted[key] != action:
            raise RefusalError("this key is another action's")
        if not self.key_life and key in self.acted:
            raise AssertionError(f"{key} was carried out twice")
        self.acted[key] = action
        self._lost()
        return Receipt(reference=f"did-{key}")

    def resolve(self, key: str, ticket: TicketRef, resolution: Resolution) -> Receipt:
        return self._end(key, ticket, resolution)

    def hand_over(self, key: str, ticket: TicketRef, hand_over: HandOver) -> Receipt:
        return self._end(key, ticket, hand_over)

    def _end(self, key: str, ticket: TicketRef, end: Resolution | HandOver) -> Receipt:
        self._called()
        if self.ended.setdefault(ticket.ticket_id, (key, end)) != (key, end):
            raise AlreadyEndedError("the ticket has ended otherwise")
        self._lost()
        return Receipt(reference=f"end-{key}")

    def _called(self) -> None:
        self.calls += 1
        if self.failures:
            raise self.failures.pop(0)

    def _lost(self) -> None:
        if self.lost:
            raise self.lost.pop(0)
