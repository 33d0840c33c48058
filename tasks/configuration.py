"""Which Celery settings every worker has, and which follow from the queues that it serves."""

from collections.abc import Mapping, Sequence
from typing import Any

from routing.catalogue import QueueSpec
from tasks.belonging import Belonging
from transport.broker_url import parse_broker
from transport.priorities import is_redis
from transport.queues import DEFAULT_EXCHANGE, celery_queue, transport_options

RESTORE = {"unacked_restore_interval": 5, "unacked_restore_throttle": 1, "unacked_mutex_expire": 10}
"""Redis: look every 5 s for what lost workers held. One lost while it looks keeps the others out for 10 s."""


def settings(broker_url: str, queues: Sequence[QueueSpec], schedule: Mapping[str, Any]) -> dict[str, Any]:
    """Celery's settings. Each is a decision with a reason in docs/decisions, or a measured figure."""
    address = parse_broker(broker_url)
    belonging = Belonging.of(queues, schedule, queues)
    return {
        # the last two, for Celery takes the first from the environment, as it was written there
        "broker_url": address.url,
        "broker_read_url": address.url,
        "broker_write_url": address.url,
        "broker_use_ssl": address.tls or False,
        "broker_transport_options": worker_transport_options(broker_url, queues),
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "task_routes": {task: {"queue": queue} for task, queue in belonging.homes.items()},
        "signalbox_belonging": belonging,
        "task_queues": [celery_queue(spec.name) for spec in queues],
        "task_create_missing_queues": False,
        "task_default_exchange": DEFAULT_EXCHANGE,
        "task_default_queue": queues[0].name if queues else "celery",
        "task_serializer": "json",
        "accept_content": ["json"],
        "task_ignore_result": True,
        "task_publish_retry_policy": {"max_retries": 1, "interval_start": 0},
        # acknowledged once Kafka holds the outcomes; what a lost or killed worker held goes back to the
        # queue, where
        # triage bounds the loop that a poisonous event would make of it
        "task_acks_late": True,
        "task_acks_on_failure": True,
        "task_acks_on_timeout": False,
        "task_reject_on_worker_lost": True,
        "task_retry_on_worker_lost": False,
        "worker_consumer": "tasks.consumer:Consumer",
        "worker_prefetch_multiplier": 1,
        "worker_enable_prefetch_count_reduction": False,
        "worker_disable_rate_limits": True,
        "worker_send_task_events": True,
        # a model is loaded and warm before its process reports that it is up
        "worker_proc_alive_timeout": 120,
        "timezone": "UTC",
        "beat_schedule": dict(schedule),
        "beat_scheduler": "tasks.scheduling:Scheduler",
        "beat_cron_starting_deadline": 21_600,
    }


def worker_transport_options(broker_url: str, queues: Sequence[QueueSpec]) -> dict[str, Any]:
    """kombu's options for a worker of these queues.

    On Redis what is taken and not acknowledged stands in three keys, and the shortest visibility timeout of
    any worker on a key decides for all: so a worker of one queue has keys of its own, and that queue's
    timeout. One of several shares kombu's keys, and has the longest of their timeouts.
    """
    common = transport_options(broker_url)
    if not is_redis(broker_url) or not queues:
        return common
    visibility = {"visibility_timeout": max(spec.visibility_timeout_s for spec in queues)}
    if len(queues) > 1:
        return {**common, **RESTORE, **visibility}
    name = queues[0].name
    keys = {
        "unacked_key": f"unacked:{name}",
        "unacked_index_key": f"unacked_index:{name}",
        "unacked_mutex_key": f"unacked_mutex:{name}",
    }
    return {**common, **RESTORE, **visibility, **keys}


def time_limits(queues: Sequence[QueueSpec]) -> dict[str, tuple[int, int]]:
    """The soft and the hard time limit of each task in seconds: the longest of those queues of its."""
    tasks = {spec.task for spec in queues}
    return {
        task: (
            max(spec.soft_time_limit_s for spec in queues if spec.task == task),
            max(spec.time_limit_s for spec in queues if spec.task == task),
        )
        for task in tasks
    }
