"""Emits an event for each customer who has become inactive, once for each period of inactivity."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Protocol

from events.decision import Millis
from events.inactivity import became_inactive
from events.topics import EVENTS
from features.heartbeats import Heartbeat
from features.inactivity import Rule, Seen, Spell, known_until
from features.offline.spells import Spells
from tasks.equipment import Producers
from tasks.records import event_record
from transport.clock import Clock, system_clock
from transport.cluster import Bootstrap
from transport.database import open_database
from transport.kafka import Outgoing
from transport.sql_limits import BATCH

AT_ONCE = 1_000
PUBLISH_MS = 30_000


class Ledger(Protocol):
    """What the offline tier knows of spells; see `features.offline.spells.Spells`."""

    def counted(self) -> Mapping[int, Heartbeat]:
        """How far each partition of the stream is counted. Raises `Unavailable`."""

    def due(self, seen: Seen) -> list[Spell]:
        """Those whose last order fell into this range, and who were not reported. Raises `Unavailable`."""

    def note(self, spells: Sequence[Spell], now: Millis) -> None:
        """They were reported. Raises `Unavailable`."""


class Finder:
    """May be killed anywhere, or run twice at once: a spell's event is the same from any sender.

    `publish` returns once Kafka holds every record, and raises `Unavailable`.
    """

    def __init__(
        self, ledger: Ledger, publish: Callable[[Sequence[Outgoing]], None], rule: Rule, clock: Clock
    ) -> None:
        self._ledger = ledger
        self._publish = publish
        self._rule = rule
        self._clock = clock

    def look(self) -> int:
        """Tell of everybody who has become inactive since; how many those were. Raises `Unavailable`."""
        until = known_until(self._ledger.counted(), self._clock())
        due = [] if until is None else self._ledger.due(self._rule.seen(until))
        for first in range(0, len(due), AT_ONCE):
            some = due[first : first + AT_ONCE]
            self._publish([self._record(spell) for spell in some])
            # noted last: what is told twice is one event, what is told never is none
            self._ledger.note(some, self._clock())
        return len(due)

    def _record(self, spell: Spell) -> Outgoing:
        return event_record(EVENTS, became_inactive(*spell, self._rule.after_days), spell.customer_id)


@contextmanager
def connected_finder(bootstrap: Bootstrap, database_url: str, rule: Rule) -> Iterator[Finder]:
    """Connects to SQL at once, to Kafka where there is something to write. Raises `Unavailable`."""
    database = open_database(database_url, limits=BATCH)
    spells = Spells(database)
    try:
        spells.create()
        yield Finder(spells, Producers(bootstrap, PUBLISH_MS).publish, rule, system_clock)
    finally:
        database.close()
