"""`signalbox forecast`: run a night by hand, report how it went, show the forecast of one SKU."""

import time
from datetime import date, datetime
from typing import Annotated

import typer
from rich.console import Console

from commands.forecast_shown import drawn, table, total_line
from commands.progress import bars
from events.errors import ConfigError, Problem
from events.nightly import HORIZON_DAYS, LONGEST_DAYS
from features.offline.forecasts import Forecasts
from features.offline.sales import Sales
from models.night_telling import report_lines
from settings import load_settings
from tasks.night_parts import connected_watch
from tasks.night_watch import NightWatch, Standings
from transport.clock import system_clock
from transport.database import open_database
from transport.sql_limits import BATCH

app = typer.Typer(help="The demand forecast: run a night, see what it said.", no_args_is_help=True)

DATE = Annotated[
    datetime, typer.Option("--date", formats=["%Y-%m-%d"], help="The night: the first day that is forecast.")
]
TENANT = Annotated[str | None, typer.Option(help="Whose SKUs; by default the settings' tenant.")]
PAUSE_S = 0.5
LOOK_EVERY = 20


@app.command()
def run(
    day: DATE,
    tenant: TENANT = None,
    wait: Annotated[bool, typer.Option(help="Until each SKU has its outcome; then the report.")] = True,
) -> None:
    """Trigger a night, and follow it to its end. One that was begun goes on with what is unanswered.

    The dispatcher and the workers of ml.forecast.batch do the work. Exit code 1 if a SKU has no forecast.
    """
    settings = load_settings()
    whose, night = tenant or settings.tenant, day.date()
    with connected_watch(settings.kafka_cluster, settings.database_url, settings.time_zone) as watch:
        began = system_clock()
        watch.trigger(whose, night)
        if not wait:
            typer.echo(f"the night of {night} is triggered")
            return
        standing = _follow(watch, whose, night, began)
    _say(standing, night)


@app.command()
def report(day: DATE, tenant: TENANT = None) -> None:
    """What a night came to. Exit code 1 if a SKU has no forecast, or the night has not ended."""
    settings = load_settings()
    with connected_watch(settings.kafka_cluster, settings.database_url, settings.time_zone) as watch:
        standing = watch.standing(tenant or settings.tenant, day.date())
    _say(standing, day.date())


@app.command()
def show(
    sku: Annotated[str, typer.Argument(help="As the events name it: sku-81")],
    nights: Annotated[int, typer.Option(min=1, help="How many, the newest first.")] = 1,
    plot: Annotated[bool, typer.Option("--plot", help="Draw it, after the weeks before.")] = False,
    tenant: TENANT = None,
    days: Annotated[
        int, typer.Option(min=1, max=LONGEST_DAYS, help="The horizon: so many days, and their total.")
    ] = HORIZON_DAYS,
) -> None:
    """What was forecast of one SKU: mean, bounds and quantiles of each day, and of the horizon's total.

    80 % of what comes is to lie between the bounds; the total exceeds its p90 in one of ten horizons.
    """
    settings = load_settings()
    whose = tenant or settings.tenant
    database = open_database(settings.database_url, limits=BATCH)
    forecasts = Forecasts(database)
    forecasts.create()
    found = forecasts.of_sku(whose, sku, nights)
    if not found:
        way_out = "nothing was forecast of it yet: begin a night by `signalbox forecast run --date …`"
        raise ConfigError([Problem("forecasts", 0, sku, way_out)])
    console = Console(highlight=False)
    for stored in found:
        console.print(f"{sku}, night of {stored.night}: {stored.method}, {stored.model_id}")
        if plot:
            night = date.fromisoformat(stored.night)
            sold = Sales(database, settings.time_zone).series(whose, [sku], night)[sku]
            console.print(drawn(sold, stored, days))
        else:
            console.print(table(stored, days))
        console.print(total_line(stored, days))
    database.close()


def _follow(watch: NightWatch, tenant: str, night: date, began: int) -> Standings:
    """Until the night has ended, at whichever look is first: this one, or the worker's every minute."""
    with bars() as progress:
        bar = progress.add_task("SKUs forecast", total=None)
        pauses = 0
        while True:
            standing = watch.standing(tenant, night)
            # a look reads the dead letters too: seldom, as long as SKUs are open
            if not standing.open or pauses % LOOK_EVERY == 0:
                watch.look()
                standing = watch.standing(tenant, night)
            if standing.planned:
                progress.update(bar, completed=standing.planned - standing.open, total=standing.planned)
            if standing.report and (not standing.open or standing.changed_at >= began):
                return standing
            time.sleep(PAUSE_S)
            pauses += 1


def _say(standing: Standings, night: date) -> None:
    if standing.report is None:
        done = standing.planned - standing.open
        typer.echo(f"the night of {night} has not ended: {done:,} of {standing.planned:,} SKUs are forecast")
        raise typer.Exit(1)
    for line in report_lines(night, standing.report):
        typer.echo(line)
    raise typer.Exit(1 if standing.report.failed or standing.report.unanswered else 0)
