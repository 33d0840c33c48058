"""The tally of tasks that are held back for a retry: they left the queue, yet are outstanding.

A countdown retry leaves the queue's length as if its work were done; a feeder that went by the length alone
would flood the workers while a dependency is down. So a worker that schedules one writes it down here.
"""

import time
from collections.abc import Callable

from redis import Redis
from redis.exceptions import RedisError

from core.circuit_breaker import CircuitBreaker
from events.decision import Millis
from transport.clock import Clock, system_clock
from transport.redis_address import connect_redis

TIMEOUT_S = 0.5
BLIND_S = 1.0


def tally_key(queue: str) -> str:
    """The sorted set of a queue: task ids by the epoch ms after which they no longer count."""
    return f"signalbox:retrying:{queue}"


def connect_tally(url: str) -> "RetryTally":
    """The tally on the Redis at `url`. It connects at its first call: make that call after the fork."""
    return RetryTally(
        connect_redis(url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S, socket_keepalive=True)
    )


class RetryTally:
    """Never blocks for long: where its Redis fails, nothing is written and the count is 0.

    After a failure the Redis is left alone for `BLIND_S` seconds: one that hangs costs its timeout once in a
    while and no more.
    """

    def __init__(
        self,
        client: Redis,
        clock: Clock = system_clock,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._clock = clock
        self._monotonic = monotonic
        self._breaker = CircuitBreaker(BLIND_S)

    def add(self, queue: str, task_id: str, until: Millis) -> None:
        """`task_id` waits for its retry; from `until` (epoch ms) on it no longer counts."""
        key = tally_key(queue)

        def write() -> int:
            with self._client.pipeline(transaction=False) as pipe:
                pipe.zadd(key, {task_id: until})
                pipe.zremrangebyscore(key, "-inf", self._clock())
                pipe.execute()
            return 0

        self._attempt(write)

    def remove(self, queue: str, task_id: str) -> None:
        """The retry has begun, or was given up."""
        self._attempt(lambda: int(self._client.zrem(tally_key(queue), task_id)))

    def count(self, queue: str) -> int:
        """How many wait for their retry now.

        0 if the tally cannot be read: the queue's own depth still closes the window.
        """
        return self._attempt(lambda: int(self._client.zcount(tally_key(queue), self._clock(), "+inf")))

    def _attempt(self, call: Callable[[], int]) -> int:
        if self._breaker.is_open(self._monotonic()):
            return 0
        try:
            return call()
        except RedisError:
            self._breaker.on_failure(self._monotonic())
            return 0
