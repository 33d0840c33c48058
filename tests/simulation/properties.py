"""The invariants of a world that has come to rest."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from events.errors import Cause
from events.topics import DEAD_LETTERS, EVENTS, UNROUTED
from tasks.triage import MAX_LOSSES
from tests.simulation.traffic import MAX_RETRIES, Kind, Sent
from tests.simulation.world import Fault, Violation

if TYPE_CHECKING:
    from events.decision import Position
    from tests.simulation.schedule import Schedule

_ENDED_WORK: tuple[Cause, ...] = ("worker_lost", "timeout", "rejected")
_DESERVED: dict[Kind, tuple[Cause, ...]] = {
    "bad": ("rejected",),
    "hopeless": ("retries_exhausted",),
    # given up for what ended the last attempt, which another fault may have been
    "bug": _ENDED_WORK,
    "poison": _ENDED_WORK,
    "slow": _ENDED_WORK,
}
# after these, two copies of one message may be on their way
_COPYING: frozenset[Fault] = frozenset(
    {
        "dispatcher killed",
        "dispatcher stalled",
        "dispatcher leaves",
        "group rebalanced",
        "commit fails",
        "worker stalled",
        "broker down",
        "broker accepts, then fails",
        "message doubled",
        "acknowledgement lost",
    }
)


def check_the_end(schedule: Schedule) -> None:
    """Raises `Violation`."""
    sources = _sources(schedule)
    known = {prediction_id: sent for sent in sources.values() for prediction_id in sent.predictions}
    _nothing_is_lost(schedule, sources)
    _everything_is_complete(schedule)
    _ids_are_derived(schedule, known)
    for lane, prediction_id, cause in schedule.watch.dead_letters:
        _is_deserved(schedule, lane, known[prediction_id], prediction_id, cause)
    if not schedule.world.struck:
        _everything_happened_once(schedule, sources)


def _sources(schedule: Schedule) -> dict[tuple[str, int], Sent]:
    sent = {each.value: each for each in schedule.events}
    return {
        (f"{partition}", offset): sent[record.value or b""]
        for partition, log in enumerate(schedule.kafka.logs[EVENTS])
        for offset, record in enumerate(log)
    }


def _nothing_is_lost(schedule: Schedule, sources: dict[tuple[str, int], Sent]) -> None:
    watch = schedule.watch
    for place, sent in sources.items():
        came = watch.routed.get(place, set())
        if _expired(schedule, (EVENTS, int(place[0])), place[1]) and came <= set(sent.predictions):
            continue  # none of it came, or only what had been written when its router was killed
        if came != set(sent.predictions):
            raise Violation(f"nothing is lost: {sent.event_id} at {place} was routed as {came}")
        if (place in watch.set_aside[DEAD_LETTERS]) is not (sent.kind in ("undecodable", "invalid")):
            raise Violation(f"nothing is lost: {sent.event_id} at {place}, dead letters of the router")
        if (place in watch.set_aside[UNROUTED]) is not (sent.kind == "undeclared"):
            raise Violation(f"nothing is lost: {sent.event_id} at {place}, unrouted")
    for lane, waiting in watch.lanes.items():
        for offset, prediction_id in enumerate(waiting):
            if not watch.outcomes[lane][offset] and not _expired(schedule, lane, offset):
                raise Violation(f"nothing is lost: {lane} at {offset}, {prediction_id}, has no outcome")


def _expired(schedule: Schedule, place: tuple[str, int], offset: int) -> bool:
    """Whether Kafka deleted a record, read or not."""
    return offset < schedule.watch.begins[place]


def _everything_is_complete(schedule: Schedule) -> None:
    """Each record has its outcome, and what was lost is counted as lost, not as complete."""
    struck = schedule.world.struck
    if not struck["reconciler killed"]:
        _losses_are_counted(schedule)
    for place, machine in schedule.reconciler.machines.items():
        if machine.completeness().ratio != 1 and not machine.lost:
            raise Violation(f"completeness reaches 100 %: {place} is at {machine.completeness()}")


def _losses_are_counted(schedule: Schedule) -> None:
    for place, machine in schedule.reconciler.machines.items():
        # what expired before it had begun it cannot know of
        since = range(machine._start, len(schedule.watch.lanes[place]))
        lost = sum(not schedule.watch.outcomes[place][offset] for offset in since)
        if machine.lost < lost:
            raise Violation(f"losses are counted: {machine.lost} of {lost} of {place}")


def _ids_are_derived(schedule: Schedule, known: dict[str, Sent]) -> None:
    for prediction_id, places in schedule.watch.predictions.items():
        if prediction_id not in known:
            raise Violation(f"ids are never minted: {prediction_id}")
        if len(set(places)) > 1 and not schedule.world.struck["partitions added"]:
            raise Violation(
                f"the first decision stands: {prediction_id} has no order, it is in {set(places)}"
            )


def _is_deserved(schedule: Schedule, lane: Position, sent: Sent, prediction_id: str, cause: Cause) -> None:
    if cause in _DESERVED.get(sent.kind, ()):
        return
    if cause == "retries_exhausted" and schedule.failures[prediction_id] > MAX_RETRIES:
        return
    # the first time counts whether its work had begun or not; of copies, one may be blamed for another
    again, cut_short = schedule.celery.handed_out_again[lane], schedule.celery.cut_short[lane]
    blamed = cut_short >= MAX_LOSSES - 1 or not _COPYING.isdisjoint(schedule.world.struck)
    if cause == "worker_lost" and again >= MAX_LOSSES and blamed:
        return
    raise Violation(
        f"dead letters are deserved: {sent.event_id} at {lane} for {cause}, handed out again {again} times,"
        f" {cut_short} of them begun, after {schedule.failures[prediction_id]} failures"
    )


def _everything_happened_once(schedule: Schedule, sources: dict[tuple[str, int], Sent]) -> None:
    expected = sum(len(sent.predictions) for sent in sources.values())
    outcomes = Counter(count for of_lane in schedule.watch.outcomes.values() for count in of_lane.values())
    if outcomes != {1: expected}:
        raise Violation(
            f"without a fault everything happens once: {expected} inferences, outcomes {outcomes}"
        )
    if schedule.reconciler.fed_again:
        raise Violation(f"without a fault nothing is fed again: {schedule.reconciler.fed_again} were")
