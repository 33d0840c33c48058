"""How complete each lane is, as a gauge and as a line in the log."""

import logging
from collections.abc import Iterable
from time import monotonic

from dispatcher.reconciling import Completeness
from transport import metrics

TELL_EVERY_S = 30.0

_log = logging.getLogger(__name__)


def of_lane(partitions: Iterable[Completeness]) -> Completeness:
    """The figures of a lane from those of its partitions; its watermark is their sum."""
    figures = [(each.watermark, each.fed, each.open, each.overdue, each.lost) for each in partitions]
    return Completeness(*(sum(column) for column in zip(*figures, strict=True)))


class Reports:
    """Exports the figures each time, and logs those that changed once in a while."""

    def __init__(self) -> None:
        self._told: dict[str, Completeness] = {}
        self._tell_at = 0.0

    def show(self, lanes: dict[str, Completeness]) -> None:
        """Tell of every lane, by its topic."""
        for topic, figures in lanes.items():
            metrics.COMPLETENESS.labels(topic).set(figures.ratio)
            metrics.OPEN_RECORDS.labels(topic).set(figures.open)
            metrics.OVERDUE_RECORDS.labels(topic).set(figures.overdue)
            metrics.LOST_RECORDS.labels(topic).set(figures.lost)
        if monotonic() >= self._tell_at:
            self._tell_at = monotonic() + TELL_EVERY_S
            for topic, figures in lanes.items():
                if self._told.get(topic) != figures:
                    _log.info("%s", line(topic, figures))
            self._told = lanes


def line(topic: str, figures: Completeness) -> str:
    """`ml.fraud.input.high: 99.98 % of 50,000 fed are complete, 10 open, 2 of them overdue`."""
    # rounded down: what is not complete must not read as 100
    percent = int(figures.ratio * 10_000) / 100
    open_ones = f", {figures.open:,} open, {figures.overdue:,} of them overdue" if figures.open else ""
    lost_ones = f", {figures.lost:,} lost" if figures.lost else ""
    return f"{topic}: {percent:g} % of {figures.fed:,} fed are complete{open_ones}{lost_ones}"
