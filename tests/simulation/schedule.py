"""One schedule: a seed's events, faults and turns, until nothing moves any more."""

from collections import Counter
from dataclasses import dataclass, field, replace
from random import Random

from dispatcher.lane_reader import RECONCILER_GROUP, feeder_group
from dispatcher.router import GROUP as ROUTER_GROUP
from events.decision import Millis, dead_letter_topic, overflow_topic
from events.topics import DEAD_LETTERS, EVENTS, PREDICTIONS, UNROUTED
from routing import LaneSpec, Table
from tests.simulation import traffic
from tests.simulation.broker import Celery
from tests.simulation.dispatcher import Dispatcher
from tests.simulation.faults import CHANCES, STROKES
from tests.simulation.kafka import Kafka
from tests.simulation.notes import Notes
from tests.simulation.port import Port
from tests.simulation.properties import check_the_end
from tests.simulation.reconciler import ReconcilerPart
from tests.simulation.running import Runner
from tests.simulation.standing_in import Clients
from tests.simulation.traffic import CHURN, FLOODED, FRAUD, TABLES, Sent
from tests.simulation.watching import Watch
from tests.simulation.worker import Worker
from tests.simulation.world import FAULTS, NEVER, Fault, Part, Violation, World
from transport.kafka import Outgoing

TURNS = 200
STRIKE_EVERY = 16
REST_ROUNDS = 5_000
REST_PASSING: Millis = 40
PASSING: tuple[Millis, ...] = (0, 0, 1, 2, 5, 10, 20, 40)
PARTITIONS = 2
# a feeder stops at 16; two of them may have sent one more, and six workers hold two each
MOST_HELD_BACK = 16 + 2 + 12


@dataclass(slots=True)
class Outcome:
    """What a schedule came to. `steps` is there if it was traced."""

    seed: int
    struck: Counter[Fault]
    events: int
    fed_again: int
    doubled: int
    violation: str | None = None
    steps: list[str] = field(default_factory=list)


