"""Every event against its outcome: the sum, from the records in Kafka alone.

    routed (distinct event and workflow) = predictions + dead letters + waiting if no worker serves it yet
    read (by offset)                     = routed + ignored + unrouted + refused

Records are compared, not counts: one that is missing and one that nothing asked for do not make up for each
other. What expired before it could be counted is neither missing nor complete. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from events.errors import Cause
from monitoring.held import Held
from monitoring.inferences import Inferences
from monitoring.ledger import Ledger
from monitoring.sources import Sources
from routing import Catalogue

SHOWN = 10_000
"""So many complaints of a kind are put into words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """The sum. `missing` and `unexpected` put into words what does not add up, the first `SHOWN` of a kind.

    `ignored_earlier` are those of the ignored that a table decided which is no longer in force. `lost` lane
    records expired without an outcome; `expired` by what it was cannot be counted any more. `foreign` says
    how many records no part of ours wrote: one of ours that became unreadable is missed all the same. `notes`
    are worth a look, and no faults.
    """

    read: int
    routed_records: int
    ignored: int
    unrouted: int
    refused: Mapping[Cause, int]
    routed: int
    predictions: int
    dead_letters: Mapping[Cause, int]
    waiting: Mapping[str, int]
    repeated: int
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    without_outcome: int = 0
    without_trace: int = 0
    ignored_earlier: int = 0
    lost: int = 0
    expired: Mapping[str, int] = field(default_factory=dict)
    foreign: str = ""
    notes: tuple[str, ...] = ()

    @property
    def complaints(self) -> tuple[str, ...]:
        """All that does not add up."""
        return (*self.missing, *self.unexpected)

    @property
    def holds(self) -> bool:
        """Whether, of what Kafka holds, nothing is missing and nothing came from nowhere."""
        return not self.complaints

    @property
    def complete(self) -> bool:
        """Whether it holds, and nothing expired before it was counted."""
        return self.holds and not self.lost and not self.expired

    def equations(self) -> tuple[str, ...]:
        """Both lines, with their figures; and a third one if there are foreign records."""
        dead, refused, waiting = (sum(x.values()) for x in (self.dead_letters, self.refused, self.waiting))
        first = f"routed {self.routed:,} = predictions {self.predictions:,} + dead letters {dead:,}"
        second = (
            f"read {self.read:,} = routed {self.routed_records:,} + ignored {self.ignored:,}"
            f" + unrouted {self.unrouted:,} + refused {refused:,}"
        )
        if waiting:
            first += f" + waiting for a worker {waiting:,}"
        if self.without_outcome:
            first += f" + WITHOUT AN OUTCOME {self.without_outcome:,}"
        if self.without_trace:
            second += f" + WITHOUT A TRACE {self.without_trace:,}"
        if expired := self.expired.get("inferences", 0):
            first += f" + expired {expired:,}"
        if expired := self.expired.get("decisions", 0):
            second += f" + expired {expired:,}"
        return (first, second, self.foreign) if self.foreign else (first, second)

    def remarks(self) -> tuple[str, ...]:
        """What else there is to say: what was lost, what expired before it was counted, and the notes."""
        said = [*self.notes]
        if self.lost:
            said.insert(0, f"lost {self.lost:,}: expired in a lane before it had an outcome")
        for what, number in self.expired.items():
            said.append(f"expired before it was counted: {number:,} {_EXPIRED[what]}")
        return tuple(said)


_EXPIRED: Mapping[str, str] = {
    "records": "source records",
    "lane records": "lane records whose outcomes may have expired too",
    "decisions": "source records whose lane record or dead letter may have expired",
    "inferences": "lane records whose outcome may have expired",
}


def strike(ledger: Ledger, catalogue: Catalogue, held: Held | None = None) -> Balance:
    """The sum of what was taken in so far; `held` is what Kafka still holds, by default all of it.

    What waits on a queue that has no worker yet is not missing.
    """
    held = held or Held()
    sources, inferences = Sources(ledger, held, SHOWN), Inferences(ledger, catalogue, held, SHOWN)
    expired = {
        "records": sources.expired,
        "lane records": inferences.expired_records,
        "decisions": sources.expired_decisions,
        "inferences": inferences.expired,
    }
    return Balance(
        read=sources.read,
        routed_records=sources.routed,
        ignored=sources.ignored + sources.ignored_earlier,
        unrouted=sources.unrouted,
        refused=sources.refused,
        routed=inferences.routed,
        predictions=inferences.predictions,
        dead_letters=inferences.dead_letters,
        waiting=inferences.waiting,
        repeated=ledger.repeated + inferences.repeated,
        missing=(*inferences.missing, *sources.missing),
        unexpected=(*inferences.unexpected, *sources.unexpected),
        without_outcome=inferences.without_outcome,
        without_trace=sources.without_trace,
        ignored_earlier=sources.ignored_earlier,
        lost=inferences.lost,
        expired={what: number for what, number in expired.items() if number},
        foreign=_foreign(ledger),
        notes=tuple(_notes(sources)),
    )


def _notes(sources: Sources) -> list[str]:
    notes = []
    if sources.ignored_earlier:
        notes.append(
            f"{sources.ignored_earlier:,} of the ignored were decided by a table that is not in force:"
            " they have no lane record"
        )
    if sources.valid_now:
        notes.append(f"{sources.valid_now:,} refused or unrouted records would be taken by this build")
    return notes


def _foreign(ledger: Ledger) -> str:
    if not ledger.foreign:
        return ""
    position, reason = next(iter(ledger.unreadable.items()))
    return f"passed over {ledger.foreign:,} foreign records, such as {position}: {reason}"
