"""Spending limits are given back in one order, whatever the order of the intents."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event

from models.support import spending, standing
from models.support.action_log import JournaledActions
from models.support.actions import Refund, Voucher, tool_of
from models.support.journal import Journal, JournaledRun, RunRow
from models.support.limits import Purse
from models.support.steps import Intended
from tests.unit.models.support.agents import NOON, TODAY
from transport.database import Database, open_database

REFUND = Refund(order_id="o-1", amount_minor=1_000, currency="GBP", reason="broken")
VOUCHER = Voucher(amount_minor=500, currency="GBP", reason="late")
ROW = RunRow("pred_1", "acme", "t-1", "e-1", "ai-support-agent-v1", NOON)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = open_database(f"sqlite:///{tmp_path / 'agent.db'}")
    yield made
    made.close()


def intend(run: JournaledRun, action: Refund | Voucher) -> None:
    tool = tool_of(action)
    purses = (Purse(tool, "everybody", "", TODAY, "GBP", 10_000),)

    def spend(connection: Connection) -> None:
        spending.take(connection, "acme", purses, action.amount_minor)

    run.append(Intended(f"key-{tool}", action, purses), within=spend)


@pytest.mark.parametrize("actions", [(REFUND, VOUCHER), (VOUCHER, REFUND)], ids=["refund first", "last"])
def test_two_withdrawals_take_the_rows_in_the_same_order(
    database: Database, actions: tuple[Refund | Voucher, ...]
) -> None:
    journal = Journal(database, lambda: NOON)
    journal.create()
    locked: list[str] = []

    def look(_: Any, __: Any, statement: str, values: Any, *___: Any) -> None:
        if statement.startswith("UPDATE agent_spending"):
            locked.extend(value for value in values if value in ("issue_refund", "send_voucher"))

    with journal.open(ROW) as run:
        for action in actions:
            intend(run, action)
        event.listen(database.engine, "before_cursor_execute", look)
        JournaledActions(run, "acme").withdraw(standing.intents(run.steps))
    assert locked == ["issue_refund", "send_voucher"]
