"""The conclusion of an agent run: decided once, and journaled. Pure."""

from collections.abc import Iterator, Sequence

from events.prediction import Output, SupportDetail, ToolCall
from models.support import standing
from models.support.actions import Escalation
from models.support.answering import BreachError
from models.support.draft import Draft
from models.support.fallback import NO_LLM, Reason, hand_over_summary, plain_draft, quoted_documents
from models.support.masking import mask
from models.support.plan import AgentPlan, OnNoLlm
from models.support.platform import HandOver, Resolution
from models.support.steps import (
    Answered,
    Begun,
    Concluded,
    Declined,
    Intended,
    Outcome,
    Searched,
    Step,
    Unposted,
)

_LONGEST_SUMMARY = 500


def drafted(draft: Draft, steps: Sequence[Step]) -> Concluded:
    """The draft holds: it is sent, unless a person was asked for or has to decide."""
    reason: Reason | None = None
    if any(isinstance(step, Intended) and isinstance(step.action, Escalation) for step in steps):
        reason = "escalated"
    elif any(isinstance(step, Declined) and step.human for step in steps):
        reason = "limits"
    return Concluded(
        reason=reason,
        reply=draft.reply,
        summary=draft.summary,
        cites=tuple(dict.fromkeys(draft.cites)),
        carry_out=True,
    )


def breached(error: BreachError) -> Concluded:
    """The run ends without a draft that holds: nothing that it intended is done."""
    return _without_draft(error.reason, str(error))


def without_llm(why: str, steps: Sequence[Step], on_no_llm: OnNoLlm, fallback: str = NO_LLM) -> Concluded:
    """No language model was asked: a person is given the policies' own words, or the ticket as it is."""
    found = standing.passages(steps) if on_no_llm == "draft" else ()
    return Concluded(
        reason="no_llm",
        reply=plain_draft(found) if found else "",
        summary=why,
        cites=quoted_documents(found),
        carry_out=False,
        fallback=fallback,
    )


def _without_draft(reason: Reason, why: str) -> Concluded:
    return Concluded(reason=reason, reply="", summary=why, cites=(), carry_out=False)


def handed_over_for(steps: Sequence[Step]) -> Reason | None:
    """Why a person has it, once its actions were tried, which may have gone wrong; None: it is resolved."""
    concluded = standing.concluded(steps)
    if concluded is None:
        raise ValueError("nothing was concluded yet")
    states = {intent.state for intent in standing.intents(steps)}
    if "unknown" in states:
        return "action_unknown"
    if "refused" in states:
        return "action_refused"
    return concluded.reason


def resolution(begun: Begun, concluded: Concluded, steps: Sequence[Step]) -> Resolution:
    """What the support platform gets for a resolved ticket."""
    return Resolution(
        reply=concluded.reply,
        summary=concluded.summary,
        cites=concluded.cites,
        actions=standing.actions(steps),
        model_id=begun.model_id,
    )


def hand_over(begun: Begun, concluded: Concluded, reason: Reason, steps: Sequence[Step]) -> HandOver:
    """What the person gets who takes the ticket on."""
    told, found = standing.actions(steps), concluded.summary
    unposted = standing.the(Unposted, steps)
    if unposted is not None:
        found = f"{found}\nThe platform said of the reply: {unposted.reason}"
    return HandOver(
        reason=reason,
        summary=hand_over_summary(reason, found, told, standing.documents(steps)),
        draft=concluded.reply or None,
        cites=concluded.cites,
        actions=told,
        fallback=concluded.fallback,
        model_id=begun.model_id,
    )


def output(reason: Reason | None, steps: Sequence[Step], plan: AgentPlan) -> Output:
    """What the prediction says of the run. `reason` says why it was handed over; None: it was resolved."""
    begun, concluded = standing.begun(steps), standing.concluded(steps)
    if begun is None or concluded is None:
        raise ValueError("nothing was concluded yet")
    outcome: Outcome = "handed_over" if reason else "resolved"
    answers = [step for step in steps if isinstance(step, Answered)]
    asked, said = sum(step.input_tokens for step in answers), sum(step.output_tokens for step in answers)
    detail = SupportDetail(
        outcome=outcome,
        reason=reason or "",
        summary=mask(concluded.summary)[:_LONGEST_SUMMARY],
        steps=len(steps),
        llm_calls=len(answers),
        searches=sum(isinstance(step, Searched) for step in steps),
        input_tokens=asked,
        output_tokens=said,
        cost=round(plan.cost(asked, said), 6),
        tool_calls=tuple(_calls(steps)),
        cited=concluded.cites,
        policies=begun.policies,
        model_id=begun.model_id,
        began_at=begun.began_at,
    )
    return Output(label=outcome, confidence=None, decision="escalate" if reason else "resolve", detail=detail)


def _calls(steps: Sequence[Step]) -> Iterator[ToolCall]:
    for told in standing.actions(steps):
        yield ToolCall(told.tool, told.state, told.amount_minor or 0, told.currency or "")
