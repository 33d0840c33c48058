"""Champion and challenger: what was trained passes the gate and is registered, or is not."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import msgspec

from events.decision import lane_topic
from events.errors import ConfigError, Problem
from models.artifact import Artifact, BrokenModelError
from models.registry import CHAMPION
from models.training_plan import Plan
from routing import Rules
from training.bench import Bench, IncomparableError
from training.gate import Champion, Check, Evidence, NoChampion, Skew, judge, passed
from training.registering import Registered


class Registry(Protocol):
    """Where versions stand; see `training.registering.TrainingRegistry`."""

    def fetch(self, model: str, alias: str, folder: Path) -> Artifact | None:
        """The version that an alias names, in or below `folder`."""

    def register(self, artifact: Artifact, tags: Mapping[str, str]) -> Registered:
        """A new version, or the one of the same digest."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many events come at once at most, and by when they are to be answered."""

    batch: int
    sla_ms: int

    @classmethod
    def of(cls, rules: Rules, model: str) -> "Bounds":
        """Of the route that leaves the model the least time. Raises `ConfigError` if none leads to it."""
        routes = [route for route in rules.table.all_routes if route.workflow == model]
        if not routes:
            raise ConfigError(
                [Problem("routing table", 0, model, "no route leads to it: nothing to train for")]
            )
        tightest = min(routes, key=lambda route: route.sla_ms)
        topic = lane_topic(tightest.queue, tightest.priority)
        lane = next(lane for lane in rules.lanes() if lane.topic == topic)
        return cls(lane.max_batch, tightest.sla_ms)


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a training. `version` is absent if nothing was registered."""

    model: str
    digest: str
    outcome: Literal["registered", "refused", "unchanged"]
    version: str | None
    checks: tuple[Check, ...]
    metrics: dict[str, float]
    champion: str | None
    champion_metrics: dict[str, float]
    latency_ms: float | None


@dataclass(frozen=True, slots=True)
class Challenge:
    """What it takes to judge and register.

    `confirm` raises where this training may not go on; `name_challenger` lets the alias name a version.
    """

    registry: Registry
    plan: Plan
    bounds: Bounds
    skew: Callable[[], Skew]
    confirm: Callable[[], None]
    name_challenger: Callable[[Registered], None]
    tags: Mapping[str, str]

    def decide(self, candidate: Artifact, bench: Bench, folder: Path) -> Verdict:
        """Register the candidate as challenger where it passes the gate. `folder` takes the champion's files.

        One that is the champion already is neither judged nor registered. Raises `Unavailable`, and
        `ConfigError` if the candidate does not say all of itself.
        """
        found = self._fetch(candidate.metadata.recipe.model, folder)
        if isinstance(found, Artifact) and found.metadata.digest == candidate.metadata.digest:
            return _verdict(candidate, "unchanged", version=found.version)
        there = _measured(found, bench)
        evidence = self._evidence(candidate, bench, there)
        checks = judge(evidence, self.plan.gate)
        if not passed(checks):
            return _verdict(candidate, "refused", checks, there, evidence.latency_ms)
        self.confirm()
        made = self.registry.register(candidate, self.tags)
        self.confirm()
        self.name_challenger(made)
        return _verdict(candidate, "registered", checks, there, evidence.latency_ms, made.version)

    def _evidence(self, candidate: Artifact, bench: Bench, champion: Champion | NoChampion) -> Evidence:
        recipe = candidate.metadata.recipe
        return Evidence(
            metrics=recipe.metrics,
            features=(*recipe.payload, *(need.feature for need in recipe.needs)),
            champion=champion,
            skew=self.skew(),
            latency_ms=bench.latency_ms(candidate, self.bounds.batch),
            batch=self.bounds.batch,
            sla_ms=self.bounds.sla_ms,
        )

    def _fetch(self, model: str, folder: Path) -> Artifact | NoChampion:
        try:
            return self.registry.fetch(model, CHAMPION, folder) or NoChampion("no version is the champion")
        except BrokenModelError as error:
            return _unusable(error)


def _measured(found: Artifact | NoChampion, bench: Bench) -> Champion | NoChampion:
    if isinstance(found, NoChampion):
        return found
    try:
        return Champion(found.version, found.metadata.digest, bench.metrics(found))
    except BrokenModelError as error:
        return _unusable(error)
    except IncomparableError as error:
        return NoChampion(f"version {found.version} {error}")


def _unusable(error: BrokenModelError) -> NoChampion:
    # what this code cannot load, its workers cannot serve either: there is nothing to lose
    return NoChampion(f"the champion cannot be used: {error}")


def _verdict(
    candidate: Artifact,
    outcome: Literal["registered", "refused", "unchanged"],
    checks: tuple[Check, ...] = (),
    champion: Champion | NoChampion | None = None,
    latency_ms: float | None = None,
    version: str | None = None,
) -> Verdict:
    there = champion if isinstance(champion, Champion) else None
    metadata = candidate.metadata
    return Verdict(
        model=metadata.recipe.model,
        digest=metadata.digest,
        outcome=outcome,
        version=version,
        checks=checks,
        metrics=metadata.recipe.metrics,
        champion=there.version if there else None,
        champion_metrics=dict(there.metrics) if there else {},
        latency_ms=latency_ms,
    )
