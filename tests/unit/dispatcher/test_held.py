"""What a feeder keeps of a lane's record."""

import hashlib

import msgspec
import pytest
from confluent_kafka import Message

from dispatcher.held import held
from events.decision import Position
from events.errors import DeadLetter
from events.lane import Batch, decode_batch, decode_record, encode_batch

TIMESTAMP = 1_700_000_000_000


def message(value: bytes | None) -> Message:
    return Message(
        topic="ml.fraud.input.high", partition=3, offset=0, key=b"c-1", value=value, timestamp=(1, TIMESTAMP)
    )


def test_a_record_keeps_its_place_its_key_and_its_bytes() -> None:
    record = held(message(b'{"event": {}}'))
    assert record.position == record.fed.lane == Position("ml.fraud.input.high", 3, 0)
    assert (record.fed.timestamp, record.fed.key) == (TIMESTAMP, b"c-1")
    assert bytes(record.fed.record) == b'{"event": {}}'
    assert record.size > len(b'{"event": {}}')


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(None, id="no value"),
        pytest.param(b"", id="an empty value"),
        pytest.param(b'{"event": ', id="JSON that is cut short"),
        pytest.param(b"{}]}", id="JSON that would close its neighbours' list"),
        pytest.param(b'"\xff"', id="bytes that are no text"),
        pytest.param(b"[" * 100_000, id="a tower of brackets"),
        pytest.param(b" " * 70_000_000, id="more than a message takes"),
        pytest.param(b'{"event": "' + b"x" * 3_000_000 + b'"}', id="more than a lane takes"),
    ],
)
def test_what_is_no_record_spoils_no_batch(value: bytes | None) -> None:
    bad, good = held(message(value)), held(message(b'{"event": {}}'))
    batch = decode_batch(encode_batch(Batch(1, (bad.fed, good.fed))))
    assert batch.records[1].record == msgspec.Raw(b'{"event": {}}')
    with pytest.raises(DeadLetter):
        decode_record(batch.records[0].record)


def test_of_what_no_message_takes_length_and_digest_are_sent_with_the_beginning() -> None:
    value = b"abc" * 1_000_000
    record = held(message(value))
    assert record.size < 100_000
    said = msgspec.json.decode(record.fed.record)
    assert said.startswith(f"3000000 bytes, SHA-256 {hashlib.sha256(value).hexdigest()}, begin with YWJj")
