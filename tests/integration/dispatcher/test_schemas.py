"""What a router does with Avro while its schema registry is there, and while it is not."""

import threading
from collections.abc import Iterator

import msgspec
import pytest

from dispatcher.router import Router
from events.avro import SHIPPED, SHIPPED_ID, Writer
from events.errors import Unavailable
from events.lane import decode_record
from events.timeliness import ANY_AGE
from stack.emission import in_avro
from tests.integration.dispatcher.ground import PARTITIONS, Ground, order, wait_until


class Flapping:
    """A registry that can be taken down. It forgets, as a router does that was started again."""

    def __init__(self) -> None:
        self.down = threading.Event()
        self.refused = 0

    def writer(self, schema_id: int) -> Writer:
        """See `Schemas`."""
        if self.down.is_set():
            self.refused += 1
            raise Unavailable("schema registry", "taken down by the test")
        return SHIPPED.writer(schema_id)


@pytest.fixture
def registry() -> Flapping:
    return Flapping()


@pytest.fixture
def group(ground: Ground, registry: Flapping) -> Iterator[str]:
    """The group of a router that runs."""
    stop, name, table = threading.Event(), f"router.{ground.source}", ground.rules().table
    router = Router(
        ground.kafka, lambda: table, stop, source=ground.source, group=name, schemas=registry, spans=ANY_AGE
    )
    thread = threading.Thread(target=router.run)
    thread.start()
    yield name
    stop.set()
    thread.join(30)
    assert not thread.is_alive()


def avro(number: int, schema_id: int = SHIPPED_ID) -> bytes:
    event = msgspec.json.decode(order(number), type=dict[str, msgspec.Raw])
    fields = {name: msgspec.json.decode(value) for name, value in event.items()}
    return in_avro({**fields, "payload": bytes(event["payload"])}, schema_id=schema_id)


def routed(ground: Ground) -> list[str]:
    return [decode_record(message.value() or b"").event.event_id for message in ground.read(ground.lane)]


def test_a_lane_holds_an_event_in_avro_as_json_beside_its_own_bytes(ground: Ground, group: str) -> None:
    ground.produce(ground.source, [avro(1)])
    wait_until(lambda: ground.read(ground.lane, 0.3), 60, "it is routed")
    record = decode_record(ground.read(ground.lane)[0].value() or b"")
    assert record.event.payload["order_id"] == "o-1"
    assert record.original is not None
    assert record.original.value == avro(1)


def test_what_the_registry_cannot_name_keeps_its_place_and_the_others_go_on(
    ground: Ground, group: str, registry: Flapping
) -> None:
    registry.down.set()
    held = [avro(number) if number in (700, 1_400) else order(number) for number in range(2_000)]
    ground.produce(ground.source, held, partition=0)
    ground.produce(ground.source, [order(number) for number in range(5_000, 6_000)], partition=1)
    wait_until(lambda: ground.committed(group, ground.source) == 1_700, 60, "what can be read is committed")
    asked = registry.refused
    wait_until(lambda: registry.refused >= asked + 3, 60, "the registry is asked again and again")
    before = [*range(700), *range(5_000, 6_000)]
    assert sorted(routed(ground)) == sorted(f"e-{number}" for number in before)

    registry.down.clear()
    wait_until(lambda: ground.committed(group, ground.source) == 3_000, 60, "all are committed")
    every = [*range(2_000), *range(5_000, 6_000)]
    assert sorted(routed(ground)) == sorted(f"e-{number}" for number in every)


def test_a_schema_that_is_unknown_holds_up_nobody(ground: Ground, group: str) -> None:
    ground.produce(ground.source, [avro(1, schema_id=7), order(2)], partition=PARTITIONS - 1)
    wait_until(lambda: ground.committed(group, ground.source) == 2, 60, "both are committed")
    assert routed(ground) == ["e-2"]
