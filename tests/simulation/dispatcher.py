"""A dispatcher process: the real router and the real feeders, on clients of a simulated Kafka."""

from collections.abc import Callable, Sequence
from typing import Any

from dispatcher.feeder import Feeder
from dispatcher.router import Router
from dispatcher.tracking import Tracker
from events.decision import Millis
from routing import LaneSpec, Table
from tests.simulation.broker import Celery
from tests.simulation.member import SESSION
from tests.simulation.port import Port
from tests.simulation.standing_in import IN_THE_AIR, ROUTED_AT_ONCE, STAY_EVERY_MS, STAY_READS, Clients, Stop
from tests.simulation.traffic import WORKFLOWS
from tests.simulation.watching import Watch
from tests.simulation.world import NEVER, Part, Violation, World
from transport.group import GroupConsumer


class Dispatcher:
    """One process with a router and feeders. It is killed, stands still, leaves and comes back."""

    def __init__(
        self,
        name: str,
        clients: Clients,
        celery: Celery,
        watch: Watch,
        table: Callable[[], Table],
        lanes: Callable[[str], Sequence[LaneSpec]],
    ) -> None:
        self.name = name
        self._clients = clients
        self._world: World = clients.kafka.world
        self._celery = celery
        self._watch = watch
        self._table = table
        self._lanes = lanes
        self._away_until: Millis = 0
        self._stop = Stop()
        self.running = False
        self.router: Router
        self.feeders: dict[str, Feeder]

    def start(self) -> None:
        """Begin with nothing but what Kafka holds."""
        self._stop = Stop()
        self.router = Router(self.name, self._table, self._stop, clock=self._world.clock)  # type: ignore[arg-type]
        self.feeders = {queue: self._feeder(queue) for queue in WORKFLOWS}
        self.running = True

    def _feeder(self, queue: str) -> Feeder:
        port = Port(self._celery, self._watch.on_sent)
        stop: Any = self._stop  # it has what a feeder asks of an `Event`
        return Feeder(queue, self.name, port, lambda: self._lanes(queue), 1, stop, clock=self._world.clock)

    def lanes_of(self, queue: str) -> Sequence[LaneSpec]:
        """The lanes that there are now."""
        return self._lanes(queue)

    @property
    def parts(self) -> list[Part]:
        """The router and the feeders: each on a thread of its own, so each has turns of its own."""
        return [_RouterTurn(self), *(_FeederTurn(self, queue) for queue in WORKFLOWS)]

    def wakes_at(self, when_running: Callable[[], Millis]) -> Millis:
        """When one of its threads has something to do."""
        return max(when_running() if self.running else 0, self._away_until)

    def awake(self) -> None:
        """It is started where it was not."""
        if not self.running:
            self.start()

    def kill(self, back_after: Millis) -> None:
        """It is gone, with all that it had in memory."""
        if not self.running:
            return
        self.running = False
        for consumer in self._clients.consumers.pop(self.name, ()):
            consumer.die()
        for producer in self._clients.producers.pop(self.name, ()):
            producer.die()
        self._away_until = self._world.now + back_after

    def stall(self, length: Millis) -> None:
        """It stands still for so long that its groups go on without it, and then goes on where it was."""
        self._away_until = self._world.now + length
        if length > SESSION:
            for consumer in self._clients.consumers.get(self.name, ()):
                consumer.fall_silent()

    def leave(self, back_after: Millis) -> None:
        """It is stopped in order."""
        if not self.running:
            return
        self._stop.flag = True
        self.router.run()
        for feeder in self.feeders.values():
            feeder.run()
        self.kill(back_after)


class _RouterTurn:
    """The thread of the router."""

    def __init__(self, process: Dispatcher) -> None:
        self._process = process

    def wakes_at(self) -> Millis:
        return self._process.wakes_at(self._when_running)

    def _when_running(self) -> Millis:
        router = self._process.router
        if len(router._writer) or router._consumer._consumer.has_news:  # type: ignore[attr-defined]
            return 0
        return _commits_at(router._consumer, router._tracker)

    def step(self) -> None:
        self._process.awake()
        router = self._process.router
        router.step(0)
        if len(router._writer) > IN_THE_AIR + 2 * ROUTED_AT_ONCE:
            raise Violation(f"memory is bounded: {len(router._writer)} records on their way to Kafka")


class _FeederTurn:
    """The thread of a feeder."""

    def __init__(self, process: Dispatcher, queue: str) -> None:
        self._process = process
        self._queue = queue

    def wakes_at(self) -> Millis:
        return self._process.wakes_at(self._when_running)

    def _when_running(self) -> Millis:
        feeder = self._process.feeders[self._queue]
        feeding = feeder._feeding
        wakes = NEVER if len(feeder._readers) == len(self._process.lanes_of(self._queue)) else 0
        if feeding.holds:
            wakes = feeding.blocked_until(0) or 0
        for lane in feeding.lanes:
            reader = feeder._readers[lane.topic]
            if reader._consumer._consumer.has_news:  # type: ignore[attr-defined]
                if feeding.room(lane):
                    return 0
                wakes = min(wakes, int(reader._read_at * 1_000) + STAY_EVERY_MS + 1)
            wakes = min(wakes, _commits_at(reader._consumer, reader._sent))
        return wakes

    def step(self) -> None:
        self._process.awake()
        feeder = self._process.feeders[self._queue]
        feeder.step()
        held = feeder._feeding._held
        for lane in feeder._feeding.lanes:
            if len(held[lane.topic]) > lane.max_batch + STAY_READS:
                raise Violation(f"memory is bounded: {len(held[lane.topic])} held of {lane.topic}")


def _commits_at(consumer: GroupConsumer, tracker: Tracker) -> Millis:
    """When there is something to commit that may be committed."""
    tracker._land()
    return int(consumer._commit_at * 1_000) + 1 if tracker._ready else NEVER
