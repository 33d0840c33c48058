"""Queues are declared, and brokers reached, in the same way by both sides."""

import pytest
from celery import Celery

from transport.queues import DEFAULT_EXCHANGE, celery_queue, transport_options


def test_a_queue_keeps_its_exchange_in_a_celery_app() -> None:
    app = Celery(broker="memory://", set_as_current=False)
    app.conf.update(task_queues=[celery_queue("q")], task_default_exchange=DEFAULT_EXCHANGE)
    queue = app.amqp.queues["q"]
    assert (queue.exchange.name, queue.routing_key, queue.queue_arguments) == ("", "q", {"x-max-priority": 9})


@pytest.mark.parametrize(
    ("url", "timeouts"),
    [
        pytest.param("redis://h", {"socket_timeout": 7, "socket_connect_timeout": 2}, id="Redis"),
        pytest.param(
            "amqp://h", {"read_timeout": 7, "write_timeout": 7, "connect_timeout": 2}, id="RabbitMQ"
        ),
    ],
)
def test_no_broker_that_hangs_is_waited_for_without_end(url: str, timeouts: dict[str, float]) -> None:
    options = transport_options(url, 7, 2)
    assert {name: options[name] for name in timeouts} == timeouts


def test_rabbitmq_confirms_what_it_has() -> None:
    assert transport_options("amqp://h")["confirm_publish"] is True


def test_a_master_found_by_sentinels_has_the_same_priorities_and_time_outs() -> None:
    by_sentinels = transport_options("sentinel://h:26379/1?master_name=m&sentinel_password=p", 7, 2)
    plain = transport_options("redis://h/1", 7, 2)
    assert {name: by_sentinels[name] for name in plain} == plain
    assert by_sentinels["master_name"] == "m"
    assert by_sentinels["sentinel_kwargs"] == {
        "socket_timeout": 7,
        "socket_connect_timeout": 2,
        "password": "p",
    }
