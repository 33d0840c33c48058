"""Emissions into a topic, each at its moment: as it would happen, faster, or as fast as Kafka takes them."""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from events.decision import Millis
from events.errors import Unavailable
from events.topics import EVENTS
from stack.emission import Emission
from transport.cluster import Bootstrap
from transport.kafka import producer_config

_LONGEST_WAIT_S = 0.1


@dataclass(slots=True)
class Played:
    """What became of it: records that were handed over, acknowledged, and refused (the last reason)."""

    sent: int = 0
    acknowledged: int = 0
    failed: int = 0
    reason: str = ""

    def delivered(self, error: KafkaError | None, _message: Message) -> None:
        """The delivery callback."""
        if error is None:
            self.acknowledged += 1
        else:
            self.failed += 1
            self.reason = str(error)


def speed_for(rate: float, emissions: int, seconds: float = 86_400) -> float:
    """The speed at which so many emissions over so many seconds come to `rate` a second on average."""
    return rate * seconds / emissions


def remaining_s(at: Millis, first: Millis, elapsed_s: float, speed: float | None) -> float:
    """How long an emission must still wait, `elapsed_s` after the first; 0 or less: its moment has come.

    `speed` is how many seconds of the played time pass in one: 1 is real time, None waits for nothing.
    """
    return 0.0 if speed is None else (at - first) / 1_000 / speed - elapsed_s


def play(
    emissions: Iterable[Emission],
    bootstrap: Bootstrap,
    *,
    speed: float | None = None,
    topic: str = EVENTS,
    stop: threading.Event | None = None,
    on_sent: Callable[[Emission], None] = lambda _emission: None,
    flush_s: float = 30,
) -> Played:
    """Send all, or until `stop` is set, and wait up to `flush_s` for Kafka to acknowledge them.

    Whatever comes late is sent at once. `on_sent` is handed each emission, with its truth, as it is sent.
    Raises `Unavailable` if the producer takes nothing more.
    """
    stop = stop or threading.Event()
    producer = Producer(producer_config(bootstrap))
    played = Played()
    began: float | None = None
    first = 0
    for emission in emissions:
        if began is None:
            began, first = time.monotonic(), emission.at
        while (wait := remaining_s(emission.at, first, time.monotonic() - began, speed)) > 0:
            if stop.is_set():
                break
            _serve(producer.poll, min(wait, _LONGEST_WAIT_S))
        if stop.is_set():
            break
        _send(producer, topic, emission, played)
        on_sent(emission)
    _serve(producer.flush, flush_s)
    return played


def _serve(call: Callable[[float], int], timeout: float) -> None:
    """Let acknowledgements arrive. Raises `Unavailable` after a fatal error: the next call reports it."""
    try:
        call(timeout)
    except KafkaException as error:
        raise Unavailable("kafka", error) from error


def _send(producer: Producer, topic: str, emission: Emission, played: Played) -> None:
    while True:
        try:
            producer.produce(
                topic,
                value=emission.value,
                key=emission.key,
                headers=list(emission.headers) or None,
                on_delivery=played.delivered,
            )
        except BufferError:
            _serve(producer.poll, _LONGEST_WAIT_S)
        except KafkaException as error:
            raise Unavailable("kafka", error) from error
        else:
            played.sent += 1
            _serve(producer.poll, 0)
            return
