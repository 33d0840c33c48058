"""What the offline store counted, into the online one; and what that missed while it was away.

Nothing that matters is remembered here: the online store says itself up to where it was told, and the offline
one which entities came since. That the online store is down is no reason to stop counting.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from time import monotonic
from typing import NamedTuple, Protocol

from core.circuit_breaker import CircuitBreaker
from events.errors import Unavailable
from features.extraction import Increment
from features.heartbeats import Heartbeat, Heartbeats
from features.increments import encode_increments
from features.keys import row_key, shelf_of
from features.offline.batch import StreamEvent
from features.pipeline.counting import Counted
from features.pipeline.placing import ReplacedLogError
from features.pipeline.putting import Putter, Source
from features.redis_store import Appended, Delta
from features.schema import Definitions
from transport import metrics
from transport.client_log import Sparse

LEAVE_ALONE_S = 1.0
"""How long a store that failed is left alone: one that hangs costs its timeout once in a while."""

_log = logging.getLogger(__name__)
_log.addFilter(Sparse())


class Shelf(Protocol):
    """The online store, as the pipeline writes it. Every method raises `Unavailable`."""

    def append(self, partition: int, base: int, heartbeat: Heartbeat, deltas: Sequence[Delta]) -> Appended:
        """Add to rows, and move the heartbeat from `base`."""

    def put(self, rows: Iterable[tuple[str, bytes, int]], known: Mapping[int, int]) -> tuple[str, ...]:
        """Put whole rows that were read when SQL stood at `known`; the keys of those that were refused."""

    def drop(self, keys: Sequence[str]) -> None:
        """Take rows away."""

    def heartbeats(self) -> Heartbeats:
        """How far each partition is there."""


class Pusher:
    """Keeps the online store level with the offline one. What cannot be pushed is owed, and made good."""

    def __init__(
        self,
        topic: str,
        definitions: Definitions,
        source: Source,
        shelf: Shelf,
        alive: Callable[[], None],
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """`alive` is called during a long repair, so that the group does not take this member for dead."""
        self._topic = topic
        self._views = {view.name: view for view in definitions.stream_views}
        self._source = source
        self._shelf = shelf
        self._putter = Putter(self._views, source, shelf, alive)
        self._clock = clock
        self._breaker = CircuitBreaker(LEAVE_ALONE_S)
        self._owed: dict[int, int] = {}

    def push(self, counted: Counted) -> None:
        """Add what a batch brought."""
        batch = counted.batch
        beat = Heartbeat(batch.position, batch.as_of, batch.clock)
        self._tell(batch.partition, batch.base, beat, counted.fresh)

    def greet(self, partition: int, position: int) -> None:
        """Before a partition is counted on from `position`: what was killed before may have left a gap."""
        self._tell(partition, position, Heartbeat(position, 0, 0), ())

    def beat(self, partition: int, beat: Heartbeat) -> None:
        """Say how far a partition is counted, which is to its end.

        Raises `ReplacedLogError` if the online store claims more than there is.
        """
        there = self._tell(partition, beat.position, beat, ())
        if there is not None and there > beat.position:
            raise ReplacedLogError(
                f"{self._topic}[{partition}] ends at {beat.position}, and the online store was told of it up "
                f"to {there}: it holds rows of another log. Empty the database that REDIS_URL names",
                there - beat.position,
            )

    def forget(self, partitions: Iterable[int]) -> None:
        """These are another member's now: it sees for itself what the online store misses."""
        for partition in partitions:
            self._owed.pop(partition, None)

    def _tell(self, partition: int, base: int, beat: Heartbeat, events: Sequence[StreamEvent]) -> int | None:
        """Where the online store stood if that was not at `base`; None also if it could not be reached."""
        owed = min(base, self._owed.get(partition, base))
        if self._breaker.is_open(self._clock()):
            self._owed[partition] = owed
            return None
        there = None
        try:
            if partition in self._owed or not self._append(partition, base, beat, events):
                self._owed[partition] = owed
                there = self._repair(partition, owed, beat)
            self._owed.pop(partition, None)
        except Unavailable as error:
            self._owed[partition] = owed
            self._breaker.on_failure(self._clock())
            metrics.FEATURE_PUSH_FAILURES.inc()
            _log.warning("counted, and not pushed online yet: %s", str(error))
        return there

    def _append(self, partition: int, base: int, beat: Heartbeat, events: Sequence[StreamEvent]) -> bool:
        """Whether the online store stood where this begins; where it did not, nothing was added."""
        rows = by_row(events)
        whose = {row_key(row.tenant_id, shelf_of(self._views[row.view]), row.entity_id): row for row in rows}
        deltas = [
            Delta(key, self._views[row.view], encode_increments(rows[row])) for key, row in whose.items()
        ]
        answer = self._shelf.append(partition, base, beat, deltas)
        if answer.behind is not None:
            return False
        for reason, keys in (("absent", answer.absent), ("crowded", answer.crowded)):
            touched = defaultdict(list)
            for row in map(whose.__getitem__, keys):
                touched[row.view].append((row.tenant_id, row.entity_id))
            self._putter.put(touched, reason)
        return True

    def _repair(self, partition: int, owed: int, beat: Heartbeat) -> int:
        """Put every row that may lack something, then move the heartbeat over all of it.

        Answers with where the online store stood. Where that is further than the offline one, which a backup
        may have set back, its rows miss nothing: they are waited for.
        """
        standing = self._shelf.heartbeats().partitions.get(partition)
        if standing is None:
            # without a heartbeat it lets no rows in
            standing = Heartbeat(owed, 0, 0)
            self._shelf.append(partition, owed, standing, ())
        there = standing.position
        if there <= beat.position:
            touched = self._source.touched_since(self._topic, partition, min(owed, there))
            # A row that is refused is not there, and may stay away: the first put has raised the floor over
            # all that is owed, and nobody else gets one in either that lacks it. Where others move on all the
            # time, waiting until it is let in would be waiting for ever.
            self._putter.put(touched, "behind", attempts=1)
            self._shelf.append(partition, there, beat, ())
        return there


class Row(NamedTuple):
    """One entity's row in one view."""

    view: str
    tenant_id: str
    entity_id: str


def by_row(events: Iterable[StreamEvent]) -> dict[Row, list[Increment]]:
    """The increments of these events, by the row that they belong to."""
    rows: dict[Row, list[Increment]] = defaultdict(list)
    for event in events:
        for each in event.increments:
            rows[Row(each.view, each.tenant_id, each.entity_id)].append(each)
    return rows
