"""Registered versions of the support agent, and those that are refused."""

from pathlib import Path

import msgspec
import pytest

from events.errors import ConfigError
from models.artifact import load
from models.support.policies import read_policies
from models.support.questions import QUESTIONS, Question, Questions, read_questions
from models.support.version import load_version
from tests.unit.models.support.agents import PLAN, ROOT
from training.agent import make
from training.complete import refuse_incomplete

POLICIES = read_policies(ROOT / "config/policies")
ASKED = read_questions(ROOT / "config/policies" / QUESTIONS, POLICIES)
PROMPT = (ROOT / "config/agent.md").read_text()


def test_what_the_project_ships_is_a_version_that_can_be_registered_and_served(tmp_path: Path) -> None:
    path, metadata = make(PLAN, PROMPT, POLICIES, ASKED, tmp_path)
    artifact = load(path)
    refuse_incomplete(artifact)
    found = load_version(artifact)
    assert (found.plan, found.prompt) == (PLAN, PROMPT)
    data, said = metadata.recipe.data, metadata.recipe.parameters
    assert (data.rows["policies"], data.rows["questions"]) == (40, 100)
    assert data.first < data.last
    assert said["llm.model"] == "gpt-4.1-mini"
    assert said["limits.GBP.issue_refund.human_above_minor"] == 10_000
    assert metadata.recipe.metrics["recall_at_5"] >= 0.8


def test_the_same_twice_is_one_version_and_another_limit_is_another(tmp_path: Path) -> None:
    first, _ = make(PLAN, PROMPT, POLICIES, ASKED, tmp_path)
    again, _ = make(PLAN, PROMPT, POLICIES, ASKED, tmp_path)
    budgets = msgspec.structs.replace(PLAN.budgets, steps=3)
    other, _ = make(msgspec.structs.replace(PLAN, budgets=budgets), PROMPT, POLICIES, ASKED, tmp_path)
    assert (first.name, again.name, other.name) == ("1", "1", "2")


def test_a_namespace_without_policies_is_refused_with_those_that_there_are(tmp_path: Path) -> None:
    search = msgspec.structs.replace(PLAN.search, namespace="shiping")
    with pytest.raises(ConfigError, match=r"no policy is in shiping; there are .*support-policies"):
        make(msgspec.structs.replace(PLAN, search=search), PROMPT, POLICIES, ASKED, tmp_path)


def test_an_empty_prompt_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="prompt: is empty"):
        make(PLAN, " \n", POLICIES, ASKED, tmp_path)


def test_a_search_that_finds_too_little_is_refused(tmp_path: Path) -> None:
    lost = Questions((Question("zzz", "support-policies", frozenset({"SUP-01"})),), "0" * 64)
    with pytest.raises(ConfigError, match="finds 0% of what answers the questions, not 80%"):
        make(PLAN, PROMPT, POLICIES, lost, tmp_path)
