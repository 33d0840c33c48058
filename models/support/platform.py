"""The support platform as the agent uses it: its calls, what they return, and how they fail.

A call may be repeated under its key for as long as the platform keeps it. What the platform did not
understand, or will not do, is a `RefusalError`; whether it did is told apart from that it did not.
"""

from typing import Protocol

import msgspec

from events.decision import Millis
from events.errors import SignalboxError
from events.prediction import CallState
from models.support.actions import Action

DEPENDENCY = "support platform"
"""By this name it is `Unavailable`."""


class RefusalError(SignalboxError):
    """The platform is there and will not: `reason` is what it said. The same call never succeeds."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the {DEPENDENCY} refuses: {reason}")
        self.reason = reason


class AlreadyEndedError(RefusalError):
    """The ticket has another end there, which stands: a person closed it, or the run of an earlier event."""


class UnconfirmedError(SignalboxError):
    """The call went out to a platform that knows no keys, and it is unknown whether it was carried out."""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What the shop says of an order. Amounts in the minor unit of `currency` (ISO 4217)."""

    order_id: str
    customer_id: str
    currency: str
    total_minor: int
    refunded_minor: int = 0
    """What was given back of it, or is on its way."""
    placed_at: Millis

    @property
    def left_minor(self) -> int:
        """What a refund may not exceed."""
        return max(0, self.total_minor - self.refunded_minor)


class TicketRef(msgspec.Struct, frozen=True, kw_only=True):
    """On whose ticket something is done, and in the run of which event."""

    tenant_id: str
    ticket_id: str
    customer_id: str
    event_id: str


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """That the platform did it. `reference` is its own id of what it did."""

    reference: str


class ToldAction(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one action of a run, as a person reads it."""

    tool: str
    amount_minor: int | None = None
    currency: str | None = None
    state: CallState
    reference: str | None = None


class Resolution(msgspec.Struct, frozen=True, kw_only=True):
    """How a ticket was resolved. `reply` goes to the customer, `summary` to the people who support."""

    reply: str
    summary: str
    cites: tuple[str, ...] = ()
    actions: tuple[ToldAction, ...] = ()
    model_id: str = ""


class HandOver(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket that a person takes on, with what is known. `draft` is nothing that the customer has seen.

    `reason` is one word of a closed list for tables, `summary` what the person reads first; `fallback` says
    why no model was asked, if none was.
    """

    reason: str
    summary: str
    draft: str | None = None
    cites: tuple[str, ...] = ()
    actions: tuple[ToldAction, ...] = ()
    fallback: str | None = None
    model_id: str = ""


class SupportPlatform(Protocol):
    """Safe to call from several threads. May block for seconds: its patience, and one read where it drips.

    Each method raises `Unavailable` if the platform cannot be asked now and the same call may be made
    again, and `RefusalError` where it will not.
    """

    @property
    def key_life(self) -> Millis:
        """How long (ms) an action under a key that it has seen is not done again; 0 if it knows no keys."""

    def within(self, until: Millis) -> "SupportPlatform":
        """The same one, whose calls end by `until`; however late it is, each has a few seconds."""

    def order(self, tenant_id: str, order_id: str) -> Order | None:
        """The order, or None if the shop knows none of that id."""

    def act(self, key: str, ticket: TicketRef, action: Action) -> Receipt:
        """Carry out an action once, however often it is called with this key.

        Raises `UnconfirmedError` if the platform knows no keys and did not say what it did; it is
        `Unavailable` there only if the action surely was not carried out.
        """

    def resolve(self, key: str, ticket: TicketRef, resolution: Resolution) -> Receipt:
        """Answer the customer and close the ticket. A ticket has one resolution or one hand-over.

        Raises `AlreadyEndedError` if it has its own already; after any other refusal it has none yet.
        """

    def hand_over(self, key: str, ticket: TicketRef, hand_over: HandOver) -> Receipt:
        """Give the ticket to a person. Raises what `resolve` does."""
