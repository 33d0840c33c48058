"""One source record to its feature increments, or a reason why not, whatever its bytes are."""

import hashlib
from typing import Literal, NamedTuple

from events.accepting import accept
from events.avro import SHIPPED, Schemas
from events.codec import Headers
from events.decision import Millis
from events.envelope import Envelope
from events.errors import Cause, DeadLetter
from events.timeliness import DECLARED, Spans
from features.extraction import increments_of
from features.offline.batch import StreamEvent
from features.outcomes import outcome_of
from features.schema import Definitions
from features.stating import statements_of

Skip = Literal[
    "undeclared",  # of a type that nobody declared: the router keeps it among the unrouted
    "extraction",  # a definition could not be applied to it
    "unstorable",  # the offline store's database refused it, alone in its batch
]
SkipCause = Cause | Skip

# what a definition raises where it has overlooked a payload that the event's model lets through
_OVERLOOKED = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)


class Record(NamedTuple):
    """A record of the source; `entered_at` (epoch ms) is when it came there.

    `fault` says why its headers cannot be read, if they cannot.
    """

    offset: int
    entered_at: Millis
    value: bytes | None
    headers: Headers | None
    fault: DeadLetter | None = None


class Skipped(NamedTuple):
    """Nothing of this record is counted. What the router refuses too has its dead letter."""

    offset: int
    cause: SkipCause
    reason: str


Read = StreamEvent | Skipped | None
"""None: a sound event that no feature is made from."""


def read_record(
    record: Record,
    definitions: Definitions,
    schemas: Schemas = SHIPPED,
    spans: Spans = DECLARED,
) -> Read:
    """Decode, validate and take apart one record, as the router does it.

    Raises `Unavailable` if the schema registry must be asked and cannot.
    """
    try:
        if record.fault is not None:
            raise record.fault
        accepted = accept(record.value, record.headers, record.entered_at, schemas, spans)
    except DeadLetter as error:
        return Skipped(record.offset, error.cause, str(error))
    if not accepted.declared:
        return Skipped(record.offset, "undeclared", accepted.event.event_type[:64])
    return _taken_apart(accepted.event, record, definitions)


def _taken_apart(event: Envelope, record: Record, definitions: Definitions) -> Read:
    try:
        increments = increments_of(event, definitions)
        statements = statements_of(event, definitions)
        outcome = outcome_of(event)
    except _OVERLOOKED as error:
        reason = f"{event.event_id[:64]}: {type(error).__name__}: {error}"
        return Skipped(record.offset, "extraction", reason)
    if not increments and not statements and outcome is None:
        return None
    return StreamEvent(
        digest(event), event.occurred_at, record.offset, event.event_id, increments, statements, outcome
    )


def digest(event: Envelope) -> bytes:
    """16 bytes that identify one event, however often its producer sends it.

    An event is what its tenant and source call by one id; each part goes in with its length.
    """
    tenant, source, event_id = event.tenant_id, event.source, event.event_id
    name = f"{len(tenant)}:{tenant}{len(source)}:{source}{len(event_id)}:{event_id}"
    return hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).digest()
