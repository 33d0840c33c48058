"""The SKUs of a night that were given up, read from the dead-letter topic."""

from collections.abc import Iterable

from confluent_kafka import Message

from events.codec import decode
from events.deadletter import DeadLetterHeaders
from events.errors import DeadLetter
from events.nightly import REQUESTED
from models.night_report import Failure
from transport.kafka import headers_of


def failures(letters: Iterable[Message]) -> dict[tuple[str, str], dict[str, Failure]]:
    """By tenant and night, then by SKU. Letters of other events are passed over."""
    found: dict[tuple[str, str], dict[str, Failure]] = {}
    for message in letters:
        try:
            said = DeadLetterHeaders.parse(headers_of(message))
            event = decode(message.value(), headers_of(message)).envelope
        except DeadLetter:  # a message that was none of ours stands there too
            continue
        night, sku = event.payload.get("forecast_date"), event.payload.get("sku")
        if event.event_type == REQUESTED and isinstance(night, str) and isinstance(sku, str):
            of_night = found.setdefault((event.tenant_id, night), {})
            of_night[sku] = Failure(sku, said.cause, said.message, said.last_failure)
    return found
