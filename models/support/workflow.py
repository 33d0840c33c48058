"""The support agent behind the contract of every workflow: an escalated ticket in, its end out."""

import dataclasses
import math
from collections.abc import Mapping, Sequence

import msgspec

from events.envelope import Envelope
from events.errors import SignalboxError, Unavailable
from events.prediction import Output
from features.keys import EntityKey
from models.artifact import Artifact, BrokenModelError
from models.support import standing
from models.support.assignment import Assignment, Surroundings
from models.support.journal import Journal, LeaseLostError, RunRow
from models.support.run import work
from models.support.steps import Ended, Step
from models.support.ticket import Ticket
from models.support.version import CUSTOMER, MODEL, AgentVersion, load_version
from models.workflow import Answer, Case, ModelVersion

_output: msgspec.json.Decoder[Output] = msgspec.json.Decoder(Output)


class SupportAgent:
    """`models.workflow.Workflow` for events that tell of an escalated ticket. Thread-safe.

    A ticket takes seconds to a minute, most of it waiting: give it one at a time, in many threads.
    """

    name = MODEL

    def __init__(self, version: AgentVersion, journal: Journal, around: Surroundings) -> None:
        self.needs = version.needs
        self._version = version
        self._journal = journal
        self._around = around

    @classmethod
    def load(cls, artifact: Artifact, journal: Journal, around: Surroundings) -> "SupportAgent":
        """This version. Raises `BrokenModelError` if it cannot be served."""
        version = load_version(artifact)
        namespace, known = version.plan.search.namespace, around.policies.namespaces
        if namespace not in known:
            there = ", ".join(known)
            raise BrokenModelError(artifact.path, f"no policies stand under {namespace}; there are {there}")
        return cls(version, journal, around)

    @property
    def version(self) -> ModelVersion:
        """The version that `infer` answers with."""
        return self._version.version

    def entities(self, event: Envelope) -> Mapping[str, EntityKey]:
        """The customer. Raises `DeadLetter` if the payload is no ticket."""
        return {CUSTOMER: EntityKey(event.tenant_id, CUSTOMER, Ticket.of(event).customer_id)}

    def entity_id(self, event: Envelope) -> str:
        """The ticket. Raises `DeadLetter` if the payload is none."""
        return Ticket.of(event).ticket_id

    def infer(self, cases: Sequence[Case]) -> Sequence[Answer | SignalboxError]:
        """One answer for each case, in their order, one after another."""
        return [self._answer(case) for case in cases]

    def fall_back(self, case: Case, reason: str) -> Answer:
        """A person takes it on, without a model. Raises `Unavailable`."""
        return self._run(case, reason)

    def _answer(self, case: Case) -> Answer | SignalboxError:
        try:
            return self._run(case)
        except SignalboxError as error:
            return error

    def _run(self, case: Case, fallback: str | None = None) -> Answer:
        ticket, version = Ticket.of(case.event), self._version
        assignment = Assignment(
            ticket=ticket,
            model_id=version.version.model_id,
            plan=version.plan,
            instructions=version.prompt,
            customer=self._known(case),
            deadline=case.decision.deadline,
            fallback=fallback,
            heard=case.decision.arm != "shadow",
            # a list, as it comes back from the journal
            read=msgspec.structs.replace(case.features, values=[]),
        )
        row = RunRow(
            run_id=case.decision.prediction_id,
            tenant_id=ticket.tenant_id,
            ticket_id=ticket.ticket_id,
            event_id=ticket.event_id,
            model_id=assignment.model_id,
            began_at=self._around.clock(),
        )
        try:
            with self._journal.open(row) as run:
                assignment = dataclasses.replace(assignment, taken_up=run.taken_up)
                return _answer(work(run, assignment, self._around), run.steps)
        except LeaseLostError as error:
            # whoever has the ticket now ends it: this message comes again, and is answered from the journal
            raise Unavailable(f"ticket {ticket.ticket_id}", error) from error

    def _known(self, case: Case) -> dict[str, float]:
        """What the store has of the customer. NaN, which JSON has none of, is nothing."""
        named = zip(self.needs.names, case.features.values, strict=True)
        return {name: float(value) for name, value in named if math.isfinite(float(value))}


def _answer(ended: Ended, steps: Sequence[Step]) -> Answer:
    """With what the run began with: the store may say something else by now, which no prompt had."""
    begun = standing.begun(steps)
    if begun is None:
        raise ValueError("a run ended that never began")
    return Answer(
        _output.decode(ended.output), dict(begun.features), fallback=ended.fallback, read=begun.read
    )
