"""What a model must reach before it may challenge the champion."""

import math
from dataclasses import replace
from typing import Any

import pytest

from tests.unit.models.plans import rule
from training.gate import Champion, Evidence, NoChampion, Skew, judge, passed, refusals

CHAMPION = Champion("3", "c0ffee", {"average_precision": 0.60})
GOOD = Evidence(
    metrics={"average_precision": 0.65, "auc_roc": 0.9},
    features=("customer_count_7d", "terminal_risk_7d"),
    champion=CHAMPION,
    skew=Skew(5_000, {}),
    latency_ms=4.0,
    batch=1_024,
    sla_ms=100,
)


def why(rule_changes: dict[str, Any] | None = None, **changes: Any) -> str:
    """What the candidate is refused for; nothing if it passes."""
    checks = judge(replace(GOOD, **changes), rule(**rule_changes or {}))
    reasons = "; ".join(refusals(checks))
    assert passed(checks) == (not reasons)
    return reasons


@pytest.mark.parametrize(
    ("score", "champion", "expected"),
    [
        pytest.param(0.62, CHAMPION, "", id="better by more than the margin"),
        pytest.param(0.609, CHAMPION, "better by 0.009, asked for 0.01", id="better by less"),
        pytest.param(0.60, CHAMPION, "better by 0, asked for 0.01", id="no better"),
        pytest.param(0.10, NoChampion("none serves"), "", id="the first one has nothing to beat"),
        pytest.param(math.nan, NoChampion("none serves"), "was not measured", id="no number is no score"),
        pytest.param(
            0.90, Champion("3", "c0ffee", {}), "better by nan", id="what was not measured was not beaten"
        ),
    ],
)
def test_the_champion_is_to_be_beaten_by_the_margin(
    score: float, champion: Champion | NoChampion, expected: str
) -> None:
    reasons = why(metrics={"average_precision": score}, champion=champion)
    assert expected in reasons
    assert bool(expected) == bool(reasons)


@pytest.mark.parametrize(
    ("score", "refused"),
    [
        pytest.param(0.50, False, id="a smaller error is better"),
        pytest.param(0.65, True, id="a larger error is worse"),
    ],
)
def test_of_an_error_less_is_better(score: float, refused: bool) -> None:
    champion = Champion("3", "c0ffee", {"wape": 0.60})
    assert (
        bool(why({"metric": "wape", "better": "lower"}, metrics={"wape": score}, champion=champion))
        is refused
    )


@pytest.mark.parametrize(
    ("skew", "champion", "expected"),
    [
        pytest.param(Skew(5_000, {}), CHAMPION, "", id="what was served is what is stored"),
        pytest.param(
            Skew(5_000, {"terminal_risk_7d": 2}),
            CHAMPION,
            "served otherwise than stored: terminal_risk_7d 2",
            id="two values of one feature differ",
        ),
        pytest.param(
            Skew(5_000, {"demand_7d": 9}), CHAMPION, "", id="a feature that the model does not look at"
        ),
        pytest.param(
            Skew(0, {}), CHAMPION, "0 served values compared, asked for 100", id="nothing was compared"
        ),
        pytest.param(Skew(0, {}), NoChampion("none serves"), "", id="nothing was served yet"),
        pytest.param(
            Skew(9, {"terminal_risk_7d": 1}),
            NoChampion("its files are gone"),
            "terminal_risk_7d 1",
            id="a difference counts whoever was served by it",
        ),
    ],
)
def test_no_feature_may_differ_from_what_was_served(
    skew: Skew, champion: Champion | NoChampion, expected: str
) -> None:
    reasons = why(skew=skew, champion=champion)
    assert expected in reasons
    assert bool(expected) == bool(reasons)


@pytest.mark.parametrize(
    ("latency_ms", "refused"),
    [
        pytest.param(20.0, False, id="as long as it may"),
        pytest.param(20.1, True, id="longer"),
        pytest.param(math.nan, True, id="not measured"),
    ],
)
def test_a_full_batch_keeps_to_its_part_of_the_sla(latency_ms: float, refused: bool) -> None:
    assert bool(why(latency_ms=latency_ms)) is refused


def test_all_that_is_wrong_is_told_at_once() -> None:
    reasons = why(metrics={}, skew=Skew(5_000, {"terminal_risk_7d": 1}), latency_ms=99.0)
    assert all(name in reasons for name in ("quality:", "skew:", "latency:"))
