"""What a router, and whoever counts after it, makes of an event in Avro."""

import json

import pytest

from dispatcher.sorting import SourceRecord, sort
from events.avro import Writer
from events.decision import Position
from events.errors import Unavailable
from events.lane import decode_record
from monitoring import ledger
from routing import load
from stack.emission import Event, in_avro, in_form
from stack.examples import PAYLOADS, envelope

TABLE = load("config/routing_table.yaml", "config/workflows.yaml").table
AT = Position("retail.events", 0, 7)
ORDER = Event(
    event_id="evt-1",
    event_type="order.placed",
    source="shop",
    occurred_at=1_795_266_000_000,
    tenant_id="retailpulse",
    payload=PAYLOADS["order.placed"],
)
AVRO, _ = in_form(ORDER, "avro")
JSON, _ = in_form(ORDER, "json")


class NoRegistry:
    """One that is down."""

    def writer(self, schema_id: int) -> Writer:
        """See `Schemas`."""
        raise Unavailable("schema registry", f"asked for {schema_id}")


def record(value: bytes) -> SourceRecord:
    return SourceRecord(AT, 1_795_266_000_000, b"c-17", value, None)


def test_an_event_gets_the_same_decision_in_avro_as_in_json() -> None:
    (avro,) = sort(record(AVRO), TABLE, 6).writes
    (as_json,) = sort(record(JSON), TABLE, 6).writes
    one, other = decode_record(avro.value or b""), decode_record(as_json.value or b"")
    assert (one.event, one.decision) == (other.event, other.decision)
    assert one.original is not None
    assert one.original.value == AVRO
    assert other.original is None


def test_nothing_is_decided_while_the_registry_is_down() -> None:
    with pytest.raises(Unavailable, match="asked for 1"):
        sort(record(AVRO), TABLE, 6, NoRegistry())
    assert sort(record(JSON), TABLE, 6, NoRegistry()).fate == "routed"


def test_an_unknown_schema_is_a_dead_letter_with_the_bytes_that_came() -> None:
    payload = json.dumps(PAYLOADS["order.placed"]).encode()
    value = in_avro({**envelope("order.placed", "evt-1"), "payload": payload}, schema_id=7)
    became = sort(record(value), TABLE, 6)
    assert (became.fate, became.cause) == ("dead_letter", "undecodable")
    assert became.writes[0].value == value


def test_what_cannot_be_read_is_not_counted_either() -> None:
    counted = ledger.Ledger(TABLE, NoRegistry())
    with pytest.raises(Unavailable):
        counted.on_source(ledger.SourceRecord(AT, 1_795_266_000_000, AVRO, None))
    assert counted.read == 0
