"""Tasks that beat asks for: they carry no events, and Celery retries them while what they need is away."""

from celery import Task

from events.errors import Retry


class ClockTask(Task[[], str]):
    """May be done twice, and late: its next turn does what this one left.

    What passes by itself (`Unavailable`: SQL, Redis or Kafka away, a deadlock) is retried by Celery with
    backoff and jitter, five times within about two minutes, and seen in Flower as RETRY. Then the task has
    failed, and the clock asks again.
    """

    autoretry_for = (Retry,)
    retry_backoff = 2
    retry_backoff_max = 60
    retry_jitter = True
    max_retries = 5
