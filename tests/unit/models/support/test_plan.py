"""Limits that an operator sets, and the error for those that cannot be."""

from pathlib import Path

import msgspec
import pytest

from events.errors import ConfigError
from models.support.plan import AgentPlan, Limit, load_plan, written
from tests.unit.models.support.agents import PLAN, ROOT

SHIPPED = (ROOT / "config/agent.yaml").read_text()


def loaded(folder: Path, text: str) -> AgentPlan:
    path = folder / "agent.yaml"
    path.write_text(text)
    return load_plan(path)


def test_what_the_project_ships_holds() -> None:
    assert PLAN.budgets.seconds <= 40
    assert PLAN.search.namespace == "support-policies"
    assert set(PLAN.limits) == {"GBP", "EUR", "USD"}
    assert PLAN.limit("issue_refund", "GBP") == Limit(
        max_minor=50_000, human_above_minor=10_000, per_customer_day_minor=15_000, per_day_minor=2_000_000
    )


def test_a_currency_or_a_tool_of_which_nothing_is_said_has_no_limit() -> None:
    assert PLAN.limit("issue_refund", "CHF") is None
    assert PLAN.limit("escalate_to_human", "GBP") is None


def test_what_is_written_into_a_version_reads_as_what_it_was(tmp_path: Path) -> None:
    assert loaded(tmp_path, written(PLAN)) == PLAN
    other = msgspec.structs.replace(PLAN, llm=msgspec.structs.replace(PLAN.llm, model="llama3: 8b #1"))
    assert loaded(tmp_path, written(other)) == other


def test_a_comment_makes_no_other_version(tmp_path: Path) -> None:
    assert written(loaded(tmp_path, "# another comment\n" + SHIPPED)) == written(PLAN)


def test_tokens_cost_what_the_plan_says() -> None:
    assert PLAN.cost(1_000_000, 500_000) == pytest.approx(0.4 + 0.8)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        pytest.param(
            "human_above_minor: 10000",
            "human_above_minor: 50001",
            "human_above_minor must not be above max_minor, is 50001 > 50000",
            id="a threshold that nothing reaches",
        ),
        pytest.param(
            "max_minor: 50000", "max_minor: 500.00", "must be a whole number", id="pounds, not pence"
        ),
        pytest.param("max_minor: 50000", "max_minor: -1", "must be from 0 to", id="less than nothing"),
        pytest.param("GBP:", "pounds:", "must be a currency's three letters", id="no currency"),
        pytest.param("send_voucher:", "send_vouchers:", "nearest: send_voucher", id="a misspelt tool"),
        pytest.param("send_voucher:", "escalate_to_human:", "is no tool that costs money", id="a free tool"),
        pytest.param("steps: 10", "step: 10", "steps is missing", id="a key that lacks"),
        pytest.param("steps: 10", "steps: 0", "steps must be positive", id="no step at all"),
        pytest.param(
            "on_no_llm: draft", "on_no_llm: invent", "must be one of draft, hand_over", id="no such way"
        ),
        pytest.param("seconds: 30", "seconds: 1e9", "must be a number", id="a number that is none here"),
        pytest.param("model: gpt-4.1-mini", "model: 4", "model must be text", id="a model that is a number"),
    ],
)
def test_what_cannot_be_is_said_with_its_line(tmp_path: Path, old: str, new: str, problem: str) -> None:
    line = next(number for number, text in enumerate(SHIPPED.splitlines(), 1) if old in text)
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, SHIPPED.replace(old, new, 1))
    said = caught.value.problems
    assert any(problem in each.message for each in said), said
    assert any(abs(each.line - line) <= 1 for each in said), said


def test_every_problem_is_said_at_once(tmp_path: Path) -> None:
    text = SHIPPED.replace("steps: 10", "steps: 0").replace("top_k: 5", "top_k: none")
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, text)
    assert len(caught.value.problems) == 2


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_plan(tmp_path / "agent.yaml")
