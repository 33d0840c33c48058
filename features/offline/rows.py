"""What stands in the rows of some entities? One statement tells it; the database folds what is old."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Executable,
    FromClause,
    cast,
    func,
    literal,
    select,
    union_all,
)

from features.increments import FOLDED, Segment, packed
from features.offline.reading import heartbeats
from features.offline.sql import PARAMETERS, among, chunks
from features.offline.tables import ENTITIES, INCREMENTS
from features.reading import Of, Rows
from features.views import StreamView

_SUMMED = (INCREMENTS.c.tile, INCREMENTS.c.n, INCREMENTS.c.amount)


class Summed(NamedTuple):
    """What one measure of an entity got from one partition in one tile, or in all that are folded into it."""

    tenant_id: str
    entity_id: str
    partition: int
    measure: int
    folded: int
    tile: int
    n: int
    amount: int


def rows(connection: Connection, view: StreamView, keys: Sequence[Of], *, folded: bool = True) -> Rows:
    """The rows of those entities that are known, with a segment for each partition that they are in."""
    beats = heartbeats(connection)
    found: dict[Of, dict[int, list[tuple[int, int, int, int]]]] = {}
    for chunk in chunks(dict.fromkeys(keys), PARAMETERS):
        found_rows = connection.execute(increments_by_tile(view, chunk, folded=folded)).all()
        for each in map(Summed._make, found_rows):
            of_entity = found.setdefault((each.tenant_id, each.entity_id), {})
            measure = each.measure | (FOLDED if each.folded else 0)
            of_entity.setdefault(each.partition, []).append((each.tile, measure, each.n, each.amount))
    return Rows(
        {
            key: tuple(
                Segment(partition, beats[partition].position, packed(sorted(increments)))
                for partition, increments in sorted(of_entity.items())
            )
            for key, of_entity in found.items()
        },
        beats,
    )


def increments_by_tile(view: StreamView, keys: Sequence[Of], *, folded: bool) -> Executable:
    """Columns of `Summed`. With `folded`, one row for all tiles that lie before every window and the slack.

    How far back those are is counted from the entity's newest tile.
    """
    among_keys = (ENTITIES.c.view == view.name, among(ENTITIES, keys))
    if not folded:
        each = select(*_columns(ENTITIES, literal(0), *_SUMMED))
        return each.join_from(ENTITIES, INCREMENTS, INCREMENTS.c.entity == ENTITIES.c.id).where(*among_keys)
    of_entity = INCREMENTS.alias("of_entity")
    newest = select(func.max(of_entity.c.tile)).where(of_entity.c.entity == ENTITIES.c.id).scalar_subquery()
    named = (ENTITIES.c.id, ENTITIES.c.tenant_id, ENTITIES.c.entity_id)
    whose = select(*named, newest.label("newest")).where(*among_keys).cte("whose")
    border = whose.c.newest - view.horizon_tiles - view.slack_tiles
    tile, n, amount = _SUMMED
    # PostgreSQL sums to a numeric, which would come as a Decimal
    sums = (func.max(tile), func.sum(n), cast(func.sum(amount), BigInteger))
    old, young = (
        select(*_columns(whose, literal(is_old), *values))
        .join_from(whose, INCREMENTS, INCREMENTS.c.entity == whose.c.id)
        .where(tile < border if is_old else tile >= border)
        for is_old, values in ((1, sums), (0, _SUMMED))
    )
    groups = (whose.c.id, whose.c.tenant_id, whose.c.entity_id, INCREMENTS.c.partition, INCREMENTS.c.measure)
    return union_all(old.group_by(*groups), young)


def _columns(whose: FromClause, *values: ColumnElement[Any]) -> tuple[ColumnElement[Any], ...]:
    return (
        *(whose.c.tenant_id, whose.c.entity_id, INCREMENTS.c.partition, INCREMENTS.c.measure),
        *values,
    )
