"""Count events into the feature store: the stream for as long as it flows, and history once."""

from collections.abc import Iterable
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.progress import Progress

    from features.backfilling import Report
    from features.pipeline.reading import Record
    from settings import Settings
    from stack.emission import Emission


def pipeline() -> None:
    """Compute the features from the stream, as one member of its group, until SIGTERM or Ctrl-C."""
    from threading import Event

    from commands.logs import start_logging
    from dispatcher.threads import Threads, stop_on_signals
    from features.offline.store import open_offline
    from features.pipeline.member import Pipeline
    from features.redis_store import RedisStore
    from features.retail import DEFINITIONS
    from settings import load_settings
    from transport import metrics
    from transport.registry import connect_schemas

    settings = load_settings()
    bootstrap, online = settings.kafka_cluster, RedisStore(settings.redis_url)
    offline, schemas = open_offline(settings.database_url), connect_schemas(settings.schema_registry)
    start_logging()
    stop = Event()
    stop_on_signals(stop)
    metrics.serve(settings.metrics_port)
    offline.create(DEFINITIONS)

    def run() -> None:
        Pipeline(
            bootstrap, DEFINITIONS, offline, online, stop, schemas=schemas, spans=settings.event_spans
        ).run()

    threads = Threads(stop)
    threads.start("feature pipeline", run)
    raise typer.Exit(threads.wait())


def backfill(
    file: Annotated[
        Path | None,
        typer.Argument(help="Card transactions (.parquet), or events as JSON lines, an envelope each."),
    ] = None,
    from_kafka: Annotated[bool, typer.Option("--from-kafka", help="All that the event topic holds.")] = False,
    generated: Annotated[bool, typer.Option("--generated", help="The traffic generator's past.")] = False,
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The first day of card transactions.")
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="The day before which they, or what is generated, end."),
    ] = None,
) -> None:
    """Count history into both tiers. What was counted before, by this or by the stream, counts once.

    Exit code 1 where every event was skipped.
    """
    from features.backfilling import count_history, put_history
    from features.offline.store import open_offline
    from features.redis_store import RedisStore
    from features.retail import DEFINITIONS
    from settings import load_settings
    from transport.registry import connect_schemas

    settings = load_settings()
    total, records = _history(settings, file, from_kafka, generated, since, until)
    offline, online = open_offline(settings.database_url), RedisStore(settings.redis_url, timeout_s=10)
    offline.create(DEFINITIONS)
    with _progress() as progress:
        counting = progress.add_task("events counted", total=total)
        report = count_history(
            records,
            DEFINITIONS,
            offline,
            connect_schemas(settings.schema_registry),
            lambda more: progress.advance(counting, more),
        )
        putting = progress.add_task("rows put online", total=None)
        rows = put_history(
            DEFINITIONS,
            offline,
            online,
            lambda done, of: progress.update(putting, completed=done, total=of),
        )
    for line in _account(report, rows):
        typer.echo(line)
    raise typer.Exit(1 if report.records and report.skipped.total() == report.records else 0)


def _history(
    settings: "Settings",
    file: Path | None,
    from_kafka: bool,
    generated: bool,
    since: datetime | None,
    until: datetime | None,
) -> "tuple[int | None, Iterable[Record]]":
    """How many records there are, where that is known, and the records."""
    from events.topics import EVENTS
    from features.histories import TopicHistory, json_lines
    from transport.clock import system_clock

    if (file is not None) + from_kafka + generated != 1:
        raise typer.BadParameter("name a file, or give --from-kafka or --generated")
    cards = file is not None and file.suffix == ".parquet"
    if since and not cards:
        raise typer.BadParameter("--since is for card transactions")
    if until and not (cards or generated):
        raise typer.BadParameter("--until is for card transactions, and for --generated")
    if from_kafka:
        topic = TopicHistory(settings.kafka_cluster, EVENTS)
        return topic.records, topic.read()
    now = system_clock()
    if file is None:
        from stack.history import earlier_sales, past_events
        from stack.retail import FIRST_DAY, Retail

        end = until.date() if until else FIRST_DAY
        return None, _records(chain(earlier_sales(Retail(), end), past_events(Retail(), end)), now)
    if file.suffix != ".parquet":
        return sum(1 for _ in json_lines(file, now)), json_lines(file, now)
    from stack.labels import card_history, history_length

    days = (since and since.date(), until and until.date())
    return history_length(file, *days), _records(card_history(file, *days), now)


def _records(emissions: "Iterable[Emission]", now: int) -> "Iterable[Record]":
    from features.pipeline.reading import Record

    return (
        Record(number, now, emission.value, emission.headers)
        for number, emission in enumerate(emissions, start=1)
    )


def _progress() -> "Progress":
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True))


def _account(report: "Report", rows: int) -> Iterable[str]:
    yield (
        f"{report.records:,} events: {report.counted:,} counted, {report.duplicates:,} counted before, "
        f"{report.idle:,} that no feature is made of, {report.skipped.total():,} skipped; "
        f"{rows:,} rows put online"
    )
    for cause, number in report.skipped.most_common():
        yield f"  skipped, {cause}: {number:,}; the first: {report.first[cause]}"
