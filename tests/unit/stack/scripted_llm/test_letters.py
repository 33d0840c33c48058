"""The script reaches an accepted draft for the tickets of the stack's own customers."""

from pathlib import Path
from typing import Any

import pytest

from models.support.actions import ARGUMENTS, Action
from models.support.checking import check
from models.support.draft import Draft
from models.support.limits import Allowed, judge
from models.support.plan import load_plan
from models.support.platform import Order
from models.support.searching import SearchPolicies
from models.support.ticket import Ticket
from stack.scripted_llm.script import next_call
from stack.tickets import LETTERS, Letter
from tests.unit.stack.scripted_llm.conversations import FOUND, conversation

PLAN = load_plan(Path("config/agent.yaml"))
TICKET = Ticket(
    tenant_id="retailpulse",
    event_id="e-1",
    ticket_id="t-1",
    customer_id="c-1",
    order_id="o-1",
    subject="",
    body="",
    reason="",
)


def order(total_minor: int) -> Order:
    return Order(order_id="o-1", customer_id="c-1", currency="GBP", total_minor=total_minor, placed_at=1)


@pytest.mark.parametrize("total_minor", [pytest.param(1_500, id="small"), pytest.param(30_000, id="large")])
@pytest.mark.parametrize("letter", LETTERS, ids=lambda letter: letter.subject)
def test_a_letter_ends_in_a_draft_that_holds(letter: Letter, total_minor: int) -> None:
    placed = order(total_minor)
    shown = {"order_id": "o-1", "currency": "GBP", "left_minor": total_minor}
    given: list[Action] = []
    turns: list[tuple[str, dict[str, Any] | str, str]] = []
    problems: tuple[str, ...] = ("no draft",)
    while len(turns) < 10 and problems:
        body = f"{letter.subject}\n{letter.body.format(order='o-1')}"
        tool, arguments = next_call(conversation(body, *turns, order=shown))
        if tool == "search_policies":
            SearchPolicies.model_validate(arguments)
            answer = FOUND
        elif tool == "final_result":
            problems = check(Draft.model_validate(arguments), {"SUP-01"}, given)
            answer = "\n".join(problems)
        else:
            action = ARGUMENTS[tool].model_validate(arguments).action()  # type: ignore[index]  # a tool's name
            allowed = isinstance(judge(action, TICKET, placed, PLAN, "2026-03-02", tuple(given)), Allowed)
            given += [action] if allowed else []
            answer = f"{tool} is accepted" if allowed else f"{tool} is not done"
        turns.append((tool, arguments, answer))
    assert problems == ()
    assert len(turns) <= PLAN.budgets.steps
