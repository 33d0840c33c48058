"""`signalbox features materialize`: batch views from SQL into Redis, and all views after a loss of Redis."""

from functools import partial
from typing import Annotated

import typer
from rich.progress import Progress, TimeRemainingColumn

from commands.feature_tiers import opened_tiers
from commands.progress import bars
from events.errors import Unavailable
from features.materializing import Materializer, put_view
from features.offline.store import OfflineStore
from features.pipeline.putting import Putter
from features.redis_store import RedisStore
from features.retail import DEFINITIONS


def materialize(
    everything: Annotated[
        bool, typer.Option("--all", help="From the first row on, and every row of the stream views too.")
    ] = False,
) -> None:
    """Put online what was written into the tables of batch views since the last time.

    May be stopped: the next run goes on from there. An emptied Redis needs no --all: what it lacks is read
    from SQL when it is asked for. With --all it is quick again at once.
    """
    with opened_tiers() as (online, offline), bars(TimeRemainingColumn()) as progress:
        materializer = Materializer(offline.batch, online)
        for view in DEFINITIONS.batch_views:
            bar = progress.add_task(view.name, total=materializer.pending(view, anew=everything))
            rows = materializer.run(view, anew=everything, progress=partial(progress.advance, bar))
            typer.echo(f"{view.name}: {rows:,} rows put online")
        if everything:
            _stream_views(offline, online, progress)


def _stream_views(offline: OfflineStore, online: RedisStore, progress: Progress) -> None:
    putter = Putter({view.name: view for view in DEFINITIONS.stream_views}, offline, online)
    for view in DEFINITIONS.stream_views:
        rows = offline.count_entities(view)
        bar = progress.add_task(view.name, total=rows)
        refused = put_view(offline, putter, view, partial(progress.advance, bar))
        if rows and refused == rows:
            raise Unavailable(
                "online feature store",
                "it does not know yet how far the stream is: start `signalbox features pipeline`, then again",
            )
        typer.echo(f"{view.name}: {rows - refused:,} rows put online")
