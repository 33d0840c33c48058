"""A priority has the same meaning on every broker."""

import pytest

from events.priority import Priority
from transport.priorities import is_redis, number, redis_list


@pytest.mark.parametrize(
    ("url", "numbers"),
    [
        pytest.param("redis://h/0", [0, 3, 6, 9], id="Redis hands out the lowest first"),
        pytest.param("rediss://h/0", [0, 3, 6, 9], id="over TLS too"),
        pytest.param("amqp://h//", [9, 6, 3, 0], id="RabbitMQ hands out the highest first"),
    ],
)
def test_the_most_urgent_goes_first(url: str, numbers: list[int]) -> None:
    assert [number(priority, url) for priority in Priority] == numbers


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://h:6379/0", True),
        ("rediss://h", True),
        ("valkey://h", True),
        ("amqp://redis:secret@h//", False),
        ("pyamqp://h", False),
        ("sentinel://h?master_name=m", True),
        ("redis+socket:///run/redis.sock", True),
    ],
)
def test_a_broker_is_told_by_its_scheme(url: str, expected: bool) -> None:
    assert is_redis(url) is expected


def test_each_priority_has_its_list_in_redis() -> None:
    assert [redis_list("q", priority) for priority in Priority] == [
        "q",
        "q\x06\x163",
        "q\x06\x166",
        "q\x06\x169",
    ]
