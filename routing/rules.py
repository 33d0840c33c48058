"""What a dispatcher is handed: a table and a catalogue that agree, and the lanes that follow from them."""

from collections import defaultdict
from dataclasses import dataclass

from events.decision import lane_topic
from events.priority import Priority
from routing.catalogue import Catalogue
from routing.table import Route, Table

LOWER_LANE_MAX_BATCH = 64


@dataclass(frozen=True, slots=True)
class LaneSpec:
    """One queue and priority: the topic in which its events wait, and the task that they are sent to."""

    topic: str
    queue: str
    priority: Priority
    task: str
    max_batch: int


@dataclass(frozen=True, slots=True)
class Rules:
    """A routing table and the catalogue that it was checked against."""

    table: Table
    catalogue: Catalogue

    def lanes(self) -> tuple[LaneSpec, ...]:
        """The lanes that the table's routes name, by queue, the most urgent first."""
        routes: dict[str, dict[Priority, list[Route]]] = defaultdict(lambda: defaultdict(list))
        for route in self.table.all_routes:
            routes[route.queue][route.priority].append(route)
        return tuple(
            self._lane(queue, priority, routes[queue][priority], lower=position > 0)
            for queue in sorted(routes)
            for position, priority in enumerate(sorted(routes[queue], key=lambda each: each.rank))
        )

    def _lane(self, queue: str, priority: Priority, routes: list[Route], *, lower: bool) -> LaneSpec:
        spec = self.catalogue.queues[queue]
        # an urgent event waits for the batch that a worker has in hand: keep a lower lane's batches short
        fallback = min(LOWER_LANE_MAX_BATCH, spec.max_batch) if lower else spec.max_batch
        chosen = next((route.max_batch for route in routes if route.max_batch is not None), fallback)
        return LaneSpec(lane_topic(queue, priority), queue, priority, spec.task, chosen)
