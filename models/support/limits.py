"""May this be done for this ticket: by itself, by a person only, or not at all? Pure.

What the language model asked for is judged by what the shop knows, never by what a ticket or a policy says.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from models.support.actions import Action
from models.support.plan import AgentPlan
from models.support.platform import Order


class Asking(Protocol):
    """Whose ticket it is, and of which of their orders, if it says so: `models.support.ticket.Ticket`."""

    @property
    def customer_id(self) -> str:
        """Of whoever wrote the ticket, as its event has it."""

    @property
    def order_id(self) -> str | None:
        """As the ticket's event has it, and not its text."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """It may be intended, once it is taken from every one of these purses."""

    purses: "tuple[Purse, ...]" = ()


@dataclass(frozen=True, slots=True)
class NeedsHuman:
    """A person decides, for `reason`; the run is handed over."""

    reason: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Not in this way; `reason` is told to the language model, which may ask for something else."""

    reason: str


Judgement = Allowed | NeedsHuman | Refused


@dataclass(frozen=True, slots=True)
class Purse:
    """Out of what is paid: at most `limit_minor` for each scope, subject, currency and day.

    `day` is empty where the limit holds for ever: an order is refunded its total once.
    """

    scope: Literal["order", "customer_refunds", "customer_vouchers", "all_refunds", "all_vouchers"]
    subject: str
    day: str
    currency: str
    limit_minor: int


def judge(
    action: Action,
    ticket: Asking,
    order: Order | None,
    plan: AgentPlan,
    day: str,
    intended: Sequence[Action] = (),
) -> Judgement:
    """What becomes of what the language model asked for.

    `order` is the one that a refund names, as the shop knows it; None where it knows none. `day` (ISO 8601)
    is the shop's today, `intended` what this run has intended before.
    """
    raise NotImplementedError
