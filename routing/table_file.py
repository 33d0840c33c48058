"""Loader of `config/routing_table.yaml`, checked against the catalogue."""

from collections.abc import Collection
from itertools import groupby

from events.priority import Priority
from routing.catalogue import Catalogue
from routing.reading import read
from routing.report import Report, nearest
from routing.section import Section
from routing.table import DEFAULT_BACKOFF_MS, DEFAULT_MAX_RETRIES, LONGEST_BACKOFF_MS, Route, Table

_THIRTY_DAYS_MS = 30 * 86_400_000


def read_table(report: Report, catalogue: Catalogue | None, event_types: Collection[str]) -> Table:
    """The table in the report's file. Where the report calls something wrong, the table is not to be used.

    Without a catalogue (its own file is broken) nothing is said about workflows and queues.
    """
    content = read(report, "routes")
    routes: list[Route] = []
    for event_type, sections in content.lists() if content is not None else ():
        if event_type not in event_types:
            report.add(sections[0].line, event_type, f"no such event type{nearest(event_type, event_types)}")
        found = (_route(event_type, rank, section, catalogue) for rank, section in enumerate(sections))
        routes += [route for route in found if route is not None]
    _check_arms(report, routes)
    _check_lanes(report, routes)
    return Table.of(routes)


def _route(event_type: str, rank: int, section: Section, catalogue: Catalogue | None) -> Route | None:
    workflow = section.text("workflow")
    priority = section.text("priority", [each.value for each in Priority])
    queue = section.text("queue")
    sla_ms = section.whole("sla_ms", 1, _THIRTY_DAYS_MS)
    max_batch = section.maybe_whole("max_batch", 1, 10_000)
    max_retries = section.whole("max_retries", 0, 20, DEFAULT_MAX_RETRIES)
    backoff_ms = section.whole("backoff_ms", 1, LONGEST_BACKOFF_MS, DEFAULT_BACKOFF_MS)
    explain = section.truth("explain", default=False)
    section.refuse_unknown()
    if catalogue is not None:
        _check_target(section, workflow, queue, catalogue)
    if workflow is None or priority is None or queue is None:
        return None
    route = Route(
        event_type=event_type,
        rule=f"{event_type}[{rank}]",
        workflow=workflow,
        priority=Priority(priority),
        sla_ms=sla_ms,
        queue=queue,
        max_batch=max_batch,
        max_retries=max_retries,
        backoff_ms=backoff_ms,
        explain=explain,
        line=section.line,
    )
    if catalogue is not None:
        _check_pause(section, route, catalogue)
    return route


def _check_target(section: Section, workflow: str | None, queue: str | None, catalogue: Catalogue) -> None:
    if workflow is not None and workflow not in catalogue.workflows:
        section.report("workflow", f"unknown workflow {workflow}{nearest(workflow, catalogue.workflows)}")
    if queue is None:
        return
    spec = catalogue.queues.get(queue)
    if spec is None:
        way_out = nearest(queue, catalogue.queues)
        section.report("queue", f"queue {queue} is fed but no pool serves it{way_out}")
    elif workflow in catalogue.workflows and spec.workflow != workflow:
        section.report(
            "queue",
            f"queue {queue} would have two meanings: {spec.workflow} has it, this route is for {workflow}",
        )


def _check_pause(section: Section, route: Route, catalogue: Catalogue) -> None:
    spec = catalogue.queues.get(route.queue)
    pause = route.longest_backoff_ms
    if spec is not None and pause >= spec.visibility_timeout_s * 1_000:
        section.report(
            "backoff_ms",
            f"the last retry waits {pause} ms; {spec.name} hands it to a second worker after"
            f" {spec.visibility_timeout_s} s (visibility_timeout_s): lower backoff_ms or max_retries",
        )


def _check_arms(report: Report, routes: list[Route]) -> None:
    """A prediction's id follows from event and workflow: two routes to one workflow would share it."""
    first: dict[tuple[str, str], Route] = {}
    for route in routes:
        known = first.setdefault((route.event_type, route.workflow), route)
        if known is not route:
            message = f"wakes {route.workflow} twice, first in line {known.line}"
            report.add(route.line, route.event_type, message)


def _check_lanes(report: Report, routes: list[Route]) -> None:
    """One lane makes one kind of batch."""

    def lane(route: Route) -> tuple[str, str]:
        return route.queue, route.priority

    bounded = sorted((route for route in routes if route.max_batch is not None), key=lane)
    for _, group in groupby(bounded, key=lane):
        first, *others = group
        for route in others:
            if route.max_batch != first.max_batch:
                report.add(
                    route.line,
                    route.event_type,
                    f"max_batch of {route.queue} at priority {route.priority} is {route.max_batch} here and"
                    f" {first.max_batch} in line {first.line}: a lane has one",
                )
