"""`signalbox features skew`: training-serving skew, served features against the offline store's."""

import typer

from events.topics import PREDICTIONS
from features.offline.layouts import check_layouts
from features.offline.store import open_offline
from features.retail import DEFINITIONS
from models.fraud_features import NEEDS
from monitoring.reading import LogReader
from monitoring.skew import report_of
from settings import load_settings
from transport.sql_limits import BATCH


def skew() -> None:
    """Work out the features of every prediction again, and count each mismatch.

    Exit code 0 if there is none, 1 if there is one or nothing could be compared.
    """
    settings = load_settings()
    store = open_offline(settings.database_url, limits=BATCH)
    check_layouts(store.database, DEFINITIONS)
    reader = LogReader(settings.kafka_cluster, [PREDICTIONS])
    records = (message.value() or b"" for message in reader.read_up_to_now(PREDICTIONS))
    report = report_of(store, DEFINITIONS, NEEDS, records)
    reader.close()
    store.close()
    for line in report.lines():
        typer.echo(line)
    raise typer.Exit(0 if report.good else 1)
