"""What becomes of an order of the first major version once there is a second one."""

import json
from typing import Any

import pytest

from dispatcher.sorting import SourceRecord, sort
from events.codec import decode
from events.contract import Contract, Payload
from events.decision import Position
from events.envelope import Envelope
from events.errors import ConfigError, DeadLetter
from events.lane import LaneRecord, decode_record
from events.payloads import Payloads
from events.retail import OrderPlaced, PageViewed
from events.upcasting import Upcasting, upcast
from routing import Priority, Route, Table
from stack.examples import envelope
from tests.unit.events.second_order import SecondOrderPlaced, contract, second

TABLE = Table.of(
    [
        Route(
            event_type="order.placed",
            rule="order.placed[0]",
            workflow="any",
            priority=Priority.HIGH,
            sla_ms=100,
            queue="ml.any.input",
        )
    ]
)


def order(version: str = "1.2.0", **changes: Any) -> bytes:
    """An order of the first version, whatever it calls itself."""
    event = envelope("order.placed", "evt-1")
    return json.dumps({**event, "version": version, "payload": {**event["payload"], **changes}}).encode()


def second_order() -> bytes:
    event = envelope("order.placed", "evt-1")
    return json.dumps({**event, "version": "2.0.1", "payload": second(event["payload"])}).encode()


def raised(value: bytes, to: Contract) -> tuple[Envelope, bytes]:
    event, as_json, _ = decode(value)
    Payloads(to).validate(event)
    return Upcasting(to).upcast(event, as_json)


@pytest.mark.parametrize(
    ("said", "field", "becomes"),
    [
        pytest.param({}, "total", {"amount": 129.9, "currency": "EUR"}, id="a sum takes its currency along"),
        pytest.param({}, "channel", "app", id="a device becomes a channel"),
        pytest.param({"device": {"kind": "pos"}}, "channel", "till", id="a described device too"),
        pytest.param({"device": None}, "channel", "unknown", id="no device is no channel"),
        pytest.param({"location": "Köln"}, "location", {"city": "Köln"}, id="a name becomes a place"),
        pytest.param({"location": None}, "location", None, id="no place stays none"),
        pytest.param({"gift_wrap": True}, "gift_wrap", True, id="what nobody declared is kept"),
        pytest.param({"weight": 2**80}, "weight", 2**80, id="a number that is larger than 64 bits"),
    ],
)
def test_an_order_of_the_first_version_is_one_of_the_second(
    said: dict[str, Any], field: str, becomes: object
) -> None:
    event, as_json = raised(order(**said), contract())
    assert event.version == "2.0.0"
    assert event.payload[field] == becomes
    assert decode(as_json).envelope == event
    assert isinstance(Payloads(contract()).validate(event), SecondOrderPlaced)


def test_an_envelopes_other_fields_are_kept() -> None:
    value = order().replace(b'{"event_id"', b'{"shard": [1, 2.50], "event_id"')
    assert json.loads(raised(value, contract())[1])["shard"] == [1, 2.5]


def test_an_order_of_the_newest_version_is_left_alone() -> None:
    event, as_json, _ = decode(value := second_order())
    assert Upcasting(contract()).upcast(event, as_json) == (event, value)
    assert Upcasting(contract()).upcast(event, as_json)[0] is event


def test_types_with_one_version_are_left_alone() -> None:
    event, as_json, _ = decode(order())
    assert upcast(event, as_json)[0] is event


def test_both_are_accepted_until_the_old_one_is_retired() -> None:
    retired = contract(retired=frozenset({("order.placed", 1)}))
    assert [raised(value, contract())[0].major for value in (order(), second_order())] == [2, 2]
    assert raised(second_order(), retired)[0].major == 2
    with pytest.raises(DeadLetter, match="major version 1 is retired; declared: 2") as caught:
        raised(order(), retired)
    assert caught.value.cause == "unknown_version"


def test_a_retired_version_needs_neither_model_nor_upcaster() -> None:
    left = contract(
        payloads={"order.placed": {2: SecondOrderPlaced}},
        upcasters={},
        retired=frozenset({("order.placed", 1)}),
    )
    with pytest.raises(DeadLetter, match="is retired"):
        raised(order(), left)


def third(payload: Payload) -> dict[str, Any]:
    return {**payload, "channel": [payload["channel"]]}


def test_an_order_goes_up_step_by_step() -> None:
    class ThirdOrderPlaced(OrderPlaced):
        amount: float = 0
        currency: str = ""
        channel: list[str]

    of_three = contract(
        payloads={"order.placed": {1: OrderPlaced, 2: SecondOrderPlaced, 3: ThirdOrderPlaced}},
        upcasters={"order.placed": {1: second, 2: third}},
    )
    event, _ = raised(order(location=None), of_three)
    assert (event.version, event.payload["channel"]) == ("3.0.0", ["app"])


def overlooks(payload: Payload) -> dict[str, Any]:
    return {"channel": payload["nobody_said_it"]}


def forgets(payload: Payload) -> dict[str, Any]:
    return {name: value for name, value in second(payload).items() if name != "total"}


def no_json(payload: Payload) -> dict[str, Any]:
    return {**second(payload), "when": object()}


@pytest.mark.parametrize(
    ("upcaster", "says"),
    [
        pytest.param(overlooks, "KeyError: 'nobody_said_it'", id="it overlooks a payload"),
        pytest.param(forgets, "payload.total is missing", id="it forgets a field"),
        pytest.param(no_json, "TypeError", id="it makes what is no JSON"),
    ],
)
def test_an_upcaster_that_fails_costs_one_event_and_is_named(upcaster: Any, says: str) -> None:
    with pytest.raises(DeadLetter, match=r"order\.placed 1\.2\.0 as 2\.0\.0: ") as caught:
        raised(order(), contract(upcasters={"order.placed": {1: upcaster}}))
    assert says in str(caught.value)
    assert caught.value.cause == "invalid_payload"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        pytest.param({"upcasters": {}}, "no upcaster leads from major 1 to 2: write it", id="no upcaster"),
        pytest.param(
            {"upcasters": {"order.placed": {1: second, 2: third}}}, "leads to major 3", id="one too many"
        ),
        pytest.param(
            {"upcasters": {"order.placed": {1: second}, "order.plcaed": {1: second}}},
            "order.plcaed: has upcasters, and nobody declared it",
            id="of a type that nobody declared",
        ),
        pytest.param(
            {"payloads": {"page.viewed": {1: PageViewed}}, "upcasters": {}, "retired": {("page.viewed", 1)}},
            "every version is retired",
            id="nothing is left",
        ),
    ],
)
def test_a_contract_with_a_gap_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        contract(**changes)


NOW = 1_795_266_000_000


def lane_record(value: bytes) -> LaneRecord:
    (write,) = sort(SourceRecord(Position("x", 0, 7), NOW, None, value, None), TABLE, NOW).writes
    return decode_record(write.value or b"")


def test_a_worker_sees_the_newest_version_and_the_lane_keeps_what_came(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = lane_record(order())
    monkeypatch.setattr("events.accepting.validate", Payloads(contract()).validate)
    monkeypatch.setattr("events.accepting.upcast", Upcasting(contract()).upcast)
    record = lane_record(order())
    assert record.event.version == "2.0.0"
    assert record.event.payload["total"] == {"amount": 129.9, "currency": "EUR"}
    assert record.original is not None
    assert record.original.value == order()
    # the decision is the same one: what an event is called in a version is no part of its identity
    assert record.decision == before.decision
    assert lane_record(second_order()).original is None
