"""What does a view of increments say to each event that asks? From Redis; what lacks there, from SQL."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from events.decision import Millis
from features.heartbeats import Heartbeat, Heartbeats, as_of
from features.increments import Increments, decode_rows, encode_row, of_segments
from features.keys import row_key, shelf_of
from features.position import Offsets, offsets_text
from features.reading import Of, Rows, RowSource
from features.views import DAY_S, StreamView
from features.wanted import Bools, Ints, Who
from features.windows import Values, evaluate

UNKNOWN_TTL_S = 60
"""How long it stands online that nothing is known of an entity. An append makes a full row of it before."""

_NOTHING_KNOWN = b"\x01"


class PutBack(NamedTuple):
    """Rows to be put online (key, bytes, seconds to live), which SQL gave when it stood at `known`."""

    rows: list[tuple[str, bytes, int]]
    known: Offsets


@dataclass(frozen=True, slots=True, eq=False)
class StreamAnswer:
    """For each event that asks: the values, whether they came from SQL, and where they stood.

    `counted_until` (epoch ms): all that Kafka took in before is in them; -1 where nothing says so.
    """

    values: Values
    offline: Bools
    counted_until: Ints
    standing: list[str]
    put_back: PutBack | None


def answer(
    view: StreamView, who: Who, at: Ints, stored: Sequence[bytes | None], beats: Heartbeats, source: RowSource
) -> StreamAnswer:
    """The answer at each time of `at` (epoch ms), from what stood online under the keys of `who`.

    Raises `Unavailable` where SQL must be asked and cannot.
    """
    rows = [*stored, _NOTHING_KNOWN]
    increments = decode_rows(rows, len(view.measures))
    lacking = [place for place, row in enumerate(rows) if row is None] + list(increments.broken)
    put_back = None
    from_sql = _Stand(beats.partitions)
    if lacking:
        found = source.rows(view, [who.keys[place] for place in lacking])
        put_back = _put_back(view, [who.keys[place] for place in lacking], found)
        from_sql = _Stand(_further(beats.partitions, found.heartbeats))
        for place, (_, row, _) in zip(lacking, put_back.rows, strict=True):
            rows[place] = row
        increments = decode_rows(rows, len(view.measures))
    values = evaluate(view, increments, len(rows), who.of, at)
    told = _told(values, who, increments, _Stand(beats.partitions), from_sql, frozenset(lacking), put_back)
    if not values.exact.all():
        _unfolded(view, who, at, told, beats, source)
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
        rows.append((row_key(tenant_id, shelf_of(view), entity_id), encode_row(segments, view), ttl_s))
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
    texts = _texts(increments.positions, online.offsets)
    places = who.of.tolist()
    counted_until = np.full(len(places), online.counted_until)
    offline = np.zeros(len(places), np.bool_)
    if lacking:
        of_sql = offsets_text(sql.offsets)
        for place in lacking:
            texts[place] = of_sql
        offline = np.isin(who.of, list(lacking))
        counted_until[offline] = sql.counted_until
    return StreamAnswer(values, offline, counted_until, [texts[place] for place in places], put_back)


def _texts(positions: Sequence[Mapping[int, int]], common: Offsets) -> list[str]:
    """Where each row stands: where the heartbeats do, or further where it was put from SQL meanwhile."""
    text = offsets_text(common)
    known: dict[tuple[tuple[int, int], ...], str] = {}
    texts = []
    for row in positions:
        for partition, position in row.items():
            if position > common.get(partition, -1):
                ahead = tuple(item for item in row.items() if item[1] > common.get(item[0], -1))
                if ahead not in known:
                    known[ahead] = offsets_text({**common, **dict(ahead)})
                texts.append(known[ahead])
                break
        else:
            texts.append(text)
    return texts


def _unfolded(
    view: StreamView, who: Who, at: Ints, told: StreamAnswer, beats: Heartbeats, source: RowSource
) -> None:
    """Answer from SQL in place of what the online tier has folded up."""
    asking = np.flatnonzero(~told.values.exact)
    rows = np.unique(who.of[asking])
    keys = [who.keys[place] for place in rows]
    found = source.rows(view, keys, folded=False)
    sql = _Stand(_further(beats.partitions, found.heartbeats))
    increments = of_segments([found.segments.get(key, ()) for key in keys])
    better = evaluate(view, increments, len(rows), np.searchsorted(rows, who.of[asking]), at[asking])
    for column, values in zip(told.values, better, strict=True):
        column[asking] = values
    told.offline[asking] = True
    told.counted_until[asking] = sql.counted_until
    text = offsets_text(sql.offsets)
    for place in asking:
        told.standing[place] = text
