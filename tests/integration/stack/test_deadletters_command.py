"""`signalbox deadletters` finds what was given up, and replays it once."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner, Result

import cli
from dispatcher.sorting import SourceRecord, sort
from dispatcher.topics import DeclaredTopics
from events.decision import Position
from events.lane import Fed, decode_record
from events.timeliness import ANY_AGE
from events.topics import EVENTS, REPLAYS
from monitoring.reading import LogReader
from routing import load
from settings import load_settings
from stack.assembly import make_topics
from stack.embedded import free_port, kafka, running
from stack.examples import envelope
from tasks.letters import Failure, dead_letter
from transport.clock import system_clock
from transport.kafka import Outgoing
from transport.publisher import Publisher

LANE = "ml.fraud.input.high"
DLQ = "ml.fraud.input.dlq"


@pytest.fixture
def bootstrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A Kafka of this test's own with every topic, which the commands find by the environment."""
    load_settings.cache_clear()
    with running(kafka(free_port()), tmp_path / "log") as address:
        monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", address)
        settings = load_settings()
        rules = load(settings.routing_table, settings.workflows)
        make_topics(DeclaredTopics(settings.topics, 2, replicas=1).specs(rules), address)
        yield address
    load_settings.cache_clear()


def call(*arguments: str) -> Result:
    return CliRunner().invoke(cli.app, ["deadletters", *arguments])


def given_up(name: str) -> Outgoing:
    """A letter as a worker writes it."""
    settings, now = load_settings(), system_clock()
    table = load(settings.routing_table, settings.workflows).table
    value = msgspec.json.encode(envelope("order.placed", name))
    (waiting,) = sort(
        SourceRecord(Position(EVENTS, 0, 1), now, b"k", value, None), table, now, spans=ANY_AGE
    ).writes
    raw = msgspec.Raw(waiting.value or b"")
    fed = Fed(Position(LANE, 0, 5), now, raw, b"k")
    failure = Failure("retries_exhausted", ConnectionError("no answer"), 4, now, now)
    return dead_letter(fed, decode_record(raw), "ml.fraud.input", failure)


def read(bootstrap: str, topic: str) -> list[bytes | None]:
    reader = LogReader(bootstrap, [topic])
    try:
        return [message.value() for message in reader.read_all()]
    finally:
        reader.close()


def test_letters_are_shown_and_replayed_once_each(bootstrap: str) -> None:
    publisher = Publisher(bootstrap)
    publisher.publish([given_up("e-1"), given_up("e-2"), Outgoing(DLQ, b"somebody else's")], 10)

    shown = call("list")
    assert "2 dead letters; 1 records that are none" in shown.output
    assert "retries_exhausted" in shown.output

    tried = call("replay", "--queue", "ml.fraud.input", "--reason", "it is back", "--dry-run")
    assert (tried.exit_code, tried.output.count(f"would go to {LANE}")) == (0, 2)
    assert read(bootstrap, LANE) == []

    done = call("replay", "--cause", "retries_exhausted", "--reason", "it is back")
    assert (done.exit_code, done.output.count(f"goes to {LANE}")) == (0, 2)
    events = {decode_record(value or b"").event.event_id for value in read(bootstrap, LANE)}
    assert events == {"e-1", "e-2"}

    repeated = call("replay", "--all", "--reason", "again")
    assert (repeated.exit_code, repeated.output) == (0, "")
    assert len(read(bootstrap, LANE)) == len(read(bootstrap, REPLAYS)) == 2

    letter = done.output.split(": ")[0]
    account = call("show", letter).output
    assert "it is back" in account
    assert "ConnectionError: no answer" in account


def test_what_would_be_refused_again_is_said_and_stays(bootstrap: str) -> None:
    settings, now = load_settings(), system_clock()
    table = load(settings.routing_table, settings.workflows).table
    refused = sort(
        SourceRecord(Position(EVENTS, 0, 1), now, None, b"no event", None), table, now, spans=ANY_AGE
    ).writes
    Publisher(bootstrap).publish(refused, 10)

    tried = call("replay", "--queue", "router", "--reason", "why not")
    assert tried.exit_code == 1
    assert "not replayed: still refused as undecodable" in tried.output
    assert read(bootstrap, EVENTS) == read(bootstrap, REPLAYS) == []


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        pytest.param(("replay", "--reason", "x"), "say which", id="a replay of nothing in particular"),
        pytest.param(("list", "--cause", "bad luck"), "is no cause", id="a cause that is none"),
        pytest.param(("list", "--queue", "ml.fraud"), "nearest: ml.fraud.input", id="a queue that is none"),
    ],
)
def test_a_choice_that_is_none_is_refused(
    monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], complaint: str
) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    found = call(*arguments)
    assert found.exit_code != 0
    assert complaint in found.output + str(found.exception)
