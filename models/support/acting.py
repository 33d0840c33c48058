"""How do the actions that a run intended come to be done, once each, whatever is lost on the way?"""

from collections.abc import Iterable
from typing import Literal, NamedTuple, Protocol

import msgspec

from events.errors import Unavailable
from models.support.actions import Action, money_of, tool_of
from models.support.platform import (
    Receipt,
    RefusalError,
    SupportPlatform,
    TicketRef,
    ToldAction,
    UnconfirmedError,
)

ActionState = Literal["intended", "confirmed", "refused", "unknown"]
"""`intended` has not been sent, as far as the journal knows."""


class Intent(msgspec.Struct, frozen=True, kw_only=True):
    """An action that stands in the journal under its key, and what is known of it.

    `sending`: a process set out to send it, and does not say that it never arrived. `note` is the platform's
    reference, or why it refused.
    """

    key: str
    action: Action
    state: ActionState = "intended"
    sending: bool = False
    note: str | None = None


class ActionLog(Protocol):
    """The part of a run's journal that acting writes. Each call is committed when it returns.

    Each raises `LeaseLostError` where another worker has the ticket now, and `Unavailable`.
    """

    def sending(self, intent: Intent) -> None:
        """It is about to be sent to a platform that knows no keys."""

    def not_sent(self, intent: Intent) -> None:
        """It was about to be sent, and surely did not arrive."""

    def confirmed(self, intent: Intent, receipt: Receipt) -> None:
        """It was carried out."""

    def refused(self, intent: Intent, reason: str) -> None:
        """It was not carried out, and never will be: what it would have cost is free again."""

    def unknown(self, intent: Intent, reason: str) -> None:
        """Nobody knows whether it was carried out: what it costs stays spent, and a person looks."""


class Acted(NamedTuple):
    """Every intent of a run with what became of it."""

    intents: tuple[Intent, ...]

    @property
    def whole(self) -> bool:
        """Whether all of them were carried out."""
        return all(intent.state == "confirmed" for intent in self.intents)

    def told(self) -> tuple[ToldAction, ...]:
        """As people read it."""
        return tuple(map(told, self.intents))


def carry_out(
    intents: Iterable[Intent],
    platform: SupportPlatform,
    ticket: TicketRef,
    log: ActionLog,
) -> Acted:
    """Do what is not done yet, in the order of the intents.

    What was sent and not confirmed is sent again under its key; where the platform knows none, it becomes
    `unknown`. After a refusal or an unknown one, the rest is refused: it was intended together with what
    failed, and a person decides. Raises `Unavailable`: the same call goes on later.
    """
    done: list[Intent] = []
    for intent in intents:
        if intent.state != "intended":
            done.append(intent)
        elif any(each.state in ("refused", "unknown") for each in done):
            done.append(_refused(intent, "an action before it was not carried out", log))
        elif intent.sending and not platform.idempotent:
            done.append(_unknown(intent, "the worker that sent it was lost", log))
        else:
            done.append(_carry_out(intent, platform, ticket, log))
    return Acted(tuple(done))


def _carry_out(intent: Intent, platform: SupportPlatform, ticket: TicketRef, log: ActionLog) -> Intent:
    if not platform.idempotent:
        log.sending(intent)
    try:
        receipt = platform.act(intent.key, ticket, intent.action)
    except RefusalError as error:
        return _refused(intent, error.reason, log)
    except UnconfirmedError as error:
        return _unknown(intent, str(error), log)
    except Unavailable:
        if not platform.idempotent:
            log.not_sent(intent)
        raise
    log.confirmed(intent, receipt)
    return msgspec.structs.replace(intent, state="confirmed", note=receipt.reference)


def _refused(intent: Intent, reason: str, log: ActionLog) -> Intent:
    log.refused(intent, reason)
    return msgspec.structs.replace(intent, state="refused", note=reason)


def _unknown(intent: Intent, reason: str, log: ActionLog) -> Intent:
    log.unknown(intent, reason)
    return msgspec.structs.replace(intent, state="unknown", note=reason)


def told(intent: Intent) -> ToldAction:
    """One action as people read it."""
    money = money_of(intent.action)
    return ToldAction(
        tool=tool_of(intent.action),
        amount_minor=money.amount_minor if money else None,
        currency=money.currency if money else None,
        state=intent.state,
        reference=intent.note,
    )
