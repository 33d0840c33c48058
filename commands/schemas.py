"""`signalbox schemas`: check event schemas for backward compatibility, write, show and register them."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

import events
from events.avro import RECORD, RETAIL_EVENT
from events.contract import Contract
from events.errors import ConfigError, Problem
from events.evolution import Review, review, schemas
from routing import nearest
from settings import load_settings
from transport.registering import Level, Registrar, subjects

app = typer.Typer(
    help="Event schemas: check them against what is written down, write, show, register them.",
    no_args_is_help=True,
)

FolderOption = Annotated[
    Path | None, typer.Option("--folder", help="Where they are written down; by default events/schemas.")
]

CompatibilityOption = Annotated[
    Level, typer.Option(case_sensitive=False, help="What is set for a subject that is new.")
]


@app.command()
def check(folder: FolderOption = None) -> None:
    """Name each change that is not backward compatible, with its field. Exit code 1 if there is one."""
    place = folder or _shipped()
    found = _review(place)
    _say(found)
    if not found.holds:
        if not found.refused:
            typer.echo("write it down with `signalbox schemas write`", err=True)
        raise typer.Exit(1)
    typer.echo(f"{place} holds: {len(_read(place))} schemas")


@app.command()
def write(folder: FolderOption = None) -> None:
    """Write down what is declared. Writes nothing, with exit code 1, where a change is not compatible."""
    place = folder or _shipped()
    found = _review(place)
    if found.refused:
        _say(found)
        raise typer.Exit(1)
    place.mkdir(parents=True, exist_ok=True)
    declared = schemas(_contract())
    for event_type, major in dict.fromkeys(difference.version for difference in found.unwritten):
        path = place / f"{event_type}.{major}.json"
        schema = json.dumps(declared[event_type, major], indent=2, ensure_ascii=False)
        path.write_text(schema + "\n", encoding="utf-8")
        typer.echo(f"wrote {path}")


@app.command()
def show(
    name: Annotated[
        str | None, typer.Argument(help="An event type, or RetailEvent for the envelope in Avro.")
    ] = None,
    major: Annotated[int | None, typer.Option(help="By default the newest.")] = None,
) -> None:
    """Every type with its accepted major versions; or the schema of one."""
    contract = _contract()
    if name is None:
        for event_type in sorted(contract.payloads):
            typer.echo(f"{event_type}: {', '.join(map(str, contract.accepted(event_type)))}")
        return
    if name == RECORD:
        typer.echo(json.dumps(json.loads(RETAIL_EVENT), indent=2))
        return
    accepted = contract.accepted(name)
    chosen = major if major is not None else accepted[-1] if accepted else None
    if chosen not in accepted:
        known = f"accepted: {', '.join(map(str, accepted))}" if accepted else "nobody declared it"
        typer.echo(f"{name}: {known}{'' if accepted else nearest(name, contract.payloads)}", err=True)
        raise typer.Exit(1)
    typer.echo(json.dumps(contract.payloads[name][chosen].model_json_schema(), indent=2, ensure_ascii=False))


@app.command()
def register(
    folder: FolderOption = None,
    compatibility: CompatibilityOption = Level.BACKWARD,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only ask what would become of each; change nothing.")
    ] = False,
) -> None:
    """Put the envelope in Avro and the payloads that are written down into SCHEMA_REGISTRY_URL.

    Prints a line for each subject: registered, unchanged, or refused with the registry's reason. Exit code 1
    if one is refused. The others are registered; run it again once the reason is gone.
    """
    place = load_settings().schema_registry
    if place is None:
        raise ConfigError(
            [Problem("environment", 0, "SCHEMA_REGISTRY_URL", "is not set: give a schema registry's address")]
        )
    registrar = Registrar(place, compatibility)
    outcomes = []
    for subject in subjects(_read(folder or _shipped())):
        outcomes.append(registrar.ask(subject) if dry_run else registrar.register(subject))
        typer.echo(str(outcomes[-1]), err=outcomes[-1].state == "refused")
    if any(outcome.state == "refused" for outcome in outcomes):
        raise typer.Exit(1)


def _contract() -> Contract:
    try:
        # here and not above: importing a declaration that does not hold raises
        from events.retail import CONTRACT
    except ConfigError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    return CONTRACT


def _review(folder: Path) -> Review:
    return review(_contract(), _read(folder))


def _say(found: Review) -> None:
    for message in (*found.refused, *found.unwritten):
        typer.echo(str(message), err=True)


def _read(folder: Path) -> dict[tuple[str, int], dict[str, Any]]:
    """What is written down. Ends the command where a file cannot be read."""
    written: dict[tuple[str, int], dict[str, Any]] = {}
    for path in sorted(folder.glob("*.json")):
        event_type, _, major = path.stem.rpartition(".")
        try:
            written[event_type, int(major)] = json.loads(path.read_text(encoding="utf-8"))
        except (ValueError, OSError) as error:
            typer.echo(f"{path}: must be TYPE.MAJOR.json with a JSON Schema: {error}", err=True)
            raise typer.Exit(1) from error
    return written


def _shipped() -> Path:
    return Path(events.__file__).parent / "schemas"
