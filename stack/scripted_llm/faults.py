"""Fault injection of the script: by a seed, the ticket and the call, so that a run can be repeated."""

from collections import Counter
from dataclasses import dataclass
from typing import Literal

import msgspec

from stack.chance import share

Fault = Literal[
    "slow",  # the answer is right, and comes after `slow_s`
    "body",  # the answer's body is JSON cut in half
    "arguments",  # the answer holds, and its tool's arguments are JSON cut in half
    "empty",  # the answer has no choices
    "rate_limited",  # 429, with Retry-After
    "refusal",  # the model will not answer
    "down",  # 503
]


class LlmFaults(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Shares of the calls, 0 to 1; times in seconds. `broken` is one of three kinds by chance.

    `down` is the share that gets 503: 1 is an endpoint that is down.
    """

    slow: float = 0.0
    slow_s: float = 10.0
    broken: float = 0.0
    rate_limited: float = 0.0
    retry_after_s: int = 1
    refusal: float = 0.0
    down: float = 0.0
    seed: int = 0


_BROKEN: tuple[Fault, ...] = ("body", "arguments", "empty")


def fault_of(faults: LlmFaults, ticket_id: str, call: int, attempt: int) -> Fault | None:
    """What goes wrong with this attempt at the `call`th call for a ticket, if anything."""
    drawn = share(faults.seed, ticket_id, call, attempt)
    kinds: tuple[tuple[float, Fault], ...] = (
        (faults.down, "down"),
        (faults.rate_limited, "rate_limited"),
        (faults.broken, _BROKEN[int(share("kind", faults.seed, ticket_id, call, attempt) * len(_BROKEN))]),
        (faults.refusal, "refusal"),
        (faults.slow, "slow"),
    )
    below = 0.0
    for part, fault in kinds:
        below += part
        if drawn < below:
            return fault
    return None


@dataclass(frozen=True, slots=True)
class Draw:
    """One attempt, and what goes wrong with it."""

    attempt: int
    fault: Fault | None


class Failing:
    """Draws again for each attempt, so that a repeated call succeeds in the end."""

    def __init__(self) -> None:
        self.faults = LlmFaults()
        self.counts: Counter[str] = Counter()
        self._attempts: Counter[tuple[str, int]] = Counter()

    def draw(self, ticket_id: str, call: int) -> Draw:
        """What becomes of one request."""
        self._attempts[ticket_id, call] += 1
        attempt = self._attempts[ticket_id, call]
        fault = fault_of(self.faults, ticket_id, call, attempt)
        self.counts[fault or "right"] += 1
        return Draw(attempt, fault)
