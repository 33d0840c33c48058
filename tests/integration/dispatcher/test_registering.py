"""What a real schema registry makes of our schemas, and that a router reads what was written with its ids."""

import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import msgspec
import pytest
from typer.testing import CliRunner, Result

from commands.schemas import app
from dispatcher.router import Router
from events.lane import decode_record
from events.timeliness import ANY_AGE
from stack.embedded import Server, free_port, running
from stack.emission import in_avro
from tests import services
from tests.integration.dispatcher.ground import Ground, order, wait_until
from transport.registering import Level, Registrar, Subject, subjects
from transport.registry import Registry

ROOT = Path(__file__).parents[3]
START_S = 120
# one registry for all of them
pytestmark = pytest.mark.xdist_group("schema-registry")


def program() -> Path:
    """Apicurio's jar. Skips on a machine that has none or no Java, fails in CI."""
    folder = Path(os.environ.get("APICURIO_HOME", ROOT / "var/schema-registry"))
    jar = next(folder.glob("*-runner.jar"), None)
    if jar is not None and shutil.which("java"):
        return jar
    lacking = "java is" if jar is not None else "a schema registry (deploy/schema-registry/fetch) is"
    if services.required():
        pytest.fail(f"{lacking} not installed", pytrace=False)
    pytest.skip(f"{lacking} not installed, and has no embedded form")


def answers(url: str) -> bool:
    with suppress(OSError), urlopen(f"{url}/subjects", timeout=1):  # our own address
        return True
    return False


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An empty registry's address."""
    port = free_port()
    address = f"http://127.0.0.1:{port}/apis/ccompat/v7"
    server = Server(
        "schema registry",
        ("java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-jar", str(program())),
        address,
        ready=lambda: answers(address),
        durable=False,
        env={"QUARKUS_HTTP_PORT": str(port), "QUARKUS_HTTP_HOST": "127.0.0.1"},
    )
    with running(server, tmp_path_factory.mktemp("registry") / "log", START_S) as started:
        yield started


@pytest.fixture
def register(url: str, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs `signalbox schemas register` against the registry."""
    monkeypatch.setenv("SCHEMA_REGISTRY_URL", url)
    return lambda *arguments: CliRunner().invoke(app, ["register", *arguments])


def shipped() -> dict[tuple[str, int], dict[str, Any]]:
    found = {}
    for path in (ROOT / "events/schemas").glob("*.json"):
        event_type, _, major = path.stem.rpartition(".")
        found[event_type, int(major)] = json.loads(path.read_text())
    return found


def states(result: Result) -> set[str]:
    return {line.partition(": ")[2].partition(",")[0] for line in result.output.splitlines()}


def test_all_are_asked_about_then_registered_once_and_left_as_they_are(
    register: Callable[..., Result],
) -> None:
    count = 1 + len(shipped())
    for arguments, state in ((["--dry-run"], "new"), ([], "registered"), ([], "unchanged")):
        result = register(*arguments)
        assert (result.exit_code, states(result)) == (0, {state}), result.output
        assert len(result.output.splitlines()) == count


def narrowed(subject: Subject) -> Subject:
    """The same, with one more field that every event must have."""
    schema = json.loads(subject.schema)
    if subject.language == "AVRO":
        schema["fields"].append({"name": "shop", "type": "string"})
    else:
        schema["properties"]["shop"] = {"type": "string"}
        schema["required"] = [*schema.get("required", []), "shop"]
    return Subject(subject.name, json.dumps(schema), subject.language)


def test_the_registry_refuses_a_narrower_version_of_each_with_its_reason(
    url: str, register: Callable[..., Result]
) -> None:
    register()
    registrar = Registrar(url, Level.BACKWARD)
    outcomes = [registrar.register(narrowed(subject)) for subject in subjects(shipped())]
    assert {outcome.state for outcome in outcomes} == {"refused"}
    assert [outcome.subject for outcome in outcomes if "Incompatible artifact" not in outcome.detail] == []


def test_a_refused_payload_does_not_keep_the_others_out(
    register: Callable[..., Result], tmp_path: Path
) -> None:
    register()
    changed, name = shipped()["order.placed", 1], "order.placed.1.json"
    changed["properties"]["order_id"] = {"type": "integer"}
    (tmp_path / name).write_text(json.dumps(changed))
    (tmp_path / "parcel.posted.1.json").write_text(json.dumps(shipped()["order.placed", 1]))
    result = register("--folder", str(tmp_path))
    assert result.exit_code == 1
    assert "retail.events-order.placed.v1: refused, Incompatible artifact" in result.output
    assert "/properties/order_id" in result.output
    assert "retail.events-parcel.posted.v1: registered, id " in result.output


def test_a_router_reads_a_record_that_was_written_with_a_registered_id(
    url: str, register: Callable[..., Result], ground: Ground
) -> None:
    register()
    envelope = subjects({})[0]
    outcome = Registrar(url, Level.BACKWARD).ask(envelope)
    schema_id = int(outcome.detail.removeprefix("id ").partition(",")[0])
    event = msgspec.json.decode(order(1))
    fields = {**event, "payload": msgspec.json.encode(event["payload"])}
    stop, table = threading.Event(), ground.rules().table
    router = Router(
        *(ground.kafka, lambda: table, stop),
        source=ground.source,
        group=f"router.{ground.source}",
        schemas=Registry(url),
        spans=ANY_AGE,
    )
    thread = threading.Thread(target=router.run)
    thread.start()
    try:
        ground.produce(ground.source, [in_avro(fields, envelope.schema, schema_id)])
        wait_until(lambda: ground.read(ground.lane, 0.3), 60, "it is routed")
    finally:
        stop.set()
        thread.join(30)
    assert decode_record(ground.read(ground.lane)[0].value() or b"").event.payload["order_id"] == "o-1"
