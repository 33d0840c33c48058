"""JSON parsing by a schema, with errors that name the field."""

import re
from collections.abc import Callable
from typing import TypeVar

import msgspec

from events.errors import DeadLetter

# Every reader on the way recurses into an event, each from a stack of its own depth: stay far from what one
# bears.
MAX_DEPTH = 64

_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_NOT_A_BRACKET = bytes(set(range(256)) - set(b"[]{}"))
_OPENING = frozenset(b"[{")
_REGEX = re.compile(r"`str` matching regex '.*'")
_FIELD = re.compile(r"`(?:\$\.)?(\w+)`$")
_NAME = "give text of 1 to 256 characters"
_HINTS = {
    "event_id": _NAME,
    "event_type": _NAME,
    "source": _NAME,
    "tenant_id": _NAME,
    "version": "give a semantic version such as 1.0.0",
    "occurred_at": "give epoch milliseconds as a whole number, and not microseconds",
    "payload": "give an object",
    "traceparent": "give text, or leave it out",
    # a CloudEvent's attributes
    "specversion": "give 1.0",
    "id": _NAME,
    "type": _NAME,
    "time": "give an RFC 3339 time with its offset, such as 2026-11-21T13:00:00Z",
    "tenantid": "give it as an extension attribute",
    "eventversion": "give a semantic version such as 1.0.0",
    "dataschema": "give text, or leave it out",
    "datacontenttype": "give text, or leave it out",
    "data_base64": "give the payload as text in base64",
}

T = TypeVar("T")


def parse(decode: Callable[[bytes], T], json: bytes, what: str = "envelope") -> T:
    """What a decoder makes of it. Raises `DeadLetter`: undecodable, or invalid_envelope naming the field."""
    try:
        return decode(json)
    except msgspec.ValidationError as error:
        raise DeadLetter("invalid_envelope", explain(error, what)) from error
    except msgspec.DecodeError as error:
        raise DeadLetter("undecodable", f"not JSON: {error}") from error
    except RecursionError as error:
        raise DeadLetter("undecodable", f"nested more than {MAX_DEPTH} levels deep") from error
    except UnicodeDecodeError as error:
        raise DeadLetter("undecodable", _not_utf8(error)) from error


def explain(error: msgspec.ValidationError, what: str) -> str:
    """The decoder's message, which names the field, and what to give there."""
    # the only pattern is the version's, and its text helps no one
    message = _REGEX.sub("a semantic version", str(error))
    field = _FIELD.search(message)
    hint = _HINTS.get(field[1]) if field else None
    said = f"{what}: {message[:1].lower()}{message[1:]}"
    return said if hint is None else f"{said}; {hint}"


def check_text(json: bytes) -> None:
    """Raises `DeadLetter` (undecodable) if JSON that parses is not UTF-8 throughout, or nested too deeply.

    Decoders look at neither in the fields that they skip.
    """
    if not json.isascii():
        try:
            json.decode()
        except UnicodeDecodeError as error:
            raise DeadLetter("undecodable", _not_utf8(error)) from error
    if json.count(b"{") + json.count(b"[") > MAX_DEPTH and _depth(json) > MAX_DEPTH:
        raise DeadLetter("undecodable", f"nested more than {MAX_DEPTH} levels deep")


def _depth(json: bytes) -> int:
    """How deep valid JSON is nested."""
    depth = deepest = 0
    for bracket in _STRING.sub(b"", json).translate(None, _NOT_A_BRACKET):
        if bracket in _OPENING:
            depth += 1
            deepest = max(deepest, depth)
        else:
            depth -= 1
    return deepest


def _not_utf8(error: UnicodeDecodeError) -> str:
    return f"not UTF-8: {error.reason} at byte {error.start}"
