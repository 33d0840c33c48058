"""Do the features that were served equal those that the offline store has for the same moment?"""

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from monitoring.skew_report import Report


def skew() -> None:
    """Work out the features of every prediction again, and count each mismatch: 0 if there is none."""
    from events.topics import PREDICTIONS
    from features.offline.store import open_offline
    from features.retail import DEFINITIONS
    from models.fraud_features import NEEDS
    from monitoring.reading import LogReader
    from monitoring.skew import report_of
    from settings import load_settings

    settings = load_settings()
    store = open_offline(settings.database_url)
    reader = LogReader(settings.kafka_bootstrap_servers, [PREDICTIONS])
    records = (message.value() or b"" for message in reader.read_up_to_now(PREDICTIONS))
    report = report_of(store, DEFINITIONS, NEEDS, records)
    reader.close()
    store.close()
    show(report)
    raise typer.Exit(1 if report.mismatches else 0)


def show(report: "Report") -> None:
    """Print what was compared, and each feature with a mismatch."""
    typer.echo(
        f"compared {report.values:,} values of {report.predictions:,} predictions "
        f"({report.offline:,} from the offline tier, {report.stale:,} with stale values)"
    )
    for reason, count in report.passed_over.items():
        typer.echo(f"passed over {count:,} {reason}")
    for feature, count in report.mismatches.most_common():
        typer.echo(f"{feature}: {count:,} mismatches")
    for mismatch in report.examples:
        typer.echo(f"  {mismatch}")
    typer.echo(f"mismatches: {report.mismatches.total():,}")
