"""The feature vector that a model gets, the quality of each value, and the request for it."""

from collections.abc import Collection, Mapping, Sequence
from typing import Literal, NamedTuple, Protocol

import msgspec

from events.decision import Millis
from features.contract import Contract
from features.heartbeats import Heartbeat
from features.increments import Segment
from features.keys import EntityKey
from features.table import Value
from features.views import BatchView, StreamView

__all__ = [
    "Asked",
    "BatchRows",
    "FeatureReader",
    "FeatureVector",
    "Heartbeat",
    "Of",
    "RowSource",
    "Rows",
    "Span",
    "Value",
    "Values",
    "Within",
]

Reaction = Literal["fallback", "refuse"]
Of = tuple[str, str]
"""An entity of a view: tenant and id."""


class Asked(NamedTuple):
    """One event that asks: whose features by entity, as of which moment, and when Kafka took it in."""

    keys: Mapping[str, EntityKey]
    at: Millis
    entered_at: Millis


class FeatureVector(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The values of `Contract.stored`, in that order, and what is to be said of them.

    Those of a whole batch are best taken by `features.table.matrix_of`. A journal keeps a vector without its
    values.
    `missing` and `stale` name features; what was put in their place is the contract's reaction. `data_time`
    is the newest event of the view that knows least, None if none knows any. `position` is what
    `features.position` writes. `reaction` is the gravest that the contract asks for.
    """

    values: Collection[Value]
    missing: tuple[str, ...]
    stale: tuple[str, ...]
    data_time: Millis | None
    origin: Literal["online", "offline"]
    position: str
    reaction: Reaction | None = None


class FeatureReader(Protocol):
    """What workers read from."""

    def read(self, contract: Contract, asked: Sequence[Asked]) -> Sequence[FeatureVector]:
        """One vector for each event that asks, in their order. Raises `Unavailable`."""


class Rows(NamedTuple):
    """What the offline tier knows of entities, in one snapshot. Who is not in `segments` is unknown."""

    segments: Mapping[Of, tuple[Segment, ...]]
    heartbeats: Mapping[int, Heartbeat]


class Span(NamedTuple):
    """Questions about one entity, about tiles from `first` to `last`."""

    of: Of
    first: int
    last: int


class Within(NamedTuple):
    """A row for each span, which answers its questions and perhaps no others, in one snapshot."""

    rows: Sequence[tuple[Segment, ...]]
    heartbeats: Mapping[int, Heartbeat]


class Values(NamedTuple):
    """One row of a batch view: its values by name, and the time that they are of."""

    event_time: Millis
    values: Mapping[str, Value]


class BatchRows(NamedTuple):
    """Rows of a batch view, and when (epoch ms) its table was last looked at; None if it never was."""

    values: Mapping[Of, Values]
    as_of: Millis | None


class RowSource(Protocol):
    """The offline tier, as a reader uses it. Each method reads one snapshot, and raises `Unavailable`."""

    def rows(self, view: StreamView, keys: Sequence[Of]) -> Rows:
        """The rows of these entities, for questions from about now on."""

    def rows_within(self, view: StreamView, spans: Sequence[Span]) -> Within:
        """What answers questions of the past: as much as each span needs."""

    def batch_rows(self, view: BatchView, keys: Sequence[Of]) -> BatchRows:
        """The newest row of each of these entities."""
