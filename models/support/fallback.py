"""What people read if no model answered: a draft for the customer, a summary for the colleague. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, Literal, get_args

from models.support.actions import Money
from models.support.amounts import shown
from models.support.passage import Passage
from models.support.platform import ToldAction

NO_LLM: Final = "no_llm"
"""The word under which an answer without a language model is marked."""

Reason = Literal[
    "no_llm",  # no endpoint is configured, or none answered in time
    "steps",  # as many requests to the model as a run may make
    "tokens",  # as many tokens as a run may use
    "seconds",  # as long as a run may take
    "deadline",  # what was promised to whoever sent the ticket would not have been kept
    "refusal",  # the model will not answer
    "unreadable",  # the model's answers could not be read
    "checks",  # no draft held: it cited what was not found, or promised what was not done
    "escalated",  # the model gave it to a person, by its tool
    "limits",  # an action that only a person may take
    "often",  # the ticket was taken up more often than the agent may answer it
    "action_refused",  # the support platform would not carry an action out
    "action_unknown",  # an action may have been carried out, or not
    "post_refused",  # the support platform has another end of this ticket, which stands
    "reply_refused",  # the support platform would not take the reply, and the ticket had no end
    "diverged",  # another version of the code began the run, and this one cannot go on with it
    "failed",  # this code has a bug, which the ticket met
    "unconfigured",  # this version cannot be worked with
]
REASONS: Final[tuple[Reason, ...]] = get_args(Reason)

TOLD: Final[Mapping[Reason, str]] = MappingProxyType(
    {
        "no_llm": "no language model could be asked; the proposal is made of the policies' own words",
        "steps": "the agent came to no end within its requests to the language model",
        "tokens": "the agent came to no end within its tokens",
        "seconds": "the agent came to no end within its time",
        "deadline": "the time that was promised for this ticket is nearly over",
        "refusal": "the language model would not answer",
        "unreadable": "the language model's answers could not be read",
        "checks": "no draft held: it cited what was not found, or promised what was not done",
        "escalated": "the agent asked for a person",
        "limits": "the agent chose an action that only a person may take",
        "often": "the ticket was escalated again and again",
        "action_refused": "the support platform did not carry out an action",
        "action_unknown": "an action may have been carried out, or not: look before it is done again",
        "post_refused": "the ticket had ended already",
        "reply_refused": "the support platform would not take the reply: the customer has none yet",
        "diverged": "the agent was changed while it worked, and cannot go on with what it began",
        "failed": "an error that nobody foresaw ended the agent's work",
        "unconfigured": "the agent's version cannot be used",
    }
)

_GREETING = "Thank you for writing to us. This is what our policies say about it:"
_CLOSE = "A colleague reads your ticket and comes back to you."
_LONGEST_QUOTE = 600
_QUOTES = 3


def plain_draft(passages: Sequence[Passage]) -> str:
    """A proposal for a reply that invents nothing: the best passages, quoted, and that a person reads on."""
    best = passages[:_QUOTES]
    if not best:
        return _CLOSE
    quotes = (f"{_heading(each)}:\n{_shortened(each.text)}" for each in best)
    return "\n\n".join((_GREETING, *quotes, _CLOSE))


def quoted_documents(passages: Sequence[Passage]) -> tuple[str, ...]:
    """The ids of the policies that `plain_draft` quotes, each once."""
    return tuple(dict.fromkeys(each.document for each in passages[:_QUOTES]))


def hand_over_summary(
    reason: Reason, found: str, actions: Iterable[ToldAction] = (), documents: Iterable[str] = ()
) -> str:
    """What the person reads first: why it is theirs, what was found out, done and read so far.

    `found` is what the agent knew to say of it; empty if it came to nothing.
    """
    lines = [f"Handed over: {TOLD[reason]}."]
    if found:
        lines.append(found)
    lines += [_told(action) for action in actions]
    if read := ", ".join(dict.fromkeys(documents)):
        lines.append(f"Policies read: {read}.")
    return "\n".join(lines)


def _told(action: ToldAction) -> str:
    amount = ""
    if action.amount_minor is not None and action.currency is not None:
        amount = f" {shown(Money(action.amount_minor, action.currency))}"
    note = "" if action.reference is None else f": {action.reference}"
    return f"{action.tool}{amount} is {action.state}{note}."


def _heading(passage: Passage) -> str:
    return f"{passage.title}, {passage.section}" if passage.section else passage.title


def _shortened(text: str) -> str:
    if len(text) <= _LONGEST_QUOTE:
        return text
    return text[:_LONGEST_QUOTE].rsplit(maxsplit=1)[0] + " …"
