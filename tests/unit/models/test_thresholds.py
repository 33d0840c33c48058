"""Thresholds decide by probability; a file that does not hold is refused with the line and the field."""

from pathlib import Path

import pytest

from events.errors import ConfigError
from models.thresholds import ChurnThresholds, Thresholds, load_churn_thresholds, load_thresholds


@pytest.mark.parametrize(
    ("probability", "decision"),
    [
        pytest.param(0.0, "approve", id="no suspicion"),
        pytest.param(0.0999, "approve", id="just below the review"),
        pytest.param(0.1, "review", id="at the review's threshold"),
        pytest.param(0.5999, "review", id="just below the hold"),
        pytest.param(0.6, "hold", id="at the hold's threshold"),
        pytest.param(1.0, "hold", id="certain"),
    ],
)
def test_a_probability_decides(probability: float, decision: str) -> None:
    assert Thresholds(0.1, 0.6).decide(probability) == decision


def test_equal_thresholds_leave_nothing_to_review() -> None:
    assert {Thresholds(0.5, 0.5).decide(p / 100) for p in range(101)} == {"approve", "hold"}


def test_what_the_project_ships_holds() -> None:
    assert load_thresholds(Path("config/fraud.yaml")) == Thresholds(0.1, 0.6)
    assert load_churn_thresholds(Path("config/churn.yaml")) == ChurnThresholds(0.5, 0.8)


def test_the_file_of_another_model_is_refused_by_its_fields() -> None:
    with pytest.raises(ConfigError) as caught:
        load_churn_thresholds(Path("config/fraud.yaml"))
    assert [problem.message for problem in caught.value.problems] == [
        "remind_at is missing",
        "offer_at is missing",
        "unknown key review_at; nearest: remind_at",
        "unknown key hold_at; known: offer_at, remind_at",
    ]


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        pytest.param(
            "review_at: 0.1\n",
            [":1: hold_at is missing"],
            id="a field is missing",
        ),
        pytest.param(
            "review_at: 10\nhold_at: 0.6\n",
            [":1: review_at must be from 0 to 1, is 10"],
            id="a percentage",
        ),
        pytest.param(
            "review_at: a little\nhold_at: yes\n",
            [
                ":1: review_at must be a number, is a little",
                ":2: hold_at must be a number, is yes",
            ],
            id="two problems are told at once",
        ),
        pytest.param(
            "# first\n\nhold_at: 0.3\nreview_at: 0.5\n",
            [":4: review_at must not be above hold_at, is 0.5 > 0.3"],
            id="the wrong way round",
        ),
        pytest.param(
            "review_at: 0\nhold_at: 0.6\n",
            [":1: review_at must be above 0 and at most 1, is 0"],
            id="a threshold that every order reaches",
        ),
        pytest.param(
            "review_at: 0.1\nhold_at: .nan\n",
            [":2: hold_at must be a number, is .nan"],
            id="not a number",
        ),
        pytest.param(
            "review_at: 0.1\nhold_at: 0.6\nholdat: 0.7\n",
            [":3: unknown key holdat; nearest: hold_at"],
            id="a key that nobody reads",
        ),
        pytest.param("", [":1: is empty"], id="an empty file"),
        pytest.param("- 0.1\n", [":1: must be a mapping, is a list"], id="a list"),
    ],
)
def test_thresholds_that_cannot_be_are_refused(tmp_path: Path, text: str, problems: list[str]) -> None:
    path = tmp_path / "fraud.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as failure:
        load_thresholds(path)
    assert str(failure.value) == "\n".join(f"{path}{problem}" for problem in problems)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"review_at: [\n", "2: is not YAML", id="no YAML"),
        pytest.param(b"review_at: \xff\n", "1: is not UTF-8 text", id="no UTF-8"),
        pytest.param(b"[a]: 1\n", "1: unknown key a list", id="a key that cannot be one"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "fraud.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=f"fraud.yaml:{message}"):
        load_thresholds(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.yaml: cannot be read: No such file"):
        load_thresholds(tmp_path / "none.yaml")
