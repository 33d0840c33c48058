"""A plan for tests to begin from."""

from dataclasses import replace
from typing import Any

from models.training_plan import GateRule, Plan

RULE = GateRule(metric="average_precision", better="higher", margin=0.01, min_compared=100, latency_share=0.2)
PLAN = Plan(
    model="fraud-classifier",
    command="fraud",
    tenant="acme",
    min_rows=1_000,
    attempts=3,
    retry=60_000,
    gate=RULE,
)


def rule(**changes: Any) -> GateRule:
    """The rule, but for some fields."""
    return replace(RULE, **changes)
