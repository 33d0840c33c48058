"""Alias history in SQL: which version, when, by whom and why. MLflow keeps none.

A change is written down as `intended` before the alias moves, and as `done` or `void` after: no row is ever
changed or deleted.
"""

from dataclasses import asdict, fields, replace

from sqlalchemy import BigInteger, Boolean, Column, Integer, MetaData, String, Table, Text, insert, select

from events.decision import Millis
from events.errors import Problem
from models.written import Change, OvertakenError, State, Written, under_way
from transport.clock import Clock, system_clock
from transport.database import Database, RaceError
from transport.migration import prepare
from transport.sql_limits import WRITING

METADATA = MetaData()
CHANGES = Table(
    "model_changes",
    METADATA,
    Column("model", String(256), primary_key=True),
    Column("alias", String(64), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("ended", Boolean, primary_key=True),
    Column("state", String(16), nullable=False),
    Column("version", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("previous", String(64), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("who", String(256), nullable=False),
    Column("why", Text, nullable=False),
)
"""`number` counts the changes of an alias from 1: it has one row that intends, and one that ends.

`at` in epoch ms.
"""


class Changes:
    """Connects at the first use. Every method raises `Unavailable`."""

    def __init__(self, database: Database, clock: Clock = system_clock) -> None:
        self._database = database.of("model registry history").within(WRITING)
        self._clock = clock

    def create(self) -> None:
        """Set up an empty store. Raises `ConfigError` if it is of another revision than this build's."""
        prepare(self._database)

    def intend(
        self, written: Written, version: str, digest: str, previous: str, who: str, why: str
    ) -> Change:
        """Write down what is about to be done, as the next change after those that were seen.

        Raises `ConfigError` if another one is under way, and `OvertakenError` where one came in between.
        """
        if written.unended is not None:
            raise under_way(written.unended)
        model, alias, number = written.model, written.alias, written.number + 1
        change = Change(model, alias, number, "intended", version, digest, previous, self._clock(), who, why)
        if not self._add(change):
            raise _overtaken(change, f"somebody else moved {alias} in between: look again")
        return change

    def end(self, change: Change, state: State, at: Millis | None = None) -> Change:
        """It came to its end, now or at the time that is given (epoch ms). Ended twice, it ends once.

        Raises `OvertakenError` if it was written down already that it came to another one.
        """
        ended = replace(change, state=state, at=self._clock() if at is None else at)
        if self._add(ended):
            return ended
        rows = self.written(change.model, change.alias).rows
        found = next(row for row in rows if row.number == change.number and row.state != "intended")
        if found.state != state:
            problem = (
                f"the change of {change.alias} to v{change.version} is {state}, but it took so long that it "
                f"was written down as {found.state}: see `signalbox models history`"
            )
            raise _overtaken(change, problem)
        return found

    def written(self, model: str, alias: str) -> Written:
        """What stands there of an alias at this moment."""
        rows = [row for row in self._rows(model) if row.alias == alias]
        return Written(model, alias, sorted(rows, key=lambda row: (row.number, row.state != "intended")))

    def done(self, model: str, alias: str) -> list[Change]:
        """What was done to an alias, in the order in which it was."""
        return self.written(model, alias).done

    def all(self, model: str) -> list[Change]:
        """Every row of a model, by time."""
        return sorted(self._rows(model), key=lambda row: (row.at, row.number, row.state != "intended"))

    def _add(self, change: Change) -> bool:
        """Whether it is there now, and no other row was in its place."""
        try:
            with self._database.writing() as connection:
                ended = change.state != "intended"
                connection.execute(insert(CHANGES).values(**asdict(change), ended=ended))
        except RaceError:
            return False
        return True

    def _rows(self, model: str) -> list[Change]:
        query = select(*(CHANGES.c[each.name] for each in fields(Change))).where(CHANGES.c.model == model)
        with self._database.reading() as connection:
            return [Change(**row._mapping) for row in connection.execute(query)]


def _overtaken(change: Change, problem: str) -> OvertakenError:
    return OvertakenError([Problem("model_changes", 0, change.model, problem)])
