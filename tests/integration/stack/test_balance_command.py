"""Does `signalbox balance` tell from Kafka alone whether every event has its outcome?"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from confluent_kafka import Producer
from typer.testing import CliRunner, Result

import cli
from dispatcher.topics import DeclaredTopics
from events.decision import Position
from events.identity import prediction_id
from events.topics import EVENTS, PREDICTIONS
from routing import load
from settings import load_settings
from stack.assembly import make_topics
from stack.embedded import free_port, kafka, running
from stack.examples import envelope
from transport.kafka import producer_config

Write = Callable[[str, bytes], None]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Writes a record to a Kafka of this test's own, which the command finds by the environment."""
    load_settings.cache_clear()
    with running(kafka(free_port()), tmp_path / "log") as bootstrap:
        monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", bootstrap)
        settings = load_settings()
        rules = load(settings.routing_table, settings.workflows)
        make_topics(DeclaredTopics(settings.topics, 2, replicas=1).specs(rules), bootstrap)
        producer = Producer(producer_config(bootstrap))

        def write_one(topic: str, value: bytes) -> None:
            producer.produce(topic, value=value)
            assert producer.flush(10) == 0

        yield write_one
    load_settings.cache_clear()


def balance() -> Result:
    return CliRunner().invoke(cli.app, ["balance"])


def test_an_event_counts_as_missing_until_its_outcome_stands_in_kafka(write: Write) -> None:
    order = envelope("order.placed", "e-1")
    name = prediction_id(order["tenant_id"], order["source"], "e-1", "fraud-classifier", "champion")
    write(EVENTS, json.dumps(order).encode())

    before = balance()
    assert before.exit_code == 1
    assert f"{name}: fraud-classifier of {EVENTS}[" in before.output

    source = Position(EVENTS, 0, 0)
    write(PREDICTIONS, msgspec.json.encode({"prediction_id": name, "source": source}))
    after = balance()
    assert after.exit_code == 0, after.output
    assert "routed 1 = predictions 1 + dead letters 0" in after.output
