"""Carries out the actions that a run intended, once each: idempotency keys, and doubt is a person's."""

from collections.abc import Iterable
from typing import Literal, NamedTuple, Protocol

import msgspec

from events.decision import Millis
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
from transport.clock import Clock

ActionState = Literal["intended", "confirmed", "refused", "unknown"]
"""`intended` has not been sent, as far as the journal knows."""

LONGEST_CALL_MS = 15_000
"""How long after it was begun a call may still reach the platform: all its attempts, and a slow network."""
STALE_MS = 24 * 3_600_000
"""Money that was decided on so long ago, and never sent, is a person's decision again."""


class Intent(msgspec.Struct, frozen=True, kw_only=True):
    """An action in the journal, under its key, and what is known of it.

    `sent_at` (epoch ms) is when a process first set out to send it that does not say that it never arrived;
    None if none did. `note` is the platform's reference, or why it refused.
    """

    key: str
    action: Action
    state: ActionState = "intended"
    sent_at: Millis | None = None
    note: str | None = None


class ActionLog(Protocol):
    """The part of a run's journal that acting writes. Each call is committed when it returns.

    Each raises `LeaseLostError` if another worker has the ticket now, and `Unavailable`.
    """

    def sending(self, intent: Intent, now: Millis) -> None:
        """It is about to be sent, at `now` (epoch ms)."""

    def not_sent(self, intent: Intent) -> None:
        """It was about to be sent, and surely did not arrive."""

    def confirmed(self, intent: Intent, receipt: Receipt) -> None:
        """It was carried out."""

    def refused(self, intent: Intent, reason: str) -> None:
        """It was not carried out, and never will be: what it would have cost is free again."""

    def unknown(self, intent: Intent, reason: str) -> None:
        """It is unknown whether it was carried out: what it costs stays spent, and a person looks."""


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
    *,
    decided_at: Millis,
    clock: Clock,
) -> Acted:
    """Do what is not done yet, in the order of the intents, which were decided on at `decided_at` (epoch ms).

    What was sent and not confirmed is sent again under its key for as long as the platform keeps that key;
    after that, or if it knows no keys, it becomes `unknown`. After a refusal or an unknown one, the rest is
    refused: it was intended together with what failed, and a person decides. Raises `Unavailable`: the same
    call goes on later.
    """
    done: list[Intent] = []
    for intent in intents:
        if intent.state != "intended":
            done.append(intent)
        elif any(each.state in ("refused", "unknown") for each in done):
            done.append(_refused(intent, "an action before it was not carried out", log))
        elif (doubt := in_doubt(intent, platform.key_life, clock())) is not None:
            done.append(_unknown(intent, doubt, log))
        elif intent.sent_at is None and clock() - decided_at > STALE_MS:
            done.append(_refused(intent, "it was decided on more than a day ago, and never sent", log))
        else:
            done.append(_carry_out(intent, platform, ticket, log, clock()))
    return Acted(tuple(done))


def in_doubt(intent: Intent, key_life: Millis, now: Millis) -> str | None:
    """Why sending it again might do it twice; None if it surely does not.

    A platform that keeps keys for `key_life` ms counts from the first call that reached it.
    """
    if intent.sent_at is None:
        return None
    if not key_life:
        return "the worker that sent it was lost"
    if now + LONGEST_CALL_MS - intent.sent_at < key_life:
        return None
    return f"it was sent before, and the platform keeps its keys for {key_life // 1_000} s only"


def _carry_out(
    intent: Intent, platform: SupportPlatform, ticket: TicketRef, log: ActionLog, now: Millis
) -> Intent:
    if intent.sent_at is None:
        log.sending(intent, now)
    try:
        receipt = platform.act(intent.key, ticket, intent.action)
    except RefusalError as error:
        return _refused(intent, error.reason, log)
    except UnconfirmedError as error:
        return _unknown(intent, str(error), log)
    except Unavailable:
        if not platform.key_life:
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
