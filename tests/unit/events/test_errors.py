"""What an operator reads when something is wrong."""

import pickle

import pytest

from events.errors import ConfigError, Problem, Unavailable


@pytest.mark.parametrize(
    ("problem", "line"),
    [
        pytest.param(
            Problem("t.yaml", 14, "order.placed", "sla_ms must be positive, is -5"),
            "t.yaml:14: order.placed: sla_ms must be positive, is -5",
            id="where, what, and the value",
        ),
        pytest.param(Problem("t.yaml", 0, "", "is empty"), "t.yaml: is empty", id="the whole file"),
        pytest.param(Problem("", 0, "REDIS_URL", "is not set"), "REDIS_URL: is not set", id="no file at all"),
    ],
)
def test_a_problem_is_one_line(problem: Problem, line: str) -> None:
    assert str(problem) == line


def test_a_configuration_error_tells_every_problem() -> None:
    error = ConfigError(Problem("t.yaml", line, "", "is wrong") for line in (1, 2))
    assert str(error) == "t.yaml:1: is wrong\nt.yaml:2: is wrong"
    assert pickle.loads(pickle.dumps(error)).problems == error.problems


def test_what_is_unavailable_is_named() -> None:
    assert str(Unavailable("redis")) == "redis is unavailable"
    assert str(Unavailable("redis", TimeoutError("5 s"))) == "redis is unavailable: 5 s"
