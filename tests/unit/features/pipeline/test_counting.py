"""A batch in the offline store, and a database that refuses one event of it."""

import pytest

from events.errors import Unavailable
from features.offline.batch import Committed, Fenced, StreamBatch
from features.pipeline.counting import count
from tests.unit.features.pipeline.events import NOON, batch, order
from transport.database import UnstorableError


class Ledger:
    """Takes batches one after the other, but none with an event of these ids."""

    def __init__(self, *poison: str, seen: tuple[str, ...] = ()) -> None:
        self.position = 0
        self.counted: list[str] = []
        self._poison = poison
        self._seen = seen

    def commit(self, batch: StreamBatch) -> Committed:
        if batch.base != self.position:
            raise Fenced(batch.partition, batch.base, self.position)
        if any(event.event_id in self._poison for event in batch.events):
            raise UnstorableError("offline feature store", "cannot contain NUL")
        fresh = [event for event in batch.events if event.event_id not in self._seen]
        self.counted += [event.event_id for event in fresh]
        self.position = batch.position
        return Committed(fresh)


def orders(number: int) -> StreamBatch:
    """A batch of so many orders."""
    return batch(0, *(order(each) for each in range(number)))


def test_a_batch_is_one_transaction() -> None:
    ledger = Ledger(seen=("e-1",))
    (counted,) = count(ledger, orders(3), 0)
    assert [event.event_id for event in counted.fresh] == ["e-0", "e-2"]
    assert counted.batch == orders(3)


@pytest.mark.parametrize(
    "poison",
    [
        pytest.param((0,), id="the first"),
        pytest.param((6,), id="the last"),
        pytest.param((2, 3), id="two in the middle"),
        pytest.param(tuple(range(7)), id="every one"),
    ],
)
def test_only_what_the_database_refuses_is_skipped(poison: tuple[int, ...]) -> None:
    ledger = Ledger(*(f"e-{number}" for number in poison))
    parts = list(count(ledger, orders(7), 0))
    assert ledger.counted == [f"e-{number}" for number in range(7) if number not in poison]
    assert [skip.offset for part in parts for skip in part.skipped] == list(poison)
    assert {skip.cause for part in parts for skip in part.skipped} == {"unstorable"}
    assert ledger.position == 7


def test_the_parts_of_a_batch_follow_each_other_and_only_the_last_says_that_all_is_counted() -> None:
    parts = [part.batch for part in count(Ledger("e-1"), orders(4), 123)]
    assert [part.base for part in parts] == [0, *(part.position for part in parts[:-1])]
    assert {part.as_of for part in parts[:-1]} == {123}
    assert parts[-1].as_of == NOON


def test_a_database_that_takes_not_even_an_empty_batch_is_not_an_events_fault() -> None:
    class Broken(Ledger):
        def commit(self, batch: StreamBatch) -> Committed:
            raise UnstorableError("offline feature store", "out of range")

    with pytest.raises(Unavailable, match="out of range"):
        list(count(Broken(), orders(2), 0))


@pytest.mark.parametrize("error", [Fenced(0, 0, 9), Unavailable("sql")], ids=["fenced", "unavailable"])
def test_what_is_not_the_batchs_fault_is_raised_at_once(error: Exception) -> None:
    class Refusing(Ledger):
        def commit(self, batch: StreamBatch) -> Committed:
            raise error

    with pytest.raises(type(error)):
        list(count(Refusing(), orders(5), 0))
