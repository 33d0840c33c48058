"""Serving status in Redis: each process reports once a second which version it serves."""

from collections.abc import Mapping
from typing import NamedTuple, cast

import msgspec
from redis import Redis
from redis.exceptions import RedisError

from events.decision import Millis
from events.errors import Unavailable
from transport.redis_address import connect_redis

DEPENDENCY = "redis"
TIMEOUT_S = 1.0
SILENT_MS = 5_000
"""Who has not said anything for so long is gone, or hangs."""
_FORGOTTEN_S = 60


class Report(NamedTuple):
    """What one process says: its worker and id, the version, since when; and what is the matter, if anything.

    `at` is when it said so, by Redis' clock, as is every moment here (epoch ms).
    """

    worker: str
    version: str
    digest: str
    since: Millis
    trouble: str = ""
    at: Millis = 0


class Reports:
    """The reports of all processes on one Redis. Every method raises `Unavailable`."""

    def __init__(self, client: Redis) -> None:
        self._client = client

    def say(self, model: str, report: Report) -> None:
        """In the place of what this worker said before."""
        try:
            row = msgspec.json.encode(report._replace(at=self._now()))
            with self._client.pipeline(transaction=False) as pipe:
                pipe.hset(_key(model), report.worker, row)
                pipe.expire(_key(model), _FORGOTTEN_S)
                pipe.execute()
        except RedisError as error:
            raise Unavailable(DEPENDENCY, error) from error

    def read(self, model: str) -> list[Report]:
        """Of every process that said something lately, by their names. What is long silent is swept away."""
        try:
            now = self._now()
            rows = cast(Mapping[bytes, bytes], self._client.hgetall(_key(model)))
            found = [msgspec.json.decode(row, type=Report) for row in rows.values()]
            if gone := [each.worker for each in found if each.at < now - _FORGOTTEN_S * 1_000]:
                self._client.hdel(_key(model), *gone)
        except (RedisError, msgspec.MsgspecError) as error:
            raise Unavailable(DEPENDENCY, error) from error
        return sorted(each for each in found if each.at >= now - SILENT_MS)

    def _now(self) -> Millis:
        seconds, micros = self._client.time()
        return seconds * 1_000 + micros // 1_000


def connect_reports(url: str) -> Reports:
    """Those on the Redis at `url`, which connect at the first use."""
    return Reports(
        connect_redis(url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S, socket_keepalive=True)
    )


def _key(model: str) -> str:
    return f"signalbox:serving:{model}"
