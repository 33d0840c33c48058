"""Retrieval figures, and the error for a malformed file of questions."""

from pathlib import Path

import pytest

from events.errors import ConfigError
from models.support.policies import Policies
from models.support.policy import Document
from models.support.questions import Found, Question, read_questions, recall

POLICIES = Policies((Document("A-1", "returns", "", ""), Document("B-1", "loyalty", "", "")), (), (), "")


def written(folder: Path, text: str) -> Path:
    """A file of questions."""
    path = folder / "questions.yaml"
    path.write_text(text)
    return path


def test_questions_stand_by_namespace(tmp_path: Path) -> None:
    path = written(tmp_path, "questions:\n  returns:\n    - ask: how long?\n      answered_by: A-1\n")
    questions = read_questions(path, POLICIES)
    assert questions.asked == (Question("how long?", "returns", frozenset({"A-1"})),)
    before = questions.digest
    path.write_text(path.read_text().replace("long", "much"))
    assert read_questions(path, POLICIES).digest != before


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(
            "{ask: why, answered_by: A-2}", ["no policy of returns has the id A-2"], id="no such policy"
        ),
        pytest.param(
            "{ask: why, answered_by: 'A-1, B-1'}",
            ["no policy of returns has the id B-1"],
            id="a policy of another namespace",
        ),
        pytest.param("{answered_by: A-1}", ["ask is missing"], id="no question"),
        pytest.param("{ask: why}", ["answered_by is missing"], id="no label"),
        pytest.param(
            "{ask: why, answer_by: A-1}",
            ["answered_by is missing", "unknown key answer_by; nearest: answered_by"],
            id="a misspelt label",
        ),
    ],
)
def test_a_question_without_a_sound_label_is_refused(tmp_path: Path, text: str, said: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        read_questions(written(tmp_path, f"questions:\n  returns:\n    - {text}\n"), POLICIES)
    assert [problem.message for problem in caught.value.problems] == said
    assert {problem.line for problem in caught.value.problems} == {3}


def test_a_file_without_questions_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="holds no question"):
        read_questions(written(tmp_path, "questions: {}\n"), POLICIES)


@pytest.mark.parametrize(
    ("labels", "ranks", "at", "share"),
    [
        pytest.param({"A"}, (1,), 5, 1.0, id="first"),
        pytest.param({"A"}, (5,), 5, 1.0, id="just among them"),
        pytest.param({"A"}, (4,), 3, 0.0, id="just not among them"),
        pytest.param({"A"}, (), 5, 0.0, id="not found"),
        pytest.param({"A", "B"}, (2,), 5, 0.5, id="one of two"),
    ],
)
def test_recall_is_the_share_of_the_labels_that_came_early(
    labels: set[str], ranks: tuple[int, ...], at: int, share: float
) -> None:
    found = Found(Question("", "returns", frozenset(labels)), ranks)
    assert found.recall(at) == share
    assert recall([found, Found(found.question, ())], at) == share / 2