class Schedule:
    """All the parts of one world, and who has its turn when."""

    def __init__(self, seed: int, clients: Clients, *, traced: bool = False) -> None:
        chosen = Random(seed)
        self.world = World(seed, _faults(chosen), traced=traced)
        self.world.chances |= {kind: CHANCES[kind] for kind in self.world.chances if kind in CHANCES}
        self.watch = Watch()
        self.kafka = Kafka(self.world, self.watch)
        clients.begin(self.kafka)
        self.clients = clients
        self.celery = Celery(self.world, redis=chosen.random() < 0.5)
        self.table_number = 0
        self.flood = chosen.random() < 0.03
        lanes = traffic.lanes(1 if self.flood else chosen.choice((2, 4, 8)))
        self._lanes = lanes
        dead_letters = [dead_letter_topic(queue) for queue in lanes]
        made = [lane.topic for of_queue in lanes.values() for lane in of_queue]
        for topic in (EVENTS, UNROUTED, DEAD_LETTERS, PREDICTIONS, *dead_letters, *made):
            self.kafka.create(topic, PARTITIONS)
        self.dispatchers = [
            Dispatcher(f"dispatcher-{number}", clients, self.celery, self.watch, self.table, self.lanes_of)
            for number in range(chosen.choice((1, 2, 2)))
        ]
        self.failures: Counter[str] = Counter()
        self.notes = Notes(self.world)
        self.workers = [
            self._worker(f"worker-{number}", queue)
            for number, queue in enumerate((FRAUD,) * (6 if self.flood else 2) + (CHURN,))
        ]
        if self.flood and "broker emptied" not in self.world.chances:
            for worker in self.workers:
                worker.most_held_back = MOST_HELD_BACK
        self.reconciler = ReconcilerPart(self.kafka, Port(self.celery, lambda _: None), self.every_lane)
        self.events = traffic.traffic(chosen, 60 if self.flood else chosen.randint(6, 26), self.flood)
        self.to_come = list(reversed(self.events))
        self._striking = [kind for kind in self.world.chances if kind in STROKES]
        self.parts: list[Part] = [
            *(part for each in self.dispatchers for part in each.parts),
            *self.workers,
            self.reconciler,
            self.celery,
        ]

    def lanes_of(self, queue: str) -> tuple[LaneSpec, ...]:
        """The lanes of a queue, and the overflow topics that they have by now."""
        both = (each for lane in self._lanes[queue] for each in (lane, overflow_of(lane)))
        return tuple(lane for lane in both if lane.topic in self.kafka.logs)

    def every_lane(self) -> list[LaneSpec]:
        """Those of all queues."""
        return [lane for queue in self._lanes for lane in self.lanes_of(queue)]

    @property
    def lanes(self) -> list[str]:
        """The topics of all lanes."""
        return [lane.topic for lane in self.every_lane()]

    def _worker(self, name: str, queue: str) -> Worker:
        runner = Runner(queue, self.world, self.notes, self.failures)
        return Worker(name, queue, self.celery, self.kafka, self.notes, runner)

    def table(self) -> Table:
        """The routing table in force."""
        tables = FLOODED if self.flood else TABLES
        return tables[self.table_number % len(tables)]

    def run(self) -> None:
        """Faults strike for a while; then the world has to come to rest. Raises `Violation`."""
        world, parts = self.world, self.parts
        dice = world.random.random
        for _ in range(TURNS):
            world.advance(PASSING[int(dice() * len(PASSING))])
            if self.to_come and dice() < 0.2:
                self._produce(int(dice() * 5) + 1)
            if self._striking and dice() * STRIKE_EVERY < 1:
                self._strike()
            part = parts[int(dice() * len(parts))]
            if part.wakes_at() <= world.now:
                part.step()
        world.calm()
        self._come_to_rest()
        check_the_end(self)

    def _produce(self, count: int) -> None:
        for _ in range(min(count, len(self.to_come))):
            sent: Sent = self.to_come.pop()
            self.kafka.append(Outgoing(EVENTS, sent.value, sent.key))

    def _strike(self) -> None:
        kind = self.world.random.choice(self._striking)
        self.world.struck[kind] += 1
        self.world.say("fault", kind)
        STROKES[kind](self)

    def _come_to_rest(self) -> None:
        """Everybody does what there is to do, and time passes only to what comes next."""
        self._produce(len(self.to_come))
        world = self.world
        for _ in range(REST_ROUNDS):
            before = world.activity
            for part in self._in_some_order():
                self._let(part)
            passing = REST_PASSING
            if world.activity == before:
                wakes = [part.wakes_at() for part in self.parts]
                next_at = min([*(at for at in wakes if at > world.now), world.next_timer])
                if next_at != NEVER:
                    passing = next_at - world.now
                elif min(wakes) == NEVER:
                    break
                # else somebody waits for an acknowledgement, and the dice gave none this time
            world.advance(passing)
        if self._unrest() or not self.celery.at_rest:
            raise Violation(f"the world comes to rest: {self._unrest()}")

    def _in_some_order(self) -> list[Part]:
        first = int(self.world.random.random() * len(self.parts))
        return self.parts[first:] + self.parts[:first]

    def _let(self, part: Part) -> None:
        """Let a part do all that it can do now."""
        world = self.world
        while part.wakes_at() <= world.now:
            before = world.activity
            part.step()
            if world.activity == before:
                return

    def _unrest(self) -> list[str]:
        """Which groups have not committed the end of what they read."""
        kafka = self.kafka
        groups = [(ROUTER_GROUP, EVENTS)]
        groups += [(group, lane) for lane in self.lanes for group in (feeder_group(lane), RECONCILER_GROUP)]
        return [
            f"{group} is at {kafka.position(group, topic, partition)} of {topic}[{partition}]@{len(log)}"
            for group, topic in groups
            for partition, log in enumerate(kafka.logs[topic])
            if max(kafka.position(group, topic, partition), kafka.begin(topic, partition)) < len(log)
        ]


def overflow_of(lane: LaneSpec) -> LaneSpec:
    """The overflow topic of a lane, fed as the lane is."""
    return replace(lane, topic=overflow_topic(lane.topic))


def _faults(chosen: Random) -> list[Fault]:
    if chosen.random() < 0.05:
        return []
    return chosen.sample(FAULTS, chosen.randint(1, 7))


def run(seed: int, clients: Clients, *, traced: bool = False) -> Outcome:
    """Play one seed's schedule. What does not hold is in the outcome."""
    schedule = Schedule(seed, clients, traced=traced)
    violation = None
    try:
        schedule.run()
    except Violation as broken:
        violation = str(broken)
    doubled = sum(
        count - 1 for of_lane in schedule.watch.outcomes.values() for count in of_lane.values() if count
    )
    return Outcome(
        seed,
        schedule.world.struck,
        len(schedule.events),
        schedule.reconciler.fed_again,
        doubled,
        violation,
        schedule.world.steps or [],
    )
