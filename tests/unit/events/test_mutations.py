"""That no damage to an event does more than make it a dead letter with a cause."""

from collections import Counter

import msgspec
import pytest

from events.codec import decode
from events.deadletter import DeadLetterHeaders, dead_letter
from events.decision import Position
from events.errors import CAUSES, DeadLetter
from events.lane import (
    Batch,
    Fed,
    Original,
    Waiting,
    decode_batch,
    decode_record,
    encode_batch,
    encode_waiting,
)
from events.payloads import declared, validate
from routing import Priority, Route, Table, route
from stack.examples import PAYLOADS
from stack.mutations import KINDS, Mutant, mutants

COUNT = 8_000
SEED = 20_261_121
ALWAYS_DEAD = {"nothing", "cut short", "noise", "Avro, cut short", "Avro, left over", "Avro, another schema"}

TABLE = Table.of(
    Route(
        event_type=event_type,
        rule=f"{event_type}[0]",
        workflow="any",
        priority=Priority.HIGH,
        sla_ms=100,
        queue="ml.any.input",
    )
    for event_type in PAYLOADS
)


def outcome(mutant: Mutant) -> str:
    """What becomes of it: `event`, `unrouted`, or the cause of its death. Lets any other error through."""
    source = Position("retail.events", 0, mutant.number)
    try:
        event, json, _ = decode(mutant.value, mutant.headers)
        if not declared(event.event_type):
            assert route(event, TABLE, source, 0) == ()
            return "unrouted"
        validate(event)
    except DeadLetter as error:
        return cause_of_death(mutant, source, error)
    (decision,) = route(event, TABLE, source, 0)
    original = Original(mutant.value or b"", mutant.headers)
    value = encode_waiting(Waiting(msgspec.Raw(json), decision, original))
    record = decode_record(value)
    assert (record.event, record.decision, record.original) == (event, decision, original)
    assert_feeder_can_pass_it_on(value, decision.source)
    return "event"


def cause_of_death(mutant: Mutant, source: Position, error: DeadLetter) -> str:
    assert str(error)
    letter = dead_letter(
        source=source,
        timestamp=0,
        value=mutant.value,
        key=None,
        headers=mutant.headers,
        error=error,
        cause=error.cause,
        attempts=1,
        first_failure=0,
        last_failure=0,
    )
    assert letter.value == mutant.value
    assert DeadLetterHeaders.parse(letter.headers).original == source
    return error.cause


def assert_feeder_can_pass_it_on(value: bytes, source: Position) -> None:
    batch = Batch(0, (Fed(source, 0, msgspec.Raw(value)),))
    (fed,) = decode_batch(encode_batch(batch)).records
    assert bytes(fed.record) == value


@pytest.fixture(scope="module")
def outcomes() -> dict[str, Counter[str]]:
    """What became of each kind of damage."""
    counted: dict[str, Counter[str]] = {kind: Counter() for kind in KINDS}
    for mutant in mutants(SEED, COUNT):
        counted[mutant.kind][outcome(mutant)] += 1
    return counted


def test_every_damaged_event_is_an_event_or_has_a_cause(outcomes: dict[str, Counter[str]]) -> None:
    total = sum(outcomes.values(), Counter())
    assert total.total() == COUNT
    assert set(total) <= {"event", "unrouted", *CAUSES}
    causes = {"undecodable", "invalid_envelope", "invalid_payload", "unknown_version", "too_large"}
    assert total.keys() >= {"event", "unrouted", *causes}


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_each_kind_of_damage_occurred(kind: str, outcomes: dict[str, Counter[str]]) -> None:
    assert outcomes[kind].total() > COUNT / len(KINDS) / 2


@pytest.mark.parametrize("kind", sorted(ALWAYS_DEAD))
def test_some_damage_is_never_survived(kind: str, outcomes: dict[str, Counter[str]]) -> None:
    assert outcomes[kind].keys() <= set(CAUSES)


@pytest.mark.parametrize("kind", ["whole", "Avro, whole"])
def test_an_undamaged_event_always_survives(kind: str, outcomes: dict[str, Counter[str]]) -> None:
    assert outcomes[kind].keys() == {"event"}


def test_a_mutant_is_found_again_by_its_seed() -> None:
    assert list(mutants(7, 200)) == list(mutants(7, 200))
    assert list(mutants(7, 50)) == list(mutants(7, 200))[:50]
    assert list(mutants(7, 50)) != list(mutants(8, 50))
