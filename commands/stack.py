"""The local stack, the demonstration, and what counts its events."""

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer


def up(
    rate: Annotated[float, typer.Option(min=0, help="Events a second that are played; 0 plays none.")] = 50,
) -> None:
    """Start everything on this machine, embedded where no address is configured, until Ctrl-C."""
    from settings import load_settings
    from stack.up import refuse_second_stack
    from stack.up import up as run

    refuse_second_stack()
    run(load_settings(), rate)


def demo(
    data: Annotated[
        Path | None,
        typer.Option(help="A parquet file of card transactions to play instead of a generated day."),
    ] = None,
    events: Annotated[
        int | None, typer.Option(min=1, help="How many events to play; else a day, or the file's last week.")
    ] = None,
    rate: Annotated[
        float | None, typer.Option(min=1, help="How many a second, on average; else 40, of a file 300.")
    ] = None,
    floods: Annotated[
        bool, typer.Option("--floods", help="Two floods of orders: see which lane they slow down.")
    ] = False,
) -> None:
    """Train, start the stack, play events, show what becomes of them, and count: 0 if none is missing."""
    from settings import load_settings
    from stack.demo import demo as run
    from stack.up import refuse_second_stack

    refuse_second_stack()
    raise typer.Exit(0 if run(load_settings(), data, events, rate, floods=floods) else 1)


def traffic(
    rate: Annotated[float, typer.Option(min=0.1, help="Events a second, on average.")] = 50,
    day: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The first day played.")] = None,
) -> None:
    """Play RetailPulse's events into the event topic without end: today's as they happen, and guests'.

    With a day, play that day and those after it faster than they happened; older days than the event types
    take need SIGNALBOX_EVENT_AGE_DAYS. Only what has a worker is played.
    """
    from routing import load
    from settings import load_settings
    from stack.live_traffic import live_traffic, today
    from stack.player import play, speed_for
    from stack.retail import Retail
    from stack.traffic import Audience, day_of_traffic, days_of_traffic
    from transport.clock import system_clock

    settings = load_settings()
    audience = Audience.of(load(settings.routing_table, settings.workflows))
    if day is None:
        typer.echo(f"the shop's events of today, and guests: {rate:g} events a second")
        events = live_traffic(Retail(), audience, rate, system_clock, today())
        play(events, settings.kafka_cluster, speed=1)
        return
    speed = speed_for(rate, len(day_of_traffic(Retail(), day.date(), audience)))
    typer.echo(f"a day from {day:%Y-%m-%d} on, {speed:.0f} times as fast as it happened, {rate:g} a second")
    play(days_of_traffic(Retail(), audience, first=day.date()), settings.kafka_cluster, speed=speed)


def logs(
    part: Annotated[str | None, typer.Argument(help="As the view names it: 'worker fraud'.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="So many of the last lines first.")] = 50,
) -> None:
    """Show the log of one process of the local stack, or name all; with -f and no PART, follow all."""
    from contextlib import suppress

    from stack.output import LOGS
    from stack.tailing import follow as follow_logs
    from stack.tailing import last_lines, log_of, parts_logged

    if part is not None:
        path = log_of(LOGS, part)
        for text in last_lines(path, lines):
            typer.echo(text)
        paths = [path]
    else:
        paths = [log_of(LOGS, name) for name in parts_logged(LOGS)]
        if not follow or not paths:
            typer.echo("\n".join(map(str, paths)) or f"{LOGS} holds no logs: `signalbox up` writes them")
    if follow:
        named = len(paths) > 1
        with suppress(KeyboardInterrupt):
            follow_logs(paths, lambda of, text: typer.echo(f"{of.stem} | {text}" if named else text))


def balance(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of text.")] = False,
) -> None:
    """Count from Kafka alone whether every event has its outcome: 0 if so, 1 and what is missing if not.

    Exit code 3 if nothing is missing of what Kafka holds, and something expired before it was counted, or was
    lost. What was routed is what the lanes hold, whichever table decided it.
    """
    import msgspec

    from monitoring.balance import strike
    from monitoring.counting import SETTLE_S, count
    from monitoring.ledger import Ledger
    from monitoring.reading import LogReader, balance_topics
    from routing import load
    from settings import load_settings
    from transport.kafka import admin_client
    from transport.registry import connect_schemas
    from transport.topics import existing_topics

    settings = load_settings()
    rules = load(settings.routing_table, settings.workflows)
    existing = existing_topics(admin_client(settings.kafka_cluster, **{"log_level": 0}))
    reader = LogReader(settings.kafka_cluster, balance_topics(rules.catalogue.queues, existing))
    ledger = Ledger(rules.table, connect_schemas(settings.schema_registry), settings.event_spans)
    whole = count(reader, ledger)
    struck = strike(ledger, rules.catalogue, reader.held())
    reader.close()
    if as_json:
        typer.echo(msgspec.json.encode({"complete": struck.complete, "at_rest": whole, **asdict(struck)}))
    else:
        if not whole:
            typer.echo(f"events keep coming: those of the last {SETTLE_S:.0f} seconds are left out")
        for line in (*struck.equations(), *struck.remarks(), *struck.complaints):
            typer.echo(line)
    raise typer.Exit(0 if struck.complete else 3 if struck.holds else 1)
