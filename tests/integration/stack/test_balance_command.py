"""`signalbox balance` counts from Kafka alone whether every event has its outcome."""

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
from transport.kafka import position_of, producer_config

Write = Callable[[str, bytes], Position]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Writes a record to a Kafka of this test's own, which the command finds, and returns its place."""
    load_settings.cache_clear()
    with running(kafka(free_port()), tmp_path / "log") as bootstrap:
        monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", bootstrap)
        settings = load_settings()
        rules = load(settings.routing_table, settings.workflows)
        make_topics(DeclaredTopics(settings.topics, 2, replicas=1).specs(rules), bootstrap)
        producer = Producer(producer_config(bootstrap))

        def write_one(topic: str, value: bytes) -> Position:
            places: list[Position] = []
            producer.produce(topic, value=value, on_delivery=lambda _, made: places.append(position_of(made)))
            assert producer.flush(10) == 0
            return places[0]

        yield write_one
    load_settings.cache_clear()


def balance(*options: str) -> Result:
    return CliRunner().invoke(cli.app, ["balance", *options])


def test_an_event_counts_as_missing_until_its_lane_record_and_its_outcome_are_in_kafka(write: Write) -> None:
    order = envelope("order.placed", "e-1")
    name = prediction_id(order["tenant_id"], order["source"], "e-1", "fraud-classifier", "champion")
    write(EVENTS, json.dumps(order).encode())

    unrouted = balance()
    assert unrouted.exit_code == 1
    assert f"{EVENTS}[" in unrouted.output
    assert "has a route, and no lane record" in unrouted.output

    partition = int(unrouted.output.partition(f"{EVENTS}[")[2][0])
    source, lane = Position(EVENTS, partition, 0), "ml.fraud.input.high"
    decision = {"prediction_id": name, "source": source, "table_hash": "of another table"}
    places = write(lane, msgspec.json.encode({"event": order, "decision": decision}))
    before = balance()
    assert before.exit_code == 1
    assert f"{name}: fraud-classifier of {EVENTS}[{partition}]@0 has no outcome" in before.output

    write(PREDICTIONS, msgspec.json.encode({"prediction_id": name, "lane": places, "source": source}))
    after = balance("--json")
    assert after.exit_code == 0, after.output
    said = json.loads(after.output)
    assert (said["complete"], said["routed"], said["predictions"], said["lost"]) == (True, 1, 1, 0)
