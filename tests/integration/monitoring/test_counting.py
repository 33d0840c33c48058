"""The count ends, whether the topics are at rest or not."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer

from dispatcher.topics import DeclaredTopics
from events.timeliness import ANY_AGE
from events.topics import EVENTS
from monitoring.balance import strike
from monitoring.counting import count
from monitoring.ledger import Ledger
from monitoring.reading import LogReader
from routing import load
from stack.assembly import make_topics
from stack.embedded import free_port, kafka, running
from stack.examples import envelope
from transport.kafka import producer_config

ROOT = Path(__file__).parents[3]
RULES = load(ROOT / "config/routing_table.yaml", ROOT / "config/workflows.yaml")


@pytest.fixture
def bootstrap(tmp_path: Path) -> Iterator[str]:
    """A Kafka of this test's own, for the topics' names are fixed."""
    with running(kafka(free_port()), tmp_path / "log") as address:
        make_topics(DeclaredTopics(ROOT / "config/topics.yaml", 2, replicas=1).specs(RULES), address)
        yield address


def send(producer: Producer, number: int) -> None:
    producer.produce(EVENTS, value=json.dumps(envelope("page.viewed", f"e-{number}")).encode())


def counted(bootstrap: str, settle: float) -> tuple[bool, Ledger]:
    reader, ledger = LogReader(bootstrap, [EVENTS]), Ledger(RULES.table, spans=ANY_AGE)
    try:
        return count(reader, ledger, settle), ledger
    finally:
        reader.close()


def test_at_rest_all_is_counted(bootstrap: str) -> None:
    producer = Producer(producer_config(bootstrap))
    for number in range(500):
        send(producer, number)
    assert producer.flush(10) == 0
    complete, ledger = counted(bootstrap, settle=15)
    assert complete
    assert ledger.read == 500


def test_where_events_keep_coming_those_after_the_mark_are_left_out(bootstrap: str) -> None:
    producer, stop = Producer(producer_config(bootstrap)), threading.Event()

    def keep_sending() -> None:
        number = 0
        while not stop.wait(0.001):
            send(producer, number)
            producer.poll(0)
            number += 1

    sender = threading.Thread(target=keep_sending)
    sender.start()
    try:
        complete, ledger = counted(bootstrap, settle=2)
    finally:
        stop.set()
        sender.join()
    assert not complete
    assert 0 < strike(ledger, RULES.catalogue).read < ledger.read
