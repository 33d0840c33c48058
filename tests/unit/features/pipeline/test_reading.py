"""What one record adds, whatever its bytes are."""

import pytest

from events.contract import DAY_MS
from events.errors import DeadLetter
from features.offline.batch import StreamEvent
from features.pipeline import reading
from features.pipeline.reading import Skipped, digest, read_record
from features.retail import DEFINITIONS
from tests.unit.features.pipeline.events import NOON, event, order, read, record


def test_an_order_adds_to_its_customer_and_its_terminal() -> None:
    found = read(7, order(1))
    assert (found.offset, found.event_id, found.event_time) == (7, "e-1", NOON)
    assert {(each.view, each.entity_id, each.amount) for each in found.increments} == {
        ("customer_orders", "c-1", 1_250),
        ("terminal_orders", "t-1", 0),
    }


@pytest.mark.parametrize(
    ("value", "cause"),
    [
        pytest.param(None, "undecodable", id="a record without a value"),
        pytest.param(b"\xff", "undecodable", id="no event at all"),
        pytest.param(b"{}", "invalid_envelope", id="no envelope"),
        pytest.param(order(1, amount="12"), "invalid_payload", id="a payload that is none of its type"),
        pytest.param(event("e", "order.eaten"), "undeclared", id="a type that nobody declared"),
        pytest.param(order(1, at=NOON + 300_001), "invalid_envelope", id="five minutes after it arrived"),
        pytest.param(order(1, at=NOON // 1_000), "invalid_envelope", id="a time in seconds"),
    ],
)
def test_what_cannot_be_counted_is_skipped_and_why(value: bytes | None, cause: str) -> None:
    found = read_record(record(3, value), DEFINITIONS)
    assert isinstance(found, Skipped)
    assert (found.offset, found.cause) == (3, cause)


def test_a_sound_event_may_add_nothing() -> None:
    assert read_record(record(0, event("e", "inventory.updated", sku="s", quantity=1)), DEFINITIONS) is None


def test_a_label_without_its_terminal_adds_to_no_feature_and_labels_its_order() -> None:
    found = read(0, event("e", "order.fraud_confirmed", order_id="o"))
    assert found.increments == ()
    assert found.outcome is not None
    assert found.outcome.order_id == "o"


@pytest.mark.parametrize("at", [NOON + 300_000, NOON - 30 * DAY_MS])
def test_an_event_from_within_the_bounds_counts(at: int) -> None:
    assert isinstance(read_record(record(0, order(1, at=at)), DEFINITIONS), StreamEvent)


def test_a_record_whose_headers_cannot_be_read_is_skipped() -> None:
    fault = DeadLetter("undecodable", "a header's name is not UTF-8")
    found = read_record(record(3, order(1))._replace(fault=fault), DEFINITIONS)
    assert found == Skipped(3, "undecodable", str(fault))


def test_a_definition_that_fails_on_an_event_costs_that_event(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise KeyError("sku")

    monkeypatch.setattr(reading, "increments_of", fails)
    found = read_record(record(0, order(1)), DEFINITIONS)
    assert isinstance(found, Skipped)
    assert (found.cause, found.reason) == ("extraction", "e-1: KeyError: 'sku'")


def test_an_event_has_one_digest_however_often_it_is_sent() -> None:
    assert read(1, order(1)).digest == read(9, order(1)).digest


def test_no_two_events_share_a_digest_because_their_names_run_together() -> None:
    def named(tenant_id: str, source: str, event_id: str) -> bytes:
        from events.envelope import Envelope

        return digest(
            Envelope(
                event_id=event_id,
                event_type="order.placed",
                source=source,
                version="1.0.0",
                occurred_at=0,
                tenant_id=tenant_id,
                payload={},
            )
        )

    assert len({named("a", "bc", "d"), named("ab", "c", "d"), named("a", "b", "cd")}) == 3
