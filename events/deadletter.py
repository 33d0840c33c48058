"""A dead letter: the original record, and in headers what became of it."""

import hashlib
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from events.cutting import cut
from events.decision import Millis, Position
from events.errors import CAUSES, Cause, DeadLetter

Headers = Sequence[tuple[str, bytes | None]]
PREFIX = "dlq."
TRACEPARENT = "traceparent"
_TRUNCATED = PREFIX + "truncated"
_MAX_MESSAGE = 2_000
_LATEST: Millis = 253_402_300_799_999
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_WITH_DIGIT = re.compile(r"\w*\d\w*")


class Letter(NamedTuple):
    """The record to write, whatever the client."""

    value: bytes | None
    key: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetterHeaders:
    """What is said of a dead letter beside its original.

    `original` and `timestamp` (epoch ms) are the source record's; `lane` is where it waited, and absent if
    it never came so far. `attempts` counts executions. Two letters of like failures have the same
    `fingerprint`. `truncated` names what the letter does not hold whole (`value`, `key`, `headers`); `length`
    and `sha256` are those of the whole value, given if it was cut. Times are epoch ms.
    """

    original: Position
    timestamp: Millis
    cause: Cause
    error_class: str
    message: str
    fingerprint: str
    attempts: int
    first_failure: Millis
    last_failure: Millis
    table_hash: str | None = None
    lane: Position | None = None
    prediction_id: str | None = None
    traceparent: str | None = None
    truncated: frozenset[str] = frozenset()
    length: int | None = None
    sha256: str | None = None

    @classmethod
    def parse(cls, headers: Headers | None) -> "DeadLetterHeaders":
        """Read a dead letter's headers. Raises `DeadLetter` (undecodable) if one is missing or wrong."""
        texts = {name: value.decode("utf-8", "replace") for name, value in headers or () if value is not None}
        try:
            return _parse(texts)
        except KeyError as error:
            raise DeadLetter(
                "undecodable", f"not a dead letter: header {error.args[0]} is missing"
            ) from error
        except ValueError as error:
            raise DeadLetter("undecodable", f"not a dead letter: {error}") from error


def fingerprint(error_class: str, cause: Cause, message: str) -> str:
    """12 hexadecimal digits that like failures share: identifiers and numbers in the message do not count."""
    alike = _WITH_DIGIT.sub("#", _UUID.sub("#", message))
    return hashlib.sha256(f"{error_class}\0{cause}\0{alike}".encode("utf-8", "replace")).hexdigest()[:12]


def dead_letter(
    *,
    source: Position,
    timestamp: Millis,
    value: bytes | None,
    key: bytes | None,
    headers: Headers | None,
    error: BaseException,
    cause: Cause,
    attempts: int,
    first_failure: Millis,
    last_failure: Millis,
    table_hash: str | None = None,
    traceparent: str | None = None,
    lane: Position | None = None,
    prediction_id: str | None = None,
    lost: Collection[str] = (),
) -> Letter:
    """The dead letter of the record at `source`, whose bytes, key and headers are the original's.

    What an earlier dead letter said of the same bytes, before they were replayed, gives way to what this one
    says. A record too large for the topic is cut (`events.cutting`); `lost` names what the reader could not
    give, such as `headers`.
    """
    error_class, message = type(error).__name__, str(error)[:_MAX_MESSAGE]
    said: dict[str, object] = {
        **_coordinates("original", source),
        "original.timestamp": timestamp,
        "error.class": error_class,
        "error.cause": cause,
        "error.message": message,
        "error.fingerprint": fingerprint(error_class, cause, message),
        "attempts": attempts,
        "first_failure": first_failure,
        "last_failure": last_failure,
        "table_hash": table_hash,
        **(_coordinates("lane", lane) if lane is not None else {}),
        "prediction_id": prediction_id,
    }
    original = [(name, content) for name, content in headers or () if not name.startswith(PREFIX)]
    whole = cut(value, key, original)
    said |= {
        "truncated": ",".join(sorted({*whole.truncated, *lost})) or None,
        "original.length": whole.length,
        "original.sha256": whole.sha256,
    }
    ours = [(PREFIX + name, _bytes(content)) for name, content in said.items() if content is not None]
    if traceparent is not None and all(name != TRACEPARENT for name, _ in whole.headers):
        ours.append((TRACEPARENT, _bytes(traceparent)))
    return Letter(whole.value, whole.key, (*whole.headers, *ours))


def reduced(letter: Letter, most: int) -> Letter:
    """The same letter with at most about `most` bytes of its original; all that is said of it stays."""
    said = {name: content for name, content in letter.headers if name.startswith(PREFIX)}
    original = [each for each in letter.headers if not each[0].startswith(PREFIX)]
    whole = cut(letter.value, letter.key, original, most)
    before = frozenset((said.get(_TRUNCATED) or b"").decode().split(",")) - {""}
    if truncated := before | whole.truncated:
        said[_TRUNCATED] = _bytes(",".join(sorted(truncated)))
    if whole.sha256 is not None and "value" not in before:
        said[PREFIX + "original.length"] = _bytes(whole.length)
        said[PREFIX + "original.sha256"] = _bytes(whole.sha256)
    return Letter(whole.value, whole.key, (*whole.headers, *said.items()))


def _coordinates(name: str, position: Position) -> dict[str, object]:
    return {
        f"{name}.topic": position.topic,
        f"{name}.partition": position.partition,
        f"{name}.offset": position.offset,
    }


def _bytes(content: object) -> bytes:
    # a message may quote half a surrogate pair from the event it speaks of
    return str(content).encode("utf-8", "backslashreplace")


def _parse(texts: dict[str, str]) -> DeadLetterHeaders:
    def position(name: str) -> Position:
        start = f"{PREFIX}{name}."
        return Position(texts[start + "topic"], int(texts[start + "partition"]), int(texts[start + "offset"]))

    def time(name: str) -> Millis:
        at = int(texts[PREFIX + name])
        if not 0 <= at <= _LATEST:
            raise ValueError(f"header {PREFIX}{name} is no time in epoch milliseconds")
        return at

    cause = texts["dlq.error.cause"]
    if cause not in CAUSES:
        raise ValueError(f"header dlq.error.cause is {cause[:64]!r}, which is none of ours")
    return DeadLetterHeaders(
        original=position("original"),
        timestamp=int(texts["dlq.original.timestamp"]),
        cause=cause,
        error_class=texts["dlq.error.class"],
        message=texts["dlq.error.message"],
        fingerprint=texts["dlq.error.fingerprint"],
        attempts=int(texts["dlq.attempts"]),
        first_failure=time("first_failure"),
        last_failure=time("last_failure"),
        table_hash=texts.get("dlq.table_hash"),
        lane=position("lane") if "dlq.lane.topic" in texts else None,
        prediction_id=texts.get("dlq.prediction_id"),
        traceparent=texts.get(TRACEPARENT),
        truncated=frozenset(texts.get("dlq.truncated", "").split(",")) - {""},
        length=int(texts["dlq.original.length"]) if "dlq.original.length" in texts else None,
        sha256=texts.get("dlq.original.sha256"),
    )
