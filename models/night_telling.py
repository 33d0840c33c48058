"""The report of a forecast night in words. Pure."""

from collections.abc import Iterator
from datetime import date

from models.night_report import Report


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
