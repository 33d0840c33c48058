"""From which fraud probability on an order is reviewed or held, as an operator wrote it."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec
import yaml

from events.errors import ConfigError, Problem

FraudDecision = Literal["approve", "review", "hold"]
_FIELDS = ("review_at", "hold_at")


class Thresholds(msgspec.Struct, frozen=True):
    """Probabilities, 0 < `review_at` <= `hold_at` <= 1."""

    review_at: float
    hold_at: float

    def decide(self, probability: float) -> FraudDecision:
        """What becomes of an order that is fraud with this probability."""
        if probability >= self.hold_at:
            return "hold"
        return "review" if probability >= self.review_at else "approve"


def load_thresholds(path: Path) -> Thresholds:
    """Read `config/fraud.yaml`. Raises `ConfigError` with every problem, its line and its field."""
    lines, values = _read(path)
    problems = [Problem(str(path), lines.get(key, 0), key, message) for key, message in _problems(values)]
    if problems:
        raise ConfigError(problems)
    return Thresholds(*(float(values[field]) for field in _FIELDS))  # type: ignore[arg-type]  # _problems saw them


def _problems(values: dict[str, object]) -> Iterator[tuple[str, str]]:
    for key in values:
        if key not in _FIELDS:
            yield key, f"is not known; known: {', '.join(_FIELDS)}"
    usable = {}
    for field in _FIELDS:
        value = values.get(field)
        if field not in values:
            yield field, "is missing: say from which probability (0 to 1) on"
        elif isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            yield field, f"must be a number from 0 to 1, is {value!r}"
        elif not 0 < value <= 1:
            yield field, f"must be above 0 and at most 1, is {value}"
        else:
            usable[field] = value
    if len(usable) == len(_FIELDS) and usable["review_at"] > usable["hold_at"]:
        yield "review_at", f"must not be above hold_at, is {usable['review_at']} > {usable['hold_at']}"


def _read(path: Path) -> tuple[dict[str, int], dict[str, object]]:
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
        raise ConfigError([Problem(str(path), 1, "", f"must hold {' and '.join(_FIELDS)}, one to a line")])
    lines = {str(key.value): key.start_mark.line + 1 for key, _ in root.value}
    return lines, {str(key): value for key, value in values.items()}
