"""The routing table: for each event type the workflows that it wakes, their priority, queue and retries."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from types import MappingProxyType

from core.backoff import exponential
from events.priority import Priority

DEFAULT_MAX_RETRIES = 3
DEFAULT_BACKOFF_MS = 1_000
LONGEST_BACKOFF_MS = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One workflow that an event type wakes.

    `rule` names the route in records and messages: `order.placed[0]` is the first route of `order.placed`.
    `backoff_ms` is the pause before the first retry; it doubles with each. With `explain`, each prediction
    says how much every feature added to it. `line` is where the route begins in its file; it decides nothing.
    """

    event_type: str
    rule: str
    workflow: str
    priority: Priority
    sla_ms: int
    queue: str
    max_batch: int | None = None
    max_retries: int = DEFAULT_MAX_RETRIES
    backoff_ms: int = DEFAULT_BACKOFF_MS
    explain: bool = False
    line: int = field(default=0, compare=False)

    @property
    def longest_backoff_ms(self) -> int:
        """The pause before the last retry, without jitter."""
        if not self.max_retries:
            return 0
        return exponential(self.max_retries - 1, self.backoff_ms, LONGEST_BACKOFF_MS)


@dataclass(frozen=True, slots=True)
class Table:
    """All routes by event type. Tables that decide alike have the same `hash`, whatever their comments."""

    routes: Mapping[str, tuple[Route, ...]]
    hash: str

    @classmethod
    def of(cls, routes: Iterable[Route]) -> "Table":
        """Group routes by their event type, in the order given."""
        grouped: dict[str, list[Route]] = {}
        for route in routes:
            grouped.setdefault(route.event_type, []).append(route)
        by_type = {event_type: tuple(routes) for event_type, routes in grouped.items()}
        return cls(MappingProxyType(by_type), _content_hash(by_type))

    @property
    def all_routes(self) -> tuple[Route, ...]:
        """Every route, in the order of the file."""
        return tuple(route for of_type in self.routes.values() for route in of_type)


def _content_hash(routes: Mapping[str, tuple[Route, ...]]) -> str:
    """12 hexadecimal digits of the SHA-256 of what the table decides."""
    content = {event_type: [_decisive(route) for route in of_type] for event_type, of_type in routes.items()}
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:12]


def _decisive(route: Route) -> dict[str, object]:
    return {key: value for key, value in asdict(route).items() if key != "line"}
