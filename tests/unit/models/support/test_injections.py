"""Nothing is given beyond the limits, whatever a ticket says and however gullible its model.

The model here is the script of the local stack, which does what a ticket demands.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pydantic import ValidationError

from models.support.actions import ARGUMENTS, Action, Refund, Voucher
from models.support.checking import check
from models.support.draft import Draft
from models.support.limits import Allowed, Judgement, judge
from models.support.plan import AgentPlan, load_plan
from models.support.prompt import compose
from models.support.ticket import Ticket
from stack.scripted_llm.reading import FINAL, SEARCH, Conversation, Turn, read
from stack.scripted_llm.script import next_call
from stack.scripted_llm.wire import Asked
from tests.injections import TOTAL_MINOR, Injection, beyond, injections

DAY = "2026-03-02"
FOUND = '[{"document": "SUP-01", "title": "", "section": "", "text": ""}]'
ENOUGH = 12


def prompted(injection: Injection) -> dict[str, Any]:
    """The case that the script reads, out of the very prompt that a model is given."""
    own, _ = injection.orders()
    prompt = compose(Ticket.of(injection.event()), own, {"order_count": 1.0}, [], DAY)
    asked = {"model": "script", "messages": [{"role": "user", "content": prompt}]}
    return read(msgspec.convert(asked, type=Asked)).case


class Gullible:
    """Plays one ticket as a run does: what the script calls is judged, and its draft is checked."""

    def __init__(
        self, injection: Injection, plan: AgentPlan, judging: Callable[..., Judgement] = judge
    ) -> None:
        self.given: list[Action] = []
        self._judging = judging
        self.problems: tuple[str, ...] = ()
        self._plan = plan
        self._ticket = Ticket.of(injection.event())
        self._orders = {order.order_id: order for order in injection.orders()}
        self._case = prompted(injection)
        self._turns: list[Turn] = []

    def play(self) -> None:
        """Until the draft holds, or the model was corrected often enough."""
        corrections = 0
        for _ in range(ENOUGH):
            call = next_call(Conversation(self._case, tuple(self._turns), len(self._turns)))
            if call.tool == FINAL:
                draft = Draft.model_validate_json(msgspec.json.encode(call.arguments))
                self.problems = check(draft, {"SUP-01"}, self.given)
                if not self.problems or corrections == self._plan.budgets.corrections:
                    return
                corrections += 1
            answer = FOUND if call.tool == SEARCH else self._act(call.tool, call.arguments)
            self._turns.append(Turn(call.tool, call.arguments, answer))
        raise AssertionError("the script comes to no end")

    def _act(self, tool: str, arguments: dict[str, Any]) -> str:
        if tool == FINAL:
            return "it does not hold"
        try:
            action = ARGUMENTS[tool].model_validate_json(msgspec.json.encode(arguments)).action()  # type: ignore[index]  # whatever it calls
        except ValidationError as error:
            return f"{tool} is not done: {error.error_count()} arguments do not hold"
        order = self._orders.get(
            action.order_id if isinstance(action, Refund) else self._ticket.order_id or ""
        )
        judgement = self._judging(action, self._ticket, order, self._plan, DAY, tuple(self.given))
        if not isinstance(judgement, Allowed):
            return f"{tool} is not done: {judgement.reason}"
        self.given.append(action)
        return f"{tool} is accepted."


@pytest.fixture(scope="module")
def plan() -> AgentPlan:
    """What the project ships."""
    return load_plan(Path("config/agent.yaml"))


@pytest.mark.parametrize("injection", injections(), ids=lambda injection: injection.name)
def test_a_ticket_that_gives_orders_is_given_nothing_beyond_the_limits(
    injection: Injection, plan: AgentPlan
) -> None:
    run = Gullible(injection, plan)
    run.play()
    assert not list(beyond(injection, run.given))


def test_without_limits_the_same_tickets_are_given_what_nobody_owes(plan: AgentPlan) -> None:
    runs = [(each, Gullible(each, plan, lambda *_: Allowed())) for each in injections()]
    for _, run in runs:
        run.play()
    assert len(runs) == 30
    # the model obeys: else nothing here would show that the limits hold
    assert sum(bool(list(beyond(injection, run.given))) for injection, run in runs) >= 25


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        pytest.param([], False, id="nothing"),
        pytest.param([("own", TOTAL_MINOR, "GBP")], False, id="what the order cost"),
        pytest.param([("own", TOTAL_MINOR + 1, "GBP")], True, id="a penny more"),
        pytest.param([("own", TOTAL_MINOR, "GBP"), ("own", 1, "GBP")], True, id="a penny more, later"),
        pytest.param([("foreign", 1, "GBP")], True, id="of another customer's order"),
        pytest.param([("own", 1, "EUR")], True, id="in another currency"),
        pytest.param([("own", 0, "GBP")], True, id="nothing, as a refund"),
        pytest.param([("voucher", 2_000, "GBP")], False, id="a voucher at its limit"),
        pytest.param([("voucher", 2_001, "GBP")], True, id="a voucher above it"),
    ],
)
def test_what_is_beyond_the_limits_is_seen(given: list[tuple[str, int, str]], wrong: bool) -> None:
    injection = injections()[0]
    orders = {"own": injection.own, "foreign": injection.foreign}
    actions: list[Action] = [
        Voucher(amount_minor=amount, currency=currency, reason="r")
        if kind == "voucher"
        else Refund(order_id=orders[kind], amount_minor=amount, currency=currency, reason="r")
        for kind, amount, currency in given
    ]
    assert bool(list(beyond(injection, actions))) == wrong
