"""A record that is too large for a dead-letter topic is cut, and says what it was."""

import hashlib

import pytest

from events.cutting import KEPT_BYTES, KEPT_KEY_BYTES, MOST_BYTES, Header, cut, size
from events.deadletter import DeadLetterHeaders, Letter, dead_letter, reduced
from events.decision import Position
from events.errors import DeadLetter

SMALL_HEADERS: tuple[Header, ...] = (("a", b"1"), ("b", None))
LARGE_HEADERS: tuple[Header, ...] = (("a", b"x" * MOST_BYTES), ("b", b"y"))
BLANKS = b" " * 70_000_000


@pytest.mark.parametrize(
    ("value", "key", "headers", "truncated"),
    [
        pytest.param(b"v", b"k", SMALL_HEADERS, set(), id="a small one is whole"),
        pytest.param(None, None, (), set(), id="a tombstone is whole"),
        pytest.param(b"v" * (MOST_BYTES - 1), b"k", (), set(), id="the largest is whole"),
        pytest.param(b"v" * MOST_BYTES, b"k", SMALL_HEADERS, {"value"}, id="one byte more cuts the value"),
        pytest.param(BLANKS, b"k", SMALL_HEADERS, {"value"}, id="a value of 70 MB"),
        pytest.param(b"v", b"k", LARGE_HEADERS, {"headers"}, id="large headers"),
        pytest.param(None, b"k", [("n" * 400, b"")] * 10_000, {"headers"}, id="many headers"),
        pytest.param(b"v", BLANKS, SMALL_HEADERS, {"headers", "key"}, id="a key of 70 MB"),
        pytest.param(BLANKS, BLANKS, LARGE_HEADERS, {"headers", "key", "value"}, id="all of them"),
    ],
)
def test_what_is_cut(
    value: bytes | None, key: bytes | None, headers: list[Header], truncated: set[str]
) -> None:
    whole = cut(value, key, headers)
    assert whole.truncated == truncated
    assert size(whole.value, whole.key, whole.headers) <= MOST_BYTES
    kept_value, kept_key = (value or b"")[:KEPT_BYTES], (key or b"")[:KEPT_KEY_BYTES]
    assert whole.value == (kept_value if "value" in truncated else value)
    assert whole.key == (kept_key if "key" in truncated else key)
    assert whole.headers == (() if "headers" in truncated else headers)
    assert whole.length == (len(value or b"") if "value" in truncated else None)
    assert whole.sha256 == (hashlib.sha256(value or b"").hexdigest() if "value" in truncated else None)


def letter(value: bytes | None, headers: tuple[Header, ...] = SMALL_HEADERS, key: bytes = b"k") -> Letter:
    return dead_letter(
        source=Position("retail.events", 1, 2),
        timestamp=3,
        value=value,
        key=key,
        headers=headers,
        error=DeadLetter("too_large", "70 MB"),
        cause="too_large",
        attempts=1,
        first_failure=4,
        last_failure=5,
    )


def test_a_letter_names_what_was_cut_and_the_length_and_digest_of_its_value() -> None:
    said = DeadLetterHeaders.parse(letter(BLANKS).headers)
    assert (said.truncated, said.length) == (frozenset({"value"}), len(BLANKS))
    assert said.sha256 == hashlib.sha256(BLANKS).hexdigest()


def test_a_letter_that_is_whole_says_nothing_of_it() -> None:
    said = DeadLetterHeaders.parse(letter(b"v").headers)
    assert (said.truncated, said.length, said.sha256) == (frozenset(), None, None)


@pytest.mark.parametrize("value", [b"v" * 100_000, BLANKS], ids=["whole before", "cut before"])
def test_a_letter_is_reduced_until_nothing_of_its_original_is_left(value: bytes) -> None:
    digest = hashlib.sha256(value).hexdigest()
    less = reduced(letter(value), KEPT_BYTES)
    none = reduced(less, 0)
    for each, truncated in ((less, frozenset({"value"})), (none, frozenset({"value", "headers", "key"}))):
        said = DeadLetterHeaders.parse(each.headers)
        assert (said.truncated, said.length, said.sha256) == (truncated, len(value), digest)
        assert (said.original, said.cause) == (Position("retail.events", 1, 2), "too_large")
    assert less.value == value[: KEPT_BYTES // 2]
    assert (none.value, none.key) == (None, None)


def test_a_small_letter_that_was_refused_with_a_large_neighbour_is_tried_as_it_is() -> None:
    assert reduced(letter(b"v"), KEPT_BYTES) == letter(b"v")
