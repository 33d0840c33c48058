"""Flow control: when a queue gets its next batch, from which lane, how large."""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from dispatcher.feeding import Depth, Feeding, Lane, Send, Wait
from events.decision import Position
from events.priority import Priority

HIGH = Lane("q.high", Priority.HIGH, max_batch=4, max_bytes=100)
LOW = Lane("q.low", Priority.LOW, max_batch=2, max_bytes=100)
EMPTY = Depth({})


@dataclass(frozen=True)
class Record:
    position: Position
    size: int = 10


def records(lane: Lane, *offsets: int, partition: int = 0, size: int = 10) -> list[Record]:
    return [Record(Position(lane.topic, partition, offset), size) for offset in offsets]


def feeding(window: int = 1, **options: int) -> Feeding[Record]:
    return Feeding([LOW, HIGH], window, **options)


def sent(step: Send[Record] | Wait) -> Send[Record]:
    assert isinstance(step, Send)
    return step


def offsets(batch: Sequence[Record]) -> list[int]:
    return [record.position.offset for record in batch]


@pytest.mark.parametrize(
    ("high", "low", "depth", "expected"),
    [
        pytest.param(0, 0, EMPTY, None, id="nothing to send"),
        pytest.param(1, 0, EMPTY, (HIGH, [0]), id="a lone event waits for nobody"),
        pytest.param(9, 0, EMPTY, (HIGH, [0, 1, 2, 3]), id="a flood grows into full batches"),
        pytest.param(
            1, 0, Depth({Priority.HIGH: 1}), None, id="one message already waits: let the batch grow"
        ),
        pytest.param(1, 1, EMPTY, (HIGH, [0]), id="the urgent lane goes first"),
        pytest.param(0, 3, EMPTY, (LOW, [0, 1]), id="the lower lane has its own, smaller batch"),
        pytest.param(
            1, 1, Depth({Priority.LOW: 5}), (HIGH, [0]), id="a lower lane's backlog is in nobody's way"
        ),
        pytest.param(0, 1, Depth({Priority.HIGH: 1}), None, id="a lower lane waits behind an urgent message"),
        pytest.param(0, 1, Depth({Priority.BATCH: 7}), (LOW, [0]), id="what is less urgent does not count"),
        pytest.param(
            1, 1, Depth({Priority.HIGH: 1}), None, id="nor may it go ahead while the urgent lane waits"
        ),
        pytest.param(1, 0, Depth({}, retrying=1), (HIGH, [0]), id="a few retries hold nothing back"),
        pytest.param(1, 1, Depth({}, retrying=2), None, id="many retries hold everything back"),
    ],
)
def test_the_queue_sets_the_pace(
    high: int, low: int, depth: Depth, expected: tuple[Lane, list[int]] | None
) -> None:
    queue = feeding(retry_limit=2, look_again=3)
    queue.on_records(HIGH, records(HIGH, *range(high)))
    queue.on_records(LOW, records(LOW, *range(low)))
    step = queue.next(depth, now=1_000)
    if expected is None:
        assert step == Wait(1_003)
    else:
        assert (sent(step).lane, offsets(sent(step).records)) == expected


def test_a_window_of_two_keeps_two_messages_waiting() -> None:
    queue = feeding(window=2)
    queue.on_records(HIGH, records(HIGH, 0))
    assert isinstance(queue.next(Depth({Priority.HIGH: 1}), 0), Send)
    assert isinstance(queue.next(Depth({Priority.HIGH: 2}), 0), Wait)


@pytest.mark.parametrize(
    ("sizes", "batch"),
    [
        pytest.param([60, 30, 30], 2, id="what would not fit waits for the next message"),
        pytest.param([50, 50, 1], 2, id="a message may be exactly full"),
        pytest.param([500, 1], 1, id="a record above the limit goes alone"),
        pytest.param([1, 500], 1, id="a record above the limit does not join others"),
    ],
)
def test_a_batch_is_bounded_in_bytes(sizes: list[int], batch: int) -> None:
    queue = feeding()
    for offset, size in enumerate(sizes):
        queue.on_records(HIGH, records(HIGH, offset, size=size))
    assert offsets(sent(queue.next(EMPTY, 0)).records) == list(range(batch))


@pytest.mark.parametrize(
    ("held", "size", "room"),
    [
        pytest.param(0, 10, 4, id="an empty lane reads what one message takes"),
        pytest.param(3, 10, 1, id="what is held counts"),
        pytest.param(6, 10, 0, id="records read beyond it by a keep-alive leave no room"),
        pytest.param(1, 100, 0, id="large records fill it in bytes: memory stays bounded"),
        pytest.param(1, 99, 3, id="a byte below the limit there is room"),
    ],
)
def test_a_lane_reads_no_more_than_its_next_message(held: int, size: int, room: int) -> None:
    queue = feeding()
    queue.on_records(HIGH, records(HIGH, *range(held), size=size))
    assert queue.room(HIGH) == room
    assert queue.room(LOW) == LOW.max_batch


