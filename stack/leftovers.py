"""Drops what the embedded Redis keeps of records that the embedded Kafka, in memory, lost with its end."""

from redis import Redis
from redis.exceptions import RedisError

from events.errors import Unavailable
from transport.redis_address import connect_redis

TALLIES = "signalbox:*"


def drop_queues(broker_url: str, redis_url: str) -> int:
    """Empty the Celery queues, and the tallies of their retries; returns how many messages there were.

    Each message names a lane's record that is gone: the worker's answer would belong to nothing, and the
    offsets of a new Kafka would mean other records. Both URLs are those of the embedded Redis; call it before
    any worker runs. Raises `Unavailable`.
    """
    try:
        with connect_redis(broker_url, socket_timeout=10) as broker:
            dropped = _messages(broker)
            broker.flushdb()
        with connect_redis(redis_url, socket_timeout=10) as client:
            for key in client.scan_iter(TALLIES, count=1_000):
                client.unlink(key)
    except RedisError as error:
        raise Unavailable("redis", error) from error
    return dropped


def _messages(broker: Redis) -> int:
    """Those in queues, and those that a worker took and did not acknowledge (`unacked`, a hash)."""
    waiting = 0
    for key in broker.scan_iter("*", count=1_000):
        kind = broker.type(key)
        if kind == b"list":
            waiting += int(broker.llen(key))
        elif key == b"unacked":
            waiting += int(broker.hlen(key))
    return waiting
