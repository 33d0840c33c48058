"""Where is this event, as the logs say: the account that `signalbox where` prints. Pure."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from core.timestamps import readable
from events.deadletter import DeadLetterHeaders
from events.decision import Millis, Position
from events.envelope import Envelope
from events.lane import LaneRecord
from events.prediction import Prediction


@dataclass(frozen=True, slots=True)
class InSource:
    """The event as its producer wrote it; `event` is None if it cannot be read."""

    position: Position
    at: Millis
    event: Envelope | None


@dataclass(frozen=True, slots=True)
class InLane:
    """The event in a lane; `ahead` is how many go before it, None once it was fed."""

    position: Position
    record: LaneRecord
    ahead: int | None


@dataclass(frozen=True, slots=True)
class Predicted:
    """An outcome. Where two have one id, the earlier offset is the decision."""

    position: Position
    prediction: Prediction


@dataclass(frozen=True, slots=True)
class GivenUp:
    """The event in a dead-letter topic."""

    position: Position
    letter: DeadLetterHeaders


@dataclass(frozen=True, slots=True)
class Unrouted:
    """The event among those of undeclared types."""

    position: Position


Outcome = Predicted | GivenUp
Sighting = InSource | InLane | Unrouted | Outcome


def account(event_id: str, sightings: Sequence[Sighting], retrying: Mapping[str, int]) -> Iterator[str]:
    """Lines for a person. `retrying` counts the tasks that a queue holds back for a retry now."""
    if not sightings:
        yield f"{event_id} stands in none of the logs that were read"
    lanes: dict[Position, InLane] = {}
    outcomes: dict[Position, list[Outcome]] = defaultdict(list)
    for sighting in sightings:
        match sighting:
            case InSource():
                yield _source(sighting)
            case Unrouted():
                yield f"  {sighting.position}: unrouted, nobody declared its type"
            case InLane():
                lanes[sighting.position] = sighting
            case Predicted():
                outcomes[sighting.prediction.lane].append(sighting)
            case GivenUp():
                # two letters without a lane are one another's repetition only if they are of one record
                outcomes[sighting.letter.lane or sighting.letter.original].append(sighting)
    for position, lane in lanes.items():
        yield _lane(lane)
        of_lane = outcomes.pop(position, [])
        yield from _outcomes(of_lane) if of_lane else [_pending(lane, retrying)]
    for left in outcomes.values():
        yield from _outcomes(left)


def _source(sighting: InSource) -> str:
    event = sighting.event
    what = (
        f"{event.event_type} {event.version} from {event.source} for {event.tenant_id}"
        if event is not None
        else "cannot be read"
    )
    return f"{sighting.position}: {what}, entered {_clock(sighting.at)}"


def _lane(lane: InLane) -> str:
    decision = lane.record.decision
    return (
        f"  {lane.position}: for {decision.workflow} by {decision.rule} of table {decision.table_hash},"
        f" due {_clock(decision.deadline)}"
    )


def _outcomes(outcomes: Sequence[Outcome]) -> Iterator[str]:
    for number, outcome in enumerate(outcomes):
        text = _predicted(outcome) if isinstance(outcome, Predicted) else _given_up(outcome)
        yield f"    {text}" + (" (once more: the first one stands)" if number else "")


def _pending(lane: InLane, retrying: Mapping[str, int]) -> str:
    if lane.ahead is not None:
        return (
            f"    waits behind {lane.ahead:,} others"
            if lane.ahead
            else "    waits, and is the next to be fed"
        )
    count = retrying.get(lane.record.decision.queue, 0)
    held = f"; {count} tasks of its queue are held back for a retry now" if count else ""
    return f"    was fed, and has no outcome yet{held}"


def _predicted(sighting: Predicted) -> str:
    prediction = sighting.prediction
    output = prediction.output
    said = output.label if output.confidence is None else f"{output.label}, {output.confidence:.3f}"
    return (
        f"{sighting.position}: {output.decision} ({said}) by"
        f" {prediction.model_id}, fed {_clock(prediction.fed_at)}, {_attempts(prediction.attempts)},"
        f" {prediction.latency_ms:,.0f} ms after it entered"
    )


def _given_up(sighting: GivenUp) -> str:
    letter = sighting.letter
    return (
        f"{sighting.position}: dead letter, {letter.cause} at {_clock(letter.last_failure)},"
        f" {_attempts(letter.attempts)}: {letter.message}"
    )


def _attempts(attempts: int) -> str:
    return "not retried" if attempts == 1 else f"retried {attempts - 1} times"


def _clock(at: Millis) -> str:
    return readable(at)