class TestAfterTheBrokerTookABatch:
    def test_its_records_are_no_longer_held(self) -> None:
        queue = feeding()
        queue.on_records(HIGH, records(HIGH, *range(6)))
        batch = sent(queue.next(EMPTY, 0))
        assert queue.on_accepted(batch) == batch.records
        assert queue.holds == 2
        assert offsets(sent(queue.next(EMPTY, 0)).records) == [4, 5]

    def test_there_is_room_again_in_bytes(self) -> None:
        queue = feeding()
        queue.on_records(HIGH, records(HIGH, 0, size=100))
        queue.on_accepted(sent(queue.next(EMPTY, 0)))
        assert queue.room(HIGH) == HIGH.max_batch


class TestAfterALostPartition:
    def test_its_records_are_dropped_and_the_others_stay_in_order(self) -> None:
        queue = feeding()
        queue.on_records(HIGH, records(HIGH, 0, 1) + records(HIGH, 7, partition=1) + records(HIGH, 2))
        queue.on_records(LOW, records(LOW, 0))
        queue.on_lost([(HIGH.topic, 1)])
        assert queue.holds == 4
        assert offsets(sent(queue.next(EMPTY, 0)).records) == [0, 1, 2]

    def test_there_is_room_again(self) -> None:
        queue = feeding()
        queue.on_records(HIGH, records(HIGH, 0, size=100))
        queue.on_lost([(HIGH.topic, 0)])
        assert queue.room(HIGH) == HIGH.max_batch

    def test_a_batch_on_its_way_is_committed_without_it(self) -> None:
        queue = feeding()
        queue.on_records(HIGH, records(HIGH, 0) + records(HIGH, 7, partition=1) + records(HIGH, 1, 2, 3))
        batch = sent(queue.next(EMPTY, 0))
        queue.on_lost([(HIGH.topic, 0)])
        assert offsets(queue.on_accepted(batch)) == [7]
        assert queue.holds == 0

    def test_what_was_read_anew_since_is_not_mistaken_for_the_batch(self) -> None:
        queue = feeding()
        queue.on_records(HIGH, records(HIGH, 0, 1))
        batch = sent(queue.next(EMPTY, 0))
        queue.on_lost([(HIGH.topic, 0)])
        queue.on_records(HIGH, records(HIGH, 0, 1))
        assert queue.on_accepted(batch) == ()
        assert offsets(sent(queue.next(EMPTY, 0)).records) == [0, 1]


class TestAfterARefusal:
    def test_the_broker_is_left_alone_for_a_while_and_the_records_stay(self) -> None:
        queue = feeding(backoff=50)
        queue.on_records(HIGH, records(HIGH, 0))
        assert queue.on_refused(1_000) == Wait(1_050)
        assert queue.next(EMPTY, 1_049) == Wait(1_050)
        assert queue.blocked_until(1_049) == 1_050
        assert queue.blocked_until(1_050) is None
        assert offsets(sent(queue.next(EMPTY, 1_050)).records) == [0]

    @pytest.mark.parametrize(
        ("refusals", "pause"),
        [
            pytest.param(1, 50, id="first"),
            pytest.param(2, 100, id="second, twice as long"),
            pytest.param(4, 400, id="fourth, eight times as long"),
            pytest.param(5, 500, id="fifth, at the limit"),
            pytest.param(2_000, 500, id="two thousandth, still at the limit"),
        ],
    )
    def test_the_pause_doubles_up_to_a_limit(self, refusals: int, pause: int) -> None:
        queue = feeding(backoff=50, max_backoff=500)
        steps = [queue.on_refused(0) for _ in range(refusals)]
        assert steps[-1] == Wait(pause)

    def test_an_accepted_batch_forgives_the_refusals(self) -> None:
        queue = feeding(backoff=50)
        queue.on_records(HIGH, records(HIGH, 0))
        queue.on_refused(0)
        queue.on_accepted(sent(queue.next(EMPTY, 50)))
        assert queue.on_refused(100) == Wait(150)

    def test_a_blocked_queue_reads_no_more_than_its_next_messages(self) -> None:
        queue = feeding()
        queue.on_refused(0)
        queue.on_records(HIGH, records(HIGH, *range(4)))
        assert queue.room(HIGH) == 0


class TestAfterANewRoutingTable:
    def test_a_lane_that_it_names_is_fed(self) -> None:
        queue = Feeding[Record]([HIGH], 1)
        queue.on_lanes([HIGH, LOW])
        queue.on_records(LOW, records(LOW, 0))
        assert sent(queue.next(EMPTY, 0)).lane == LOW

    def test_a_lane_that_it_no_longer_names_is_drained(self) -> None:
        queue = feeding()
        queue.on_records(LOW, records(LOW, 0))
        queue.on_lanes([HIGH])
        assert sent(queue.next(EMPTY, 0)).lane == LOW

    def test_another_batch_size_holds_from_the_next_message_on(self) -> None:
        queue = feeding()
        queue.on_records(HIGH, records(HIGH, *range(4)))
        queue.on_lanes([Lane(HIGH.topic, HIGH.priority, max_batch=3)])
        assert offsets(sent(queue.next(EMPTY, 0)).records) == [0, 1, 2]
