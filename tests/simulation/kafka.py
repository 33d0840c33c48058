"""Kafka as a simulated schedule sees it: topics as lists, groups that give partitions away, commits."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from zlib import crc32

from events.decision import Millis, Position
from tests.simulation.world import World
from transport.kafka import Headers, Outgoing


@dataclass(frozen=True, slots=True)
class Record:
    """What stands at one offset. `timestamp` (epoch ms) is when it came there."""

    key: bytes | None
    value: bytes | None
    headers: Headers
    timestamp: Millis


class Observer(Protocol):
    """Told of every record that Kafka holds, and of every commit, as they come."""

    def on_append(self, position: Position, record: Record) -> None:
        """A record stands there now, for good."""

    def on_commit(self, group: str, position: Position) -> None:
        """A group committed this offset."""

    def on_expired(self, position: Position) -> None:
        """What was below this offset is gone."""


class Member(Protocol):
    """A consumer, as its group's coordinator sees it."""

    name: str

    def on_assigned(self, partition: int) -> None:
        """It reads this partition from now on."""

    def on_asked(self, partition: int) -> None:
        """It is to give this partition back, when it next polls."""

    def on_expelled(self, partitions: Sequence[int]) -> None:
        """The group went on without it; it learns that when it next polls."""


class Kafka:
    """One cluster. A partition holds the records from its beginning on; offsets never change."""

    def __init__(self, world: World, observer: Observer) -> None:
        self.world = world
        self.logs: dict[str, list[list[Record]]] = {}
        self.committed: dict[tuple[str, str, int], int] = {}
        self.groups: dict[tuple[str, str], Group] = {}
        self._begins: dict[tuple[str, int], int] = {}
        self._observer = observer

    def create(self, topic: str, partitions: int) -> None:
        """Make a topic."""
        self.logs[topic] = [[] for _ in range(partitions)]

    def grow(self, topic: str, partitions: int) -> None:
        """Add partitions to a topic: from now on keys are dealt out among all of them."""
        self.logs[topic] += [[] for _ in range(partitions)]
        for group in self.groups.values():
            if group.topic == topic:
                group.grow(partitions)

    def begin(self, topic: str, partition: int) -> int:
        """The offset of the oldest record that is still there."""
        return self._begins.get((topic, partition), 0)

    def expire(self, topic: str, partition: int, below: int) -> None:
        """Forget what stands below an offset."""
        self._begins[topic, partition] = below
        self._observer.on_expired(Position(topic, partition, below))

    def append(self, out: Outgoing) -> Position:
        """Write a record; its key decides on the partition."""
        log = self.logs[out.topic]
        partition = crc32(out.key or b"") % len(log)
        position = Position(out.topic, partition, len(log[partition]))
        record = Record(out.key, out.value, out.headers, self.world.now)
        log[partition].append(record)
        self.world.activity += 1
        self._observer.on_append(position, record)
        return position

    def end(self, topic: str, partition: int) -> int:
        """The offset above the last record."""
        return len(self.logs[topic][partition])

    def commit(self, group: str, topic: str, partition: int, offset: int) -> None:
        """Write a group's position down; Kafka does not mind whether it goes back."""
        self.committed[group, topic, partition] = offset
        self.world.activity += 1
        self._observer.on_commit(group, Position(topic, partition, offset))

    def position(self, group: str, topic: str, partition: int) -> int:
        """Where a group goes on reading."""
        return self.committed.get((group, topic, partition), 0)

    def group(self, name: str, topic: str) -> "Group":
        """The group of this name on a topic, made when first asked for."""
        known = self.groups.get((name, topic))
        if known is None:
            known = self.groups[name, topic] = Group(self.world, name, topic, len(self.logs[topic]))
        return known


class Group:
    """One consumer group: who reads which partition."""

    def __init__(self, world: World, name: str, topic: str, partitions: int) -> None:
        self.name = name
        self.topic = topic
        self.members: list[Member] = []
        self._world = world
        self._owners: list[Member | None] = [None] * partitions

    def grow(self, partitions: int) -> None:
        """The topic has more partitions."""
        self._owners += [None] * partitions
        self.rebalance()

    def join(self, member: Member) -> None:
        """A member is there, and everything is dealt out anew."""
        self.members.append(member)
        self.rebalance()

    def expel(self, member: Member) -> None:
        """A member was not heard of, or left: what it read is dealt out to others at once."""
        if member not in self.members:
            return
        self.members.remove(member)
        theirs = [number for number, owner in enumerate(self._owners) if owner is member]
        member.on_expelled(theirs)
        for number in theirs:
            self._owners[number] = None
        self._world.say(member.name, "is out of {}, without {}", self.name, theirs)
        self.rebalance()

    def rebalance(self) -> None:
        """Deal the partitions out anew. Who has one that goes elsewhere is asked for it first."""
        if not self.members:
            return
        dealt = self._world.random.sample(self.members, len(self.members))
        for number, owner in enumerate(self._owners):
            target = dealt[number % len(dealt)]
            if owner is None:
                self._give(number, target)
            elif owner is not target:
                owner.on_asked(number)

    def release(self, member: Member, partition: int) -> None:
        """A member gives a partition back."""
        if self._owners[partition] is not member:
            return
        self._owners[partition] = None
        others = [each for each in self.members if each is not member] or self.members
        if others:
            self._give(partition, self._world.random.choice(others))

    def _give(self, partition: int, member: Member) -> None:
        self._owners[partition] = member
        member.on_assigned(partition)
        self._world.say(member.name, "reads {}[{}]", self.topic, partition)
