"""Which number a priority has on each Celery broker, and in which Redis list its messages wait."""

from collections.abc import Mapping
from types import MappingProxyType

from events.priority import Priority
from transport.broker_url import parse_broker

REDIS_STEPS = (0, 3, 6, 9)
"""kombu's `priority_steps`: it keeps one Redis list for each."""

RABBITMQ_MAX_PRIORITY = 9
"""A queue's `x-max-priority`."""

REDIS_SEPARATOR = "\x06\x16"

# Redis hands out the lowest number first, RabbitMQ the highest
_REDIS: Mapping[Priority, int] = MappingProxyType(dict(zip(Priority, REDIS_STEPS, strict=True)))
_RABBITMQ: Mapping[Priority, int] = MappingProxyType(
    {priority: RABBITMQ_MAX_PRIORITY - step for priority, step in _REDIS.items()}
)


def is_redis(broker_url: str) -> bool:
    """Whether a broker's URL names Redis or one that speaks its protocol. Raises `ConfigError`."""
    return parse_broker(broker_url).is_redis


def number(priority: Priority, broker_url: str) -> int:
    """The message property `priority` that means the same on this broker."""
    return (_REDIS if is_redis(broker_url) else _RABBITMQ)[priority]


def redis_list(queue: str, priority: Priority) -> str:
    """The Redis list in which kombu's transport keeps a queue's messages of this priority."""
    step = _REDIS[priority]
    return f"{queue}{REDIS_SEPARATOR}{step}" if step else queue
