"""Which version did an alias name, when, by whose will and why? MLflow keeps no such history: a table does.

A change is written down as `intended` before the alias moves, and as `done` or `void` after: no row is ever
changed or deleted.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Literal

from sqlalchemy import BigInteger, Column, Integer, MetaData, String, Table, Text, func, insert, select
from sqlalchemy.exc import IntegrityError

from events.decision import Millis
from events.errors import ConfigError, Problem
from features.offline.database import Database
from transport.clock import Clock, system_clock

METADATA = MetaData()
CHANGES = Table(
    "model_changes",
    METADATA,
    Column("model", String(256), primary_key=True),
    Column("alias", String(64), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("state", String(16), primary_key=True),
    Column("version", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("previous", String(64), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("who", String(256), nullable=False),
    Column("why", Text, nullable=False),
)
"""`number` counts the changes of an alias from 1; `at` in epoch ms."""

State = Literal[
    "intended",  # it is about to be made, or whoever made it has not come back
    "done",  # the alias names the version, from `at` on
    "void",  # the alias was never moved
]


@dataclass(frozen=True, slots=True)
class Change:
    """One row: from `at` (epoch ms) on an alias names `version`, and `previous` (empty: none) no more."""

    model: str
    alias: str
    number: int
    state: State
    version: str
    digest: str
    previous: str
    at: Millis
    who: str
    why: str


class Changes:
    """Connects at the first use. Every method raises `Unavailable`."""

    def __init__(self, database: Database, clock: Clock = system_clock) -> None:
        self._database = database
        self._clock = clock

    def create(self) -> None:
        """Make the table where it is missing."""
        with self._database.creating() as connection:
            METADATA.create_all(connection)

    def intend(
        self, model: str, alias: str, version: str, digest: str, previous: str, who: str, why: str
    ) -> Change:
        """Write down what is about to be done. Raises `ConfigError` where another change is under way."""
        with self._database.reading() as connection:
            of_alias = (CHANGES.c.model == model) & (CHANGES.c.alias == alias)
            last = connection.execute(select(func.max(CHANGES.c.number)).where(of_alias)).scalar_one()
        change = Change(
            model, alias, (last or 0) + 1, "intended", version, digest, previous, self._clock(), who, why
        )
        if (other := self.unended(model, alias)) is not None:
            raise _under_way(other)
        try:
            with self._database.writing() as connection:
                connection.execute(insert(CHANGES).values(asdict(change)))
        except IntegrityError as error:
            # two counted to the same number: the other one was first
            raise _under_way(change) from error
        return change

    def end(self, change: Change, state: State, at: Millis | None = None) -> Change:
        """It came to its end, now or at the time that is given (epoch ms). Ended twice, it ends once."""
        ended = Change(**{**asdict(change), "state": state, "at": self._clock() if at is None else at})
        try:
            with self._database.writing() as connection:
                connection.execute(insert(CHANGES).values(asdict(ended)))
        except IntegrityError:
            return change
        return ended

    def unended(self, model: str, alias: str) -> Change | None:
        """The last change, where nobody wrote down how it ended."""
        rows = [row for row in self._rows(model) if row.alias == alias]
        last = max((row.number for row in rows), default=0)
        found = {row.state: row for row in rows if row.number == last}
        return found.get("intended") if len(found) == 1 else None

    def done(self, model: str, alias: str) -> list[Change]:
        """What was done to an alias, in the order in which it was."""
        return [row for row in self._rows(model) if row.state == "done" and row.alias == alias]

    def all(self, model: str) -> list[Change]:
        """Every row of a model, by time."""
        return sorted(self._rows(model), key=lambda row: (row.at, row.number, row.state != "intended"))

    def in_force(self, model: str, alias: str, moment: Millis) -> Change | None:
        """The change by which an alias named what it named at a moment (epoch ms); None before the first."""
        before = [change for change in self.done(model, alias) if change.at <= moment]
        return before[-1] if before else None

    def _rows(self, model: str) -> Iterator[Change]:
        query = select(CHANGES).where(CHANGES.c.model == model).order_by(CHANGES.c.number)
        with self._database.reading() as connection:
            return iter([Change(**row._mapping) for row in connection.execute(query)])


def _under_way(change: Change) -> ConfigError:
    problem = f"{change.who} is moving {change.alias} to v{change.version}: look again in a moment"
    return ConfigError([Problem("model_changes", 0, change.model, problem)])
