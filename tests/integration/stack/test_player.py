"""A player against a Kafka: what is sent arrives as it is, and it stops when it is told to."""

import threading
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient

from events.errors import Unavailable
from stack import player
from stack.emission import Emission
from stack.player import play
from tests.fatal import make_fatal
from transport.kafka import connect_consumer
from transport.topics import TopicSpec, create_topics


@pytest.fixture
def topic(kafka: str, unique: Callable[[str], str]) -> str:
    name = unique("retail.events")
    create_topics(AdminClient({"bootstrap.servers": kafka}), [TopicSpec(name, 1)])
    return name


def read(consumer: Consumer, topic: str, number: int) -> list[tuple[bytes | None, bytes | None, object]]:
    consumer.subscribe([topic])
    messages = consumer.consume(number, timeout=30)
    while len(messages) < number and (more := consumer.consume(number - len(messages), timeout=30)):
        messages += more
    consumer.close()
    return [(message.key(), message.value(), message.headers()) for message in messages]


def emissions(at_ms: Iterator[int]) -> Iterator[Emission]:
    for number, at in enumerate(at_ms):
        yield Emission(at, f"e-{number}", b"key", b"value %d" % number, (("ce_id", b"1"),))


def test_what_is_sent_arrives_with_key_value_and_headers(
    kafka: str, topic: str, unique: Callable[[str], str]
) -> None:
    sent: list[str] = []
    played = play(emissions(iter(range(50))), kafka, topic=topic, on_sent=lambda e: sent.append(e.event_id))
    assert (played.sent, played.acknowledged, played.failed) == (50, 50, 0)
    assert sent == [f"e-{number}" for number in range(50)]
    arrived = read(connect_consumer(kafka, unique("reader")), topic, 50)
    assert arrived == [(b"key", b"value %d" % number, [("ce_id", b"1")]) for number in range(50)]


def test_it_stops_in_the_middle_of_a_wait(kafka: str, topic: str) -> None:
    stop = threading.Event()
    hours_apart = (hour * 3_600_000 for hour in count())
    played = play(
        emissions(hours_apart), kafka, topic=topic, speed=1, stop=stop, on_sent=lambda _emission: stop.set()
    )
    assert (played.sent, played.acknowledged) == (1, 1)


def test_a_faster_clock_plays_an_hour_in_a_moment(kafka: str, topic: str) -> None:
    minutes = (minute * 60_000 for minute in range(60))
    played = play(emissions(minutes), kafka, topic=topic, speed=36_000)
    assert played.acknowledged == 60


def test_a_producer_that_met_a_fatal_error_ends_the_playing_with_the_reason(
    kafka: str, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fatal(config: Any) -> Producer:
        producer = Producer(config)
        make_fatal(producer)
        return producer

    monkeypatch.setattr(player, "Producer", fatal)
    with pytest.raises(Unavailable, match=r"by design|[Ff]atal"):
        play(emissions(iter(range(50))), kafka, topic=topic)
