"""`signalbox routes`: check and show the routing table, explain the route of one event."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from commands.routes_report import account, show_rules
from dispatcher.sorting import SourceRecord, sort
from events.decision import Position
from events.errors import ConfigError
from events.timeliness import ANY_AGE
from events.topics import EVENTS
from routing import Rules, load
from routing.code_age import changed_since
from routing.task_names import task_problems
from settings import LOCAL_ENV, load_settings, local_stack_runs
from transport.clock import system_clock
from transport.registry import connect_schemas

app = typer.Typer(help="The routing table: check it, show it, explain an event by it.", no_args_is_help=True)

TableOption = Annotated[
    Path | None, typer.Option("--table", help="The routing table; by default the settings' one.")
]
WorkflowsOption = Annotated[
    Path | None, typer.Option("--workflows", help="The catalogue of workflows; by default the settings' one.")
]


@app.command()
def check(table: TableOption = None, workflows: WorkflowsOption = None) -> None:
    """Name every problem of the table and the catalogue, each with its line. Exit code 1 if there is one."""
    table_path, workflows_path = _paths(table, workflows)
    rules = _load(table_path, workflows_path)
    problems = task_problems(rules.catalogue, str(workflows_path), broken_modules=True)
    for problem in problems:
        typer.echo(str(problem), err=True)
    if problems:
        raise typer.Exit(1)
    count = len(rules.table.all_routes)
    typer.echo(f"{table_path} and {workflows_path} hold: {count} routes, table {rules.table.hash}")
    for line in _restarts():
        typer.echo(line)


@app.command()
def show(table: TableOption = None, workflows: WorkflowsOption = None) -> None:
    """Every route, and every queue with its pool."""
    table_path, workflows_path = _paths(table, workflows)
    rules = _load(table_path, workflows_path)
    show_rules(rules, table_path, workflows_path)


@app.command()
def explain(
    event: Annotated[Path, typer.Argument(help="A file with one event, as it would stand in Kafka.")],
    table: TableOption = None,
    workflows: WorkflowsOption = None,
) -> None:
    """Where this event would go: which route, which rule, why. Exit code 1 if it would be a dead letter."""
    table_path, workflows_path = _paths(table, workflows)
    rules = _load(table_path, workflows_path)
    try:
        value = event.read_bytes()
    except OSError as error:
        typer.echo(f"{event}: cannot be read: {error.strerror}", err=True)
        raise typer.Exit(1) from error
    now = system_clock()
    record = SourceRecord(Position(EVENTS, 0, 0), now, None, value, None)
    schemas = connect_schemas(load_settings().schema_registry)
    outcome = sort(record, rules.table, now, schemas, ANY_AGE)
    for line in account(record, outcome, rules, table_path, schemas):
        typer.echo(line)
    if outcome.fate == "dead_letter":
        raise typer.Exit(1)


def _restarts() -> Iterator[str]:
    """What a process that runs already does not know of what was just checked."""
    yield (
        "a running dispatcher takes the table within seconds; event types and tasks are code: after a change "
        "there, restart the dispatcher, the reconciler, the feature pipeline and the pools of the queues"
    )
    if local_stack_runs() and (changed := changed_since(LOCAL_ENV.stat().st_mtime)):
        yield (
            f"{', '.join(changed)} changed after the local stack started: until it is started again its "
            "dispatcher refuses what is new there"
        )


def _paths(table: Path | None, workflows: Path | None) -> tuple[Path, Path]:
    settings = load_settings()
    return table or settings.routing_table, workflows or settings.workflows


def _load(table: Path, workflows: Path) -> Rules:
    try:
        return load(table, workflows)
    except ConfigError as error:
        for problem in error.problems:
            typer.echo(str(problem), err=True)
        raise typer.Exit(1) from error
