"""Who answers for a case: the model, or where its features do not allow that, what its contract says."""

from collections.abc import Sequence

from events.errors import DeadLetter, SignalboxError
from models.workflow import Answer, Case, Workflow


def answers(workflow: Workflow, cases: Sequence[Case]) -> Sequence[Answer | SignalboxError]:
    """One answer or error for each case, in their order. Raises what `Workflow.infer` does."""
    fit = [case for case in cases if case.features.reaction is None]
    if len(fit) == len(cases):
        return workflow.infer(cases)
    inferred = iter(_strictly(workflow, fit))
    return [next(inferred) if case.features.reaction is None else _unfit(workflow, case) for case in cases]


def _strictly(workflow: Workflow, cases: Sequence[Case]) -> Sequence[Answer | SignalboxError]:
    """Raises `ValueError` if the model does not answer for each: no event gets another's answer."""
    found = workflow.infer(cases) if cases else ()
    return [answer for _, answer in zip(cases, found, strict=True)]


def _unfit(workflow: Workflow, case: Case) -> Answer | SignalboxError:
    reason = _reason(case)
    if case.features.reaction == "refuse":
        return DeadLetter("missing_feature", f"the model does not answer without its features: {reason}")
    try:
        return workflow.fall_back(case, reason)
    except SignalboxError as error:
        return error


def _reason(case: Case) -> str:
    """`missing: a, b; stale: c`"""
    states = (("missing", case.features.missing), ("stale", case.features.stale))
    return "; ".join(f"{state}: {', '.join(names)}" for state, names in states if names)
