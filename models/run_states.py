"""States of a training run in the ledger `models.runs`."""

from dataclasses import dataclass
from typing import Literal

from events.decision import Millis

LEASE_MS = 60_000
"""How long a run may say nothing before another one may begin."""

Outcome = Literal[
    "registered",  # a new version, or one that was there already with the same digest
    "refused",  # the gate let nothing through
    "stopped",  # from outside, which is nobody's failure
    "failed",  # it came to no end
]
State = Literal["running", "lost"] | Outcome  # lost: its lease ran out, and another run began
FAILED: tuple[State, ...] = ("failed", "lost")
UNENDED: tuple[State, ...] = (*FAILED, "stopped")


@dataclass(frozen=True, slots=True)
class DatasetUpdate:
    """What an event `dataset.updated` said; times in epoch ms."""

    tenant_id: str
    model: str
    dataset_version: str
    rows_added: int
    triggered_at: Millis
    event_id: str


@dataclass(frozen=True, slots=True)
class Run:
    """One training that may go on, and the dataset versions that it covers, by name."""

    model: str
    token: int
    covers: tuple[str, ...]
