"""From which probability on is something done, as an operator wrote it?"""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Literal

import msgspec
import yaml

from events.errors import ConfigError, Problem

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
    lines, values = _read(path, fields)
    found = _problems(values, fields)
    if problems := [Problem(str(path), lines.get(key, 0), key, message) for key, message in found]:
        raise ConfigError(problems)
    return [float(values[field]) for field in fields]  # type: ignore[arg-type]  # _problems saw them


def _problems(values: dict[str, object], fields: Sequence[str]) -> Iterator[tuple[str, str]]:
    for key in values:
        if key not in fields:
            yield key, f"is not known; known: {', '.join(fields)}"
    usable = {}
    for field in fields:
        value = values.get(field)
        if field not in values:
            yield field, "is missing: say from which probability (0 to 1) on"
        elif isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            yield field, f"must be a number from 0 to 1, is {value!r}"
        elif not 0 < value <= 1:
            yield field, f"must be above 0 and at most 1, is {value}"
        else:
            usable[field] = value
    for lower, upper in pairwise(fields):
        if usable.keys() >= {lower, upper} and usable[lower] > usable[upper]:
            yield lower, f"must not be above {upper}, is {usable[lower]} > {usable[upper]}"


def _read(path: Path, fields: Sequence[str]) -> tuple[dict[str, int], dict[str, object]]:
    try:
        text = path.read_text(encoding="utf-8")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        values = yaml.safe_load(text)
    except OSError as error:
        raise ConfigError([Problem(str(path), 0, "", f"cannot be read: {error.strerror}")]) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(
            [Problem(str(path), 0, "", f"is not YAML: {' '.join(str(error).split())}")]
        ) from error
    if not isinstance(root, yaml.MappingNode) or not isinstance(values, dict):
        raise ConfigError([Problem(str(path), 1, "", f"must hold {' and '.join(fields)}, one to a line")])
    lines = {str(key.value): key.start_mark.line + 1 for key, _ in root.value}
    return lines, {str(key): value for key, value in values.items()}
