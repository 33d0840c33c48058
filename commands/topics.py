"""`signalbox topics`: create the declared Kafka topics, compare them with their declaration, apply it."""

from collections.abc import Iterable

import typer
from confluent_kafka.admin import AdminClient
from rich.console import Console
from rich.table import Table

from commands.logs import start_logging
from dispatcher.topics import DeclaredTopics
from routing import load
from settings import load_settings
from transport.kafka import admin_client
from transport.topic_check import apply_properties, check_topics
from transport.topic_differences import Difference
from transport.topics import TopicSpec, create_topics, existing_topics

app = typer.Typer(help="The Kafka topics that config/topics.yaml declares.", add_completion=False)


@app.callback(invoke_without_command=True)
def topics(context: typer.Context) -> None:
    """Without a further word: make the topics that are missing."""
    if context.invoked_subcommand is None:
        create()


@app.command()
def create() -> None:
    """Make the topics that the routing table calls for and that are missing, as they are declared.

    Exit code 2 if Kafka refuses one, with its reason and the way out.
    """
    _create(*_declared())


@app.command()
def check() -> None:
    """Compare the topics with what is declared of them: exit code 1 if records are lost by a difference.

    Changes nothing. Without the right to read a topic's properties, their names and replicas are compared.
    """
    admin, specs = _declared()
    found = check_topics(admin, specs)
    _show(found)
    typer.echo(_summary(len(specs), found))
    raise typer.Exit(1 if any(each.level == "error" for each in found) else 0)


@app.command()
def apply() -> None:
    """Make what is missing, and set each property that differs and can be set without losing a record.

    Partitions and replicas are left as they are, and so is a topic that keeps more than is declared. Exit
    code 1 if something that loses records is left.
    """
    admin, specs = _declared()
    _create(admin, specs)
    found = check_topics(admin, specs)
    refused = apply_properties(admin, found)
    done = [each for each in found if each.safe and each.topic not in refused]
    for each in done:
        typer.echo(f"set {each.topic}: {each.property} {each.declared}, was {each.found}")
    for topic, why in refused.items():
        typer.echo(f"not set {topic}: {why}; grant ALTER_CONFIGS, or set it by hand (`topics check`)")
    left = [each for each in found if each not in done]
    _show(left)
    typer.echo(_summary(len(specs), left))
    raise typer.Exit(1 if refused or any(each.level == "error" for each in left) else 0)


def _declared() -> tuple[AdminClient, tuple[TopicSpec, ...]]:
    settings = load_settings()
    start_logging()
    rules = load(settings.routing_table, settings.workflows)
    declared = DeclaredTopics(settings.topics, settings.partitions, settings.replicas)
    admin = admin_client(settings.kafka_cluster, **{"log_level": 2})
    return admin, declared.specs(rules, existing_topics(admin))


def _create(admin: AdminClient, specs: Iterable[TopicSpec]) -> None:
    for name in create_topics(admin, specs):
        typer.echo(f"made {name}")


def _show(found: Iterable[Difference]) -> None:
    """A table of the differences, with the way out of each."""
    rows = sorted(found, key=lambda each: (("error", "warning", "unknown").index(each.level), each.topic))
    if not rows:
        return
    table = Table(box=None, pad_edge=False)
    for title in ("", "topic", "property", "is", "declared", "what it means"):
        table.add_column(title, no_wrap=True)
    for each in rows:
        table.add_row(each.level, each.topic, each.property, each.found, each.declared, each.effect)
    # a name that is cut short could not be copied: lines may be longer than the terminal is wide
    console = Console(highlight=False, soft_wrap=True, width=max(240, Console().width))
    console.print(table)
    console.print("\nThe way out:")
    for way_out in dict.fromkeys(each.way_out for each in rows):
        console.print(f"  {way_out}", markup=False)


def _summary(topics: int, found: Iterable[Difference]) -> str:
    levels = [each.level for each in found]
    unread = sum(level == "unknown" for level in levels)
    line = f"{topics} topics: {levels.count('error')} errors, {levels.count('warning')} warnings"
    return f"{line}; {unread} could not be read, and were not checked" if unread else line
