"""Failures of a language model: ask again, do without one, or give up. Pure."""

from dataclasses import dataclass

from pydantic_ai.exceptions import (
    ModelAPIError,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelHTTPError,
    ModelNotFoundError,
    ModelQuotaExceededError,
    ModelRateLimitError,
    ModelRequestRejectedError,
    ModelServerError,
    ModelUnavailableError,
)

from core.backoff import exponential, half_jittered
from events.errors import Fallback, SignalboxError
from models.support.fallback import Reason

FIRST_PAUSE_S = 0.25
LONGEST_PAUSE_S = 4.0

# there is no endpoint that this agent could ask: whoever configured it has to look
_CLOSED = (ModelAuthenticationError, ModelNotFoundError, ModelQuotaExceededError)
# there is one, and it is too busy, broken, or out of reach
_AWAY = (ModelRateLimitError, ModelUnavailableError, ModelServerError, ModelConnectionError)


class NoLlmError(Fallback):
    """No language model can be asked, for `cause`: what the version says of that is done."""


class BreachError(SignalboxError):
    """The run may not go on as it is: it is handed to a person, for `reason`."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class AskAgain:
    """The same request may be answered later, after this many seconds at least.

    `given_up` is what is raised where there is no time for that.
    """

    after_s: float
    given_up: SignalboxError


def reaction(error: Exception) -> AskAgain | SignalboxError:
    """What becomes of a request that failed so: it is repeated, or this is raised.

    Anything else than an error of the endpoint is an answer that could not be read.
    """
    match error:
        case ModelAPIError() if isinstance(error, _CLOSED):
            return NoLlmError(f"the endpoint refuses this agent: {_brief(error)}")
        case ModelRequestRejectedError():
            return BreachError("refusal", f"the endpoint refused the request: {_brief(error)}")
        case TimeoutError():
            return AskAgain(0.0, NoLlmError("the endpoint did not answer in time"))
        case ModelAPIError() if isinstance(error, _AWAY):
            return AskAgain(
                error.retry_after or 0.0, NoLlmError(f"the endpoint does not answer: {_brief(error)}")
            )
        case _:
            return AskAgain(0.0, BreachError("unreadable", f"the answers could not be read: {_brief(error)}"))


def _brief(error: Exception) -> str:
    """Without what the endpoint wrote: that may be of the ticket, or of the account, and people read this."""
    return f"HTTP {error.status_code}" if isinstance(error, ModelHTTPError) else type(error).__name__


def pause(failures: int, after_s: float, share: float) -> float:
    """Seconds until the next attempt, after so many failures: exponential, half of it by `share` (0 to 1).

    Never less than `after_s`, which the endpoint asked for.
    """
    return after_s + half_jittered(exponential(failures - 1, FIRST_PAUSE_S, LONGEST_PAUSE_S), share)
