"""How is a SKU's forecast shown in a terminal? Pure."""

from datetime import timedelta

from rich.table import Table

from features.offline.forecasts import Day, StoredForecast
from models.forecasting import DailySeries

PAST_DAYS = 28
WIDTH = 48
SOLD, BOUNDS, MEAN = "█", "─", "●"


def table(stored: StoredForecast) -> Table:
    """A line for each day."""
    made = Table("day", box=None)
    for name in ("low", "mean", "high"):
        made.add_column(name, justify="right")
    for day in stored.days:
        made.add_row(day.day, *(f"{figure:,.1f}" for figure in (day.low, day.mean, day.high)))
    return made


def drawn(sold: DailySeries, stored: StoredForecast) -> Table:
    """The weeks before as bars, then each day's mean between its bounds, on one scale."""
    past = sold.demand[-PAST_DAYS:].tolist()
    top = max([*past, *(day.high for day in stored.days), 1.0])
    made = Table("day", "", box=None)
    made.add_column("pieces", justify="right")
    first = sold.end - timedelta(days=len(past))
    for number, pieces in enumerate(past):
        bar = SOLD * round(pieces / top * WIDTH)
        made.add_row((first + timedelta(days=number)).isoformat(), bar, f"{pieces:,.0f}")
    for day in stored.days:
        said = f"{day.mean:,.1f} ({day.low:,.1f} to {day.high:,.1f})"
        made.add_row(day.day, interval(day, top), said, style="cyan")
    return made


def interval(day: Day, top: float, width: int = WIDTH) -> str:
    """`  ──●────`: the mean between its bounds, where `top` pieces are `width` characters."""
    low, mean, high = (round(figure / top * (width - 1)) for figure in (day.low, day.mean, day.high))
    line = [" "] * low + [BOUNDS] * (high - low + 1)
    line[mean] = MEAN
    return "".join(line)
