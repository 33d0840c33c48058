"""Action limits: allowed to the agent, to a person only, or to neither. Pure.

What the language model asked for is judged by what the shop knows, never by what a ticket or a policy says.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from models.support.actions import Action, Escalation, Money, Refund, Tool, Voucher, tool_of
from models.support.amounts import shown
from models.support.plan import AgentPlan, Limit
from models.support.platform import Order


class Asking(Protocol):
    """Whose ticket it is, and of which of their orders, if it says so: `models.support.ticket.Ticket`."""

    @property
    def ticket_id(self) -> str:
        """Of all the times that it is escalated."""

    @property
    def customer_id(self) -> str:
        """Of the ticket's author, as its event has it."""

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
    """Out of what is paid: at most `limit_minor` for each tool, scope, subject, currency and day.

    `day` is empty if the limit holds for ever: an order is refunded its total once. `given_minor` is what
    whoever it was has given out of it by now, as the shop says: at least that much counts as spent.
    """

    tool: Tool
    scope: Literal["ticket", "order", "customer", "everybody"]
    subject: str
    day: str
    currency: str
    limit_minor: int
    given_minor: int = 0


def judge(
    action: Action,
    ticket: Asking,
    order: Order | None,
    plan: AgentPlan,
    day: str,
    intended: Sequence[Action] = (),
) -> Judgement:
    """What becomes of what the language model asked for.

    `order` is the one that a refund names and for a voucher the ticket's, as the shop knows it; None if it
    knows none. `day` (ISO 8601) is the shop's today, `intended` what this run has intended before.
    """
    if any(isinstance(before, Escalation) for before in intended):
        return Refused("the ticket is handed to a person already")
    if isinstance(action, Escalation):
        return Allowed()
    tool, limit = tool_of(action), plan.limit(tool_of(action), action.currency)
    if any(tool_of(before) == tool for before in intended):
        return Refused(f"{tool} was called for this ticket already, and once is all")
    if len(intended) >= plan.budgets.actions:
        return NeedsHuman(f"more than {plan.budgets.actions} actions for one ticket")
    if problem := _foreign(action, ticket, order):
        return Refused(problem)
    if limit is None:
        return NeedsHuman(f"nothing is said of what {tool} may give in {action.currency}")
    return _bounded(action, limit) or Allowed(_purses(action, ticket, order, limit, day))


def _foreign(action: Refund | Voucher, ticket: Asking, order: Order | None) -> str:
    """Why it is not of this ticket's order, or not of what that cost; empty if it is."""
    if action.amount_minor <= 0:
        return "the amount must be above 0"
    if isinstance(action, Refund):
        # one answer for both: whose another customer's order is, is nobody's business
        if order is None or (order.order_id, order.customer_id) != (action.order_id, ticket.customer_id):
            return f"this customer has no order {action.order_id}"
        if ticket.order_id not in (None, action.order_id):
            return f"the ticket is of order {ticket.order_id}, and not of {action.order_id}"
        if action.currency == order.currency and action.amount_minor > order.left_minor:
            return (
                f"of order {order.order_id} no more than {_in_both(order.left_minor, order.currency)} is left"
            )
    if order is not None and action.currency != order.currency:
        return f"order {order.order_id} was paid in {order.currency}, and not in {action.currency}"
    return ""


def _in_both(minor: int, currency: str) -> str:
    """As people read an amount, and as a tool takes it."""
    return f"{shown(Money(minor, currency))} (amount_minor {minor})"


def _bounded(action: Refund | Voucher, limit: Limit) -> NeedsHuman | Refused | None:
    tool, amount, currency = tool_of(action), action.amount_minor, action.currency
    if amount > limit.max_minor:
        most = _in_both(limit.max_minor, currency)
        return Refused(f"{tool} gives at most {most}: call escalate_to_human for more")
    if amount > limit.human_above_minor:
        asked, bound = (shown(Money(minor, currency)) for minor in (amount, limit.human_above_minor))
        return NeedsHuman(f"{tool} of {asked} is above {bound}")
    return None


def _purses(
    action: Refund | Voucher, ticket: Asking, order: Order | None, limit: Limit, day: str
) -> tuple[Purse, ...]:
    tool, currency, amount = tool_of(action), action.currency, action.amount_minor
    always = (
        # it holds this action and no other: whatever was given before for the ticket, this one is too much
        Purse(tool, "ticket", ticket.ticket_id, "", currency, amount),
        Purse(tool, "customer", ticket.customer_id, day, currency, limit.per_customer_day_minor),
        Purse(tool, "everybody", "", day, currency, limit.per_day_minor),
    )
    if isinstance(action, Refund) and order is not None:
        total, given = order.total_minor, order.refunded_minor
        return Purse(tool, "order", order.order_id, "", currency, total, given), *always
    return always
