"""A record that cannot be decoded is matched to the event that it names, and to no other."""

import pytest

from dispatcher.naming import names
from stack.emission import in_avro

AVRO = {
    "event_type": "order.placed",
    "source": "till",
    "version": "1.0.0",
    "occurred_at": 1_700_000_000_000,
    "tenant_id": "acme",
    "payload": b"{}",
}


@pytest.mark.parametrize(
    ("event_id", "value", "headers", "named"),
    [
        pytest.param("evt-1", b'{"event_id": "evt-1", oops', (), True, id="broken JSON names it"),
        pytest.param("evt-1", b'{"event_id": "evt-15", oops', (), False, id="a longer id is another event"),
        pytest.param("evt-1", b'{"event_id": "my-evt-1", oops', (), False, id="so is one that ends like it"),
        pytest.param(
            "evt-1", b'{"event_id": "evt-2", "order_id": "evt-1", oops', (), False, id="the id, not a field"
        ),
        pytest.param("evt-1", b"evt-15 evt-1 evt-16", (), True, id="plain text, the whole word"),
        pytest.param("evt-1", b"evt-15 evt-1.5", (), False, id="plain text, only longer words"),
        pytest.param("evt-1", "evt-1é".encode(), (), False, id="a letter beyond ASCII goes on too"),
        pytest.param("é", b'{"event_id": "\\u00e9", oops', (), True, id="an id that JSON escapes"),
        pytest.param("evt-1", b"\xff", (("ce_id", b"evt-1"),), True, id="a CloudEvent's header"),
        pytest.param("evt-1", b"evt-1", (("ce_id", b"evt-15"),), False, id="a header of another event"),
        pytest.param(
            "evt-1", b"", (("dlq.error.message", b"evt-1: bad"),), True, id="a cut letter's message"
        ),
        pytest.param("evt-1", b"", (("dlq.error.message", None),), False, id="an empty header"),
        pytest.param("e" * 24, in_avro({**AVRO, "event_id": "e" * 24})[:60], (), True, id="Avro, cut off"),
        pytest.param("e" * 24, in_avro({**AVRO, "event_id": "e" * 25})[:60], (), False, id="Avro of another"),
    ],
)
def test_only_the_event_itself_is_named(
    event_id: str, value: bytes, headers: tuple[tuple[str, bytes | None], ...], named: bool
) -> None:
    assert names(event_id, value, headers) is named
