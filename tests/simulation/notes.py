"""Workers' notes of events under suspicion, as the Redis of the features holds them."""

from events.decision import Millis
from events.errors import Unavailable
from tests.simulation.world import World


class Notes:
    """In the place of `tasks.suspects.Suspects`; asked with the time, for a run is ahead of the world's."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._begun: set[str] = set()

    def had_begun(self, task_id: str, at: Millis) -> bool:
        """Whether its work began and did not end. Raises `Unavailable`."""
        self._check(at)
        return task_id in self._begun

    def begin(self, task_id: str, at: Millis) -> None:
        """Its work begins. Raises `Unavailable`."""
        self._check(at)
        self._begun.add(task_id)

    def end(self, task_id: str) -> None:
        """It ended in order. Where that cannot be written, it looks as if it had not."""
        if not self._world.down("store"):
            self._begun.discard(task_id)

    def empty(self) -> None:
        """Somebody flushed it."""
        self._begun.clear()

    def _check(self, at: Millis) -> None:
        if self._world.down("store", at):
            raise Unavailable("redis", "down")
