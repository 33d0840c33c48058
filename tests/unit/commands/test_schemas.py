"""What an operator, and `make check`, read of the payloads that are written down."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from commands.schemas import app
from events.errors import ConfigError
from events.retail import PAYLOADS
from tests.unit.events.second_order import contract


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What is declared, written down."""
    assert run("write", "--folder", str(tmp_path / "schemas")).exit_code == 0
    return tmp_path / "schemas"


def edit(path: Path, **properties: Any) -> None:
    schema = json.loads(path.read_text())
    schema["properties"] |= properties
    path.write_text(json.dumps(schema))


def test_what_is_shipped_holds() -> None:
    result = run("check")
    assert result.exit_code == 0
    assert f"holds: {len(PAYLOADS)} schemas" in result.output


def test_each_type_and_major_version_has_its_file(folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} == {f"{name}.1.json" for name in PAYLOADS}
    assert run("check", "--folder", str(folder)).exit_code == 0


@pytest.mark.parametrize("command", ["check", "write"])
def test_a_field_that_was_taken_away_is_named_and_nothing_is_written(command: str, folder: Path) -> None:
    path = folder / "page.viewed.1.json"
    edit(path, referrer={"type": "string"})
    before = path.read_text()
    result = run(command, "--folder", str(folder))
    assert result.exit_code == 1
    assert (
        "page.viewed 1: referrer was removed: take it back, or declare it as major version 2" in result.output
    )
    assert path.read_text() == before


def test_a_compatible_change_only_has_to_be_written(folder: Path) -> None:
    path = folder / "page.viewed.1.json"
    edit(path, sku={"type": "null"})
    result = run("check", "--folder", str(folder))
    assert result.exit_code == 1
    assert "page.viewed 1: sku has changed, compatibly" in result.output
    assert "write it down with `signalbox schemas write`" in result.output
    result = run("write", "--folder", str(folder))
    assert (result.exit_code, result.output) == (0, f"wrote {path}\n")
    assert run("check", "--folder", str(folder)).exit_code == 0


@pytest.mark.parametrize(("name", "text"), [("page.viewed.1.json", "{"), ("notes.json", "{}")])
def test_a_file_that_is_no_schema_is_named(name: str, text: str, folder: Path) -> None:
    (folder / name).write_text(text)
    result = run("check", "--folder", str(folder))
    assert result.exit_code == 1
    assert f"{name}: must be TYPE.MAJOR.json with a JSON Schema" in result.output


def test_a_new_major_version_gets_its_own_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("events.retail.CONTRACT", contract())
    assert "order.placed 2: is new" in run("check", "--folder", str(folder)).output
    assert run("write", "--folder", str(folder)).output == f"wrote {folder / 'order.placed.2.json'}\n"
    assert run("check", "--folder", str(folder)).exit_code == 0
    assert "order.placed: 1, 2" in run("show").output.splitlines()
    assert "total" in json.loads(run("show", "order.placed").output)["properties"]
    assert "amount" in json.loads(run("show", "order.placed", "--major", "1").output)["properties"]


def test_the_envelope_in_avro_is_shown() -> None:
    assert json.loads(run("show", "RetailEvent").output)["name"] == "RetailEvent"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(["order.plcaed"], "nobody declared it; nearest: order.placed", id="a misspelt type"),
        pytest.param(["order.placed", "--major", "7"], "order.placed: accepted: 1", id="an unknown major"),
    ],
)
def test_what_is_not_declared_cannot_be_shown(arguments: list[str], says: str) -> None:
    result = run("show", *arguments)
    assert result.exit_code == 1
    assert says in result.output


def test_without_the_address_of_a_registry_nothing_can_be_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SCHEMA_REGISTRY_URL", raising=False)
    result = run("register")
    assert isinstance(result.exception, ConfigError)
    assert "SCHEMA_REGISTRY_URL: is not set" in str(result.exception)
