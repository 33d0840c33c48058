"""Poison tracking: which messages were being executed, and which only prefetched, when a worker was lost."""

from redis import Redis
from redis.exceptions import RedisError

from events.errors import Unavailable
from transport.redis_address import connect_redis

KEPT_S = 24 * 3_600
TIMEOUT_S = 2.0


def connect_suspects(url: str) -> "Suspects":
    """The notes on the Redis at `url`. It connects at its first call."""
    return Suspects(connect_redis(url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S))


class Suspects:
    """Notes about events that stood alone in a batch when its worker was lost.

    A broker hands out again what a lost worker held, and what one that was stopped had taken and not begun:
    the message looks the same. So before an event under suspicion is worked on that is written down, and
    forgotten once it ended in order. Other batches pay nothing for this: the first loss counts without a
    note.
    """

    def __init__(self, client: Redis) -> None:
        self._client = client

    def begin(self, task_id: str) -> None:
        """The work on this message begins. Raises `Unavailable`."""
        try:
            self._client.set(_key(task_id), b"1", ex=KEPT_S)
        except RedisError as error:
            raise Unavailable("redis", error) from error

    def had_begun(self, task_id: str) -> bool:
        """Whether it began, and did not end in order. Raises `Unavailable`."""
        try:
            return bool(self._client.exists(_key(task_id)))
        except RedisError as error:
            raise Unavailable("redis", error) from error

    def end(self, task_id: str) -> None:
        """It ended in order. Raises `Unavailable`."""
        try:
            self._client.delete(_key(task_id))
        except RedisError as error:
            raise Unavailable("redis", error) from error


def _key(task_id: str) -> str:
    return f"signalbox:begun:{task_id}"
