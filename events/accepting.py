"""What a sound event is: a record of an event topic decoded, validated and upcast, in this one place."""

from typing import NamedTuple

from events.avro import SHIPPED, Schemas
from events.codec import Headers, decode
from events.decision import Millis
from events.envelope import Envelope
from events.payloads import declared, validate
from events.timeliness import DECLARED, Spans
from events.upcasting import upcast


class Accepted(NamedTuple):
    """A sound event and its JSON, in the newest version of its payload; of an undeclared type, as it came.

    `json` is the record's value itself if that was the envelope as JSON.
    """

    event: Envelope
    json: bytes
    declared: bool


def accept(
    value: bytes | None,
    headers: Headers | None,
    entered_at: Millis,
    schemas: Schemas = SHIPPED,
    spans: Spans = DECLARED,
) -> Accepted:
    """The event of a record that came to Kafka at `entered_at` (epoch ms).

    Raises `DeadLetter` with the cause, and `Unavailable` if the schema registry must be asked and cannot.
    """
    event, json, _ = decode(value, headers, schemas)
    if not declared(event.event_type):
        return Accepted(event, json, declared=False)
    spans.check(event, entered_at)
    validate(event)
    return Accepted(*upcast(event, json), declared=True)
