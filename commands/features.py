"""Which feature values stand in the online store? Loads those that a training left."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from commands.feature_materialize import materialize
from commands.feature_pipeline import backfill, pipeline
from commands.feature_values import freshness, get, history

app = typer.Typer(help="The feature store.", no_args_is_help=True)


@app.callback()
def store() -> None:
    """The feature store."""


for command in (get, history, freshness, materialize, pipeline, backfill):
    app.command()(command)


@app.command(name="list")
def list_features() -> None:
    """Every feature: whose it is, what it is made of, how long it holds, and who answers for it."""
    from features.listing import listing
    from features.retail import DEFINITIONS

    for line in listing(DEFINITIONS):
        typer.echo(line)


@app.command()
def load(
    file: Annotated[
        Path | None,
        typer.Argument(help="A snapshot; by default the one saved with the fraud model that is served."),
    ] = None,
    tenant: Annotated[str, typer.Option(help="Whose customers and terminals they are.")] = "retailpulse",
) -> None:
    """Put a snapshot's rows in the online store, in place of older ones."""
    from features.online import RedisOnlineStore
    from features.snapshot import SNAPSHOT_FILE, read_snapshot
    from models.artifact import load_newest
    from models.fraud import MODEL
    from settings import load_settings

    settings = load_settings()
    url = settings.redis_url
    path = file or load_newest(settings.model_dir, MODEL, lambda artifact: artifact.path) / SNAPSHOT_FILE
    rows = list(read_snapshot(path, tenant))
    RedisOnlineStore(url, timeout_s=10).write(rows)
    counts: dict[str, int] = {}
    for key, _ in rows:
        counts[key.entity] = counts.get(key.entity, 0) + 1
    by_entity = ", ".join(f"{count:,} of {entity}s" for entity, count in counts.items()) or "none"
    newest = max((row.event_time for _, row in rows), default=0)
    as_of = datetime.fromtimestamp(newest / 1_000, UTC).isoformat(timespec="seconds")
    typer.echo(f"{len(rows):,} rows loaded for {tenant} ({by_entity}), as of {as_of}, from {path}")
