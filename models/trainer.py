"""The trainer workflow: counts `dataset.updated`, and answers whether a training is due.

The training itself begins beside this (`tasks.training_runs`), from what is written down here: an event is
answered at once, however long a training takes, and however many events come.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

import msgspec

from events.envelope import Envelope
from events.errors import DeadLetter, SignalboxError
from events.prediction import Output, TrainingDetail
from features.contract import Contract
from features.keys import EntityKey
from features.retail import DEFINITIONS
from models.naming import named
from models.retraining import Known, Taken, take
from models.runs import DatasetUpdate
from models.training_plan import Plan
from models.workflow import Answer, Case, ModelVersion
from routing import nearest

NAME = "trainer"
DECISIONS: Mapping[Taken, str] = {"due": "train", "waiting": "wait", "known": "ignore", "foreign": "ignore"}


class Ledger(Protocol):
    """What is written down of training; see `models.runs.Runs`. Each method raises `Unavailable`."""

    def enter(self, told: Sequence[DatasetUpdate]) -> Sequence[bool]:
        """Write dataset versions down; of each, whether this event is the one that stands."""

    def known(self, model: str, tenant_id: str) -> Known:
        """What a decision about this model goes by."""


class Trainer:
    """`models.workflow.Workflow` for `dataset.updated`; its version is that of the plans it goes by."""

    name = NAME
    needs = Contract.of(DEFINITIONS, ())

    def __init__(self, plans: Mapping[str, Plan], ledger: Ledger) -> None:
        self._plans = plans
        self._ledger = ledger
        decisive = {model: replace(plan, line=0) for model, plan in plans.items()}
        digest = hashlib.sha256(msgspec.json.encode(decisive, order="deterministic")).hexdigest()
        self._version = ModelVersion(f"{NAME}-{digest[:12]}", digest[:12], digest, self.needs.hash)

    @property
    def version(self) -> ModelVersion:
        """Changes with any plan."""
        return self._version

    def entities(self, event: Envelope) -> Mapping[str, EntityKey]:
        """Nobody. Raises `DeadLetter` if the payload names no model that has a plan."""
        self.entity_id(event)
        return {}

    def entity_id(self, event: Envelope) -> str:
        """The model. Raises `DeadLetter` if it has no plan."""
        model = named(event.payload, "model_id")
        if model not in self._plans:
            raise DeadLetter("rejected", f"{model} has no plan to be trained by{nearest(model, self._plans)}")
        return model

    def infer(self, cases: Sequence[Case]) -> Sequence[Answer | SignalboxError]:
        """One answer for each case, in their order: what it means once all of them are counted.

        One that comes again changes nothing, and has the same answer. Raises `Unavailable`.
        """
        events = [case.event for case in cases]
        # in one transaction: an SQLite took 35 ms for each of 200 events while others were at work
        fresh = self._ledger.enter([_told(event) for event in events])
        models = {self.entity_id(event) for event in events}
        known = {model: self._ledger.known(model, self._plans[model].tenant) for model in models}
        return [self._answer(event, first, known) for event, first in zip(events, fresh, strict=True)]

    def fall_back(self, case: Case, reason: str) -> Answer:
        """There is no feature that could be missing. Raises `DeadLetter`."""
        raise DeadLetter("rejected", f"{case.event.event_id} is not answered without being counted: {reason}")

    def _answer(self, event: Envelope, fresh: bool, models: Mapping[str, Known]) -> Answer:
        plan, payload = self._plans[self.entity_id(event)], event.payload
        known = models[plan.model]
        taken = take(plan, event.tenant_id, fresh, known)
        detail = TrainingDetail(
            payload["dataset_version"], payload["rows_added"], known.pending, plan.min_rows
        )
        return Answer(Output(taken, None, DECISIONS[taken], detail), {})


def _told(event: Envelope) -> DatasetUpdate:
    payload = event.payload
    return DatasetUpdate(
        event.tenant_id,
        payload["model_id"],
        payload["dataset_version"],
        payload["rows_added"],
        payload["triggered_at"],
        event.event_id,
    )
