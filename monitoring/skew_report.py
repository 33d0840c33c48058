"""Skew of predictions in words: the features they name, and the values worked out again."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from events.decision import Millis

EXAMPLES = 20
"""Mismatches that are listed one by one."""


class Served(msgspec.Struct, frozen=True):
    """What a prediction says of its features; see `events.prediction.Prediction`."""

    prediction_id: str
    tenant_id: str
    occurred_at: Millis
    features: dict[str, Any]
    feature_hash: str
    feature_keys: dict[str, str] = {}
    feature_position: str = ""
    feature_origin: str = "online"
    missing: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()
    fallback: str | None = None


_decode = msgspec.json.Decoder(Served).decode


def decode_served(record: bytes) -> Served:
    """What a record of `ml.predictions` says of its features. Raises `msgspec.MsgspecError`."""
    return _decode(record)


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One value; `missing` says that the store has none for that moment, or had none when it was served."""

    prediction_id: str
    feature: str
    served: object
    stored: float
    missing: bool

    def __str__(self) -> str:
        about = ", said to be missing by one of them" if self.missing else ""
        return f"{self.prediction_id}: {self.feature} was {self.served}, the store has {self.stored}{about}"


@dataclass(slots=True)
class Report:
    """What was compared. `passed_over` counts predictions by why they were not."""

    predictions: int = 0
    values: int = 0
    offline: int = 0
    stale: int = 0
    mismatches: Counter[str] = field(default_factory=Counter)
    examples: list[Mismatch] = field(default_factory=list)
    passed_over: Counter[str] = field(default_factory=Counter)

    @property
    def good(self) -> bool:
        """Whether values were compared, and every one was the same."""
        return self.values > 0 and not self.mismatches

    def lines(self) -> Iterator[str]:
        """What was compared, what was not, and each feature with a mismatch."""
        yield (
            f"compared {self.values:,} values of {self.predictions:,} predictions "
            f"({self.offline:,} from the offline tier, {self.stale:,} with stale values)"
        )
        for reason, count in self.passed_over.items():
            yield f"passed over {count:,} {reason}"
        for feature, count in self.mismatches.most_common():
            yield f"{feature}: {count:,} mismatches"
        for mismatch in self.examples:
            yield f"  {mismatch}"
        if not self.values:
            why = ", ".join(f"{count:,} {reason}" for reason, count in self.passed_over.most_common())
            yield f"nothing was compared, so nothing is known: {why or 'nothing was predicted'}"
        else:
            yield f"mismatches: {self.mismatches.total():,}"

    def add(self, mismatch: Mismatch) -> None:
        """One more."""
        self.mismatches[mismatch.feature] += 1
        if len(self.examples) < EXAMPLES:
            self.examples.append(mismatch)
