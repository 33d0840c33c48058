"""What `signalbox routes` prints: the rules as tables, and the account of one event."""

import sys
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table as Grid

from dispatcher.sorting import Sorted, SourceRecord
from events.avro import Schemas
from events.codec import decode
from events.deadletter import DeadLetterHeaders
from events.envelope import Envelope
from events.payloads import EVENT_TYPES
from events.topics import DEAD_LETTERS, UNROUTED
from routing import Rules, nearest, route


def account(
    record: SourceRecord, outcome: Sorted, rules: Rules, path: Path, schemas: Schemas
) -> Iterator[str]:
    """Where this event goes, and why: a line for each step."""
    if outcome.fate == "dead_letter":
        said = DeadLetterHeaders.parse(outcome.writes[0].headers)
        yield f"dead letter: to {DEAD_LETTERS}, cause {said.cause}"
        yield f"  why: {said.message}"
        return
    event, _, form = decode(record.value, record.headers, schemas)
    named = f"{event.event_type} {event.version} of tenant {event.tenant_id}"
    yield f"event {event.event_id}: {named}, read as {form}"
    if outcome.fate == "unrouted":
        yield f"unrouted: to {UNROUTED}"
        yield f"  why: nobody declared the type {event.event_type}{nearest(event.event_type, EVENT_TYPES)}"
    elif outcome.fate == "ignored":
        yield "ignored: nothing is written"
        yield f"  why: {event.event_type} is declared, and {path} has no route for it"
    else:
        yield f"routed: to {len(outcome.writes)} workflow(s), by table {rules.table.hash}"
        yield from _decisions(event, record, rules, path)


def _decisions(event: Envelope, record: SourceRecord, rules: Rules, path: Path) -> Iterator[str]:
    decisions = route(event, rules.table, record.position, record.entered_at)
    for decision, chosen in zip(decisions, rules.table.routes[event.event_type], strict=True):
        spec = rules.catalogue.queues[decision.queue]
        yield f"  rule {decision.rule} ({path}:{chosen.line})"
        worker = "" if spec.served else " (no worker yet)"
        yield f"    workflow {decision.workflow}, task {spec.task}{worker}"
        yield f"    waits in {decision.lane} for the queue {decision.queue}, priority {decision.priority}"
        yield f"    promised within {duration(decision.sla_ms)} of its entry into Kafka"
        yield f"    prediction {decision.prediction_id}, arm {decision.arm}"


def duration(milliseconds: int) -> str:
    """`100 ms`, `90 s`, `30 min`, `12 h`: the largest unit that it is a whole number of."""
    for unit, size in (("h", 3_600_000), ("min", 60_000), ("s", 1_000)):
        if milliseconds % size == 0 and milliseconds >= 2 * size:
            return f"{milliseconds // size} {unit}"
    return f"{milliseconds} ms"


def show_rules(rules: Rules, table_path: Path, workflows_path: Path) -> None:
    """Print every route, and every queue with its pool."""
    # into a pipe, a table is not cut to the 80 columns of a terminal that is not there
    console = Console(width=None if sys.stdout.isatty() else 160)
    console.print(_routes_grid(rules, table_path))
    console.print(_queues_grid(rules, workflows_path))


def _routes_grid(rules: Rules, path: Path) -> Grid:
    sizes = {(lane.queue, lane.priority): lane.max_batch for lane in rules.lanes()}
    grid = Grid(title=f"{path}, table {rules.table.hash}", title_justify="left")
    for column in ("rule", "workflow", "priority", "within", "queue"):
        grid.add_column(column)
    for column in ("batch", "retries", "first pause", "explains", "line"):
        grid.add_column(column, justify="right")
    for each in rules.table.all_routes:
        grid.add_row(
            each.rule,
            each.workflow,
            each.priority,
            duration(each.sla_ms),
            each.queue,
            str(sizes[each.queue, each.priority]),
            str(each.max_retries),
            duration(each.backoff_ms),
            "yes" if each.explain else "",
            str(each.line),
        )
    return grid


def _queues_grid(rules: Rules, path: Path) -> Grid:
    grid = Grid(title=str(path), title_justify="left")
    for column in ("queue", "workflow", "task", "pool", "worker"):
        grid.add_column(column)
    for column in ("concurrency", "window", "time limit", "line"):
        grid.add_column(column, justify="right")
    for spec in rules.catalogue.queues.values():
        grid.add_row(
            spec.name,
            spec.workflow,
            spec.task,
            spec.pool,
            "yes" if spec.served else "not yet",
            str(spec.concurrency),
            str(spec.window),
            f"{spec.time_limit_s} s",
            str(spec.line),
        )
    return grid
