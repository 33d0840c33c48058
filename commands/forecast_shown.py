"""How are a night's report and a SKU's forecast shown in a terminal? Pure."""

from collections.abc import Iterator
from datetime import date, timedelta

from rich.table import Table

from features.offline.forecasts import Day, StoredForecast
from models.forecasting import DailySeries
from models.night_report import Report

PAST_DAYS = 28
WIDTH = 48
SOLD, BOUNDS, MEAN = "█", "─", "●"


def report_lines(night: date, report: Report) -> Iterator[str]:
    """The account in a few lines, and a line for each SKU that was given up."""
    yield (
        f"the night of {night}: {report.forecast:,} of {report.planned:,} SKUs forecast, {report.failed:,} "
        f"failed, {report.unanswered:,} without an outcome"
    )
    kept = "within" if report.within_sla else "NOT within"
    yield f"{report.duration_s:,.1f} s, {kept} the {report.sla_s:,.0f} s promised"
    methods = ", ".join(f"{method} {skus:,}" for method, skus in report.methods.items())
    yield f"by {methods or 'nothing'}; {', '.join(report.models) or 'no model'}"
    if (last := report.accuracy) is not None:
        yield (
            f"last night's forecast of {last.day}: {last.expected:,.0f} pieces expected, {last.sold:,.0f} "
            f"sold, WAPE {last.wape:.1%}; {last.coverage:.0%} of {last.skus:,} SKUs within their bounds"
        )
    for failure in report.failures:
        yield f"  {failure.sku}: {failure.cause}: {failure.message}"


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
