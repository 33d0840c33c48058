"""The record that a replayed dead letter becomes."""

from dataclasses import replace

import msgspec
import pytest

from dispatcher.replaying import (
    Letter,
    NotReplayableError,
    Replay,
    again,
    parse_letter,
    replay_record,
    replayed,
)
from dispatcher.sorting import SourceRecord, sort, too_large
from events.deadletter import dead_letter
from events.decision import Position
from events.errors import DeadLetter
from events.lane import LaneRecord, decode_record
from events.topics import EVENTS
from routing import Table
from tests.unit.dispatcher.test_sorting import (
    BOTH,
    ENTERED,
    FORECAST,
    FRAUD,
    NOW,
    PAYLOAD,
    SOURCE,
    TABLE,
    event,
)

AT = Position("ml.fraud.input.dlq", 0, 3)
LATER = NOW + 86_400_000
LANE = Position("ml.fraud.input.high", 1, 9)
PRODUCERS = (("trace", b"t-1"), ("none", None))


def refused(value: bytes | None) -> Letter:
    """What the router could not read or route."""
    (write,) = sort(SourceRecord(SOURCE, ENTERED, b"c-1", value, PRODUCERS), TABLE, NOW).writes
    return parse_letter(AT, write.key, write.value, write.headers)


def given_up(value: bytes, table: Table = TABLE, place: int = 0) -> Letter:
    """What a worker gave up, of the decision at `place`."""
    lane_value = sort(SourceRecord(SOURCE, ENTERED, b"c-1", value, PRODUCERS), table, NOW).writes[place].value
    decision = decode_record(lane_value or b"").decision
    written = dead_letter(
        source=decision.source,
        timestamp=ENTERED,
        value=value,
        key=b"c-1",
        headers=PRODUCERS,
        error=ConnectionError("no answer"),
        cause="retries_exhausted",
        attempts=4,
        first_failure=NOW,
        last_failure=NOW,
        table_hash=decision.table_hash,
        lane=LANE,
        prediction_id=decision.prediction_id,
    )
    return parse_letter(AT, written.key, written.value, written.headers)


def lane_record(letter: Letter, table: Table) -> LaneRecord:
    return decode_record(again(letter, table, LATER).value or b"")


class TestWhatAWorkerGaveUp:
    @pytest.mark.parametrize("place", [0, 1], ids=["the first", "the second"])
    def test_goes_to_the_lane_of_its_own_workflow_alone(self, place: int) -> None:
        letter = given_up(event(), BOTH, place)
        write = again(letter, BOTH, LATER)
        assert write.topic == ("ml.fraud.input.high", "ml.forecast.input.high")[place]
        assert write.key == b"c-1"

    def test_is_what_the_router_wrote_then_with_its_id_deadline_and_source(self) -> None:
        first = sort(SourceRecord(SOURCE, ENTERED, b"c-1", event(), PRODUCERS), TABLE, NOW).writes
        assert (again(given_up(event()), TABLE, LATER),) == first

    def test_follows_a_route_that_was_changed_since(self) -> None:
        moved = Table.of([replace(FRAUD, queue="ml.fraud.slow", sla_ms=5_000)])
        decision = lane_record(given_up(event()), moved).decision
        assert (decision.queue, decision.table_hash) == ("ml.fraud.slow", moved.hash)
        assert decision.deadline == ENTERED + 5_000
        assert decision.prediction_id == given_up(event()).said.prediction_id

    def test_stays_where_no_route_leads_to_its_workflow_any_more(self) -> None:
        with pytest.raises(NotReplayableError, match="no route any more"):
            again(given_up(event()), Table.of([FORECAST]), LATER)

    def test_stays_where_its_type_has_no_route_at_all(self) -> None:
        with pytest.raises(NotReplayableError, match="no route any more"):
            again(given_up(event()), Table.of([replace(FRAUD, event_type="order.returned")]), LATER)


class TestWhatTheRouterRefused:
    BAD = event(payload={**PAYLOAD, "amount": "much"})

    def test_stays_while_it_would_be_refused_again(self) -> None:
        with pytest.raises(NotReplayableError, match=r"still refused as invalid_payload: .*amount"):
            again(refused(self.BAD), TABLE, LATER)

    def test_comes_to_the_source_as_its_producer_wrote_it(self) -> None:
        # as if the event were what the code of today accepts
        letter = refused(self.BAD)._replace(value=event())
        assert again(letter, TABLE, LATER) == (EVENTS, event(), b"c-1", PRODUCERS)

    def test_what_a_lane_did_not_take_comes_to_the_source(self) -> None:
        (write,) = sort(SourceRecord(SOURCE, ENTERED, b"c-1", event(), None), TABLE, NOW).writes
        letter = too_large(write.value or b"", write.key, NOW)
        found = again(parse_letter(AT, letter.key, letter.value, letter.headers), TABLE, LATER)
        assert found[:3] == (EVENTS, event(), b"c-1")


@pytest.mark.parametrize(
    ("source", "lane"),
    [
        pytest.param(Position("celery:ml.fraud.input", -1, -1), None, id="a Celery message of nobody's"),
        pytest.param(LANE, LANE, id="a lane's record that no router wrote"),
    ],
)
def test_what_holds_no_event_is_not_replayed(source: Position, lane: Position | None) -> None:
    written = dead_letter(
        source=source,
        timestamp=NOW,
        value=b"?",
        key=None,
        headers=None,
        error=DeadLetter("undecodable", "not a batch"),
        cause="undecodable",
        attempts=1,
        first_failure=NOW,
        last_failure=NOW,
        lane=lane,
    )
    with pytest.raises(NotReplayableError, match="no event"):
        again(parse_letter(AT, *written), TABLE, LATER)


def test_what_was_written_down_of_replays_says_which_letters_had_one() -> None:
    letter = given_up(event())
    first = replay_record(letter, LANE.topic, NOW, "ada", "the store is back")
    second = replay_record(letter, LANE.topic, LATER, "bob", "once more")
    assert first.key == b"ml.fraud.input.dlq[0]@3"
    none_of_ours = [None, b"none of ours", b"[" * 100_000, b'{"at": ' * 100_000, b'{"by": "\xff"}']
    assert replayed([first.value, *none_of_ours, second.value]) == {
        AT: Replay(letter=AT, to=LANE.topic, at=LATER, by="bob", reason="once more")
    }
    assert msgspec.json.decode(first.value or b"")["reason"] == "the store is back"
