"""OpenAI's chat completions protocol, as much of it as the script needs."""

from typing import Any, Final

import msgspec

NAME: Final = "scripted-stand-in"
"""What stands where a language model's name would."""


class Function(msgspec.Struct, frozen=True):
    """A tool that is called, with its arguments in JSON."""

    name: str
    arguments: str


class ToolCall(msgspec.Struct, frozen=True):
    """One call out of an assistant's message."""

    id: str
    function: Function


class Message(msgspec.Struct, frozen=True):
    """One message of a conversation. `content` is text, or a list of parts of which some are text."""

    role: str
    content: str | list[dict[str, Any]] | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str = ""

    @property
    def text(self) -> str:
        """All of its text."""
        if isinstance(self.content, list):
            return "".join(str(part.get("text", "")) for part in self.content)
        return self.content or ""


class Asked(msgspec.Struct, frozen=True):
    """A request. Without `messages` it is none."""

    messages: tuple[Message, ...]
    stream: bool = False


class ToEmbed(msgspec.Struct, frozen=True):
    """A request for vectors: of one text, or of each of several."""

    input: str | list[str]


def called(call_id: str, tool: str, arguments: str) -> dict[str, Any]:
    """The message that calls a tool."""
    call = {"id": call_id, "type": "function", "function": {"name": tool, "arguments": arguments}}
    return {"role": "assistant", "content": None, "tool_calls": [call]}


def refused() -> dict[str, Any]:
    """The message that will not answer."""
    return {"role": "assistant", "content": None, "refusal": "I am a script, and told to refuse this one."}


def completion(message: dict[str, Any], read: str, now_s: int) -> dict[str, Any]:
    """The answer around a message; tokens are counted as four characters each. `now_s`: epoch seconds."""
    written = len(msgspec.json.encode(message)) // 4 + 1
    finish = "tool_calls" if "tool_calls" in message else "stop"
    return {
        "id": f"scripted-{now_s}",
        "object": "chat.completion",
        "created": now_s,
        "model": NAME,
        "choices": [{"index": 0, "message": message, "finish_reason": finish, "logprobs": None}],
        "usage": {
            "prompt_tokens": len(read) // 4 + 1,
            "completion_tokens": written,
            "total_tokens": len(read) // 4 + 1 + written,
        },
    }


def problem(kind: str, message: str) -> dict[str, Any]:
    """The answer that is an error."""
    return {"error": {"message": f"{NAME}: {message}", "type": kind, "param": None, "code": kind}}
