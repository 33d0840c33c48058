"""Does the sum notice what is missing, what came from nowhere, and nothing else?"""

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
from monitoring.ledger import Ledger
from monitoring.reading import take
from routing import Catalogue, load

ROOT = Path(__file__).parents[3]
RULES = load(ROOT / "config/routing_table.yaml", ROOT / "config/workflows.yaml")
FRAUD_DLQ = "ml.fraud.input.dlq"


ENTERED = 1_795_266_000_000


@dataclass(frozen=True)
class Message:
    """What the reader hands over, without a Kafka."""

    topic_: str
    offset_: int
    value_: bytes | None
    headers_: Headers = field(default=())

    def topic(self) -> str:
        return self.topic_

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return self.offset_

    def timestamp(self) -> tuple[int, int]:
        return 1, ENTERED

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
            "occurred_at": ENTERED,
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


def prediction(name: str, offset: int = 0, at: int = 0) -> Message:
    source = {"topic": EVENTS, "partition": 0, "offset": at}
    return Message(PREDICTIONS, offset, msgspec.json.encode({"prediction_id": named(name), "source": source}))


def letter(topic: str, offset: int, cause: Cause, name: str | None = None) -> Message:
    made = dead_letter(
        source=Position(EVENTS, 0, offset),
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
    return Message(topic, offset, made.value, made.headers)


def unrouted(offset: int) -> Message:
    where = {"topic": EVENTS, "partition": "0", "offset": str(offset)}
    headers = tuple((f"unrouted.original.{name}", text.encode()) for name, text in where.items())
    return Message(UNROUTED, 0, b"", headers)


def balance(*messages: Message, catalogue: Catalogue = RULES.catalogue) -> Balance:
    ledger = Ledger(RULES.table)
    for message in messages:
        take(ledger, message)  # type: ignore[arg-type]  # the stand-in has what is asked of it
    return strike(ledger, catalogue)


def without_worker(queue: str) -> Catalogue:
    queues = {
        name: replace(spec, served=spec.served and name != queue)
        for name, spec in RULES.catalogue.queues.items()
    }
    return replace(RULES.catalogue, queues=queues)


GARBAGE = source(1, b"\xff")
MYSTERY = source(2, event("m", "weather.changed", {}))
TICKET = source(4, event("k", "support.ticket.escalated", {"ticket_id": "k", "customer_id": "c"}))


def test_every_kind_of_record_has_its_place_in_the_sum() -> None:
    made = balance(
        source(0, order("a")),
        source(5, order("b")),
        GARBAGE,
        MYSTERY,
        prediction("a"),
        letter(FRAUD_DLQ, 5, "retries_exhausted", "b"),
        letter(DEAD_LETTERS, 1, "undecodable"),
        unrouted(2),
    )
    assert made.holds, made
    assert made.equations() == (
        "routed 2 = predictions 1 + dead letters 1",
        "read 4 = routed 2 + ignored 0 + unrouted 1 + refused 1",
    )


def test_a_declared_type_without_a_route_is_ignored() -> None:
    made = balance(source(0, event("r", "order.returned", {"order_id": "o", "customer_id": "c"})))
    assert (made.holds, made.ignored) == (True, 1)


def test_what_waits_for_a_worker_that_does_not_exist_yet_is_not_missing() -> None:
    made = balance(TICKET, catalogue=without_worker("ml.agent.input"))
    assert made.holds, made
    assert made.waiting == {"ml.agent.input": 1}
    assert made.equations()[0] == "routed 1 = predictions 0 + dead letters 0 + waiting for a worker 1"


@pytest.mark.parametrize(
    ("messages", "complaint"),
    [
        pytest.param([source(0, order("a"))], "has no outcome", id="an event without an outcome"),
        pytest.param([GARBAGE], "undecodable, and no dead letter", id="bad bytes that vanished"),
        pytest.param([MYSTERY], "not among the unrouted", id="an undeclared type that vanished"),
    ],
)
def test_what_is_missing_is_named(messages: list[Message], complaint: str) -> None:
    made = balance(*messages)
    assert not made.holds
    assert len(made.missing) == 1
    assert complaint in made.missing[0]


@pytest.mark.parametrize(
    ("messages", "complaint"),
    [
        pytest.param([prediction("x")], "no source record calls for", id="a prediction from nowhere"),
        pytest.param([letter(FRAUD_DLQ, 9, "timeout", "x")], "calls for", id="a dead letter from nowhere"),
        pytest.param(
            [source(0, order("a")), prediction("a"), letter(DEAD_LETTERS, 0, "invalid_payload")],
            "refused as invalid_payload, yet valid",
            id="a valid event that was refused as well",
        ),
        pytest.param(
            [source(0, order("a")), prediction("a"), unrouted(0)],
            "unrouted, yet of a declared type",
            id="a declared event among the unrouted",
        ),
    ],
)
def test_what_came_from_nowhere_is_named(messages: list[Message], complaint: str) -> None:
    made = balance(*messages)
    assert not made.holds
    assert len(made.unexpected) == 1
    assert complaint in made.unexpected[0]


def test_equal_counts_do_not_make_up_for_different_events() -> None:
    made = balance(source(0, order("a")), prediction("b"))
    assert (made.routed, len(made.missing), len(made.unexpected)) == (1, 1, 1)
    assert made.equations()[0].endswith("WITHOUT AN OUTCOME 1")


@pytest.mark.parametrize(
    "again",
    [
        pytest.param(prediction("a", 1), id="a prediction written twice"),
        pytest.param(letter(FRAUD_DLQ, 0, "timeout", "a"), id="a prediction, and a dead letter besides"),
        pytest.param(source(9, order("a")), id="the producer sent the event twice"),
    ],
)
def test_one_event_is_one_inference_however_often_it_came(again: Message) -> None:
    made = balance(source(0, order("a")), prediction("a"), again)
    assert made.holds, made
    assert made.equations()[0] == "routed 1 = predictions 1 + dead letters 0"


def test_repeated_outcomes_are_counted() -> None:
    made = balance(source(0, order("a")), prediction("a", 0), prediction("a", 1), prediction("a", 2))
    assert made.repeated == 2


def test_an_event_too_large_for_its_lane_is_a_dead_letter_of_its_workflow() -> None:
    made = balance(source(0, order("a")), letter(DEAD_LETTERS, 0, "too_large"))
    assert made.holds, made
    assert made.dead_letters == {"too_large": 1}


def test_the_order_in_which_topics_are_read_does_not_matter() -> None:
    records = (source(0, order("a")), prediction("a"), GARBAGE, letter(DEAD_LETTERS, 1, "undecodable"))
    forward, backward = balance(*records), balance(*reversed(records))
    assert forward.holds
    assert forward == backward


def test_what_came_after_the_mark_is_left_out_with_its_outcomes() -> None:
    ledger = Ledger(RULES.table)
    late = [source(7, order("late")), source(8, b"\xff"), source(9, event("m", "weather.changed", {}))]
    outcomes = [
        *(prediction("a"), prediction("b", at=6), prediction("later still", at=12)),
        *(letter(DEAD_LETTERS, 8, "undecodable"), unrouted(9)),
    ]
    for message in (source(5, order("a")), source(6, order("b")), *late, *outcomes):
        take(ledger, message)  # type: ignore[arg-type]  # the stand-in has what is asked of it
    assert ledger.reached == {(EVENTS, 0): 10}
    ledger.forget_from({(EVENTS, 0): 7})
    made = strike(ledger, RULES.catalogue)
    assert made.holds, made
    assert (made.read, made.routed, made.predictions) == (2, 2, 2)


def test_what_came_before_the_mark_is_still_missed() -> None:
    ledger = Ledger(RULES.table)
    take(ledger, source(5, order("a")))  # type: ignore[arg-type]  # the stand-in has what is asked of it
    ledger.forget_from({(EVENTS, 0): 6})
    assert not strike(ledger, RULES.catalogue).holds


@pytest.mark.parametrize("cause", ["too_large", "unexpected"])
def test_what_was_refused_though_nothing_is_wrong_with_it_is_accounted_for(cause: Cause) -> None:
    made = balance(
        source(0, order("a")), MYSTERY, letter(DEAD_LETTERS, 0, cause), letter(DEAD_LETTERS, 2, cause)
    )
    assert made.holds, made


@pytest.mark.parametrize(
    ("foreign", "position"),
    [
        pytest.param(Message(PREDICTIONS, 7, b"{}"), "ml.predictions[0]@7", id="no prediction"),
        pytest.param(
            Message(PREDICTIONS, 7, b"[" * 100_000), "ml.predictions[0]@7", id="a tower of brackets"
        ),
        pytest.param(Message(UNROUTED, 8, b""), f"{UNROUTED}[0]@8", id="of no source"),
        pytest.param(Message(DEAD_LETTERS, 9, b"x"), f"{DEAD_LETTERS}[0]@9", id="no dead letter"),
        pytest.param(Message(FRAUD_DLQ, 9, None), f"{FRAUD_DLQ}[0]@9", id="a tombstone"),
    ],
)
def test_a_record_that_no_part_of_ours_wrote_is_told_and_is_no_part_of_the_sum(
    foreign: Message, position: str
) -> None:
    made = balance(source(0, order("a")), prediction("a"), foreign)
    assert made.holds
    assert made.equations()[2].startswith(f"passed over 1 foreign records, such as {position}: ")
