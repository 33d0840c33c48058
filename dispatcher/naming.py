"""Exact matching of an event's id in a record that cannot be decoded. Pure."""

import json
import re
from collections.abc import Iterator, Sequence

from events.avro import MAGIC

Headers = Sequence[tuple[str, bytes | None]]
_IDS = re.compile(rb'"(?:event_id|id)"\s*:\s*("(?:[^"\\]|\\.)*")')
_BEFORE = re.compile(rb"[\w.:@/+=\x80-\xff-]")
_AFTER = re.compile(rb"[\w@/+=\x80-\xff-]|[.:][\w]")
"""What an id goes on with: `evt-15` and `evt-1.5` are other ids, `evt-1.` at the end of a sentence is not."""
_ID_HEADERS = frozenset({"ce_id"})


def names(event_id: str, value: bytes, headers: Headers) -> bool:
    """Whether the record is of this event: by the ids that it declares, else by the text alone.

    A record in JSON declares them as `event_id` or `id`, a CloudEvent as the header `ce_id`.
    """
    declared = set(_declared(value, headers))
    if declared:
        return event_id in declared
    texts = (value, *(text or b"" for _, text in headers))
    needle = event_id.encode("utf-8", "surrogatepass")
    return any(stands_alone(text, needle) for text in texts)


def stands_alone(text: bytes, needle: bytes) -> bool:
    """Whether `needle` is in `text` as a whole: nothing that belongs to an id is before or after it."""
    start = text.find(needle)
    while start >= 0:
        end = start + len(needle)
        joined = _BEFORE.match(text[max(0, start - 1) : start]) or _AFTER.match(text, end)
        if not joined or _framed(text, start, len(needle)):
            return True
        start = text.find(needle, start + 1)
    return False


def _declared(value: bytes, headers: Headers) -> Iterator[str]:
    for name, text in headers:
        if name in _ID_HEADERS and text is not None:
            yield text.decode("utf-8", "replace")
    for found in _IDS.findall(value):
        try:
            yield json.loads(found)
        except ValueError:  # no JSON after all, or not UTF-8
            continue


def _framed(text: bytes, start: int, length: int) -> bool:
    """Whether Avro's own length (zigzag, base 128) is before it, which may look like a letter."""
    number, prefix = length << 1, bytearray()
    while number > 0x7F:
        prefix.append(number & 0x7F | 0x80)
        number >>= 7
    prefix.append(number)
    return text[:1] == bytes([MAGIC]) and text[:start].endswith(bytes(prefix))
