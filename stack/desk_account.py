"""The outcome of a demonstration's tickets, from the tables of the embedded support desk."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import msgspec

from events.errors import Unavailable
from stack.stand_ins import SUPPORT_DESK
from transport.http import Address, RefusedError, Server

TIMEOUT_S = 5.0


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """As `stack.support_desk.shelf.Counts`."""

    escalated: int
    resolved: int
    handed_over: int
    refunds: int
    vouchers: int
    over_refunded: int

    def whole(self) -> bool:
        """Whether each ticket has one end, and no order was refunded beyond what it cost."""
        return self.escalated == self.resolved + self.handed_over and not self.over_refunded

    def lines(self) -> Iterator[str]:
        """As it is told."""
        yield (
            f"tickets: {self.escalated:,} escalated, {self.resolved:,} resolved, "
            f"{self.handed_over:,} handed to a person; {self.refunds:,} refunds, {self.vouchers:,} vouchers"
        )
        if self.over_refunded:
            yield f"orders refunded beyond what they cost: {self.over_refunded:,}"
        if missing := self.escalated - self.resolved - self.handed_over:
            yield f"tickets without an end: {missing:,}"


@dataclass(frozen=True, slots=True)
class DeskAccount:
    """Where the desk is, and what opens it."""

    url: str
    token: str

    def counts(self) -> Counts:
        """Now. Raises `Unavailable`."""
        address = Address(self.url, {"Authorization": f"Bearer {self.token}"})
        try:
            answer = Server(address, SUPPORT_DESK, TIMEOUT_S).get("/api/counts")
            return msgspec.json.decode(answer, type=Counts)
        except (RefusedError, msgspec.MsgspecError) as error:
            raise Unavailable(SUPPORT_DESK, error) from error


def desk_of(env: Mapping[str, str]) -> DeskAccount | None:
    """The embedded one of a stack with these addresses; None if a real platform is configured."""
    token = env.get("SUPPORT_PLATFORM_TOKEN")
    return DeskAccount(env["SUPPORT_PLATFORM_URL"], token) if token else None
