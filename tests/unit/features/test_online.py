"""Under which key does a row stand, and what if the bytes there are none of ours?"""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.online import EntityKey, FeatureRow, decode_row, redis_key

KEYS = st.builds(EntityKey, *[st.text(alphabet="ab:%3A25", max_size=6)] * 3)


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        pytest.param(
            EntityKey("acme", "customer", "c-17"),
            "features:acme:customer:c-17",
            id="a plain key reads as it is",
        ),
        pytest.param(
            EntityKey("acme", "customer", "eu:17"),
            "features:acme:customer:eu:17",
            id="an id may hold a colon: it comes last",
        ),
        pytest.param(
            EntityKey("acme:uk", "customer", "17"),
            "features:acme%3Auk:customer:17",
            id="a colon in a tenant is escaped",
        ),
        pytest.param(
            EntityKey("100%", "customer", "17"),
            "features:100%25:customer:17",
            id="so is the sign that escapes",
        ),
    ],
)
def test_a_key_names_tenant_entity_and_id(key: EntityKey, expected: str) -> None:
    assert redis_key(key) == expected


@given(KEYS, KEYS)
def test_no_two_entities_share_a_key(one: EntityKey, other: EntityKey) -> None:
    assert (redis_key(one) == redis_key(other)) == (one == other)


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"{", id="half an object"),
        pytest.param(b'{"event_time":1,"values":{"count":"many"}}', id="a text for a number"),
        pytest.param(b'{"values":{}}', id="no time"),
        pytest.param(b"\xff\xfe", id="no text"),
    ],
)
def test_what_is_no_row_counts_as_missing(value: bytes) -> None:
    assert decode_row(value) is None


def test_a_row_of_a_later_version_is_read_as_far_as_it_is_known() -> None:
    later = msgspec.json.encode({"event_time": 5, "values": {"count": 2}, "definitions": "abc"})
    assert decode_row(later) == FeatureRow(5, {"count": 2.0})
