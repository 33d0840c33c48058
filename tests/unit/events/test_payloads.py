"""Which payloads fit their event's type and version."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec
import pytest

from events.envelope import Envelope
from events.errors import Cause, DeadLetter
from events.payloads import EVENT_TYPES, declared, validate
from events.retail import OrderPlaced
from stack.examples import PAYLOADS, envelope


def event(
    event_type: str, changes: Mapping[str, Any] = MappingProxyType({}), version: str = "1.0.0"
) -> Envelope:
    raw = envelope(event_type, "evt-1")
    payload = {name: value for name, value in {**raw["payload"], **changes}.items() if value is not ...}
    return msgspec.convert({**raw, "version": version, "payload": payload}, Envelope)


def test_every_declared_type_has_an_example() -> None:
    assert set(PAYLOADS) == EVENT_TYPES


@pytest.mark.parametrize("event_type", sorted(PAYLOADS))
def test_the_example_of_each_type_is_valid(event_type: str) -> None:
    assert declared(event_type)
    assert validate(event(event_type)).model_dump(exclude_unset=True) == PAYLOADS[event_type]


@pytest.mark.parametrize("version", ["1.0.0", "1.99.3", "1.4.0-rc.1"])
def test_the_major_version_alone_decides(version: str) -> None:
    assert isinstance(validate(event("order.placed", version=version)), OrderPlaced)


def test_fields_beyond_the_declared_ones_are_kept() -> None:
    payload = validate(event("order.placed", {"gift_wrap": {"colour": "red"}}))
    assert payload.model_extra == {"gift_wrap": {"colour": "red"}}


@pytest.mark.parametrize("field", ["device", "location", "category", "items"])
def test_what_an_order_may_leave_out(field: str) -> None:
    assert getattr(validate(event("order.placed", {field: ...})), field) is None
    assert getattr(validate(event("order.placed", {field: None})), field) is None


@pytest.mark.parametrize("place", ["Berlin", {"lat": 52.5, "lon": 13.4}])
def test_a_location_is_a_name_or_an_object(place: object) -> None:
    assert validate(event("order.placed", {"location": place})).model_dump()["location"] == place


@pytest.mark.parametrize("field", ["order_id", "customer_id", "terminal_id", "amount", "currency"])
def test_what_an_order_must_say(field: str) -> None:
    with pytest.raises(DeadLetter, match=f"payload.{field} is missing") as caught:
        validate(event("order.placed", {field: ...}))
    assert caught.value.cause == "invalid_payload"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        pytest.param({"amount": "12.50"}, "payload.amount: .* is text", id="a text is no amount"),
        pytest.param({"amount": True}, "payload.amount: .* is true or false", id="a truth is no amount"),
        pytest.param({"amount": -1}, "payload.amount", id="a negative amount"),
        pytest.param({"amount": 10**400}, "payload.amount", id="an amount that no float holds"),
        pytest.param({"customer_id": 17}, "payload.customer_id: .* is a number", id="a number is no id"),
        pytest.param({"customer_id": ""}, "payload.customer_id", id="an empty id"),
        pytest.param({"customer_id": None}, "payload.customer_id: .* is null", id="null for what must be"),
        pytest.param({"currency": "euro"}, "payload.currency", id="no currency"),
        pytest.param({"items": [{}]}, r"payload.items.0.sku is missing", id="an item without its parts"),
        pytest.param({"items": {"sku": "a"}}, "payload.items: .* is an object", id="one item, not a list"),
        pytest.param({"items": "x" * 10}, "payload.items: .* is text", id="text for items"),
    ],
)
def test_what_does_not_fit_is_named_with_its_field(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(DeadLetter, match=says) as caught:
        validate(event("order.placed", changes))
    assert caught.value.cause == "invalid_payload"


def test_of_many_faults_the_first_few_are_told() -> None:
    nothing = dict.fromkeys(PAYLOADS["order.placed"], ...)
    with pytest.raises(DeadLetter, match="and 2 more"):
        validate(event("order.placed", nothing))


def test_a_long_list_of_wrong_items_is_told_in_a_line() -> None:
    with pytest.raises(DeadLetter, match=r"payload.items.0: ") as caught:
        validate(event("cart.updated", {"items": [0] * 9_999}))
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("event_type", "version", "says", "cause"),
    [
        pytest.param(
            "order.placed", "2.0.0", "2 is not declared; declared: 1", "unknown_version", id="newer"
        ),
        pytest.param("order.placed", "0.9.0", "0 is not declared", "unknown_version", id="older"),
    ],
)
def test_a_version_that_nobody_declared(event_type: str, version: str, says: str, cause: Cause) -> None:
    with pytest.raises(DeadLetter, match=says) as caught:
        validate(event(event_type, version=version))
    assert caught.value.cause == cause


def test_a_type_that_nobody_declared() -> None:
    unknown = msgspec.structs.replace(event("order.placed"), event_type="order.plcaed")
    assert not declared("order.plcaed")
    with pytest.raises(DeadLetter, match="nobody declared this type"):
        validate(unknown)
