"""The reconciler process: the real one, on clients of a simulated Kafka, its budget watched."""

from collections.abc import Callable

from confluent_kafka import KafkaException

from dispatcher.lane_reader import RECONCILER_GROUP, feeder_group
from dispatcher.reconciler import Reconciler
from dispatcher.reconciling import Reconciling
from events.decision import Millis
from routing import LaneSpec
from tests.simulation.kafka import Kafka
from tests.simulation.port import Port
from tests.simulation.standing_in import Stop
from tests.simulation.watching import HORIZON, Place
from tests.simulation.world import NEVER


class ReconcilerPart:
    """Is killed, and restarts with nothing but the places that it committed."""

    def __init__(self, kafka: Kafka, port: Port, lanes: Callable[[], list[LaneSpec]]) -> None:
        self._fed_again = 0
        self._kafka = kafka
        self._world = kafka.world
        self._port = port
        self._lanes = lanes
        self._away_until: Millis = 0
        self._process: Reconciler | None = None

    @property
    def machines(self) -> dict[Place, Reconciling]:
        """The state of each partition of each lane."""
        return self._process._states if self._process else {}

    def kill(self, back_after: Millis) -> None:
        """It is gone, and all that it knew beyond its places."""
        self._fed_again = self.fed_again
        self._process = None
        self._away_until = self._world.now + back_after

    @property
    def fed_again(self) -> int:
        """How many records it has fed again, over all its lives."""
        return self._fed_again + sum(machine.fed_again for machine in self.machines.values())

    def wakes_at(self) -> Millis:
        """When there is something to read, to commit, or to feed again."""
        process = self._process
        if process is None or not process._states:
            return self._away_until
        if process._outcomes._consumer.has_news:  # type: ignore[attr-defined]
            return self._away_until
        committed, logs = self._kafka.committed, self._kafka.logs
        wakes = self._grows_at(process)
        for (topic, number), state in process._states.items():
            place = committed.get((RECONCILER_GROUP, topic, number), 0)
            if place < len(logs[topic][number]):
                fed = committed.get((feeder_group(topic), topic, number), 0)
                if place < self._kafka.begin(topic, number) and state.watermark < self._kafka.begin(
                    topic, number
                ):
                    wakes = min(
                        wakes, max(int(process._expired_at * 1_000), int(process._look_at * 1_000)) + 1
                    )
                wakes = min(
                    wakes, self._wakes_for(process, state, fed > state._fed or state.watermark > place)
                )
        return max(wakes, self._away_until)

    def _grows_at(self, process: Reconciler) -> Millis:
        """When it next looks for partitions, if there are some that it does not know; `NEVER` if not."""
        logs, known = self._kafka.logs, process._outcomes._next
        if len(self._lanes()) > len(process._specs):
            return 0
        partitions = [(topic, number) for topic in process._specs for number in range(len(logs[topic]))]
        outcomes = [(topic, n) for topic in process._outcomes._topics for n in range(len(logs[topic]))]
        if len(partitions) > len(process._states) or len(outcomes) > len(known):
            return int(max(process._grow_at, process._look_at) * 1_000) + 1
        return NEVER

    def _wakes_for(self, process: Reconciler, state: Reconciling, moved: bool) -> Millis:
        look_at = int(process._look_at * 1_000) + 1
        again_at = int(max(process._again_at, process._again._breaker.open_until(0) or 0) * 1_000) + 1
        wakes = look_at if moved else NEVER
        for sent in (*state._again.values(), *(at for _, at in state._marks)):
            late = sent + HORIZON
            wakes = min(wakes, again_at if late <= process._outcomes.read_up_to else max(late, look_at))
        if state.watermark < state._overdue_below and len(state._again) < state._allowance:
            wakes = min(wakes, again_at)
        return wakes

    def step(self) -> None:
        """One turn."""
        if self._process is None:
            clock = self._world.clock
            self._process = Reconciler(
                "reconciler",
                self._port,
                self._lanes,
                lambda _: HORIZON,
                Stop(),  # type: ignore[arg-type]
                clock=clock,
            )
        try:
            self._process.step(0)
        except KafkaException:
            self._away_until = self._world.now + 1_000
