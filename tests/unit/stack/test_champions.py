"""The models that a stack trains before it serves."""

from dataclasses import replace
from pathlib import Path

from models.fraud import MODEL as FRAUD
from routing import Rules, load
from stack.champions import Past, trainings

ROOT = Path(__file__).parents[3]
RULES = load(ROOT / "config/routing_table.yaml", ROOT / "config/workflows.yaml")
PAST = Past(("--until", "2026-03-02"), ("--train-days", "14"))


def only(*served: str) -> Rules:
    """The rules, with these workflows served and no other."""
    workflows = {
        name: replace(spec, served=name in served) for name, spec in RULES.catalogue.workflows.items()
    }
    return replace(RULES, catalogue=replace(RULES.catalogue, workflows=workflows))


def test_each_model_that_is_served_is_trained_on_what_came_before() -> None:
    found = {
        training.model: training.arguments for training in trainings(only(FRAUD, "churn-predictor"), PAST)
    }
    assert found[FRAUD] == ("train", "fraud", "--until", "2026-03-02", "--train-days", "14")
    assert found["churn-predictor"][:4] == ("train", "churn", "--until", "2026-03-02")


def test_demand_is_learned_where_the_orders_name_what_was_bought() -> None:
    rules = only("demand-forecaster")
    assert [training.arguments[:4] for training in trainings(rules, PAST)] == [
        ("train", "forecast", "--until", "2026-03-02")
    ]
    assert list(trainings(rules, PAST._replace(products=False))) == []


def test_what_is_not_served_is_not_trained() -> None:
    assert [training.model for training in trainings(only(FRAUD), PAST)] == [FRAUD]


def test_the_agent_is_registered_and_not_trained() -> None:
    assert [training.arguments for training in trainings(only("ai-support-agent"), PAST)] == [
        ("agent", "register")
    ]
