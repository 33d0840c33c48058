"""The end of a forecast night, and its counts. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from events.decision import Millis
from features.offline.forecasts import Day, Made
from features.offline.nights import Night

GIVE_UP_MS = 6 * 3_600_000
"""After so long a night ends whatever is open: its use is over, and what is missing is reported."""
MOST_FAILURES = 100
"""So many are listed in full."""


class Failure(msgspec.Struct, frozen=True):
    """A SKU that was given up, by the cause, the message and the time (epoch ms) of its dead letter."""

    sku: str
    cause: str
    message: str
    at: Millis


class Accuracy(msgspec.Struct, frozen=True):
    """How well a night's forecast met a day that is over; `sold` and `expected` in pieces of all SKUs.

    `expected` adds up means, `wape` is the sum of the medians' absolute errors by what was sold, `coverage`
    the share of SKUs whose sales lay between their bounds.
    """

    night: str
    day: str
    skus: int
    sold: float
    expected: float
    wape: float
    coverage: float


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a night's run came to: of `planned` SKUs each has a forecast, failed, or is `unanswered`.

    `duration_s` runs from the trigger's entry into Kafka to the last forecast, or to the end without one.
    """

    planned: int
    forecast: int
    failed: int
    unanswered: int
    duration_s: float
    sla_s: float
    within_sla: bool
    methods: dict[str, int]
    models: tuple[str, ...]
    failures: tuple[Failure, ...]
    accuracy: Accuracy | None


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a night now: its SKUs, those without a forecast, why some failed, what was made."""

    planned: int
    open: Collection[str]
    failures: Mapping[str, Failure]
    made: Sequence[Made]


def has_ended(standing: Standing, night: Night, now: Millis) -> bool:
    """Whether each SKU has its outcome, or it is too late to wait for one."""
    return standing.failures.keys() >= set(standing.open) or now - night.changed_at >= GIVE_UP_MS


def report(night: Night, standing: Standing, accuracy: Accuracy | None, now: Millis) -> Report:
    """The account of a night that ends now."""
    failed = sorted(standing.failures.keys() & set(standing.open))
    answered = not standing.open and standing.made
    until = max(made.last for made in standing.made) if answered else now
    duration_ms = max(0, until - night.began_at)
    methods: dict[str, int] = {}
    for made in standing.made:
        methods[made.method] = methods.get(made.method, 0) + made.skus
    return Report(
        planned=standing.planned,
        forecast=standing.planned - len(standing.open),
        failed=len(failed),
        unanswered=len(standing.open) - len(failed),
        duration_s=duration_ms / 1_000,
        sla_s=night.sla_ms / 1_000,
        within_sla=len(failed) == len(standing.open) and duration_ms <= night.sla_ms,
        methods=methods,
        models=tuple(sorted({made.model_id for made in standing.made})),
        failures=tuple(standing.failures[sku] for sku in failed[:MOST_FAILURES]),
        accuracy=accuracy,
    )


def accuracy(
    night: str, day: str, forecasts: Mapping[str, Day], sold: Mapping[str, float]
) -> Accuracy | None:
    """How the forecasts of a night, by SKU, met what was sold on a day; None if nothing can be said.

    A SKU that is not in `sold` sold nothing.
    """
    actual = {sku: sold.get(sku, 0.0) for sku in forecasts}
    total = sum(actual.values())
    if total <= 0:
        return None
    errors = sum(abs(actual[sku] - said.median) for sku, said in forecasts.items())
    met = sum(said.low <= actual[sku] <= said.high for sku, said in forecasts.items())
    expected = sum(said.mean for said in forecasts.values())
    return Accuracy(night, day, len(actual), total, expected, errors / total, met / len(actual))
