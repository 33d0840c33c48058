"""Online reads of windowed stream views: from Redis, and from SQL what Redis does not have."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from events.decision import Millis
from features.decoding import decode_rows
from features.heartbeats import Heartbeat, Heartbeats, as_of
from features.increments import Increments, Positions, encoded_row, of_segments
from features.keys import row_key, shelf_of
from features.position import Offsets, offsets_text
from features.reading import Of, Rows, RowSource, Span
from features.views import DAY_S, StreamView
from features.wanted import Bools, Ints, Places, Who
from features.windows import Queries, Values, evaluate

TOGETHER_S = 600
"""Questions of the past that lie no further apart are answered out of one row."""
UNKNOWN_TTL_S = 60
"""How long it stands online that nothing is known of an entity. An append makes a full row of it before."""


class PutBack(NamedTuple):
    """Rows to be put online (key, bytes, seconds to live), which SQL gave when it stood at `known`."""

    rows: list[tuple[str, bytes, int]]
    known: Offsets


@dataclass(frozen=True, slots=True, eq=False)
class StreamAnswer:
    """For each event that asks: the values, whether they came from SQL, and where they stood.

    `counted_until` (epoch ms): all that Kafka took in before is in them; -1 if nothing says so.
    """

    values: Values
    offline: Bools
    counted_until: Ints
    standing: list[str]
    put_back: PutBack | None


class Question(NamedTuple):
    """Point-in-time lookups: the entities, and the time (epoch ms) each is asked for."""

    view: StreamView
    who: Who
    at: Ints
    queries: Queries

    @classmethod
    def of(cls, view: StreamView, who: Who, at: Ints) -> "Question":
        """All that can be worked out before the rows are there."""
        return cls(view, who, at, Queries.at(view, who.of, at))


def answer(
    question: Question, stored: Sequence[bytes | None], beats: Heartbeats, source: RowSource
) -> StreamAnswer:
    """The answer at each time, from what stood online under the keys of `who`.

    Raises `Unavailable` if SQL must be asked and cannot.
    """
    view, who = question.view, question.who
    increments = decode_rows(stored, len(view.measures))
    lacking = [place for place, row in enumerate(stored) if row is None] + list(increments.broken)
    put_back = None
    from_sql = _Stand(beats.partitions)
    if lacking:
        keys = who.keys(lacking)
        found = source.rows(view, keys)
        put_back = _put_back(view, keys, found)
        from_sql = _Stand(_further(beats.partitions, found.heartbeats))
        rows = list(stored)
        for place, (_, row, _) in zip(lacking, put_back.rows, strict=True):
            rows[place] = row
        increments = decode_rows(rows, len(view.measures))
    # of nobody, who stands one past the last, nothing is known
    values = question.queries.evaluate(increments, len(stored) + 1)
    told = _told(values, who, increments, _Stand(beats.partitions), from_sql, frozenset(lacking), put_back)
    if not values.exact.all():
        _unfolded(question, told, beats, source)
    return told


@dataclass(frozen=True, slots=True)
class _Stand:
    """How far a tier is."""

    partitions: Mapping[int, Heartbeat]

    @property
    def counted_until(self) -> Millis:
        until = as_of(self.partitions)
        return -1 if until is None else until

    @property
    def offsets(self) -> dict[int, int]:
        return {partition: beat.position for partition, beat in self.partitions.items()}


def _further(online: Mapping[int, Heartbeat], sql: Mapping[int, Heartbeat]) -> dict[int, Heartbeat]:
    """Where SQL stands: what stands online came from it, but of an idle hour only the online tier is told."""
    found = dict(online)
    for partition, beat in sql.items():
        found[partition] = Heartbeat(*map(max, zip(beat, online.get(partition, beat), strict=True)))
    return found


def _put_back(view: StreamView, keys: Sequence[Of], found: Rows) -> PutBack:
    rows = []
    for tenant_id, entity_id in keys:
        segments = found.segments.get((tenant_id, entity_id), ())
        ttl_s = view.ttl_days * DAY_S if segments else UNKNOWN_TTL_S
        rows.append((row_key(tenant_id, shelf_of(view), entity_id), encoded_row(segments, view), ttl_s))
    return PutBack(rows, {partition: beat.position for partition, beat in found.heartbeats.items()})


def _told(
    values: Values,
    who: Who,
    increments: Increments,
    online: _Stand,
    sql: _Stand,
    lacking: frozenset[int],
    put_back: PutBack | None,
) -> StreamAnswer:
    asking = len(who.of)
    counted_until = np.full(asking, online.counted_until)
    offline = np.zeros(asking, np.bool_)
    text, apart = offsets_text(online.offsets), _ahead(increments.positions, online.offsets)
    if lacking:
        apart |= dict.fromkeys(lacking, offsets_text(sql.offsets))
        offline = np.isin(who.of, list(lacking))
        counted_until[offline] = sql.counted_until
    standing = [apart.get(place, text) for place in who.of.tolist()] if apart else [text] * asking
    return StreamAnswer(values, offline, counted_until, standing, put_back)


def _ahead(positions: Positions, common: Offsets) -> dict[int, str]:
    """Where those rows stand that are further than the heartbeats: they were put from SQL meanwhile."""
    # by partition, from -2 on: the least offset that is not counted, 0 if nothing is
    least = np.zeros(max(common, default=-1) + 4, np.uint64)
    for partition, position in common.items():
        least[partition + 2] = position + 1
    further = positions.position >= least.take(positions.partition.astype(np.intp) + 2, mode="clip")
    if not further.any():
        return {}
    ahead = positions.among(further)
    offsets: dict[int, dict[int, int]] = {}
    for place, partition, position in zip(*(column.tolist() for column in ahead), strict=True):
        offsets.setdefault(place, {**common})[partition] = position
    return {place: offsets_text(each) for place, each in offsets.items()}


def _spans(view: StreamView, who: Who, rows: Places, tiles: Ints) -> tuple[list[Span], Places]:
    """Questions about one entity at about one time share a span; and the span of each question."""
    most = max(TOGETHER_S // view.resolution_s, 1)
    spans: list[Span] = []
    of = np.empty(len(rows), np.intp)
    row = -1
    for place in np.lexsort((tiles, rows)).tolist():
        tile = int(tiles[place])
        if rows[place] != row or tile - spans[-1].first > most:
            row = rows[place]
            spans.append(Span(who.keys([int(row)])[0], tile, tile))
        spans[-1] = spans[-1]._replace(last=tile)
        of[place] = len(spans) - 1
    return spans, of


def _unfolded(question: Question, told: StreamAnswer, beats: Heartbeats, source: RowSource) -> None:
    """Answer from SQL in place of what the online tier has folded up."""
    view, who, at, _ = question
    asking = np.flatnonzero(~told.values.exact)
    spans, of = _spans(view, who, who.of[asking], at[asking] // view.tile_ms)
    found = source.rows_within(view, spans)
    sql = _Stand(_further(beats.partitions, found.heartbeats))
    better = evaluate(view, of_segments(found.rows), len(spans), of, at[asking])
    for column, values in zip(told.values, better, strict=True):
        column[asking] = values
    told.offline[asking] = True
    told.counted_until[asking] = sql.counted_until
    text = offsets_text(sql.offsets)
    for place in asking:
        told.standing[place] = text
