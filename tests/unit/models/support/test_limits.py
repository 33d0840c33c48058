"""What the agent may do by itself, what only a person may, and what is refused to both."""

from dataclasses import astuple

import msgspec
import pytest

from models.support.actions import Action, Escalation, Refund, Voucher
from models.support.limits import Allowed, Judgement, NeedsHuman, Refused, judge
from models.support.plan import AgentPlan
from models.support.platform import Order
from models.support.ticket import Ticket
from tests.unit.models.support.agents import PLAN, TODAY, order, ticket

ESCALATION = Escalation(reason="a lawyer is mentioned")


def refund(amount: int = 1_250, order_id: str = "o-1", currency: str = "GBP") -> Refund:
    return Refund(order_id=order_id, amount_minor=amount, currency=currency, reason="it came broken")


def voucher(amount: int = 500, currency: str = "GBP") -> Voucher:
    return Voucher(amount_minor=amount, currency=currency, reason="it came late")


def judged(
    action: Action,
    of: Order | None = None,
    asked: Ticket | None = None,
    intended: tuple[Action, ...] = (),
    plan: AgentPlan = PLAN,
) -> Judgement:
    return judge(action, asked or ticket(), of, plan, TODAY, intended)


@pytest.mark.parametrize(
    ("action", "of", "expected"),
    [
        pytest.param(refund(), order(), Allowed, id="a part of the customer's own order"),
        pytest.param(refund(5_000), order(5_000), Allowed, id="all that an order cost"),
        pytest.param(refund(5_001), order(5_000), Refused, id="a penny more than an order cost"),
        pytest.param(refund(3_000), order(5_000, 2_001), Refused, id="more than is left of it"),
        pytest.param(refund(2_999), order(5_000, 2_001), Allowed, id="all that is left of it"),
        pytest.param(refund(), None, Refused, id="an order that the shop does not know"),
        pytest.param(refund(), order(customer_id="c-2"), Refused, id="another customer's order"),
        pytest.param(
            refund(order_id="o-2"), order(order_id="o-2"), Refused, id="another order than the ticket's"
        ),
        pytest.param(refund(order_id="o-2"), order(), Refused, id="an order that is not the one looked up"),
        pytest.param(refund(currency="EUR"), order(), Refused, id="in another currency than it was paid in"),
        pytest.param(refund(0), order(), Refused, id="nothing"),
        pytest.param(refund(-1), order(), Refused, id="less than nothing"),
        pytest.param(refund(10_000), order(90_000), Allowed, id="at the threshold"),
        pytest.param(refund(10_001), order(90_000), NeedsHuman, id="above the threshold a person decides"),
        pytest.param(refund(50_001), order(90_000), Refused, id="above the highest nobody is asked"),
        pytest.param(refund(1_000_000), order(), Refused, id="ten thousand pounds, as a ticket demands"),
        pytest.param(voucher(), order(), Allowed, id="a small voucher"),
        pytest.param(voucher(), None, Allowed, id="a voucher without an order"),
        pytest.param(voucher(2_001), order(), NeedsHuman, id="a large voucher"),
        pytest.param(voucher(5_001), order(), Refused, id="a voucher above the highest"),
        pytest.param(voucher(currency="EUR"), order(), Refused, id="a voucher in another currency"),
        pytest.param(voucher(currency="CHF"), None, NeedsHuman, id="a currency without limits"),
        pytest.param(ESCALATION, None, Allowed, id="a person may always be asked"),
    ],
)
def test_what_is_asked_for_is_judged_by_what_the_shop_knows(
    action: Action, of: Order | None, expected: type[Judgement]
) -> None:
    assert isinstance(judged(action, of), expected)


def test_a_customer_who_names_no_order_may_be_refunded_any_of_theirs() -> None:
    assert isinstance(judged(refund(), order(), ticket(order_id=None)), Allowed)


def test_whose_another_order_is_is_not_told() -> None:
    assert judged(refund(), None) == judged(refund(), order(customer_id="c-2"))


@pytest.mark.parametrize(
    ("action", "intended", "expected"),
    [
        pytest.param(voucher(), (refund(),), Allowed, id="a voucher beside a refund"),
        pytest.param(refund(), (refund(),), Refused, id="the same refund once more"),
        pytest.param(refund(100), (refund(),), Refused, id="another refund"),
        pytest.param(ESCALATION, (refund(), voucher()), Allowed, id="a person after two actions"),
        pytest.param(refund(), (ESCALATION,), Refused, id="a refund after a person was asked"),
        pytest.param(ESCALATION, (ESCALATION,), Refused, id="a person twice"),
    ],
)
def test_each_tool_gives_once(
    action: Action, intended: tuple[Action, ...], expected: type[Judgement]
) -> None:
    assert isinstance(judged(action, order(), intended=intended), expected)


def test_more_actions_than_a_ticket_may_have_are_a_persons() -> None:
    plan = msgspec.structs.replace(PLAN, budgets=msgspec.structs.replace(PLAN.budgets, actions=1))
    assert isinstance(judged(voucher(), order(), intended=(refund(),), plan=plan), NeedsHuman)


def test_a_refund_is_taken_from_its_order_its_ticket_the_customers_day_and_everybodys() -> None:
    found = judged(refund(), order(5_000, 2_001))
    assert isinstance(found, Allowed)
    assert [astuple(purse) for purse in found.purses] == [
        ("issue_refund", "order", "o-1", "", "GBP", 5_000, 2_001),
        ("issue_refund", "ticket", "t-1", "", "GBP", 1_250, 0),
        ("issue_refund", "customer", "c-1", TODAY, "GBP", 15_000, 0),
        ("issue_refund", "everybody", "", TODAY, "GBP", 2_000_000, 0),
    ]


def test_a_voucher_is_of_no_order_and_a_person_costs_nothing() -> None:
    found = judged(voucher(), order())
    assert isinstance(found, Allowed)
    assert [purse.scope for purse in found.purses] == ["ticket", "customer", "everybody"]
    assert judged(ESCALATION) == Allowed()
