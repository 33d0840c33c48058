"""A SKU's forecast as a table or a drawing in a terminal. Pure."""

from datetime import timedelta

from rich.table import Table

from features.offline.forecasts import Day, Quantiles, StoredForecast
from models.forecasting import QUANTILES, DailySeries

PAST_DAYS = 28
WIDTH = 48
SOLD, BOUNDS, MEAN, MEDIAN = "█", "─", "●", "┼"


def table(stored: StoredForecast, days: int) -> Table:
    """A line for each of the first `days`: the mean, the bounds, and the quantiles."""
    made = Table("day", box=None)
    for name in ("mean", "low", "high", "median", *(f"p{level * 100:.0f}" for level in QUANTILES[1:])):
        made.add_column(name, justify="right")
    for day in stored.days[:days]:
        figures = (day.mean, day.low, day.high, day.median)
        upper = day.quantiles[1:] if day.quantiles else ()
        made.add_row(day.day, *map(_figure, figures), *(_figure(each) for each in upper))
    return made


def total_line(stored: StoredForecast, days: int) -> str:
    """What the first `days` bring together: what a restock goes by."""
    shown = stored.days[:days]
    mean = f"{len(shown)} days together: mean {_figure(sum(day.mean for day in shown))}"
    totals: Quantiles | None = shown[-1].totals if shown else None
    if totals is None:
        return f"{mean}; made by an earlier release: no quantiles of the total"
    named = zip(("median", *(f"p{level * 100:.0f}" for level in QUANTILES[1:])), totals, strict=True)
    return ", ".join([mean, *(f"{name} {_figure(figure)}" for name, figure in named)])


def drawn(sold: DailySeries, stored: StoredForecast, days: int) -> Table:
    """The weeks before as bars, then each day's mean and median between its bounds, on one scale."""
    past = sold.demand[-PAST_DAYS:].tolist()
    shown = stored.days[:days]
    top = max([*past, *(max(day.high, day.mean) for day in shown), 1.0])
    made = Table("day", "", box=None)
    made.add_column("pieces", justify="right")
    first = sold.end - timedelta(days=len(past))
    for number, pieces in enumerate(past):
        bar = SOLD * round(pieces / top * WIDTH)
        made.add_row((first + timedelta(days=number)).isoformat(), bar, f"{pieces:,.0f}")
    for day in shown:
        said = f"{day.mean:,.1f} (median {day.median:,.1f}, {day.low:,.1f} to {day.high:,.1f})"
        made.add_row(day.day, interval(day, top), said, style="cyan")
    return made


def interval(day: Day, top: float, width: int = WIDTH) -> str:
    """`  ──┼─●──`: median and mean with the bounds, where `top` pieces are `width` characters."""
    figures = (day.low, day.median, day.high, day.mean)
    low, median, high, mean = (round(figure / top * (width - 1)) for figure in figures)
    line = [" "] * low + [BOUNDS] * (high - low + 1)
    line += [" "] * (mean + 1 - len(line))
    line[median] = MEDIAN
    line[mean] = MEAN
    return "".join(line)


def _figure(pieces: float) -> str:
    return f"{pieces:,.1f}"
