"""`signalbox features backfill`: history counted once into both tiers of the feature store."""

from collections.abc import Iterable
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Annotated

import typer

from commands.progress import bars
from events.topics import EVENTS
from features.backfilling import Report, count_history, put_history
from features.histories import TopicHistory, json_lines
from features.offline.store import open_offline
from features.pipeline.reading import Record
from features.redis_store import RedisStore
from features.retail import DEFINITIONS
from settings import Settings, load_settings
from stack.emission import Emission
from stack.history import earlier_sales, past_events
from stack.retail import FIRST_DAY, Retail
from transport.clock import system_clock
from transport.registry import connect_schemas


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

    Exit code 1 if every event was skipped.
    """
    settings = load_settings()
    total, records = _history(settings, file, from_kafka, generated, since, until)
    offline, online = open_offline(settings.database_url), RedisStore(settings.redis_url, timeout_s=10)
    offline.create(DEFINITIONS)
    with bars() as progress:
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
    settings: Settings,
    file: Path | None,
    from_kafka: bool,
    generated: bool,
    since: datetime | None,
    until: datetime | None,
) -> tuple[int | None, Iterable[Record]]:
    """The number of records, None if unknown, and the records."""
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
        end = until.date() if until else FIRST_DAY
        return None, _records(chain(earlier_sales(Retail(), end), past_events(Retail(), end)), now)
    if file.suffix != ".parquet":
        return sum(1 for _ in json_lines(file, now)), json_lines(file, now)

    # the extra `train`: only card transactions need pandas
    from stack.labels import card_history, history_length

    days = (since and since.date(), until and until.date())
    return history_length(file, *days), _records(card_history(file, *days), now)


def _records(emissions: Iterable[Emission], now: int) -> Iterable[Record]:
    return (
        Record(number, now, emission.value, emission.headers)
        for number, emission in enumerate(emissions, start=1)
    )


def _account(report: Report, rows: int) -> Iterable[str]:
    yield (
        f"{report.records:,} events: {report.counted:,} counted, {report.duplicates:,} counted before, "
        f"{report.idle:,} that no feature is made of, {report.skipped.total():,} skipped; "
        f"{rows:,} rows put online"
    )
    for cause, number in report.skipped.most_common():
        yield f"  skipped, {cause}: {number:,}; the first: {report.first[cause]}"
