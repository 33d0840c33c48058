"""Conversations with the script, as an agent's requests tell of them."""

from typing import Any

import msgspec

from stack.scripted_llm.reading import Conversation, read
from stack.scripted_llm.wire import Asked

ORDER = {
    "order_id": "o-1",
    "currency": "GBP",
    "total_minor": 2_000,
    "refunded_minor": 500,
    "left_minor": 1_500,
}
FOUND = '[{"document": "SUP-01", "title": "t", "section": "s", "text": "x"}]'
ACCEPTED = "issue_refund is accepted. It is carried out once your final answer holds."
DECLINED = "issue_refund is not done: above the limit."


def request(
    body: str, *turns: tuple[str, dict[str, Any] | str, str], order: dict[str, Any] | None = ORDER
) -> dict[str, Any]:
    """A request about a ticket with this text, after these turns: tool, arguments and what it answered."""
    case = {
        "ticket": {"ticket_id": "t-1", "order_id": "o-1", "subject": "Help", "body": body},
        "order": order,
    }
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": "You answer tickets."},
        {"role": "user", "content": f"Below is one JSON object.\n\n{msgspec.json.encode(case).decode()}"},
    ]
    for number, (tool, arguments, answer) in enumerate(turns):
        text = arguments if isinstance(arguments, str) else msgspec.json.encode(arguments).decode()
        call = {"id": f"call-{number}", "type": "function", "function": {"name": tool, "arguments": text}}
        messages.append({"role": "assistant", "content": None, "tool_calls": [call]})
        messages.append({"role": "tool", "tool_call_id": f"call-{number}", "content": answer})
    return {"model": "any", "messages": messages}


def conversation(
    body: str, *turns: tuple[str, dict[str, Any] | str, str], order: dict[str, Any] | None = ORDER
) -> Conversation:
    """The same, read."""
    return read(msgspec.convert(request(body, *turns, order=order), type=Asked))


SEARCHED: list[tuple[str, dict[str, Any] | str, str]] = [
    ("search_policies", {"query": "a"}, FOUND),
    ("search_policies", {"query": "b"}, FOUND),
]
