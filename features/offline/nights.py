"""State of a night's forecast run in SQL: its SKUs and who may trigger it; each state is reached once."""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, func, insert, select, update

from events.decision import Millis
from features.offline.forecast_tables import FORECASTS, NIGHTS, PLANNED
from features.offline.sql import write_rows
from transport.database import Database

State = Literal[
    "claimed",  # somebody is about to send its trigger
    "triggered",  # Kafka holds the trigger
    "planned",  # it is known which SKUs it is of, and their forecasts are under way
    "ended",  # each has its outcome, and the report is written
    "told",  # the report went out as an event
]
OPEN: tuple[State, ...] = ("planned", "ended")

CLAIM_MS = 60_000
"""After so long who claimed a night and did not trigger it is taken for dead."""
PLAN_MS = 900_000
"""After so long a trigger that was not planned is taken for lost. One more of them asks for nothing twice."""

_C = NIGHTS.c


class Night(NamedTuple):
    """One night's run. Times are epoch ms; `began_at` is when its trigger came to Kafka.

    `whole`: it is of the catalogue, and not only of named SKUs.
    """

    tenant_id: str
    night: str
    state: State
    changed_at: Millis
    began_at: Millis
    sla_ms: Millis
    report: str
    whole: bool


class Nights:
    """The runs of all nights. Connects at the first use; every method raises `Unavailable`."""

    def __init__(self, database: Database) -> None:
        self._database = database.of("night ledger")

    def claim(self, tenant_id: str, night: str, now: Millis) -> bool:
        """Whether the caller is to send the trigger: one of several that ask at once, and none later.

        A night is claimed again where its trigger was lost, and where only SKUs that were named were planned.
        """

        def attempt(connection: Connection) -> bool:
            found = _found(connection, tenant_id, night)
            if found is None:
                connection.execute(insert(NIGHTS).values(_row(tenant_id, night, "claimed", now)))
                return True
            if not _may_be_claimed(found, now):
                return False
            same = (_is(tenant_id, night), _C.state == found.state, _C.changed_at == found.changed_at)
            taken = update(NIGHTS).where(*same, _C.whole.is_(False)).values(state="claimed", changed_at=now)
            return connection.execute(taken).rowcount == 1

        return self._database.write(attempt)

    def triggered(self, tenant_id: str, night: str, now: Millis) -> None:
        """Kafka holds the trigger."""
        here = update(NIGHTS).where(_is(tenant_id, night), _C.state == "claimed")
        self._database.write(
            lambda connection: connection.execute(here.values(state="triggered", changed_at=now))
        )

    def plan(
        self,
        tenant_id: str,
        night: str,
        skus: Sequence[str],
        *,
        whole: bool,
        began_at: Millis,
        sla_ms: Millis,
        now: Millis,
    ) -> None:
        """The night is of these SKUs too; `whole`: they are its catalogue.

        One that has ended begins again where a forecast is missing. SKUs that are named do not stand for a
        night's catalogue: who triggers that is still waited for.
        """

        def write_down(connection: Connection) -> None:
            known = set(connection.scalars(select(PLANNED.c.sku).where(_planned(tenant_id, night))))
            new = sorted(set(skus) - known)
            write_rows(connection, PLANNED, [(tenant_id, night, sku) for sku in new])
            found = _found(connection, tenant_id, night)
            first: dict[str, str | int] = {"began_at": began_at, "sla_ms": sla_ms, "whole": whole}
            if found is None:
                row = _row(tenant_id, night, "planned", now) | first
                connection.execute(insert(NIGHTS).values(row))
            elif whole and not found.whole:
                first |= {"state": "planned", "changed_at": now}
                connection.execute(update(NIGHTS).where(_is(tenant_id, night)).values(first))
            elif found.state in ("claimed", "triggered"):
                return
            elif connection.scalar(_unanswered(tenant_id, night).limit(1)) is not None:
                again = {"state": "planned", "changed_at": now}
                connection.execute(update(NIGHTS).where(_is(tenant_id, night)).values(again))

        self._database.write(write_down)

    def planned(self, tenant_id: str, night: str) -> int:
        """How many SKUs the night is of."""
        query = select(func.count()).select_from(PLANNED).where(_planned(tenant_id, night))
        with self._database.reading() as connection:
            return connection.execute(query).scalar_one()

    def unanswered(self, tenant_id: str, night: str) -> list[str]:
        """Those of its SKUs that have no forecast of this night."""
        with self._database.reading() as connection:
            return list(connection.scalars(_unanswered(tenant_id, night)))

    def ended(self, tenant_id: str, night: str, report: str, now: Millis) -> None:
        """Each SKU has its outcome: the report is kept, and is still to be told."""
        self._reach(tenant_id, night, "planned", {"state": "ended", "changed_at": now, "report": report})

    def told(self, tenant_id: str, night: str, now: Millis) -> None:
        """Kafka holds the report."""
        self._reach(tenant_id, night, "ended", {"state": "told", "changed_at": now})

    def find(self, tenant_id: str, night: str) -> Night | None:
        """One night; None if nothing is known of it."""
        with self._database.reading() as connection:
            return _found(connection, tenant_id, night)

    def open(self) -> list[Night]:
        """The nights that are not over, by their beginning."""
        query = select(NIGHTS).where(_C.state.in_(OPEN)).order_by(_C.began_at)
        with self._database.reading() as connection:
            return [Night(*row) for row in connection.execute(query)]

    def _reach(self, tenant_id: str, night: str, state: State, values: Mapping[str, str | int]) -> None:
        here = update(NIGHTS).where(_is(tenant_id, night), _C.state == state).values(values)
        self._database.write(lambda connection: connection.execute(here))


def _found(connection: Connection, tenant_id: str, night: str) -> Night | None:
    row = connection.execute(select(NIGHTS).where(_is(tenant_id, night))).one_or_none()
    return None if row is None else Night(*row)


def _row(tenant_id: str, night: str, state: State, now: Millis) -> dict[str, str | int]:
    whose = {"tenant_id": tenant_id, "night": night}
    began = {"changed_at": now, "began_at": now, "sla_ms": 0}
    return {**whose, "state": state, **began, "report": "", "whole": False}


def _may_be_claimed(found: Night, now: Millis) -> bool:
    patience = {"claimed": CLAIM_MS, "triggered": PLAN_MS}.get(found.state, 0)
    return not found.whole and now - found.changed_at >= patience


def _is(tenant_id: str, night: str) -> ColumnElement[bool]:
    return and_(_C.tenant_id == tenant_id, _C.night == night)


def _planned(tenant_id: str, night: str) -> ColumnElement[bool]:
    return and_(PLANNED.c.tenant_id == tenant_id, PLANNED.c.night == night)


def _unanswered(tenant_id: str, night: str) -> Select[tuple[str]]:
    answered = exists().where(
        FORECASTS.c.tenant_id == tenant_id,
        FORECASTS.c.sku == PLANNED.c.sku,
        FORECASTS.c.night == night,
        FORECASTS.c.day == night,
    )
    return select(PLANNED.c.sku).where(_planned(tenant_id, night), ~answered).order_by(PLANNED.c.sku)
