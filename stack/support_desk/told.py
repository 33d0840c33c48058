"""Request and response bodies of the support desk."""

from typing import Literal

import msgspec

from models.support.platform import ToldAction

How = Literal["resolution", "hand-over"]
Folder = Literal["refunds", "vouchers", "escalations"]
TOOLS: dict[Folder, str] = {
    "refunds": "issue_refund",
    "vouchers": "send_voucher",
    "escalations": "escalate_to_human",
}


class About(msgspec.Struct, frozen=True, kw_only=True):
    """Which ticket, in which escalation of it."""

    tenant_id: str
    ticket_id: str
    customer_id: str
    event_id: str


class Doing(About, frozen=True, kw_only=True):
    """An action. An escalation costs nothing, a voucher is of no order."""

    type: str
    reason: str
    order_id: str | None = None
    amount_minor: int | None = None
    currency: str | None = None


class Ending(About, frozen=True, kw_only=True):
    """How a ticket ends: a resolution has a reply, a hand-over a reason and perhaps a draft."""

    summary: str
    reply: str | None = None
    draft: str | None = None
    reason: str | None = None
    fallback: str | None = None
    cites: tuple[str, ...] = ()
    actions: tuple[ToldAction, ...] = ()
    model_id: str = ""


class Closed(msgspec.Struct, frozen=True, kw_only=True):
    """An end as the desk recorded it."""

    how: How
    key: str
    ended_at: int
    said: Ending


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """An action as the desk recorded it."""

    key: str
    tool: str
    order_id: str | None
    amount_minor: int | None
    currency: str | None
    reason: str
    done_at: int
    excess: bool = False
    """Whether more went out for the order than it cost: the desk does not stop it."""


class TicketFile(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about one escalation of a ticket. Its texts are untrusted."""

    tenant_id: str
    ticket_id: str
    event_id: str
    customer_id: str
    order_id: str | None = None
    subject: str = ""
    body: str = ""
    escalated_at: int | None = None
    done: tuple[Done, ...] = ()
    closed: Closed | None = None
