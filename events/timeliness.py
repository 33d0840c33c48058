"""How far an event's own time may lie from its entry into Kafka, by its type. Pure.

An event in the future has empty windows, which is a way round the rules about fraud. One of 1970 (seconds
taken for milliseconds) has no features. A very old one asks for all that was ever known of its customer.
"""

from collections.abc import Mapping

from core.timestamps import readable
from events.contract import DAY_MS, MINUTE_MS, Span
from events.decision import EARLIEST, Millis
from events.envelope import Envelope
from events.errors import DeadLetter
from events.retail import CONTRACT

OLDEST_DAYS = 36_500
_USUAL = Span()


class Spans:
    """What each type of event declares; `Span()` for one that declares nothing."""

    def __init__(self, by_type: Mapping[str, Span], age_days: int | None = None) -> None:
        """With `age_days`, an event of any type may be so old: an installation that plays history says so."""
        self._by_type = by_type
        self._age = None if age_days is None else age_days * DAY_MS

    def with_age(self, age_days: int | None) -> "Spans":
        """The same, but events may be `age_days` old; the same if None."""
        return self if age_days is None else Spans(self._by_type, age_days)

    def check(self, event: Envelope, entered_at: Millis) -> None:
        """Raises `DeadLetter` (invalid_envelope) naming the likely mistake if its time is out of bounds.

        `entered_at` (epoch ms) is when the event came to Kafka.
        """
        span = self._by_type.get(event.event_type, _USUAL)
        oldest = span.age if self._age is None else self._age
        at = event.occurred_at
        if at < EARLIEST:
            fault = f"before 2000; {_unit(at, entered_at)}"
        elif at > entered_at + span.ahead:
            fault = _ahead(event, at - entered_at, span.ahead)
        elif at < entered_at - oldest:
            fault = _old(event, entered_at - at, oldest)
        else:
            return
        raise DeadLetter(
            "invalid_envelope", f"envelope: occurred_at {at} is {readable(at, 'seconds')}, {fault}"
        )


def _ahead(event: Envelope, ahead: Millis, most: Millis) -> str:
    return (
        f"{_length(ahead)} after it entered Kafka, and {event.event_type} may be {_length(most)} ahead; is "
        "its producer's clock ahead, or was local time taken for UTC?"
    )


def _old(event: Envelope, age: Millis, oldest: Millis) -> str:
    return (
        f"{_length(age)} before it entered Kafka, and {event.event_type} may be {_length(oldest)} old; count "
        "history with `signalbox features backfill`, or let events be older with SIGNALBOX_EVENT_AGE_DAYS"
    )


def _unit(at: Millis, entered_at: Millis) -> str:
    """What a time before 2000 was probably meant to be."""
    if at >= EARLIEST // 1_000 and at * 1_000 < 2 * entered_at:
        return "it looks like seconds: give epoch milliseconds"
    return "give epoch milliseconds"


def _length(span: Millis) -> str:
    for name, unit in (("days", DAY_MS), ("hours", 60 * MINUTE_MS), ("minutes", MINUTE_MS)):
        if span >= 2 * unit:
            return f"{span / unit:,.4g} {name}"
    return f"{span / 1_000:,.4g} seconds"


DECLARED = Spans(CONTRACT.spans)
ANY_AGE = DECLARED.with_age(OLDEST_DAYS)
"""For history that is read out of a file or of an old log."""
