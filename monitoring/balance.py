"""Does every event have its outcome? The sum, from what stands in Kafka and nothing that the system says.

    routed (distinct event and workflow) = predictions + dead letters + waiting where no worker serves yet
    read (by offset)                     = routed + ignored + unrouted + refused

Identifiers are compared, not counts: one that is missing and one that nobody asked for do not make up for
each other. Pure.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field

from events.decision import Position
from events.errors import Cause
from monitoring.ledger import OF_NO_EVENT, Ledger
from routing import Catalogue


@dataclass(frozen=True, slots=True)
class Balance:
    """The sum. `missing` and `unexpected` say in words what does not add up.

    `foreign` are records in our topics that no part of ours wrote, with the reason. They are no part of the
    sum: a record of ours that became unreadable is missed by its id.
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
    foreign: Mapping[Position, str] = field(default_factory=dict)

    @property
    def complaints(self) -> tuple[str, ...]:
        """All that does not add up."""
        return (*self.missing, *self.unexpected)

    @property
    def holds(self) -> bool:
        """Whether nothing is missing and nothing came from nowhere."""
        return not self.complaints

    def equations(self) -> tuple[str, ...]:
        """Both lines, with their figures; and a third one if there are foreign records."""
        dead, refused, waiting = (sum(x.values()) for x in (self.dead_letters, self.refused, self.waiting))
        first = f"routed {self.routed:,} = predictions {self.predictions:,} + dead letters {dead:,}"
        if waiting:
            first += f" + waiting for a worker {waiting:,}"
        if lost := self.routed - self.predictions - dead - waiting:
            first += f" + WITHOUT AN OUTCOME {lost:,}"
        second = (
            f"read {self.read:,} = routed {self.routed_records:,} + ignored {self.ignored:,}"
            f" + unrouted {self.unrouted:,} + refused {refused:,}"
        )
        if not self.foreign:
            return first, second
        position, reason = next(iter(self.foreign.items()))
        third = f"passed over {len(self.foreign):,} foreign records, such as {position}: {reason}"
        return first, second, third


def strike(ledger: Ledger, catalogue: Catalogue) -> Balance:
    """The sum of what was taken in so far. What waits on a queue that has no worker yet is not missing."""
    letters = dict(ledger.refused_though_valid()) | ledger.letters
    answered = ledger.predictions.keys() & ledger.owed.keys()
    dead = (letters.keys() & ledger.owed.keys()) - answered
    open_ = ledger.owed.keys() - answered - dead
    unserved = {name for name in open_ if not _served(ledger.owed[name].queue, catalogue)}
    return Balance(
        read=ledger.read,
        routed_records=len(ledger.routed_at),
        ignored=len(ledger.ignored_at),
        unrouted=len(ledger.unrouted_owed),
        refused=Counter(ledger.refusals_owed.values()),
        routed=len(ledger.owed),
        predictions=len(answered),
        dead_letters=Counter(letters[name].cause for name in dead),
        waiting=Counter(ledger.owed[name].queue for name in unserved),
        repeated=ledger.repeated,
        missing=tuple(_missing(ledger, open_ - unserved)),
        unexpected=tuple(_unexpected(ledger)),
        foreign=dict(ledger.unreadable),
    )


def _served(queue: str, catalogue: Catalogue) -> bool:
    spec = catalogue.queues.get(queue)
    return spec is None or spec.served


def _missing(ledger: Ledger, without_outcome: Set[str]) -> Iterator[str]:
    for name in sorted(without_outcome):
        decision = ledger.owed[name]
        yield f"{name}: {decision.workflow} of {decision.source} has no outcome"
    for source in sorted(ledger.refusals_owed.keys() - ledger.refusals.keys(), key=str):
        yield f"{source}: {ledger.refusals_owed[source]}, and no dead letter"
    refused = {source for source, cause in ledger.refusals.items() if cause in OF_NO_EVENT}
    for source in sorted(ledger.unrouted_owed - ledger.unrouted - refused, key=str):
        yield f"{source}: of an undeclared type, and not among the unrouted"


def _unexpected(ledger: Ledger) -> Iterator[str]:
    for name in sorted((ledger.predictions.keys() | ledger.letters.keys()) - ledger.owed.keys()):
        yield f"{name}: an outcome that no source record calls for"
    for source, cause in sorted(ledger.refusals.items(), key=str):
        valid = source in ledger.routed_at or source in ledger.ignored_at or source in ledger.unrouted_owed
        if source not in ledger.refusals_owed and not (valid and cause in OF_NO_EVENT):
            yield f"{source}: refused as {cause}, yet valid"
    for source in sorted(ledger.unrouted - ledger.unrouted_owed, key=str):
        yield f"{source}: unrouted, yet of a declared type"
