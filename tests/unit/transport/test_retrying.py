"""The number of a queue's tasks that are held back for a retry."""

import fakeredis
import pytest
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from transport.retrying import BLIND_S, RetryTally, tally_key

NOW = 1_700_000_000_000


class Time:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = NOW

    def millis(self) -> int:
        return self.now

    def seconds(self) -> float:
        return self.now / 1_000


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def server() -> fakeredis.FakeServer:
    return fakeredis.FakeServer()


@pytest.fixture
def client(server: fakeredis.FakeServer) -> Redis:
    return fakeredis.FakeRedis(server=server)


@pytest.fixture
def tally(client: Redis, time: Time) -> RetryTally:
    return RetryTally(client, time.millis, time.seconds)


def test_what_waits_for_its_retry_is_counted_by_queue(tally: RetryTally) -> None:
    tally.add("fraud", "a", NOW + 5_000)
    tally.add("fraud", "b", NOW + 5_000)
    tally.add("churn", "c", NOW + 5_000)
    assert (tally.count("fraud"), tally.count("churn"), tally.count("agent")) == (2, 1, 0)


def test_a_task_counts_once_however_often_it_is_retried(tally: RetryTally) -> None:
    tally.add("fraud", "a", NOW + 5_000)
    tally.add("fraud", "a", NOW + 9_000)
    assert tally.count("fraud") == 1


def test_a_retry_that_has_begun_no_longer_counts(tally: RetryTally) -> None:
    tally.add("fraud", "a", NOW + 5_000)
    tally.remove("fraud", "a")
    assert tally.count("fraud") == 0


def test_a_retry_that_was_lost_with_its_worker_stops_counting_by_itself(
    tally: RetryTally, time: Time, client: Redis
) -> None:
    tally.add("fraud", "a", NOW + 5_000)
    time.now += 5_001
    assert tally.count("fraud") == 0
    tally.add("fraud", "b", NOW + 20_000)
    assert client.zrange(tally_key("fraud"), 0, -1) == [b"b"]


def test_a_redis_that_is_away_counts_nothing_and_is_left_alone_for_a_while(
    tally: RetryTally, time: Time, server: fakeredis.FakeServer
) -> None:
    tally.add("fraud", "a", NOW + 60_000)
    server.connected = False
    assert tally.count("fraud") == 0
    server.connected = True
    assert tally.count("fraud") == 0
    time.now += int(BLIND_S * 1_000)
    assert tally.count("fraud") == 1


def test_a_write_that_fails_troubles_nobody(time: Time, server: fakeredis.FakeServer) -> None:
    server.connected = False
    client = fakeredis.FakeRedis(server=server)
    with pytest.raises(RedisConnectionError):
        client.ping()
    RetryTally(client, time.millis, time.seconds).add("fraud", "a", NOW + 5_000)
