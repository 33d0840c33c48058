"""The state of a conversation, read from a request's messages alone: the script is stateless."""

from dataclasses import dataclass
from typing import Any

import msgspec

from stack.scripted_llm.wire import Asked, Message

ACTIONS = frozenset({"issue_refund", "send_voucher", "escalate_to_human"})
SEARCH, FINAL = "search_policies", "final_result"


@dataclass(frozen=True, slots=True)
class Turn:
    """One tool that the script has called, and its result."""

    tool: str
    arguments: dict[str, Any]
    answer: str

    @property
    def accepted(self) -> bool:
        """Whether an action will be carried out."""
        return " is accepted" in self.answer

    @property
    def documents(self) -> list[str]:
        """The ids of the policies that a search found."""
        try:
            found = msgspec.json.decode(self.answer, type=list[dict[str, Any]])
        except msgspec.MsgspecError:
            return []
        return [str(each["document"]) for each in found if "document" in each]


@dataclass(frozen=True, slots=True)
class Conversation:
    """`case` is the JSON object of the prompt; `turns` those whose arguments could be read."""

    case: dict[str, Any]
    turns: tuple[Turn, ...]
    answers: int
    """How often the script has answered, in whatever way."""

    @property
    def ticket(self) -> dict[str, Any]:
        """The ticket, as the prompt shows it."""
        ticket = self.case.get("ticket")
        return ticket if isinstance(ticket, dict) else {}

    @property
    def ticket_id(self) -> str:
        """Empty if the prompt names none."""
        return str(self.ticket.get("ticket_id") or "")

    @property
    def text(self) -> str:
        """What the ticket says."""
        return "\n".join(
            str(self.ticket.get(part) or "") for part in ("subject", "body", "escalated_because")
        )

    @property
    def order(self) -> dict[str, Any] | None:
        """The order, as the prompt shows it."""
        order = self.case.get("order")
        return order if isinstance(order, dict) else None

    def of(self, *tools: str) -> list[Turn]:
        """The turns of these tools."""
        return [turn for turn in self.turns if turn.tool in tools]


def read(asked: Asked) -> Conversation:
    """Whatever the messages are, one conversation; what is not understood is left out."""
    answers = {message.tool_call_id: message.text for message in asked.messages if message.role == "tool"}
    turns = []
    for message in asked.messages:
        for call in message.tool_calls:
            arguments = _object(call.function.arguments)
            if arguments is not None:
                turns.append(Turn(call.function.name, arguments, answers.get(call.id, "")))
    said = sum(message.role == "assistant" for message in asked.messages)
    return Conversation(_case(asked.messages), tuple(turns), said)


def _case(messages: tuple[Message, ...]) -> dict[str, Any]:
    for message in messages:
        if message.role == "user" and (begin := message.text.find("{")) >= 0:
            found = _object(message.text[begin:])
            if found is not None:
                return found
    return {}


def _object(text: str) -> dict[str, Any] | None:
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.MsgspecError:
        return None
