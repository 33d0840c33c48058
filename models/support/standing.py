"""The state of a run, folded from its steps and from nothing else (event sourcing). Pure."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

from events.decision import Millis
from events.prediction import CallState
from models.support.acting import ActionState, Intent, told
from models.support.actions import Action, money_of, tool_of
from models.support.passage import Passage
from models.support.platform import ToldAction
from models.support.steps import (
    Begun,
    Concluded,
    Confirmed,
    Declined,
    Ended,
    Intended,
    NotSent,
    Refused,
    Searched,
    Sent,
    Step,
    Unknown,
    Withdrawn,
)

S = TypeVar("S", bound=Step)


def the(kind: type[S], steps: Sequence[Step]) -> S | None:
    """The step of a kind that a run has once; None if it has not come to it."""
    return next((step for step in steps if isinstance(step, kind)), None)


def begun(steps: Sequence[Step]) -> Begun | None:
    """How it began."""
    return the(Begun, steps)


def concluded(steps: Sequence[Step]) -> Concluded | None:
    """What is to be done, once that is decided."""
    return the(Concluded, steps)


def ended(steps: Sequence[Step]) -> Ended | None:
    """What was said of it, once it has ended."""
    return the(Ended, steps)


def intended(steps: Sequence[Step]) -> dict[str, Intended]:
    """What it intended, by key."""
    return {step.key: step for step in steps if isinstance(step, Intended)}


def intents(steps: Sequence[Step]) -> tuple[Intent, ...]:
    """What is to be carried out, with what is known of each; nothing that was withdrawn."""
    states: dict[str, tuple[ActionState, str | None]] = {}
    gone: set[str] = set()
    sent: dict[str, Millis] = {}
    decided = concluded(steps)
    # a build that did not write down what it sent may have sent each of them, at any time
    unwritten = 0 if decided is not None and decided.at == 0 else None
    for step in steps:
        match step:
            case Confirmed(key, reference):
                states[key] = ("confirmed", reference)
            case Refused(key, reason):
                states[key] = ("refused", reason)
            case Unknown(key, reason):
                states[key] = ("unknown", reason)
            case Withdrawn(key):
                gone.add(key)
            case Sent(key, at):
                sent.setdefault(key, at)
            case NotSent(key):
                sent.pop(key, None)
            case _:
                pass
    return tuple(
        Intent(key=key, action=step.action, state=state, sent_at=sent.get(key, unwritten), note=note)
        for key, step in intended(steps).items()
        if key not in gone
        for state, note in [states.get(key, ("intended", None))]
    )


def actions(steps: Sequence[Step]) -> tuple[ToldAction, ...]:
    """Every action that the agent chose and what became of it, as people read it."""
    return tuple(_actions(steps))


def _actions(steps: Sequence[Step]) -> Iterator[ToldAction]:
    yield from map(told, intents(steps))
    by_key = intended(steps)
    for step in steps:
        if isinstance(step, Withdrawn):
            yield _told(by_key[step.key].action, "withdrawn", None)
        elif isinstance(step, Declined):
            yield _told(step.action, "declined", step.reason)


def passages(steps: Sequence[Step]) -> tuple[Passage, ...]:
    """What its first search found, by the ticket's own words."""
    first = the(Searched, steps)
    return first.passages if first else ()


def documents(steps: Sequence[Step]) -> tuple[str, ...]:
    """The ids of all policies that were found, each once."""
    found = (each.document for step in steps if isinstance(step, Searched) for each in step.passages)
    return tuple(dict.fromkeys(found))


def _told(action: Action, state: CallState, note: str | None) -> ToldAction:
    money = money_of(action)
    return ToldAction(
        tool=tool_of(action),
        amount_minor=money.amount_minor if money else None,
        currency=money.currency if money else None,
        state=state,
        reference=note,
    )
