"""Triage of a batch whose worker was lost before."""

from collections.abc import Iterable

import msgspec
import pytest

from events.decision import Position
from events.errors import Cause
from events.lane import Batch, Fed
from tasks.triage import MAX_LOSSES, PARTS, GiveUp, Proceed, Resubmit, after_loss, triage


def batch(size: int, losses: int = 0) -> Batch:
    records = tuple(Fed(Position("q.high", 0, offset), 0, msgspec.Raw(b"{}")) for offset in range(size))
    return Batch(fed_at=17, records=records, losses=losses, first_failure=23)


def offsets(batches: Iterable[Batch]) -> list[int]:
    return [fed.lane.offset for batch in batches for fed in batch.records]


@pytest.mark.parametrize("size", [1, 2, 1_024])
def test_a_message_that_comes_for_the_first_time_is_worked_on(size: int) -> None:
    assert triage(batch(size), redelivered=False) == Proceed()


def test_of_an_empty_batch_that_lost_its_worker_nothing_is_left() -> None:
    assert triage(batch(0), redelivered=True) == Resubmit(())


@pytest.mark.parametrize(
    ("size", "parts", "largest"),
    [
        pytest.param(2, 2, 1, id="two events stand alone"),
        pytest.param(PARTS, PARTS, 1, id="as many events as parts stand alone"),
        pytest.param(PARTS + 1, 17, 2, id="one more makes parts of two"),
        pytest.param(1_000, 32, 32, id="an uneven batch leaves a smaller last part"),
        pytest.param(1_024, PARTS, 32, id="a full batch needs two losses"),
    ],
)
def test_a_batch_that_lost_its_worker_is_split(size: int, parts: int, largest: int) -> None:
    turn = triage(batch(size), redelivered=True)
    assert isinstance(turn, Resubmit)
    assert len(turn.parts) == parts
    assert max(map(len, turn.parts)) == largest
    assert offsets(turn.parts) == list(range(size))
    assert {(part.fed_at, part.losses, part.first_failure) for part in turn.parts} == {(17, 0, 23)}


@pytest.mark.parametrize("size", [1, 2, 33, 1_024])
def test_the_event_that_kills_workers_stands_alone_in_the_end(size: int) -> None:
    poison, kills, innocent = size // 2, 0, 0
    waiting = [(batch(size), False)]
    while waiting:
        message, redelivered = waiting.pop()
        match triage(message, redelivered):
            case Resubmit(parts):
                waiting += [(part, False) for part in parts]
            case GiveUp(cause):
                assert (cause, offsets([message])) == ("worker_lost", [poison])
            case Proceed():
                if poison in offsets([message]):
                    kills += 1
                    waiting.append((message, True))
                else:
                    innocent += len(message)
    assert innocent == size - 1
    assert kills <= 2 + MAX_LOSSES


CAUSES: tuple[Cause, ...] = ("worker_lost", "timeout", "rejected")


@pytest.mark.parametrize("cause", CAUSES)
def test_alone_it_is_given_up_after_three_losses_for_what_ended_the_last(cause: Cause) -> None:
    turns = [after_loss(batch(1, losses), cause) for losses in range(MAX_LOSSES)]
    assert [turn.parts[0].losses for turn in turns if isinstance(turn, Resubmit)] == [1, 2]
    assert turns[-1] == GiveUp(cause)


def test_who_is_one_of_many_in_a_process_may_lose_it_more_often() -> None:
    turns = [triage(batch(1, losses), redelivered=True, most=10) for losses in range(10)]
    assert [type(turn) for turn in turns] == [Resubmit] * 9 + [GiveUp]
