"""`config/training.yaml` is loaded, or refused by line and field."""

from pathlib import Path

import pytest

from events.errors import ConfigError
from models.fraud import MODEL
from models.training_plan import load_plans
from routing import load

GOOD = """models:
  fraud-classifier:
    command: fraud
    tenant: acme
    min_rows: 1000
    gate:
      metric: average_precision
      better: higher
      margin: 0.01
      latency_share: 0.2
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "training.yaml"
    path.write_text(text)
    return path


def test_the_shipped_plans_are_of_workflows_that_exist() -> None:
    plans = load_plans(Path("config/training.yaml"))
    catalogue = load("config/routing_table.yaml", "config/workflows.yaml").catalogue
    assert MODEL in plans
    assert set(plans) <= set(catalogue.workflows)


def test_what_is_left_out_has_its_default(tmp_path: Path) -> None:
    plan = load_plans(written(tmp_path, GOOD))[MODEL]
    assert (plan.attempts, plan.retry, plan.gate.min_compared) == (3, 60_000, 0)
    assert (plan.min_rows, plan.gate.margin) == (1_000, 0.01)


@pytest.mark.parametrize(
    ("good", "bad", "problem"),
    [
        pytest.param(
            "min_rows: 1000", "min_rows: 0", ":5: fraud-classifier: min_rows must be positive", id="rows"
        ),
        pytest.param(
            "margin: 0.01",
            "margin: -1",
            ":9: fraud-classifier.gate: margin must be from 0 to 1e+06, is -1",
            id="range",
        ),
        pytest.param(
            "margin: 0.01",
            "margin: much",
            ":9: fraud-classifier.gate: margin must be a number, is much",
            id="number",
        ),
        pytest.param("margin: 0.01", "margn: 0.01", "gate: margin is missing", id="a key is missing"),
        pytest.param(
            "margin: 0.01", "margn: 0.01", "unknown key margn; nearest: margin", id="a misspelt key"
        ),
        pytest.param(
            "better: higher", "better: more", "better must be one of higher, lower, is more", id="choice"
        ),
        pytest.param("    gate:", "    gates:", "fraud-classifier: gate is missing", id="no gate"),
    ],
)
def test_what_does_not_hold_is_named_with_its_line(tmp_path: Path, good: str, bad: str, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_plans(written(tmp_path, GOOD.replace(good, bad)))
    assert problem in str(caught.value)
