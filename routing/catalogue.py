"""Which Celery task a workflow has, which queues, and which pool of workers serves each."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

Pool = Literal["prefork", "threads", "solo"]
POOLS: tuple[Pool, ...] = get_args(Pool)
DEFAULT_MAX_BATCH = 1_024


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueSpec:
    """One queue and the worker pool that serves it.

    `prefetch` is Celery's prefetch multiplier. `window` is how many messages may wait on the queue before its
    feeder holds back. `max_batch` bounds the events of one message. `visibility_timeout_s` is after how long
    Redis hands out again what a worker took and did not acknowledge. `served` is false if no task module
    exists yet: events wait in their lanes until one does. `line` is where it stands in its file; it decides
    nothing.
    """

    name: str
    workflow: str
    task: str
    pool: Pool
    concurrency: int
    prefetch: int
    nice: int
    soft_time_limit_s: int
    time_limit_s: int
    visibility_timeout_s: int
    window: int
    max_batch: int
    served: bool
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowSpec:
    """One workflow: the Celery task that carries it out, sent by name, and its queues."""

    name: str
    task: str
    served: bool
    queues: tuple[QueueSpec, ...]
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Every workflow by name, and every queue by name."""

    workflows: Mapping[str, WorkflowSpec]
    queues: Mapping[str, QueueSpec]
