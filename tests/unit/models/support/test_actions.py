"""Arguments that a language model fills in are hostile input."""

import msgspec
import pytest
from pydantic import ValidationError

from models.support.actions import (
    ARGUMENTS,
    Action,
    Escalation,
    Money,
    Refund,
    Tool,
    Voucher,
    decode_action,
    encode_action,
    money_of,
    tool_of,
)

GOOD = {"order_id": "o-1", "amount_minor": 1_250, "currency": "GBP", "reason": "it came broken"}
ACTIONS: dict[Tool, Action] = {
    "issue_refund": Refund(order_id="o-1", amount_minor=1_250, currency="GBP", reason="it came broken"),
    "send_voucher": Voucher(amount_minor=500, currency="GBP", reason="it came late"),
    "escalate_to_human": Escalation(reason="a lawyer is mentioned"),
}


@pytest.mark.parametrize("tool", ACTIONS)
def test_good_arguments_become_the_action_of_their_tool(tool: Tool) -> None:
    said = msgspec.to_builtins(ACTIONS[tool])
    del said["type"]
    assert ARGUMENTS[tool](**said).action() == ACTIONS[tool]
    assert tool_of(ACTIONS[tool]) == tool


@pytest.mark.parametrize("action", ACTIONS.values(), ids=ACTIONS)
def test_an_action_comes_back_from_the_journal_as_it_went_in(action: Action) -> None:
    assert decode_action(encode_action(action)) == action


def test_money_is_what_an_action_gives() -> None:
    assert [money_of(action) for action in ACTIONS.values()] == [Money(1_250, "GBP"), Money(500, "GBP"), None]


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"amount_minor": "1250"}, id="a text for a number"),
        pytest.param({"amount_minor": 12.5}, id="a fraction of a minor unit"),
        pytest.param({"amount_minor": True}, id="a truth for a number"),
        pytest.param({"amount_minor": 0}, id="nothing"),
        pytest.param({"amount_minor": -5}, id="less than nothing"),
        pytest.param({"amount_minor": 2**60}, id="more than a column holds"),
        pytest.param({"amount_minor": float("inf")}, id="no number at all"),
        pytest.param({"currency": "gbp"}, id="a currency in small letters"),
        pytest.param({"currency": "GBPX"}, id="four letters"),
        pytest.param({"currency": "G\nP"}, id="a line's end in the currency"),
        pytest.param({"order_id": ""}, id="no order"),
        pytest.param({"order_id": "o" * 257}, id="an endless order"),
        pytest.param({"order_id": None}, id="null"),
        pytest.param({"reason": " \n "}, id="no reason but blanks"),
        pytest.param({"reason": "r" * 501}, id="an endless reason"),
        pytest.param({"limit": "none"}, id="an argument that nobody asked for"),
    ],
)
def test_anything_else_is_refused(changed: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ARGUMENTS["issue_refund"].model_validate({**GOOD, **changed})
