"""Retraining trigger: which `dataset.updated` starts a training, and when. Pure."""

from dataclasses import dataclass
from typing import Literal

from events.decision import Millis
from models.training_plan import Plan

Taken = Literal[
    "due",  # with it the rows reach the threshold, or did so before it
    "waiting",  # not yet
    "known",  # another event told of this dataset version before
    "foreign",  # another tenant's: the plan trains on none of its rows
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is written down of one model.

    `pending` rows are in dataset versions that no run has covered, the newest of which came at `newest`. Of
    the runs that began since then `failures` came to no end, the last one at `failed_at`. A run may be going
    on until `leased_until`. Times are epoch ms, 0 if there is none.
    """

    pending: int = 0
    newest: Millis = 0
    failures: int = 0
    failed_at: Millis = 0
    leased_until: Millis = 0


@dataclass(frozen=True, slots=True)
class Begin:
    """A run is due now."""


@dataclass(frozen=True, slots=True)
class Hold:
    """None is, for this reason."""

    reason: str


def take(plan: Plan, tenant_id: str, fresh: bool, known: Known) -> Taken:
    """What an event means once it is counted in `known`; `fresh` where it is the first of its version."""
    if tenant_id != plan.tenant:
        return "foreign"
    if not fresh:
        return "known"
    return "due" if known.pending >= plan.min_rows else "waiting"


def next_run(plan: Plan, known: Known, now: Millis) -> Begin | Hold:
    """Whether a run is to begin now (epoch ms).

    However many events came, they are one run; those that come while it goes on are the next one. A run that
    came to no end is tried again after a pause that doubles, `plan.attempts` times in all; then only once
    more has come.
    """
    if known.pending < plan.min_rows:
        return Hold(f"{known.pending:,} of {plan.min_rows:,} rows")
    if known.leased_until > now:
        return Hold("a run is going on")
    if known.failures >= plan.attempts:
        return Hold(f"{known.failures} runs came to no end: waiting for another dataset version")
    if known.failures:
        left = known.failed_at + pause(plan, known.failures) - now
        if left > 0:
            return Hold(f"a run came to no end: the next one in {-(-left // 1_000):,} s")
    return Begin()


def pause(plan: Plan, failures: int) -> Millis:
    """How long after its `failures`th failure a run is tried again."""
    return plan.retry << (failures - 1)
