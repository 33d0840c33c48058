"""Rows of batch views out of what events state, in the transaction that counts the events.

A row is written if it says something else than the row that holds at the event's time, or if that one is so
old that it would soon go from the online tier. So a product that is sold every minute has a row in two weeks.
"""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection

from events.decision import Millis
from features.offline.batch import StreamEvent
from features.offline.batch_tables import Version, add_versions, newest, versions
from features.reading import Of
from features.stating import Statement
from features.views import DAY_S, BatchView


def add(
    connection: Connection, views: Mapping[str, BatchView], events: Iterable[StreamEvent], now: Millis
) -> None:
    """Write what these events state into the tables of `views`, as of `now` (epoch ms)."""
    by_view: dict[str, list[Statement]] = {}
    for event in events:
        for each in event.statements:
            by_view.setdefault(each.view, []).append(each)
    for name, statements in by_view.items():
        if view := views.get(name):
            rows = rows_of(view, statements, _known(connection, view, statements), now)
            add_versions(connection, view, rows)


def rows_of(
    view: BatchView, statements: Iterable[Statement], known: Iterable[Version], now: Millis
) -> list[Version]:
    """The rows to add, given those that are known of the entities, in any order; sorted.

    The first statement about an entity at one time is the one that counts. One that comes late holds until
    the next row, whatever was stated between and was not worth a row.
    """
    rows: dict[Of, dict[Millis, tuple[float | str, ...]]] = {}
    for row in sorted(known, key=lambda row: row.created_at):
        rows.setdefault(row[:2], {})[row.event_time] = row.values
    added = []
    for each in sorted(statements, key=lambda statement: statement.event_time):
        of = rows.setdefault((each.tenant_id, each.entity_id), {})
        since = max((time for time in of if time <= each.event_time), default=None)
        if since is None or (since < each.event_time and _is_news(view, of[since], since, each)):
            of[each.event_time] = each.values
            added.append(Version(each.tenant_id, each.entity_id, each.event_time, now, each.values))
    # two members that write the same rows at once wait for each other in one order, or they deadlock
    return sorted(added)


def _is_news(view: BatchView, values: tuple[float | str, ...], since: Millis, statement: Statement) -> bool:
    refreshed = view.ttl_days * DAY_S * 1_000 // 2
    return values != statement.values or statement.event_time - since >= refreshed


def _known(connection: Connection, view: BatchView, statements: Sequence[Statement]) -> list[Version]:
    """The newest row of each entity; all rows of those of which something older is stated now."""
    keys = {(each.tenant_id, each.entity_id) for each in statements}
    found = newest(connection, view, sorted(keys))
    late = {
        key
        for each in statements
        if (key := (each.tenant_id, each.entity_id)) in found and each.event_time < found[key].event_time
    }
    current = [
        Version(*key, row.event_time, 0, tuple(row.values[name] for name in view.names))
        for key, row in found.items()
        if key not in late
    ]
    return [*current, *versions(connection, view, sorted(late))]
