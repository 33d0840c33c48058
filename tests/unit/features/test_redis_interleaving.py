"""Whatever order commits, appends, late puts, crashes and emptyings come in: a row is absent or complete.

The pipeline and the readers of two partitions are played step by step, against a Redis and an SQL that is a
list. After each step every row that stands there must hold exactly what SQL holds up to where it claims to.
"""

from collections.abc import Callable
from random import Random

import fakeredis
import pytest

from events.errors import Unavailable
from features import redis_store
from features.redis_store import RedisStore
from tests.unit.features.shelf import beat, delta, key, row, segment, standing

PARTITIONS = (0, 1)
ENTITIES = ("a", "b")
SEEDS, STEPS = 20, 120
Row = tuple[str, bytes, int]


class Interrupted(RedisStore):
    """Calls `between` before each script but the first of a call."""

    between: Callable[[], None] | None = None

    def _run(self, script: object, keys: object, arguments: object) -> list[object]:
        answer: list[object] = super()._run(script, keys, arguments)  # type: ignore[arg-type]
        if self.between:
            self.between()
        return answer


class World:
    """SQL as lists of who was in each offset; batches that it holds and Redis does not; puts on their way."""

    def __init__(self) -> None:
        self.redis = fakeredis.FakeRedis(server=fakeredis.FakeServer())
        self.store = Interrupted("redis://given", connect=lambda *_, **__: self.redis)
        self.sql: dict[int, list[str]] = {partition: ["a"] for partition in PARTITIONS}
        self.pending: dict[int, list[tuple[int, int]]] = {partition: [] for partition in PARTITIONS}
        self.seen = ""
        self.flying: list[tuple[Row, dict[int, int]]] = []
        for partition in PARTITIONS:
            self.store.append(partition, 0, beat(0), [])
            self.pending[partition].append((0, 1))
            self.push(partition)

    def row_of(self, entity: str) -> tuple[Row, dict[int, int]]:
        """What SQL has of an entity, and how far it is."""
        segments = [
            segment(partition, len(who), *(at for at, each in enumerate(who) if each == entity))
            for partition, who in self.sql.items()
            if entity in who
        ]
        return row(entity, *segments), {partition: len(who) for partition, who in self.sql.items()}

    def commit(self, partition: int, entities: list[str]) -> None:
        """A batch into SQL."""
        base = len(self.sql[partition])
        self.sql[partition].extend(entities)
        self.pending[partition].append((base, len(self.sql[partition])))

    def push(self, partition: int) -> None:
        """The oldest batch that Redis lacks; where Redis stands elsewhere, all that it lacks."""
        if not self.pending[partition]:
            return
        base, position = self.pending[partition].pop(0)
        tiles: dict[str, list[int]] = {}
        for at in range(base, position):
            tiles.setdefault(self.sql[partition][at], []).append(at)
        deltas = [delta(entity, *places) for entity, places in tiles.items()]
        answer = self.store.append(partition, base, beat(position), deltas)
        # before the rows that were absent are put: a killed pipeline comes no further
        self.seen = self.seen or self.wrong()
        if answer.behind is not None:
            self.repair(partition)
        for entity in ENTITIES:
            if key(entity) in answer.absent:
                self.store.put([self.row_of(entity)[0]], self.row_of(entity)[1])

    def repair(self, partition: int) -> None:
        """As `features.pipeline.pushing` does."""
        self.pending[partition].clear()
        there = self.store.heartbeats().position(partition)
        assert there is not None
        for entity in dict.fromkeys(self.sql[partition][there:]):
            found, known = self.row_of(entity)
            self.store.put([found], known)
        self.store.append(partition, there, beat(len(self.sql[partition])), [])

    def die(self, partition: int) -> None:
        """What was to be pushed is forgotten; who comes next greets the online store."""
        self.pending[partition].clear()
        position = len(self.sql[partition])
        if self.store.append(partition, position, beat(position), []).behind is not None:
            self.repair(partition)

    def die_within(self, partition: int) -> None:
        """Killed after the first script of a batch."""

        def killed() -> None:
            raise Unavailable("killed")

        self.store.between = killed
        try:
            self.push(partition)
        except Unavailable:
            pass
        finally:
            self.store.between = None
        self.die(partition)

    def push_meanwhile(self, partition: int) -> None:
        """What is on its way lands between the scripts of a batch."""
        self.store.between = self.land_all
        self.push(partition)
        self.store.between = None

    def read(self, entity: str) -> None:
        """Somebody missed this one and has its row from SQL, not yet put."""
        self.flying.append(self.row_of(entity))

    def land(self, place: int) -> None:
        """One of those that are on their way is put."""
        if self.flying:
            found, known = self.flying.pop(place % len(self.flying))
            RedisStore.put(self.quiet, [found], known)

    def land_all(self) -> None:
        """All of them, the latest first; they stay on their way, since a put may come twice."""
        for found, known in reversed(self.flying):
            self.quiet.put([found], known)

    @property
    def quiet(self) -> RedisStore:
        """A reader's connection."""
        return RedisStore("redis://given", connect=lambda *_, **__: self.redis)

    def empty(self) -> None:
        """Redis loses everything. The owners of the partitions owe what they had not pushed."""
        self.redis.flushall()
        for partition in PARTITIONS:
            self.pending[partition].clear()
        self.die(0)

    def expire(self, entity: str) -> None:
        """A row lives no longer."""
        self.redis.delete(key(entity))

    def wrong(self) -> str:
        """The first row that does not hold what SQL holds, up to where it claims to be."""
        beats = self.store.heartbeats()
        for entity in ENTITIES:
            found = standing(self.store, entity)
            if found is None:
                continue
            for partition, who in self.sql.items():
                position, tiles = found.get(partition, (0, []))
                claimed = max(position, beats.position(partition) or 0)
                if sorted(tiles) != [at for at in range(claimed) if who[at] == entity]:
                    return f"{entity} of partition {partition} up to {claimed}"
        return ""


def step(world: World, rng: Random) -> str:
    """One of the things that happen, and how it reads."""
    partition, entity = rng.choice(PARTITIONS), rng.choice(ENTITIES)
    steps: dict[str, tuple[int, Callable[[], None]]] = {
        f"{entity} in {partition}": (4, lambda: world.commit(partition, [entity])),
        f"all in {partition}": (1, lambda: world.commit(partition, list(ENTITIES))),
        f"push {partition}": (4, lambda: world.push(partition)),
        f"push {partition}, puts meanwhile": (2, lambda: world.push_meanwhile(partition)),
        f"{partition} dies": (1, lambda: world.die(partition)),
        f"{partition} dies within": (1, lambda: world.die_within(partition)),
        f"read {entity}": (4, lambda: world.read(entity)),
        "a put lands": (4, lambda: world.land(rng.randrange(9))),
        f"{entity} expires": (3, lambda: world.expire(entity)),
        "emptied": (1, world.empty),
    }
    name = rng.choices(list(steps), [weight for weight, _ in steps.values()])[0]
    steps[name][1]()
    return name


@pytest.fixture(autouse=True)
def _one_row_a_script(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_store, "ROWS_PER_SCRIPT", 1)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_row_is_absent_or_complete(seed: int) -> None:
    world, rng = World(), Random(seed)
    said: list[str] = []
    for _ in range(STEPS):
        said.append(step(world, rng))
        wrong = world.seen or world.wrong()
        assert not wrong, f"{wrong} after {', '.join(said)}"
