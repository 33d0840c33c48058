"""The balance notices what is missing and what came from nowhere, and nothing else."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from events.codec import Headers
from events.deadletter import dead_letter
from events.decision import Position
from events.errors import Cause, DeadLetter
from events.identity import prediction_id
from events.topics import DEAD_LETTERS, EVENTS, PREDICTIONS, UNROUTED
from monitoring.balance import Balance, strike
from monitoring.held import Held
from monitoring.ledger import Ledger
from monitoring.reading import take
from routing import Catalogue, Table, load

ROOT = Path(__file__).parents[3]
SHIPPED = load(ROOT / "config/routing_table.yaml", ROOT / "config/workflows.yaml")
# whatever an installation routes: of these, returns go nowhere
RULES = replace(
    SHIPPED,
    table=Table.of(route for route in SHIPPED.table.all_routes if route.event_type != "order.returned"),
)
ENTERED = 1_795_266_000
"""The second in which all came, unless a test says otherwise."""
FRAUD_LANE = "ml.fraud.input.high"
FRAUD_DLQ = "ml.fraud.input.dlq"


@dataclass(frozen=True)
class Message:
    """What the reader hands over, without a Kafka."""

    topic_: str
    offset_: int
    value_: bytes | None
    headers_: Headers = field(default=())
    second: int = 0

    def topic(self) -> str:
        return self.topic_

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return self.offset_

    def timestamp(self) -> tuple[int, int]:
        return 1, (ENTERED + self.second) * 1_000

    def value(self) -> bytes | None:
        return self.value_

    def headers(self) -> Sequence[tuple[str, bytes | None]]:
        return self.headers_


def event(name: str, event_type: str, payload: dict[str, Any]) -> bytes:
    return msgspec.json.encode(
        {
            "event_id": name,
            "event_type": event_type,
            "source": "test",
            "version": "1.0.0",
            "occurred_at": ENTERED * 1_000,
            "tenant_id": "acme",
            "payload": payload,
        }
    )


def order(name: str) -> bytes:
    payload = {"order_id": name, "customer_id": "c", "terminal_id": "t", "amount": 1.5, "currency": "GBP"}
    return event(name, "order.placed", payload)


def named(name: str, workflow: str = "fraud-classifier") -> str:
    return prediction_id("acme", "test", name, workflow, "champion")


def source(offset: int, value: bytes) -> Message:
    return Message(EVENTS, offset, value)


def lane_record(
    name: str, offset: int = 0, at: int = 0, table: str = RULES.table.hash, second: int = 0
) -> Message:
    decision = {
        "prediction_id": named(name),
        "source": {"topic": EVENTS, "partition": 0, "offset": at},
        "table_hash": table,
    }
    value = msgspec.json.encode({"event": {}, "decision": decision})
    return Message(FRAUD_LANE, offset, value, second=second)


def prediction(name: str, offset: int = 0, at: int = 0, lane: int = 0, topic: str = FRAUD_LANE) -> Message:
    """The prediction of a lane's record `lane`, whose event is the source's record `at`."""
    places = {
        "lane": {"topic": topic, "partition": 0, "offset": lane},
        "source": {"topic": EVENTS, "partition": 0, "offset": at},
    }
    return Message(PREDICTIONS, offset, msgspec.json.encode({"prediction_id": named(name), **places}))


def letter(topic: str, at: int, cause: Cause, name: str | None = None, lane: int = 0) -> Message:
    made = dead_letter(
        source=Position(EVENTS, 0, at),
        lane=Position(FRAUD_LANE, 0, lane) if name else None,
        timestamp=1,
        value=b"",
        key=None,
        headers=None,
        error=DeadLetter(cause, "why"),
        cause=cause,
        attempts=1,
        first_failure=1,
        last_failure=1,
        prediction_id=named(name) if name else None,
    )
    return Message(topic, at, made.value, made.headers)


def unrouted(offset: int) -> Message:
    where = {"topic": EVENTS, "partition": "0", "offset": str(offset)}
    headers = tuple((f"unrouted.original.{name}", text.encode()) for name, text in where.items())
    return Message(UNROUTED, 0, b"", headers)


def taken(*messages: Message) -> Ledger:
    ledger = Ledger(RULES.table)
    for message in messages:
        take(ledger, message)  # type: ignore[arg-type]  # the stand-in has what is asked of it
    return ledger


def balance(*messages: Message, catalogue: Catalogue = RULES.catalogue, held: Held | None = None) -> Balance:
    return strike(taken(*messages), catalogue, held)


def without_worker(queue: str) -> Catalogue:
    queues = {
        name: replace(spec, served=spec.served and name != queue)
        for name, spec in RULES.catalogue.queues.items()
    }
    return replace(RULES.catalogue, queues=queues)


GARBAGE = source(1, b"\xff")
MYSTERY = source(2, event("m", "weather.changed", {}))
RETURNED = source(0, event("r", "order.returned", {"order_id": "o", "customer_id": "c"}))


def routed(name: str, at: int, lane: int) -> list[Message]:
    return [source(at, order(name)), lane_record(name, lane, at)]


def test_every_kind_of_record_has_its_place_in_the_sum() -> None:
    made = balance(
        *routed("a", 0, 0),
        *routed("b", 5, 1),
        GARBAGE,
        MYSTERY,
        prediction("a"),
        letter(FRAUD_DLQ, 5, "retries_exhausted", "b", lane=1),
        letter(DEAD_LETTERS, 1, "undecodable"),
        unrouted(2),
    )
    assert made.complete, made
    assert made.equations() == (
        "routed 2 = predictions 1 + dead letters 1",
        "read 4 = routed 2 + ignored 0 + unrouted 1 + refused 1",
    )
    assert (made.dead_letters, made.refused) == ({"retries_exhausted": 1}, {"undecodable": 1})


def test_a_declared_type_without_a_route_is_ignored() -> None:
    made = balance(RETURNED)
    assert (made.complete, made.ignored) == (True, 1)


def test_what_waits_for_a_worker_that_does_not_exist_yet_is_not_missing() -> None:
    made = balance(*routed("a", 0, 0), catalogue=without_worker("ml.fraud.input"))
    assert made.complete, made
    assert made.waiting == {"ml.fraud.input": 1}
    assert made.equations()[0] == "routed 1 = predictions 0 + dead letters 0 + waiting for a worker 1"


@pytest.mark.parametrize(
    ("messages", "complaint"),
    [
        pytest.param(
            routed("a", 7, 3),
            f"{named('a')}: fraud-classifier of {EVENTS}[0]@7 has no outcome, in {FRAUD_LANE}[0]@3",
            id="an event without an outcome",
        ),
        pytest.param([source(7, order("a"))], "@7: has a route, and no lane record", id="a lost event"),
        pytest.param([GARBAGE], "@1: not valid, and no dead letter", id="bad bytes that vanished"),
        pytest.param([MYSTERY], "@2: .* not among the unrouted", id="an undeclared type that vanished"),
    ],
)
def test_what_is_missing_is_named(messages: list[Message], complaint: str) -> None:
    made = balance(*messages)
    assert not made.holds
    (said,) = made.missing
    assert re.search(complaint.replace("[0]", r"\[0\]"), said)
    assert made.without_outcome + made.without_trace == 1


@pytest.mark.parametrize(
    ("messages", "complaint"),
    [
        pytest.param([RETURNED, prediction("x", at=0)], "where no record is", id="a prediction from nowhere"),
        pytest.param(
            [RETURNED, letter(FRAUD_DLQ, 0, "timeout", "x")],
            "where no record is",
            id="a letter",
        ),
        pytest.param(
            [*routed("a", 0, 0), prediction("b")], "an outcome under another id", id="another event's outcome"
        ),
        pytest.param(
            [prediction("b"), *routed("a", 0, 0)], "an outcome under another id", id="and read before it"
        ),
        pytest.param(
            [lane_record("a", at=3), prediction("a", at=3)], "no such record", id="no source record"
        ),
        pytest.param(
            [*routed("a", 0, 0), prediction("a"), letter(DEAD_LETTERS, 0, "invalid_payload")],
            "refused as invalid_payload, yet routed",
            id="a routed event that was refused as well",
        ),
        pytest.param(
            [*routed("a", 0, 0), prediction("a"), unrouted(0)],
            "unrouted, yet routed",
            id="a routed event among the unrouted",
        ),
    ],
)
def test_what_came_from_nowhere_is_named(messages: list[Message], complaint: str) -> None:
    made = balance(*messages)
    assert not made.holds
    (said,) = made.unexpected
    assert complaint in said


@pytest.mark.parametrize(
    "foreign",
    [
        pytest.param(Message(PREDICTIONS, 7, b"{}"), id="no prediction"),
        pytest.param(Message(PREDICTIONS, 7, None), id="a tombstone"),
        pytest.param(Message(PREDICTIONS, 7, b"[" * 100_000), id="a tower of brackets"),
        pytest.param(Message(FRAUD_LANE, 7, b"[" * 100_000), id="a tower of brackets in a lane"),
        pytest.param(Message(UNROUTED, 8, b""), id="nothing says where it came from"),
        pytest.param(Message(FRAUD_DLQ, 9, b"\xff", (("x", None),)), id="no dead letter"),
        pytest.param(Message(FRAUD_LANE, 9, b"\xff"), id="no lane record"),
        pytest.param(prediction("x", lane=2**60), id="an offset that no topic has"),
        pytest.param(prediction("x", lane=-1), id="an offset before the first"),
    ],
)
def test_a_record_of_others_is_counted_as_skipped_and_does_no_harm(foreign: Message) -> None:
    made = balance(*routed("a", 0, 0), prediction("a"), foreign)
    at = f"{foreign.topic()}[0]@{foreign.offset()}: "
    assert made.equations()[2].startswith(f"passed over 1 foreign records, such as {at}")
    assert made.holds
    assert made.equations()[0] == "routed 1 = predictions 1 + dead letters 0"


def test_the_dead_letter_of_a_foreign_lane_record_is_expected() -> None:
    lane = Position(FRAUD_LANE, 0, 9)
    ledger = taken(*routed("a", 0, 0), prediction("a"), Message(FRAUD_LANE, 9, b"\xff"))
    ledger.on_dead_letter(None, "undecodable", lane, lane)
    assert strike(ledger, RULES.catalogue).holds


def test_equal_counts_do_not_make_up_for_different_events() -> None:
    made = balance(*routed("a", 0, 0), *routed("b", 1, 1), prediction("a"), prediction("a", 1))
    assert (made.routed, made.predictions, made.repeated) == (2, 1, 1)
    assert made.equations()[0].endswith("WITHOUT AN OUTCOME 1")


@pytest.mark.parametrize(
    "again",
    [
        pytest.param([prediction("a", 1)], id="a prediction written twice"),
        pytest.param([letter(FRAUD_DLQ, 0, "timeout", "a")], id="a prediction, and a dead letter besides"),
        pytest.param([*routed("a", 9, 9), prediction("a", 1, 9, 9)], id="the producer sent the event twice"),
        pytest.param([lane_record("a", 1, 0), prediction("a", 1, 0, 1)], id="the router wrote it twice"),
        pytest.param([lane_record("a", 1, 0)], id="the second lane record is still on its way"),
    ],
)
def test_one_event_is_one_inference_however_often_it_came(again: list[Message]) -> None:
    made = balance(*routed("a", 0, 0), prediction("a"), *again)
    assert made.complete, made
    assert made.equations()[0] == "routed 1 = predictions 1 + dead letters 0"
    assert made.repeated == sum(
        message.topic() != FRAUD_LANE and message.topic() != EVENTS for message in again
    )


def test_a_replayed_dead_letter_is_a_prediction() -> None:
    made = balance(
        *routed("a", 0, 0),
        letter(FRAUD_DLQ, 0, "timeout", "a"),
        lane_record("a", 4, 0),
        prediction("a", 0, 0, 4),
    )
    assert made.complete, made
    assert made.equations()[0] == "routed 1 = predictions 1 + dead letters 0"


@pytest.mark.parametrize("cause", ["too_large", "unexpected"])
def test_what_was_refused_though_nothing_is_wrong_with_it_is_accounted_for(cause: Cause) -> None:
    letters = [letter(DEAD_LETTERS, 0, cause), letter(DEAD_LETTERS, 2, cause), letter(DEAD_LETTERS, 5, cause)]
    # one workflow's lane has the third one, another's did not take it
    made = balance(source(0, order("a")), MYSTERY, *letters, *routed("b", 5, 0), prediction("b", at=5))
    assert made.complete, made
    assert (made.refused, made.routed_records) == ({cause: 2}, 1)


def test_the_order_in_which_topics_are_read_does_not_matter() -> None:
    records = (*routed("a", 0, 0), prediction("a"), GARBAGE, letter(DEAD_LETTERS, 1, "undecodable"))
    forward, backward = balance(*records), balance(*reversed(records))
    assert forward.holds
    assert forward == backward


def test_what_came_after_the_mark_is_left_out_with_its_outcomes() -> None:
    late = [*routed("late", 7, 2), source(8, b"\xff"), source(9, event("m", "weather.changed", {}))]
    outcomes = [
        *(prediction("a", 0, 5, 0), prediction("b", 1, 6, 1), prediction("later still", 2, 12, 3)),
        *(letter(DEAD_LETTERS, 8, "undecodable"), unrouted(9)),
    ]
    ledger = taken(*routed("a", 5, 0), *routed("b", 6, 1), *late, *outcomes)
    assert ledger.reached == {(EVENTS, 0): 10}
    ledger.forget_from({(EVENTS, 0): 7})
    made = strike(ledger, RULES.catalogue)
    assert made.complete, made
    assert (made.read, made.routed, made.predictions) == (2, 2, 2)


def test_what_came_before_the_mark_is_still_missed() -> None:
    ledger = taken(*routed("a", 5, 0))
    ledger.forget_from({(EVENTS, 0): 6})
    assert not strike(ledger, RULES.catalogue).holds


class TestWhileTablesChange:
    """What was routed is what the lanes hold; what was ignored, by the tables that decided around it."""

    def test_an_event_that_an_earlier_table_routed_is_routed(self) -> None:
        returned = [replace(RETURNED, offset_=3), lane_record("r", 0, 3, "earlier")]
        made = balance(*returned, prediction("r", 0, 3))
        assert made.complete, made
        assert (made.routed_records, made.ignored) == (1, 0)

    def test_events_from_before_a_route_was_added_were_ignored(self) -> None:
        made = balance(
            source(0, order("ignored then")),
            *(source(1, order("a")), lane_record("a", 0, 1, "earlier"), prediction("a", 0, 1)),
            source(2, order("ignored too")),
            *(*routed("b", 3, 1), prediction("b", 1, 3, 1)),
        )
        assert made.complete, made
        assert (made.ignored, made.ignored_earlier) == (2, 2)
        assert "2 of the ignored were decided by a table that is not in force" in made.remarks()[0]

    @pytest.mark.parametrize("at", [1, 4, 7])
    def test_an_event_that_the_table_in_force_decided_is_missed(self, at: int) -> None:
        made = balance(
            *(source(0, order("a")), lane_record("a", 0, 0, "earlier"), prediction("a")),
            *(*routed("b", 3, 1), prediction("b", 1, 3, 1), *routed("c", 6, 2), prediction("c", 2, 6, 2)),
            source(at, order("lost")),
        )
        # between the last of one table and the first of the next either may have decided
        assert made.without_trace == (0 if at == 1 else 1)

    def test_dead_letters_and_unrouted_records_say_by_which_table_too(self) -> None:
        headers = (*unrouted(2).headers(), ("unrouted.table_hash", b"earlier"))
        made = balance(source(0, order("then")), MYSTERY, Message(UNROUTED, 0, b"", headers))
        assert (made.complete, made.ignored_earlier) == (True, 1)

    def test_what_another_build_refused_is_noted_and_no_fault(self) -> None:
        made = balance(source(0, order("a")), letter(DEAD_LETTERS, 0, "unknown_version"))
        assert made.complete
        assert made.notes == ("1 refused or unrouted records would be taken by this build",)


def gone(topic: str, begin: int, first_s: int | None = None) -> Held:
    """Retention has taken what was below `begin`; the oldest record that is left came at `first_s`."""
    partition = (topic, 0)
    everything = {
        (name, 0): 0 for name in (EVENTS, PREDICTIONS, FRAUD_LANE, FRAUD_DLQ, DEAD_LETTERS, UNROUTED)
    }
    return Held(
        everything | {partition: begin}, {} if first_s is None else {partition: (ENTERED + first_s) * 1_000}
    )


class TestOnceRetentionHasBegun:
    """What expired is neither missing nor complete."""

    def test_source_records_that_are_gone_are_counted_by_their_lane_records(self) -> None:
        made = balance(
            *(lane_record("a", 0, 1), prediction("a", 0, 1), *routed("b", 4, 1), prediction("b", 1, 4, 1)),
            held=gone(EVENTS, 3),
        )
        assert (made.holds, made.complete, made.routed_records) == (True, False, 2)
        assert made.expired == {"records": 2}
        assert made.remarks() == ("expired before it was counted: 2 source records",)

    def test_a_lane_record_that_is_gone_with_its_outcome_known_is_whole(self) -> None:
        made = balance(source(0, order("a")), prediction("a"), held=gone(FRAUD_LANE, 1))
        assert made.complete, made
        assert made.equations() == (
            "routed 1 = predictions 1 + dead letters 0",
            "read 1 = routed 1 + ignored 0 + unrouted 0 + refused 0",
        )

    def test_a_lane_record_that_expired_without_an_outcome_is_lost(self) -> None:
        made = balance(source(0, order("a")), held=gone(FRAUD_LANE, 1))
        assert (made.holds, made.complete, made.lost) == (True, False, 1)
        assert made.remarks()[0] == "lost 1: expired in a lane before it had an outcome"

    def test_a_lane_of_which_all_is_gone_is_lost_too(self) -> None:
        assert balance(held=gone(FRAUD_LANE, 40)).lost == 40

    @pytest.mark.parametrize("topic", [PREDICTIONS, FRAUD_DLQ])
    def test_an_outcome_may_have_expired_only_if_its_lane_record_is_older(self, topic: str) -> None:
        records = [
            *(source(0, order("old")), lane_record("old", 0, 0, second=99)),
            *(source(1, order("young")), lane_record("young", 1, 1, second=100)),
        ]
        made = balance(*records, held=gone(topic, 5, first_s=100))
        assert (made.without_outcome, made.expired) == (1, {"inferences": 1})
        assert named("young") in made.missing[0]

    def test_a_decision_may_have_expired_only_if_its_source_record_is_older(self) -> None:
        young = replace(source(1, order("young")), second=100)
        made = balance(source(0, order("old")), young, held=gone(FRAUD_LANE, 5, first_s=100))
        assert (made.without_trace, made.expired["decisions"]) == (1, 1)
        assert made.missing[0].startswith(f"{EVENTS}[0]@1:")

    @pytest.mark.parametrize(
        ("record", "topic"), [pytest.param(GARBAGE, DEAD_LETTERS), pytest.param(MYSTERY, UNROUTED)]
    )
    def test_so_may_a_dead_letter(self, record: Message, topic: str) -> None:
        made = balance(record, held=gone(topic, 5))
        assert (made.holds, made.expired) == (True, {"decisions": 1})
