"""What was given up, why, and how does it get another chance?"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from commands.deadletters_report import Letters, Wanted
    from dispatcher.replaying import Letter

app = typer.Typer(help="Look at dead letters, and replay them once the cause is gone.", no_args_is_help=True)

AT_ONCE = 500
PUBLISH_S = 30.0
HOUR_MS = 3_600_000

QueueOption = Annotated[str | None, typer.Option(help="Only those of this queue; `router`: those of none.")]
CauseOption = Annotated[str | None, typer.Option(help="Only those of this cause, such as invalid_payload.")]
FingerprintOption = Annotated[str | None, typer.Option(help="Only failures like these; `list` shows it.")]
SinceOption = Annotated[float | None, typer.Option(min=0, help="Only those of the last hours.")]


@app.command("list")
def list_(
    queue: QueueOption = None,
    cause: CauseOption = None,
    fingerprint: FingerprintOption = None,
    since_hours: SinceOption = None,
) -> None:
    """Like failures in one line each: how many, since when, and how many of them were replayed."""
    from commands.deadletters_report import grid, print_grid

    print_grid(grid(_read(_wanted(queue, cause, fingerprint, since_hours))))


@app.command()
def show(
    position: Annotated[str, typer.Argument(help="Where it stands, such as 'ml.fraud.input.dlq[0]@17'.")],
) -> None:
    """One letter: what is said of it, and the original. Exit code 1 where none stands there."""
    from commands.deadletters_report import Wanted, account

    letters = _read(Wanted())
    for letter in letters.all:
        if str(letter.position) == position:
            for line in account(letter, letters.replays.get(letter.position)):
                typer.echo(line)
            return
    typer.echo(f"no dead letter stands at {position}")
    raise typer.Exit(1)


@app.command()
def replay(
    reason: Annotated[str, typer.Option(help="What has changed since; written down with each replay.")],
    queue: QueueOption = None,
    cause: CauseOption = None,
    fingerprint: FingerprintOption = None,
    since_hours: SinceOption = None,
    everything: Annotated[bool, typer.Option("--all", help="Without any of the choices above.")] = False,
    again: Annotated[bool, typer.Option(help="Those too that were replayed before.")] = False,
    dry_run: Annotated[bool, typer.Option(help="Only say what would be written.")] = False,
) -> None:
    """Give letters another chance, each in the one workflow that gave it up, under the id that it has.

    Exit code 1 where one of them cannot be replayed.
    """
    from commands.deadletters_report import Wanted

    wanted = _wanted(queue, cause, fingerprint, since_hours)
    if wanted == Wanted() and not everything:
        raise typer.BadParameter("say which: --queue, --cause, --fingerprint, --since-hours, or --all")
    letters = _read(wanted)
    refused = False
    for line, failed in _replay(letters.all if again else letters.waiting, reason, dry_run):
        refused = refused or failed
        typer.echo(line)
    raise typer.Exit(1 if refused else 0)


def _wanted(queue: str | None, cause: str | None, fingerprint: str | None, hours: float | None) -> "Wanted":
    from commands.deadletters_report import Wanted
    from routing import load
    from settings import load_settings
    from transport.clock import system_clock

    settings = load_settings()
    queues = load(settings.routing_table, settings.workflows).catalogue.queues
    since = None if hours is None else system_clock() - int(hours * HOUR_MS)
    return Wanted.of(queue, cause, fingerprint, since, queues)


def _read(wanted: "Wanted") -> "Letters":
    from commands.deadletters_report import Letters
    from dispatcher.replaying import parse_letter, replayed
    from events.decision import dead_letter_topic
    from events.errors import DeadLetter
    from events.topics import DEAD_LETTERS, REPLAYS
    from monitoring.reading import LogReader
    from routing import load
    from settings import load_settings
    from transport.kafka import headers_of, position_of

    settings = load_settings()
    queues = load(settings.routing_table, settings.workflows).catalogue.queues
    topics = [wanted.topic] if wanted.topic else [DEAD_LETTERS, *map(dead_letter_topic, queues)]
    reader = LogReader(settings.kafka_bootstrap_servers, [*topics, REPLAYS])
    letters, replays, foreign = [], [], []
    for message in reader.read_all():
        if message.topic() == REPLAYS:
            replays.append(message.value())
            continue
        at = position_of(message)
        try:
            letter = parse_letter(at, message.key(), message.value(), headers_of(message))
        except DeadLetter:
            foreign.append(at)
            continue
        if wanted.holds(letter):
            letters.append(letter)
    reader.close()
    letters.sort(key=lambda each: (each.position.topic, each.position.partition, each.position.offset))
    return Letters(letters, replayed(replays), foreign)


def _replay(letters: Sequence["Letter"], reason: str, dry_run: bool) -> Iterator[tuple[str, bool]]:
    """Write what can be replayed; a line for each letter, and whether that one cannot be."""
    from getpass import getuser

    from confluent_kafka.admin import AdminClient

    from dispatcher.replaying import NotReplayableError, replay_record
    from dispatcher.replaying import again as made_again
    from events.topics import REPLAYS
    from routing import load
    from settings import load_settings
    from transport.clock import system_clock
    from transport.kafka import Publisher
    from transport.registry import connect_schemas
    from transport.topics import TopicSpec, create_topics

    settings = load_settings()
    table = load(settings.routing_table, settings.workflows).table
    schemas = connect_schemas(settings.schema_registry)
    publisher = Publisher(settings.kafka_bootstrap_servers)
    if letters and not dry_run:
        # before anything is replayed that could not be written down
        admin = AdminClient({"bootstrap.servers": settings.kafka_bootstrap_servers})
        create_topics(admin, [TopicSpec(REPLAYS, settings.partitions)])
    for first in range(0, len(letters), AT_ONCE):
        writes, records = [], []
        for letter in letters[first : first + AT_ONCE]:
            try:
                write = made_again(letter, table, system_clock(), schemas)
            except NotReplayableError as error:
                yield f"{letter.position}: not replayed: {error}", True
                continue
            writes.append(write)
            records.append(replay_record(letter, write.topic, system_clock(), getuser(), reason))
            yield f"{letter.position}: {'would go' if dry_run else 'goes'} to {write.topic}", False
        if not dry_run:
            # in this order: one that is written down as replayed was replayed, even if this is killed
            publisher.publish(writes, PUBLISH_S)
            publisher.publish(records, PUBLISH_S)
