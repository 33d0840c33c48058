"""The offsets that a dispatcher may commit, and when."""

import pytest

from dispatcher.tracking import Partition, Tracker

P0: Partition = ("retail.events", 0)
P1: Partition = ("retail.events", 1)


@pytest.mark.parametrize(
    ("flights", "expected"),
    [
        pytest.param([], {}, id="nothing was read"),
        pytest.param([([(P0, 4)], 0)], {P0: 5}, id="a record that led to no write is done at once"),
        pytest.param([([(P0, 4)], 1)], {}, id="an unacknowledged write holds its offset back"),
        pytest.param([([(P0, 4), (P1, 9), (P0, 5)], 0)], {P0: 6, P1: 10}, id="the highest of each partition"),
        pytest.param([([(P0, 4)], 0), ([(P0, 5)], 0)], {P0: 6}, id="a later flight overtakes an earlier one"),
        pytest.param(
            [([(P0, 4)], 1), ([(P0, 5)], 0)], {}, id="nothing counts before all that was read first"
        ),
        pytest.param(
            [([(P0, 4)], 0), ([(P0, 5)], 1)], {P0: 5}, id="what is done counts up to the first open one"
        ),
        pytest.param([([(P1, 0)], 1), ([(P0, 5)], 0)], {}, id="an open flight holds up other partitions too"),
    ],
)
def test_only_what_is_acknowledged_may_be_committed(
    flights: list[tuple[list[tuple[Partition, int]], int]], expected: dict[Partition, int]
) -> None:
    tracker = Tracker()
    for read, writes in flights:
        tracker.begin(read, writes)
    assert tracker.take_committable() == expected


def test_a_flight_needs_every_one_of_its_writes() -> None:
    tracker = Tracker()
    flight = tracker.begin([(P0, 0)], writes=2)
    flight.acknowledge()
    assert tracker.take_committable() == {}
    flight.acknowledge()
    assert tracker.take_committable() == {P0: 1}


def test_a_position_is_handed_out_once() -> None:
    tracker = Tracker()
    tracker.begin([(P0, 0)], writes=0)
    assert tracker.take_committable() == {P0: 1}
    assert tracker.take_committable() == {}


def test_flights_on_their_way_are_those_that_are_not_done_whether_committed_or_not() -> None:
    tracker = Tracker()
    flights = [tracker.begin([(P0, offset)], writes=1) for offset in range(3)]
    flights[1].acknowledge()
    assert len(tracker) == 3
    flights[0].acknowledge()
    assert len(tracker) == 1
    assert tracker.take_committable() == {P0: 2}


class TestAfterALostPartition:
    def test_nothing_of_it_is_committed_and_the_others_go_on(self) -> None:
        tracker = Tracker()
        flight = tracker.begin([(P0, 4), (P1, 9)], writes=1)
        tracker.forget([P0])
        flight.acknowledge()
        assert tracker.take_committable() == {P1: 10}

    def test_it_is_committed_again_once_it_is_back(self) -> None:
        tracker = Tracker()
        tracker.begin([(P0, 40)], writes=0)
        tracker.forget([P0])
        tracker.begin([(P0, 7)], writes=0)
        assert tracker.take_committable() == {P0: 8}

    def test_a_commit_that_failed_for_it_is_not_tried_again(self) -> None:
        tracker = Tracker()
        tracker.begin([(P0, 4), (P1, 9)], writes=0)
        failed = tracker.take_committable()
        tracker.forget([P0])
        tracker.restore(failed)
        assert tracker.take_committable() == {P1: 10}

    def test_what_waited_for_its_next_commit_is_dropped(self) -> None:
        tracker = Tracker()
        tracker.begin([(P0, 4)], writes=0)
        tracker.restore(tracker.take_committable())
        tracker.forget([P0])
        assert tracker.take_committable() == {}


class TestAfterAFailedCommit:
    def test_the_positions_are_handed_out_again(self) -> None:
        tracker = Tracker()
        tracker.begin([(P0, 4)], writes=0)
        tracker.restore(tracker.take_committable())
        assert tracker.take_committable() == {P0: 5}

    def test_a_later_position_takes_their_place(self) -> None:
        tracker = Tracker()
        tracker.begin([(P0, 4)], writes=0)
        failed = tracker.take_committable()
        tracker.begin([(P0, 5)], writes=0)
        tracker.restore(failed)
        assert tracker.take_committable() == {P0: 6}

    def test_a_later_commit_that_held_is_not_taken_back(self) -> None:
        tracker = Tracker()
        tracker.begin([(P0, 4)], writes=0)
        failed = tracker.take_committable()
        tracker.begin([(P0, 5)], writes=0)
        assert tracker.take_committable() == {P0: 6}
        tracker.restore(failed)
        assert tracker.take_committable() == {}
