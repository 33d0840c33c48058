"""Detection of inactive customers from last orders. Pure; `features.offline.spells` reads those."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from events.decision import Millis
from events.errors import ConfigError, Problem
from events.inactivity import DAY_MS
from features.heartbeats import Heartbeat, as_of


class Spell(NamedTuple):
    """A customer who has ordered nothing since `last_seen_at` (epoch ms)."""

    tenant_id: str
    customer_id: str
    last_seen_at: Millis


class Seen(NamedTuple):
    """A range of last orders (epoch ms): after `after`, and up to `until`."""

    after: Millis
    until: Millis


@dataclass(frozen=True, slots=True)
class Rule:
    """Who orders nothing for `after_days` is inactive; after `lost_days` it is no news any more.

    The second bounds what is told where nobody has looked for long, or never before. Raises `ConfigError`
    where it is not the longer one.
    """

    after_days: int
    lost_days: int

    def __post_init__(self) -> None:
        if self.lost_days <= self.after_days:
            message = f"must be above SIGNALBOX_INACTIVE_AFTER_DAYS ({self.after_days}), is {self.lost_days}"
            raise ConfigError([Problem("environment", 0, "SIGNALBOX_LOST_AFTER_DAYS", message)])

    def seen(self, known_until: Millis) -> Seen:
        """When those ordered last who have become inactive, of whom everything is known up to that time."""
        return Seen(known_until - self.lost_days * DAY_MS, known_until - self.after_days * DAY_MS)


def known_until(counted: Mapping[int, Heartbeat], now: Millis) -> Millis | None:
    """Up to when (epoch ms) the store knows every order; None if no stream was counted yet.

    A pipeline that stands still must not make everybody inactive who ordered meanwhile.
    """
    reached = as_of(counted)
    return None if reached is None else min(reached, now)
