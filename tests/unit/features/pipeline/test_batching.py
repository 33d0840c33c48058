"""Which batch the records of a partition make."""

import pytest

from events.avro import Writer
from events.errors import Unavailable
from features.pipeline.batching import Taken, take
from features.pipeline.reading import Record
from features.pipeline.standing import Stand
from features.retail import DEFINITIONS
from tests.unit.features.pipeline.events import NOON, TOPIC, event, order, record

LATER = NOON + 5_000


class Away:
    """A schema registry that does not answer."""

    def writer(self, schema_id: int) -> Writer:
        raise Unavailable("schema registry", f"asked for {schema_id}")


def taken(stand: Stand, *records: Record, now: int = LATER) -> Taken:
    """What is made of these records."""
    return take((TOPIC, 2), stand, records, DEFINITIONS, now, Away())


def test_a_batch_ends_after_its_last_record_whatever_that_was() -> None:
    found = taken(
        Stand(10),
        record(10, order(1)),
        record(12, b"\xff"),
        record(13, event("e", "inventory.updated", sku="s", quantity=1)),
    )
    assert (found.batch.topic, found.batch.partition) == (TOPIC, 2)
    assert (found.batch.base, found.batch.position) == (10, 14)
    assert [each.offset for each in found.batch.events] == [10]
    assert (found.records, found.idle) == (3, 1)
    assert [each.cause for each in found.skipped] == ["undecodable"]


def test_what_was_counted_before_is_passed_over() -> None:
    found = taken(Stand(11), record(9, order(1)), record(10, order(2)), record(11, order(3)))
    assert [each.offset for each in found.batch.events] == [11]
    assert found.records == 1


@pytest.mark.parametrize(
    ("before", "arrivals", "as_of"),
    [
        pytest.param(0, [NOON, NOON + 1], NOON + 1, id="up to the newest arrival"),
        pytest.param(NOON + 9, [NOON], NOON + 9, id="never back"),
        pytest.param(0, [LATER + 60_000], LATER, id="not into a future that a producer's clock made up"),
    ],
)
def test_a_batch_says_up_to_when_all_that_arrived_is_counted(
    before: int, arrivals: list[int], as_of: int
) -> None:
    records = [record(offset, order(offset), arrival) for offset, arrival in enumerate(arrivals)]
    assert taken(Stand(0, as_of=before), *records).batch.as_of == as_of


def test_the_event_clock_is_the_newest_event_so_far() -> None:
    old, new = record(0, order(1, at=NOON - 9)), record(1, order(2, at=NOON - 7))
    assert taken(Stand(0), old, new).batch.clock == NOON - 7
    assert taken(Stand(0, clock=NOON), old, new).batch.clock == NOON


def test_a_record_whose_schema_cannot_be_asked_for_waits_with_all_behind_it() -> None:
    in_avro = record(1, b"\x00\x00\x00\x00\x63" + b"x" * 20)
    found = taken(Stand(0), record(0, order(1)), in_avro, record(2, order(2)))
    assert (found.batch.base, found.batch.position) == (0, 1)
    assert isinstance(found.undone, Unavailable)
