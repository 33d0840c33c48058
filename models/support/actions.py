"""The agent's actions, and the validation of their arguments.

The pydantic models are what a language model fills in: hostile input, taken strictly. The structs are the
same once it held, as it stands in the journal and goes to the support platform.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Final, Literal, get_args

import msgspec
from pydantic import BaseModel, ConfigDict, Field

Tool = Literal["issue_refund", "send_voucher", "escalate_to_human"]
TOOLS: Final[tuple[Tool, ...]] = get_args(Tool)

# the largest whole number that a float64 and a signed 64-bit column both hold
_MOST = 2**53 - 1

Minor = Annotated[
    int, Field(gt=0, le=_MOST, description="In the currency's minor unit: 1250 is 12.50 EUR, or 1250 JPY.")
]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$", description="ISO 4217: EUR")]
OrderId = Annotated[str, Field(min_length=1, max_length=256, description="The order that is refunded.")]
Reason = Annotated[
    str, Field(min_length=1, max_length=500, description="Why, in one sentence that a colleague understands.")
]


class Money(msgspec.Struct, frozen=True, order=True):
    """So many of a currency's minor unit."""

    amount_minor: int
    currency: str


class Refund(msgspec.Struct, frozen=True, kw_only=True, tag="issue_refund"):
    """Give back this much of what an order cost."""

    order_id: str
    amount_minor: int
    currency: str
    reason: str


class Voucher(msgspec.Struct, frozen=True, kw_only=True, tag="send_voucher"):
    """Send the ticket's customer a voucher."""

    amount_minor: int
    currency: str
    reason: str


class Escalation(msgspec.Struct, frozen=True, kw_only=True, tag="escalate_to_human"):
    """A person decides about the ticket."""

    reason: str


Action = Refund | Voucher | Escalation
"""A tagged union: the tag is the tool's name."""

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[Action] = msgspec.json.Decoder(Action)


class _Arguments(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, str_strip_whitespace=True)


class IssueRefund(_Arguments):
    """Give the customer money back for an order of theirs, at most what is left of its total."""

    order_id: OrderId
    amount_minor: Minor
    currency: Currency
    reason: Reason

    def action(self) -> Refund:
        """As it is journaled."""
        return Refund(**self.model_dump())


class SendVoucher(_Arguments):
    """Send the customer a voucher, where the policies grant one."""

    amount_minor: Minor
    currency: Currency
    reason: Reason

    def action(self) -> Voucher:
        """As it is journaled."""
        return Voucher(**self.model_dump())


class EscalateToHuman(_Arguments):
    """Hand the ticket to a person: where the policies say so, or whenever in doubt."""

    reason: Reason

    def action(self) -> Escalation:
        """As it is journaled."""
        return Escalation(**self.model_dump())


Arguments = IssueRefund | SendVoucher | EscalateToHuman
ARGUMENTS: Final[Mapping[Tool, type[Arguments]]] = MappingProxyType(
    {"issue_refund": IssueRefund, "send_voucher": SendVoucher, "escalate_to_human": EscalateToHuman}
)


def tool_of(action: Action) -> Tool:
    """The name of the tool that this action is of."""
    match action:
        case Refund():
            return "issue_refund"
        case Voucher():
            return "send_voucher"
        case Escalation():
            return "escalate_to_human"


def money_of(action: Action) -> Money | None:
    """What it costs; None where it costs nothing."""
    return None if isinstance(action, Escalation) else Money(action.amount_minor, action.currency)


def encode_action(action: Action) -> bytes:
    """As JSON, with its tool under `type`."""
    return _encoder.encode(action)


def decode_action(value: bytes | str) -> Action:
    """Read it again. Raises `msgspec.ValidationError` naming the field that does not fit."""
    return _decoder.decode(value)
