"""Loader of `config/workflows.yaml`: the catalogue of workflows and queues, or every problem in it."""

import re
from types import MappingProxyType
from typing import cast

from events.decision import dead_letter_topic, lane_topic
from events.priority import Priority
from events.topics import DEAD_LETTERS, EVENTS, PREDICTIONS, UNROUTED
from routing.catalogue import DEFAULT_MAX_BATCH, POOLS, Catalogue, Pool, QueueSpec, WorkflowSpec
from routing.reading import read
from routing.report import Report
from routing.section import Section

_TASK = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")
# A Kafka topic takes 249 characters; the longest ending that we add is ".standard".
_QUEUE = re.compile(r"[A-Za-z0-9._-]{1,240}")
_FIXED_TOPICS = {EVENTS, DEAD_LETTERS, UNROUTED, PREDICTIONS}
_DAY_S = 86_400


def read_catalogue(report: Report) -> Catalogue | None:
    """The catalogue in the report's file, or None if it holds none.

    What the report calls wrong has a placeholder in it: the catalogue is then good for checking names only.
    """
    content = read(report, "workflows")
    if content is None:
        return None
    workflows = {section.name: _workflow(section) for section in content.children()}
    queues: dict[str, QueueSpec] = {}
    for workflow in workflows.values():
        for queue in workflow.queues:
            _check_name(report, queue, queues)
            queues.setdefault(queue.name, queue)
    return Catalogue(MappingProxyType(workflows), MappingProxyType(queues))


def _workflow(section: Section) -> WorkflowSpec:
    task = section.text("task") or ""
    if task and not _TASK.fullmatch(task):
        section.report("task", f"task must name a function in a module, as in tasks.fraud.score, is {task}")
    served = section.truth("served", default=True)
    queues = section.child("queues")
    section.refuse_unknown()
    specs = [_queue(each, section.name, task, served) for each in queues.children()] if queues else []
    return WorkflowSpec(name=section.name, task=task, served=served, queues=tuple(specs), line=section.line)


def _queue(section: Section, workflow: str, task: str, served: bool) -> QueueSpec:
    concurrency = section.whole("concurrency", 1, 1_024, 1)
    spec = QueueSpec(
        name=section.name,
        workflow=workflow,
        task=task,
        pool=cast(Pool, section.text("pool", POOLS) or "prefork"),
        concurrency=concurrency,
        prefetch=section.whole("prefetch", 1, 1_024, 1),
        nice=section.whole("nice", 0, 19, 0),
        soft_time_limit_s=section.whole("soft_time_limit_s", 1, _DAY_S),
        time_limit_s=section.whole("time_limit_s", 1, _DAY_S),
        visibility_timeout_s=section.whole("visibility_timeout_s", 1, _DAY_S),
        window=section.whole("window", 1, 1_024, concurrency),
        max_batch=section.whole("max_batch", 1, 10_000, DEFAULT_MAX_BATCH),
        served=served,
        line=section.line,
    )
    section.refuse_unknown()
    _check_times(section, spec)
    return spec


def _check_times(section: Section, spec: QueueSpec) -> None:
    if spec.pool == "solo" and spec.concurrency != 1:
        section.report("concurrency", f"concurrency must be 1 in a solo pool, is {spec.concurrency}")
    limit = f"time_limit_s ({spec.time_limit_s})"
    if spec.soft_time_limit_s >= spec.time_limit_s and section.has("soft_time_limit_s", "time_limit_s"):
        section.report(
            "soft_time_limit_s", f"soft_time_limit_s must be below {limit}, is {spec.soft_time_limit_s}"
        )
    if spec.visibility_timeout_s <= spec.time_limit_s and section.has("visibility_timeout_s", "time_limit_s"):
        section.report(
            "visibility_timeout_s",
            f"visibility_timeout_s must be above {limit}, is {spec.visibility_timeout_s}:"
            " a batch would be handed out again while a worker is at it",
        )


def _check_name(report: Report, queue: QueueSpec, known: dict[str, QueueSpec]) -> None:
    def wrong(message: str) -> None:
        report.add(queue.line, queue.name, message)

    if not _QUEUE.fullmatch(queue.name):
        wrong("a queue's name takes up to 240 of the characters A-Z a-z 0-9 . _ -")
    writes_to = {dead_letter_topic(queue.name), *(lane_topic(queue.name, priority) for priority in Priority)}
    for topic in sorted(writes_to & _FIXED_TOPICS):
        wrong(f"its events would be written to {topic}, which is for others: choose another name")
    for other in known.values():
        if other.name == queue.name:
            wrong(f"has two meanings: {other.workflow} names it in line {other.line}")
        # Kafka refuses a topic whose name differs from another's in . and _ only
        elif other.name.replace("_", ".") == queue.name.replace("_", "."):
            wrong(f"Kafka cannot tell it from {other.name} in line {other.line}")
