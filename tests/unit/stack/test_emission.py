"""An event says the same in every form, as the project's codec reads it."""

import pytest

from events.codec import Form, decode
from stack.emission import Event, in_form

EVENT = Event(
    event_id="e-1",
    event_type="order.placed",
    source="retailpulse/shop",
    version="1.2.0",
    occurred_at=1_530_532_800_007,
    tenant_id="acme",
    payload={"order_id": "o", "amount": 57.16, "device": "Gerät", "items": [{"sku": "s", "quantity": 1}]},
)


@pytest.mark.parametrize("form", ["json", "cloudevents-structured", "cloudevents-binary", "avro"])
def test_an_event_is_the_same_in_every_form(form: Form) -> None:
    value, headers = in_form(EVENT, form)
    decoded = decode(value, headers)
    assert decoded.form == form
    envelope = decoded.envelope
    assert (envelope.event_id, envelope.event_type, envelope.source) == (
        "e-1",
        "order.placed",
        "retailpulse/shop",
    )
    assert (envelope.version, envelope.occurred_at, envelope.tenant_id) == (
        "1.2.0",
        1_530_532_800_007,
        "acme",
    )
    assert envelope.payload == EVENT.payload


@pytest.mark.parametrize("occurred_at", [0, 1, 999, 1_000, 253_402_300_799_999])
def test_no_millisecond_is_lost_on_the_way_through_a_text(occurred_at: int) -> None:
    event = Event(
        event_id="e", event_type="t", source="s", occurred_at=occurred_at, tenant_id="a", payload={}
    )
    assert decode(*in_form(event, "cloudevents-binary")).envelope.occurred_at == occurred_at
