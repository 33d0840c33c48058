"""The quality gate of a trained version against the champion. Pure: all measurements are handed in."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import msgspec

from models.training_plan import GateRule


class Check(msgspec.Struct, frozen=True):
    """One thing that was asked of the model, and what was found."""

    name: Literal["quality", "skew", "latency"]
    passed: bool
    finding: str


@dataclass(frozen=True, slots=True)
class Champion:
    """The version that serves, and its metrics on the rows that the candidate was measured on."""

    version: str
    digest: str
    metrics: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class NoChampion:
    """There is none to compare with, for this reason."""

    reason: str


@dataclass(frozen=True, slots=True)
class Skew:
    """How many served values were worked out again, and by feature how many of them differed."""

    compared: int
    mismatches: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is known of a candidate. `latency_ms` is what a batch of `batch` events takes."""

    metrics: Mapping[str, float]
    features: tuple[str, ...]
    champion: Champion | NoChampion
    skew: Skew
    latency_ms: float
    batch: int
    sla_ms: int


def judge(evidence: Evidence, rule: GateRule) -> tuple[Check, ...]:
    """Every check, passed or not, so that one reading tells all that is wrong."""
    return (_quality(evidence, rule), _skew(evidence, rule), _latency(evidence, rule))


def passed(checks: tuple[Check, ...]) -> bool:
    """Whether a model with these may be registered."""
    return all(check.passed for check in checks)


def refusals(checks: tuple[Check, ...]) -> Iterator[str]:
    """What it was refused for."""
    return (f"{check.name}: {check.finding}" for check in checks if not check.passed)


def _quality(evidence: Evidence, rule: GateRule) -> Check:
    name, champion = rule.metric, evidence.champion
    value = evidence.metrics.get(name, math.nan)
    if not math.isfinite(value):
        measured = ", ".join(sorted(evidence.metrics)) or "nothing"
        return Check("quality", False, f"{name} was not measured; measured: {measured}")
    if isinstance(champion, NoChampion):
        return Check("quality", True, f"{name} {value:.6g}; nothing to compare with: {champion.reason}")
    theirs = champion.metrics.get(name, math.nan)
    gain = value - theirs if rule.better == "higher" else theirs - value
    finding = (
        f"{name} {value:.6g}, version {champion.version} has {theirs:.6g} on the same rows: "
        f"better by {gain:.6g}, asked for {rule.margin:g}"
    )
    # a champion without the metric makes the gain no number, and that is no gain
    return Check("quality", gain >= rule.margin, finding)


def _skew(evidence: Evidence, rule: GateRule) -> Check:
    skew = evidence.skew
    seen = {name: number for name, number in skew.mismatches.items() if name in evidence.features}
    compared = f"{skew.compared:,} served values compared"
    if seen:
        told = ", ".join(f"{name} {number:,}" for name, number in sorted(seen.items()))
        return Check("skew", False, f"{compared}; served otherwise than stored: {told}")
    serves = isinstance(evidence.champion, Champion)
    if serves and skew.compared < rule.min_compared:
        finding = f"{compared}, asked for {rule.min_compared:,}: `signalbox features skew` says why"
        return Check("skew", False, finding)
    return Check("skew", True, f"{compared}, none of its features differs")


def _latency(evidence: Evidence, rule: GateRule) -> Check:
    limit = rule.latency_share * evidence.sla_ms
    finding = (
        f"a batch of {evidence.batch:,} takes {evidence.latency_ms:.3g} ms, "
        f"at most {limit:g} ms are its part of {evidence.sla_ms:,} ms"
    )
    return Check("latency", evidence.latency_ms <= limit, finding)
