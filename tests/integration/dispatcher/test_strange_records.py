"""Records that Kafka can hold and Python's own producer cannot write: none of them holds up the router."""

import hashlib

import pytest

from events.deadletter import DeadLetterHeaders
from events.topics import DEAD_LETTERS
from tests.integration.dispatcher.ground import Ground, order, wait_until
from tests.integration.dispatcher.test_router import dead_letters, routing
from tests.raw_producer import RawProducer
from transport.kafka import headers_of

BLANKS = b" " * 70_000_000
NOISE = hashlib.shake_256(b"seed").digest(200_000) * 40
"""8 MB that zstd makes 0.2 MB of, and lz4 nothing: its window is shorter than what repeats."""


def test_a_header_name_of_any_bytes_is_a_dead_letter_with_value_and_key(ground: Ground) -> None:
    with RawProducer(ground.kafka) as producer:
        for number in range(300):
            headers = [(b"\xff" * (number % 3), b"x")]
            producer.produce(ground.source, order(number), b"k-%d" % number, headers, partition=0)
    with routing(ground) as running:
        wait_until(lambda: ground.committed(running.group, ground.source) == 300, 60, "all are committed")
    letters = dead_letters(ground)
    assert {at.offset for at in letters} == {number for number in range(300) if number % 3}
    assert {letter.cause for letter in letters.values()} == {"undecodable"}
    assert {letter.truncated for letter in letters.values()} == {frozenset({"headers"})}
    originals = {
        DeadLetterHeaders.parse(headers_of(message)).original: (message.key(), message.value())
        for message in ground.read(DEAD_LETTERS, 1.0)
    }
    assert all(originals[at] == (b"k-%d" % at.offset, order(at.offset)) for at in letters)
    assert len(ground.read(ground.lane)) == 100


@pytest.mark.parametrize(
    ("value", "codec"), [(BLANKS, "lz4"), (NOISE, "zstd"), (BLANKS, "gzip"), (BLANKS, "zstd")]
)
def test_a_value_that_was_small_on_the_wire_only_is_cut_and_named_by_its_digest(
    ground: Ground, value: bytes, codec: str
) -> None:
    settings = {"compression.type": codec, "message.max.bytes": 100_000_000}
    with RawProducer(ground.kafka, **settings) as producer:
        for number, each in enumerate([order(1), value, order(2)]):
            producer.produce(ground.source, each, b"k-%d" % number, partition=1)
            producer.flush()
    if producer.failed:
        pytest.skip("the embedded broker does not take it")
    with routing(ground) as running:
        wait_until(lambda: ground.committed(running.group, ground.source) == 3, 60, "all are committed")
    ((at, letter),) = dead_letters(ground).items()
    assert (at.partition, at.offset, letter.cause) == (1, 1, "too_large")
    assert (letter.truncated, letter.length) == (frozenset({"value"}), len(value))
    assert letter.sha256 == hashlib.sha256(value).hexdigest()
    assert len(ground.read(ground.lane)) == 2


@pytest.mark.parametrize("at", [-1, 1_795_266_000, 1_795_266_000_000_000, 2**63 - 1])
def test_a_record_with_an_impossible_time_is_routed(ground: Ground, at: int) -> None:
    with RawProducer(ground.kafka) as producer:
        producer.produce(ground.source, order(1), timestamp=at, partition=0)
        producer.flush()
        producer.produce(ground.source, order(2), partition=0)
    number = 2 - len(producer.failed)
    with routing(ground) as running:
        wait_until(lambda: ground.committed(running.group, ground.source) == number, 60, "all are committed")
    assert len(ground.read(ground.lane)) == number
