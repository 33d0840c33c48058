"""How a Celery queue is declared and its broker reached: the same in the dispatcher and in every worker."""

from typing import Any

from kombu import Exchange, Queue

from transport.broker_url import parse_broker
from transport.priorities import RABBITMQ_MAX_PRIORITY, REDIS_SEPARATOR, REDIS_STEPS

DEFAULT_EXCHANGE = ""
"""Routes by the queue's name. Celery's `task_default_exchange` must be it, or Celery replaces it."""


def celery_queue(name: str) -> Queue:
    """The declaration of a queue. Two that differ in one argument make RabbitMQ refuse the second.

    On the default exchange there is no binding that a Redis emptied by FLUSHALL could lose.
    """
    return Queue(
        name,
        exchange=Exchange(DEFAULT_EXCHANGE),
        routing_key=name,
        durable=True,
        queue_arguments={"x-max-priority": RABBITMQ_MAX_PRIORITY},
    )


def transport_options(
    broker_url: str, socket_timeout: float = 30, connect_timeout: float = 5
) -> dict[str, Any]:
    """kombu's `transport_options` that both sides need; times in seconds.

    Without a socket timeout a hung broker blocks its caller for ever. Never `retry_on_timeout`: it doubles
    messages silently. Raises `ConfigError` if the URL cannot be used.
    """
    address = parse_broker(broker_url)
    if address.is_redis:
        timeouts = {"socket_timeout": socket_timeout, "socket_connect_timeout": connect_timeout}
        return {
            **timeouts,
            **address.transport_options(**timeouts),
            "priority_steps": list(REDIS_STEPS),
            "sep": REDIS_SEPARATOR,
            # a task's body is JSON, which needs no base64 (kombu's default) to stand in a Redis list
            "body_encoding": "utf-8",
            "queue_order_strategy": "priority",
            "socket_keepalive": True,
            "health_check_interval": 10,
        }
    return {
        "confirm_publish": True,
        "connect_timeout": connect_timeout,
        "read_timeout": socket_timeout,
        "write_timeout": socket_timeout,
    }
