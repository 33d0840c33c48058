"""Two-tier feature reads: Redis in one round trip, SQL for what is missing, with read repair."""

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import NamedTuple, Protocol, TypeVar

import numpy as np

from events.decision import Millis
from events.errors import Unavailable
from features import batch_reading, stream_reading
from features.contract import Contract
from features.heartbeats import Heartbeats
from features.keys import row_keys, shelf_of
from features.leaning import Coverage, Leaning, Outage, alone
from features.position import Offsets
from features.reading import Asked, FeatureVector, RowSource
from features.schema import Definitions
from features.vectors import Gathered, vectors
from features.views import StreamView
from features.wanted import Ints, Part, Wanted, Who, wanted, who

T = TypeVar("T")


class Online(Protocol):
    """The online tier, as a reader uses it. Each method raises `Unavailable`."""

    def read_while(
        self, keys: Sequence[str], prepare: Callable[[], T]
    ) -> tuple[list[bytes | None], Heartbeats, T]:
        """The bytes under each key, the heartbeats of the same moment, and what was prepared meanwhile."""

    def put(self, rows: Iterable[tuple[str, bytes, int]], known: Offsets) -> tuple[str, ...]:
        """Put whole rows; those that may miss something are refused."""

    def put_values(
        self, view: str, rows: Iterable[tuple[str, bytes, int]], as_of: Millis | None = None
    ) -> None:
        """Put rows of a batch view, none over a later one."""


class TieredReader:
    """A `FeatureReader` for one worker process. Make it after the fork; not thread-safe.

    While SQL is slow or away, an entity that is not online is missing and stale, if most entities are online
    (`features.leaning`).

    For one batch Redis is asked once, and SQL once for each view in which an entity lacks there; once more
    for those that are asked about a time before which their row is folded up.
    """

    def __init__(
        self,
        definitions: Definitions,
        online: Online,
        offline: RowSource,
        hurried: RowSource | None = None,
    ) -> None:
        """`hurried` is the offline tier with short time limits, for reads that can go without it."""
        self._definitions = definitions
        self._online = online
        self._offline = offline
        self._hurried = offline if hurried is None else hurried
        self._coverage = Coverage()
        self._wanted: Wanted | None = None
        self._outage = Outage()

    def read(self, contract: Contract, asked: Sequence[Asked]) -> list[FeatureVector]:
        """One vector for each event that asks, in their order.

        Raises `Unavailable`, and `ConfigError` if the definitions have no such feature as the contract names.
        """
        if not asked:
            return []
        if self._wanted is None or self._wanted.contract is not contract:
            self._wanted = wanted(contract, self._definitions)
        parts = self._wanted.parts
        entities = {entity: who(entity, asked) for entity in {part.view.entity for part in parts}}
        whos = [entities[part.view.entity] for part in parts]
        keys = [row_keys(shelf_of(part.view), of.entities) for part, of in zip(parts, whos, strict=True)]
        prepare = partial(_Prepared.of, self._wanted, whos, asked)
        stored, beats, prepared = self._online.read_while(list(chain.from_iterable(keys)), prepare)
        source: RowSource = self._offline
        if self._coverage.mostly(stored):
            source = Leaning(self._hurried, self._outage, self._offline)
        first = 0
        for part, of, some in zip(parts, whos, keys, strict=True):
            found = stored[first : first + len(some)]
            first += len(some)
            self._say(prepared, part, of, found, beats, source)
        return vectors(prepared.gathered)

    def _say(
        self,
        prepared: "_Prepared",
        part: Part,
        of: Who,
        found: Sequence[bytes | None],
        beats: Heartbeats,
        source: RowSource,
    ) -> None:
        view, gathered = part.view, prepared.gathered
        if isinstance(view, StreamView):
            stream = stream_reading.answer(prepared.questions[view.name], found, beats, source)
            gathered.numbers(part, stream.values.matrix, stream.values.absent)
            gathered.standing[view.name] = stream.standing
            newest, offline, until = stream.values.newest, stream.offline, stream.counted_until
            if stream.put_back and not alone(source, view):
                self._put_back(stream.put_back)
        else:
            batch = batch_reading.answer(view, of, prepared.at, found, beats, source)
            gathered.values(part, batch.values)
            newest, offline, until = batch.newest, batch.offline, np.array(batch.as_of)
            if batch.rows and not alone(source, view):
                with contextlib.suppress(Unavailable):
                    self._online.put_values(view.name, batch.rows, None if batch.as_of < 0 else batch.as_of)
        late = (until < 0) | (prepared.entered_at - until > view.freshness_s * 1_000)
        if alone(source, view):
            # who lacks there was looked for nowhere else
            late, offline = late | offline, np.zeros_like(offline)
        gathered.say(part, newest, offline, late)

    def _put_back(self, rows: stream_reading.PutBack) -> None:
        # the answers are there: a Redis that went away just now is met by the next read
        with contextlib.suppress(Unavailable):
            self._online.put(rows.rows, rows.known)


class _Prepared(NamedTuple):
    """What can be done before the rows are there.

    As of when each event asks, and when Kafka took it in (epoch ms); by view what it is asked.
    """

    at: Ints
    entered_at: Ints
    gathered: Gathered
    questions: Mapping[str, stream_reading.Question]

    @classmethod
    def of(cls, needed: Wanted, whos: Sequence[Who], asked: Sequence[Asked]) -> "_Prepared":
        """One of `whos` for each part of what is needed."""
        _, at, entered_at = zip(*asked, strict=True)
        moments: Ints = np.array(at, np.int64)
        questions = {
            part.view.name: stream_reading.Question.of(part.view, about, moments)
            for part, about in zip(needed.parts, whos, strict=True)
            if isinstance(part.view, StreamView)
        }
        return cls(moments, np.array(entered_at, np.int64), Gathered.of(needed, len(asked)), questions)
