"""Items of a Redis list that kombu can read as messages."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kombu.transport.virtual import Message
from kombu.utils.json import loads

from tasks.redis_transport import is_envelope, wrapped


def envelope(**changes: Any) -> dict[str, Any]:
    """As kombu writes it, but for the changes; `...` leaves a field out."""
    said = {
        "body": base64.b64encode(b"{}").decode(),
        "content-type": "application/json",
        "content-encoding": "utf-8",
        "headers": {"task": "tasks.fraud.score"},
        "properties": {
            "delivery_tag": "t",
            "delivery_info": {"exchange": "", "routing_key": "ml.fraud.input"},
            "body_encoding": "base64",
            "priority": 0,
        },
        **changes,
    }
    return {name: value for name, value in said.items() if value is not ...}


def properties(**changes: Any) -> dict[str, Any]:
    """An envelope with other properties."""
    return envelope(properties={**envelope()["properties"], **changes})


def read(item: dict[str, Any]) -> Any:
    """As kombu makes a message of it."""
    channel: Any = Channel()
    return Message(item, channel=channel)


class Channel:
    """As much of kombu's as a message needs to be made."""

    no_ack_consumers = None

    def decode_body(self, body: str, encoding: str | None) -> str | bytes:
        """kombu's."""
        return base64.b64decode(body) if encoding == "base64" else body


@pytest.mark.parametrize(
    "item",
    [
        pytest.param(envelope(), id="as kombu writes it"),
        pytest.param(envelope(body=None), id="no body: Celery's to judge"),
        pytest.param(envelope(headers=None), id="no headers: Celery's to judge"),
        pytest.param(envelope(**{"content-type": 5}), id="a content type that is none: Celery's to judge"),
        pytest.param(properties(body_encoding="utf-8"), id="a body that is not encoded"),
        pytest.param(
            envelope(body={"__type__": "bytes", "__value__": "e30="}), id="a body that was encoded before"
        ),
        pytest.param(
            envelope(headers={"at": {"__type__": "date", "__value__": "2027-01-15"}}), id="a tagged header"
        ),
    ],
)
def test_kombu_can_read(item: dict[str, Any]) -> None:
    written = json.dumps(item).encode()
    assert is_envelope(written)
    read(loads(written))


@pytest.mark.parametrize(
    "item",
    [
        pytest.param(b"\x00garbage", id="no JSON"),
        pytest.param(b"[" * 100_000, id="JSON without a bottom"),
        pytest.param(b"[]", id="no object"),
        pytest.param(json.dumps(envelope(properties=...)).encode(), id="no properties"),
        pytest.param(json.dumps(properties(delivery_tag=None)).encode(), id="no delivery tag"),
        pytest.param(json.dumps(properties(delivery_info={})).encode(), id="it was sent nowhere"),
        pytest.param(json.dumps(properties(body_encoding="rot13")).encode(), id="an encoding that is none"),
        pytest.param(json.dumps(envelope(body=5)).encode(), id="a body that is a number"),
        pytest.param(json.dumps(envelope(body="abcde")).encode(), id="a body that is no base64"),
        pytest.param(json.dumps(envelope(headers=[1])).encode(), id="headers that are a list"),
        pytest.param(
            json.dumps(envelope(body={"__type__": "bytes", "__value__": "abcde"})).encode(),
            id="an encoded body that is no base64",
        ),
        pytest.param(
            json.dumps(envelope(headers={"__type__": "bytes", "__value__": "x"})).encode(),
            id="headers that are bytes",
        ),
        *(
            pytest.param(
                json.dumps(envelope(headers={"x": {"__type__": kind, "__value__": value}})).encode(),
                id=f"a {kind} that is none",
            )
            for kind, value in (("uuid", 5), ("decimal", "x"), ("datetime", {}), ("colour", "blue"))
        ),
        pytest.param(
            json.dumps(envelope(headers={"x": {"__type__": "uuid", "__value__": 5}}))
            .replace("__type__", "\\u005f_type__")
            .encode(),
            id="a tag in hiding",
        ),
    ],
)
def test_what_kombu_cannot_read_comes_in_an_envelope_that_it_can(item: bytes) -> None:
    assert not is_envelope(item)

    inside = wrapped(item, "ml.fraud.input")

    assert is_envelope(inside)
    message = read(loads(inside))
    assert message.body == item
    assert message.delivery_info["routing_key"] == "ml.fraud.input"


@given(st.binary(max_size=80) | st.text(max_size=80).map(str.encode))
def test_whatever_stands_in_the_list_is_judged(item: bytes) -> None:
    assert is_envelope(wrapped(item, "q"))
    assert isinstance(is_envelope(item), bool)


GOOD = json.dumps(envelope(headers={"task": "t", "at": {"__type__": "uuid", "__value__": "0" * 32}})).encode()


@given(
    st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)), min_size=1, max_size=4),
    st.integers(0, len(GOOD)),
)
def test_what_passes_for_an_envelope_kombu_can_read(flips: list[tuple[int, int]], length: int) -> None:
    item = bytearray(GOOD)
    for place, value in flips:
        item[place] = value

    for candidate in (bytes(item), bytes(item[:length])):
        if is_envelope(candidate):
            read(loads(candidate))
