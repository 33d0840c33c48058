"""The training plan, from `config/training.yaml`: when a model is retrained, and what it must reach."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Literal, cast

from events.decision import Millis
from events.errors import ConfigError
from routing.reading import read
from routing.report import Report
from routing.section import Section

BY_PLAN = "SIGNALBOX_TRAINED_BY_PLAN"
"""Set in the environment of a training that a plan began: only such a one covers pending dataset versions."""

_DAY_S = 86_400
_SIDES = ("higher", "lower")


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRule:
    """What a model must show before it is registered.

    `metric` must be `better` ("higher" or "lower") than the champion's by `margin`, in its own unit.
    `min_compared` values that were served must have been compared where a champion serves; 0 asks for none.
    A full batch may take `latency_share` (0 to 1) of the tightest `sla_ms` of the model's routes.
    """

    metric: str
    better: Literal["higher", "lower"]
    margin: float
    min_compared: int
    latency_share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How one model is trained. `line` is where it stands in its file; it decides nothing."""

    model: str
    command: str
    tenant: str
    min_rows: int
    attempts: int
    retry: Millis
    gate: GateRule
    line: int = field(default=0, compare=False)


def load_plans(path: Path) -> Mapping[str, Plan]:
    """The plans by model. Raises `ConfigError` with every problem, its line and its model."""
    report = Report(str(path))
    content = read(report, "models")
    plans = [_plan(section) for section in content.children()] if content is not None else []
    if report.problems:
        raise ConfigError(report.in_order())
    return MappingProxyType({plan.model: plan for plan in plans})


def _plan(section: Section) -> Plan:
    gate = section.child("gate")
    plan = Plan(
        model=section.name,
        command=section.text("command") or "",
        tenant=section.text("tenant") or "",
        min_rows=section.whole("min_rows", 1, 10**15),
        attempts=section.whole("attempts", 1, 100, 3),
        retry=section.whole("retry_s", 1, _DAY_S, 60) * 1_000,
        gate=_gate(gate) if gate is not None else _NO_GATE,
        line=section.line,
    )
    section.refuse_unknown()
    return plan


def _gate(section: Section) -> GateRule:
    rule = GateRule(
        metric=section.text("metric") or "",
        better=cast(Literal["higher", "lower"], section.text("better", _SIDES) or "higher"),
        margin=section.number("margin", 0, 10**6),
        min_compared=section.whole("min_compared", 0, 10**12, 0),
        latency_share=section.number("latency_share", 0, 1),
    )
    section.refuse_unknown()
    return rule


# stands in only if the file is refused
_NO_GATE = GateRule(metric="", better="higher", margin=0, min_compared=0, latency_share=0)
