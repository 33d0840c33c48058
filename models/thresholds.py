"""Decision thresholds: the probabilities from which on something is done, as an operator wrote them."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Literal

import msgspec

from events.errors import ConfigError
from routing.reading import read_document
from routing.report import Report
from routing.section import Section

FraudDecision = Literal["approve", "review", "hold"]
ChurnDecision = Literal["leave", "remind", "offer"]


class Thresholds(msgspec.Struct, frozen=True):
    """Probabilities, 0 < `review_at` <= `hold_at` <= 1."""

    review_at: float
    hold_at: float

    def decide(self, probability: float) -> FraudDecision:
        """What becomes of an order that is fraud with this probability."""
        if probability >= self.hold_at:
            return "hold"
        return "review" if probability >= self.review_at else "approve"


class ChurnThresholds(msgspec.Struct, frozen=True):
    """Probabilities, 0 < `remind_at` <= `offer_at` <= 1."""

    remind_at: float
    offer_at: float

    def decide(self, probability: float) -> ChurnDecision:
        """What is done about a customer who stays away with this probability."""
        if probability >= self.offer_at:
            return "offer"
        return "remind" if probability >= self.remind_at else "leave"


def load_thresholds(path: Path) -> Thresholds:
    """Read `config/fraud.yaml`. Raises `ConfigError` with every problem, its line and its field."""
    return Thresholds(*_ascending(path, Thresholds.__struct_fields__))


def load_churn_thresholds(path: Path) -> ChurnThresholds:
    """Read `config/churn.yaml`. Raises `ConfigError` with every problem, its line and its field."""
    return ChurnThresholds(*_ascending(path, ChurnThresholds.__struct_fields__))


def _ascending(path: Path, fields: Sequence[str]) -> list[float]:
    """Probabilities, none of which is above the next."""
    report = Report(str(path))
    section = read_document(report)
    values = [section.number(field, 0, 1) for field in fields] if section is not None else []
    if section is not None:
        section.refuse_unknown()
    if section is not None and not report.problems:
        _check_order(section, fields, values)
    if report.problems:
        raise ConfigError(report.in_order())
    return values


def _check_order(section: Section, fields: Sequence[str], values: Sequence[float]) -> None:
    for field, value in zip(fields, values, strict=True):
        if value == 0:
            section.report(field, f"{field} must be above 0 and at most 1, is 0")
    for (lower, low), (upper, high) in pairwise(zip(fields, values, strict=True)):
        if low > high:
            section.report(lower, f"{lower} must not be above {upper}, is {low:g} > {high:g}")
