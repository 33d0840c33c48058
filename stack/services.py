"""Which processes make up the stack, in which order, and what each stands on. Pure."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from routing import LaneSpec, QueueSpec, Rules
from stack.child import Service

SERVERS, POOLS, TRAFFIC = range(3)
"""The tiers: what generates stands on what works, and that on the embedded servers."""

Ready = Callable[[], bool]
Says = Callable[[str, str, int], Ready]
"""Whether a process has printed a text so many times; see `stack.output.Listening.has_said`."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to start beside the servers. `env` goes to each process; `folder` takes what they write."""

    rules: Rules
    env: Mapping[str, str]
    folder: Path
    flower_port: int | None = None
    traffic_rate: float | None = None


def command(*arguments: str) -> tuple[str, ...]:
    """`signalbox …`, by the interpreter that runs this."""
    return (sys.executable, "-m", "cli", *arguments)


def celery(*arguments: str) -> tuple[str, ...]:
    """`celery -A tasks …`, as an operator types it."""
    return (sys.executable, "-m", "celery", "-A", "tasks", *arguments)


def served_queues(rules: Rules) -> tuple[str, ...]:
    """The queues that have a route and a worker."""
    routed = sorted({lane.queue for lane in rules.lanes()})
    return tuple(name for name in routed if rules.catalogue.queues[name].served)


def upkeep_queues(rules: Rules) -> tuple[str, ...]:
    """The queues that have a worker and no route: what runs there, runs by the clock."""
    routed = {lane.queue for lane in rules.lanes()}
    return tuple(name for name, spec in rules.catalogue.queues.items() if spec.served and name not in routed)


def served_lanes(rules: Rules) -> tuple[LaneSpec, ...]:
    """The lanes of those queues."""
    return tuple(lane for lane in rules.lanes() if lane.queue in served_queues(rules))


def unserved_queues(rules: Rules) -> tuple[str, ...]:
    """The queues that have a route and no worker yet."""
    routed = {lane.queue for lane in rules.lanes()}
    return tuple(sorted(routed - set(served_queues(rules))))


def services(plan: Plan, says: Says, dispatching: Ready) -> Iterator[Service]:
    """Every process but the embedded servers, in the order in which they start."""
    yield _part(plan, "dispatcher", command("dispatcher"), grace=15, ready=dispatching)
    yield _part(plan, "pipeline", command("features", "pipeline"), grace=15)
    yield _part(plan, "reconciler", command("reconcile"))
    for queue in served_queues(plan.rules):
        yield _pool(plan, plan.rules.catalogue.queues[queue], says)
    for name in upkeep_queues(plan.rules):
        yield _part(plan, f"worker {name.removeprefix('ml.')}", command("worker", name), grace=40)
    yield _part(plan, "beat", celery("beat", "--schedule", str(plan.folder / "beat"), "--pidfile", ""))
    if plan.flower_port is not None:
        arguments = ("flower", "--address=127.0.0.1", f"--port={plan.flower_port}")
        yield _part(plan, "flower", celery(*arguments))
    if plan.traffic_rate is not None:
        yield _part(plan, "traffic", command("traffic", "--rate", f"{plan.traffic_rate:g}"), tier=TRAFFIC)


def _pool(plan: Plan, spec: QueueSpec, says: Says) -> Service:
    name = f"worker {spec.name.removeprefix('ml.').removesuffix('.input')}"
    # each process of the pool says it once, and Celery says that the worker is ready before any has
    loaded = says(name, " is loaded", spec.concurrency if spec.pool == "prefork" else 1)
    return _part(plan, name, command("worker", spec.name), grace=40, ready=loaded)


def _part(
    plan: Plan,
    name: str,
    line: Sequence[str],
    *,
    tier: int = POOLS,
    grace: float = 10,
    ready: Ready | None = None,
) -> Service:
    return Service(name, tuple(line), env=plan.env, ready=ready, tier=tier, grace=grace)
