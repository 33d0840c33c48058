"""The lifecycle of a batch of lane records, the same for every workflow. Knows no Celery."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from events.errors import SignalboxError
from events.lane import Batch, Fed, LaneRecord, decode_record
from features.keys import EntityKey
from features.reading import Asked, FeatureReader
from models.workflow import Answer, Case, Workflow
from tasks.answering import answers as ask
from tasks.outcomes import Attempt, Outcomes, all_failed
from tasks.records import Stamp, iso
from transport.clock import Clock


@dataclass(frozen=True, slots=True)
class Opened:
    """A lane's record that could be read, and whose features it needs, by entity."""

    fed: Fed
    record: LaneRecord
    keys: Mapping[str, EntityKey]


class Lifecycle:
    """One workflow's way from a batch to its outcomes. `code_version` is stamped on each prediction."""

    def __init__(
        self,
        workflow: Workflow,
        features: FeatureReader,
        clock: Clock,
        code_version: str,
        stopwatch: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._workflow = workflow
        self._features = features
        self._clock = clock
        self._code_version = code_version
        self._stopwatch = stopwatch

    def decide(self, batch: Batch, queue: str, retries: int) -> Outcomes:
        """Every event's outcome, with one round trip to the feature store; nothing is published yet.

        Raises `Unavailable` or `Retry` if the whole batch failed, and whatever a workflow with a bug
        raises.
        """
        outcomes = Outcomes(Attempt(batch, queue, retries, self._clock()))
        opened = self._open(batch, outcomes)
        if opened:
            cases = self._with_features(opened)
            began = self._stopwatch()
            answers = ask(self._workflow, cases)
            outcomes.inference_s = self._stopwatch() - began
            self._conclude(opened, cases, answers, outcomes)
        return outcomes

    def failed(self, batch: Batch, queue: str, retries: int, error: SignalboxError) -> Outcomes:
        """The outcomes of a batch each event of which met `error`."""
        return all_failed(Attempt(batch, queue, retries, self._clock()), error)

    def _open(self, batch: Batch, outcomes: Outcomes) -> list[Opened]:
        opened = []
        for fed in batch.records:
            record = None
            try:
                record = decode_record(fed.record)
                opened.append(Opened(fed, record, self._workflow.entities(record.event)))
            except SignalboxError as error:
                outcomes.failed(fed, record, error)
        return opened

    def _with_features(self, opened: Sequence[Opened]) -> list[Case]:
        asked = []
        for item in opened:
            decision = item.record.decision
            # the deadline counts from the moment at which the event entered Kafka
            asked.append(Asked(item.keys, item.record.event.occurred_at, decision.deadline - decision.sla_ms))
        found = self._features.read(self._workflow.needs, asked)
        return [
            Case(item.record.event, item.record.decision, item.keys, features)
            for item, features in zip(opened, found, strict=True)
        ]

    def _conclude(
        self,
        opened: Sequence[Opened],
        cases: Sequence[Case],
        answers: Sequence[Answer | SignalboxError],
        outcomes: Outcomes,
    ) -> None:
        now = self._clock()
        stamp = Stamp(
            model=self._workflow.version,
            code_version=self._code_version,
            fed_at=outcomes.attempt.batch.fed_at,
            attempts=outcomes.attempt.retries + 1,
            now=now,
            predicted_at=iso(now),
            inference_ms=round(outcomes.inference_s * 1_000 / len(cases), 6),
        )
        for item, case, answer in zip(opened, cases, answers, strict=True):
            if isinstance(answer, SignalboxError):
                outcomes.failed(item.fed, item.record, answer)
                continue
            try:
                outcomes.answered(item.fed, case, answer, self._workflow.entity_id(case.event), stamp)
            except SignalboxError as error:
                outcomes.failed(item.fed, item.record, error)
