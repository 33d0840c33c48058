"""What is made of a language model that does not answer."""

from typing import Any

import pytest
from pydantic_ai.exceptions import (
    ModelAPIError,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelContextWindowExceededError,
    ModelHTTPError,
    ModelNotFoundError,
    ModelOverloadedError,
    ModelQuotaExceededError,
    ModelRateLimitError,
    ModelRequestRejectedError,
    ModelServerError,
    ModelUnavailableError,
    UnexpectedModelBehavior,
)

from models.support.answering import LONGEST_PAUSE_S, AskAgain, BreachError, NoLlmError, pause, reaction


def http(code: int, category: Any) -> ModelHTTPError:
    return ModelHTTPError.for_category(category, status_code=code, model_name="m")


@pytest.mark.parametrize(
    ("error", "after_s", "given_up"),
    [
        pytest.param(
            ModelRateLimitError("m", "busy", retry_after=3.0),
            3.0,
            NoLlmError,
            id="it says when",
        ),
        pytest.param(ModelRateLimitError("m", "busy"), 0.0, NoLlmError, id="it is too busy"),
        pytest.param(ModelConnectionError("m", "refused"), 0.0, NoLlmError, id="nobody listens there"),
        pytest.param(TimeoutError(), 0.0, NoLlmError, id="it takes too long"),
        pytest.param(ModelAPIError("m", "no JSON"), 0.0, BreachError, id="what it says is no JSON"),
        pytest.param(UnexpectedModelBehavior("?"), 0.0, BreachError, id="its answer has another shape"),
        pytest.param(IndexError(), 0.0, BreachError, id="it answers with no choice at all"),
    ],
)
def test_what_may_pass_is_asked_again(error: Exception, after_s: float, given_up: type[Exception]) -> None:
    step = reaction(error)
    assert isinstance(step, AskAgain)
    assert step.after_s == after_s
    assert isinstance(step.given_up, given_up)


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(http(500, ModelServerError), id="500"),
        pytest.param(http(503, ModelUnavailableError), id="503"),
        pytest.param(http(529, ModelOverloadedError), id="529"),
    ],
)
def test_an_endpoint_that_is_broken_is_asked_again_and_then_is_none(error: Exception) -> None:
    step = reaction(error)
    assert isinstance(step, AskAgain)
    assert isinstance(step.given_up, NoLlmError)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        pytest.param(http(401, ModelAuthenticationError), NoLlmError, id="the key is none of its"),
        pytest.param(http(404, ModelNotFoundError), NoLlmError, id="it has no such model"),
        pytest.param(http(429, ModelQuotaExceededError), NoLlmError, id="nobody has paid"),
        pytest.param(http(400, ModelRequestRejectedError), BreachError, id="it does not take this request"),
        pytest.param(http(400, ModelContextWindowExceededError), BreachError, id="the request is too long"),
    ],
)
def test_what_will_not_pass_is_not_asked_again(error: Exception, expected: type[Exception]) -> None:
    assert isinstance(reaction(error), expected)


def test_pauses_grow_up_to_a_bound_and_never_undercut_what_was_asked_for() -> None:
    lengths = [pause(failures, 0.0, 1.0) for failures in range(1, 10)]
    assert lengths == sorted(lengths)
    assert lengths[0] == 0.25
    assert lengths[-1] == LONGEST_PAUSE_S
    assert pause(1, 7.0, 0.0) >= 7.0
    assert pause(3, 0.0, 0.0) == 0.5


def test_people_are_told_nothing_that_the_endpoint_wrote() -> None:
    error = ModelHTTPError.for_category(
        ModelAuthenticationError, status_code=401, model_name="m", body={"message": "key sk-123 of jo@x.org"}
    )
    assert str(reaction(error)) == "the endpoint refuses this agent: HTTP 401"
    busy = reaction(ModelRateLimitError("m", "organization org-1 has used up"))
    assert isinstance(busy, AskAgain)
    assert "org-1" not in str(busy.given_up)
