"""`signalbox balance`: every event against its outcome, counted from Kafka alone."""

from dataclasses import asdict
from typing import Annotated

import msgspec
import typer

from monitoring.balance import strike
from monitoring.counting import SETTLE_S, count
from monitoring.ledger import Ledger
from monitoring.reading import LogReader, balance_topics
from routing import load
from settings import load_settings
from transport.kafka import admin_client
from transport.registry import connect_schemas
from transport.topics import existing_topics


def balance(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of text.")] = False,
) -> None:
    """Count from Kafka alone if every event has its outcome: 0 if so, else 1 and what is missing.

    Exit code 3 if nothing is missing of what Kafka holds, and something expired before it was counted, or was
    lost. What was routed is what the lanes hold, whichever table decided it.
    """
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
