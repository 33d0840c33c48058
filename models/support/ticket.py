"""An escalated ticket, cut to what a prompt carries."""

from typing import Annotated

import msgspec

from events.envelope import Envelope, Name
from events.errors import DeadLetter

LONGEST_SUBJECT = 300
LONGEST_BODY = 8_000
LONGEST_REASON = 500
CUT = " […]"

Text = Annotated[str, msgspec.Meta(max_length=100_000)]


class _Payload(msgspec.Struct, frozen=True):
    """What is read of the payload of `support.ticket.escalated`."""

    ticket_id: Name
    customer_id: Name
    order_id: Name | None = None
    subject: Text | None = None
    body: Text | None = None
    reason: Text | None = None


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """One ticket. Its three texts are whatever somebody wrote: data, never an instruction.

    `reason` is why it was escalated; a text that was not given is empty.
    """

    tenant_id: str
    event_id: str
    ticket_id: str
    customer_id: str
    order_id: str | None
    subject: str
    body: str
    reason: str

    @classmethod
    def of(cls, event: Envelope) -> "Ticket":
        """The ticket that an event tells of. Raises `DeadLetter` if the payload is none."""
        try:
            payload = msgspec.convert(event.payload, type=_Payload, strict=True)
        except msgspec.ValidationError as error:
            raise DeadLetter("invalid_payload", f"payload: {error}") from error
        return cls(
            tenant_id=event.tenant_id,
            event_id=event.event_id,
            ticket_id=payload.ticket_id,
            customer_id=payload.customer_id,
            order_id=payload.order_id,
            subject=_cut(payload.subject, LONGEST_SUBJECT),
            body=_cut(payload.body, LONGEST_BODY),
            reason=_cut(payload.reason, LONGEST_REASON),
        )


def _cut(text: str | None, length: int) -> str:
    """At most `length` characters, without those that are control codes; what is cut off is marked."""
    plain = "".join(char for char in text or "" if char.isprintable() or char in "\n\t").strip()
    return plain if len(plain) <= length else plain[: length - len(CUT)] + CUT
