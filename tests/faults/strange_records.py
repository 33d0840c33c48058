"""Records that Kafka can hold and no part of ours would write. Seeded."""

import random
from collections.abc import Iterator
from typing import NamedTuple

from benchmarks.orders import order
from stack.mutations import mutants
from tests.raw_producer import RawHeaders
from transport.clock import system_clock

MB = 1_000_000
NO_TIME = 0
"""Leaves the time to librdkafka."""
INFLATED = {"gzip": 100 * MB, "lz4": 100 * MB, "zstd": 100 * MB, "snappy": 30 * MB}
"""What each codec makes fit into a topic that takes 2 MB."""


class Strange(NamedTuple):
    """One record; `timestamp` is in whatever unit."""

    value: bytes | None
    key: bytes | None
    headers: RawHeaders
    timestamp: int


def strange_records(seed: int, count: int) -> Iterator[Strange]:
    """`count` records: damaged events among them, and sound ones under strange headers, keys and times."""
    rng = random.Random(seed)
    damaged = mutants(seed, count)
    for number in range(count):
        value, headers = _content(rng, number, seed)
        if value is _DAMAGED:
            mutant = next(damaged)
            value = mutant.value
            headers = [*headers, *((name.encode(), content) for name, content in mutant.headers)]
        yield Strange(value, _key(rng), headers, _timestamp(rng))


def giants(codec: str, most_bytes: int) -> Iterator[Strange]:
    """What is small on the wire only: a value, a key and a header that inflate to `most_bytes` or less."""
    large = b" " * min(10 * MB, most_bytes)
    yield Strange(b" " * min(INFLATED[codec], most_bytes), b"blanks", (), NO_TIME)
    yield Strange(None, large, (), NO_TIME)
    yield Strange(b"{}", None, [(b"blanks", large)], NO_TIME)


_DAMAGED = b"damaged"


def _content(rng: random.Random, number: int, seed: int) -> tuple[bytes | None, RawHeaders]:
    _, sound = order(number, f"strange-{seed}", system_clock(), rng)
    value: bytes | None = rng.choice(
        (None, b"", b"null", b"[" * 10_000, rng.randbytes(rng.randrange(2_000)), sound, _DAMAGED, _DAMAGED)
    )
    return value, _headers(rng)


def _headers(rng: random.Random) -> RawHeaders:
    some = rng.randbytes(rng.randrange(30))
    match rng.randrange(8):
        case 0:
            return [(some, rng.randbytes(rng.randrange(50)))]
        case 1:
            return [(b"a", None), (b"a", some), (b"", b"")]
        case 2:
            return [(b"ce_" + some, some), (b"content-type", some), (b"traceparent", some)]
        case 3:
            return [(b"dlq.original.offset", some), (b"dlq.error.cause", b"timeout")]
        case 4 if rng.randrange(50) == 0:
            return [(b"many", some)] * 10_000
        case 5 if rng.randrange(100) == 0:
            return [(b"large", b"x" * MB)]
    return []


def _key(rng: random.Random) -> bytes | None:
    return rng.choice((None, b"", rng.randbytes(rng.randrange(1, 300))))


def _timestamp(rng: random.Random) -> int:
    now = system_clock()
    return rng.choice((NO_TIME, -1, 1, now // 1_000, now * 1_000, now * 1_000_000, 2**63 - 1, -(2**63)))
