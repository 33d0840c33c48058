"""Check of stored layouts: increments in SQL must have the layouts that the definitions have now."""

from collections.abc import Mapping

from sqlalchemy import inspect, select

from events.errors import ConfigError, Problem
from features.offline.tables import OFFLINE_STORE, VIEWS
from features.schema import Definitions, layout
from transport.database import Database


def check_layouts(database: Database, definitions: Definitions) -> None:
    """Raises `ConfigError` naming each view whose increments would be read with another meaning.

    Writes nothing. A view that nothing was stored of yet is fine, and so is a database without tables. Raises
    `Unavailable` as well.
    """
    with database.reading() as connection:
        if not inspect(connection).has_table(VIEWS.name):
            return
        stored = dict(map(tuple, connection.execute(select(VIEWS.c.view, VIEWS.c.layout))))
    refuse_changed(stored, definitions)


def refuse_changed(stored: Mapping[str, str], definitions: Definitions) -> None:
    """Raises `ConfigError` naming each view that is laid out otherwise now than in `stored`."""
    now = {view.name: layout(view) for view in definitions.stream_views}
    if changed := [name for name, text in now.items() if stored.get(name, text) != text]:
        raise ConfigError(
            Problem(
                OFFLINE_STORE,
                0,
                name,
                "its measures or its resolution differ from those that stored increments were made by: "
                "give the view another name, or fill an empty database by `signalbox features backfill`",
            )
            for name in changed
        )
