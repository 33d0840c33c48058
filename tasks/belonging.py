"""Which tasks belong to which queue: by the catalogue, and by what beat sends there. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from routing.catalogue import QueueSpec

MOST_MOVES = 3
"""A message that came back so often is held: two pools disagree on where it belongs."""


@dataclass(frozen=True, slots=True)
class RunHere:
    """The message is for a task of this pool; `task` is its name here."""

    task: str


@dataclass(frozen=True, slots=True)
class SendHome:
    """The task has a queue of its own: the message goes there."""

    queue: str


@dataclass(frozen=True, slots=True)
class Hold:
    """Nothing here can run it, and it may hold events: it stays on the queue."""

    reason: str


@dataclass(frozen=True, slots=True)
class Belonging:
    """The tasks of each queue, its workflow and that one's task, and the queues that this pool serves."""

    tasks: Mapping[str, frozenset[str]]
    workflows: Mapping[str, tuple[str, str]]
    served: frozenset[str]

    @classmethod
    def of(
        cls,
        queues: Iterable[QueueSpec],
        schedule: Mapping[str, Mapping[str, Any]],
        served: Iterable[QueueSpec],
    ) -> "Belonging":
        """By the catalogue's queues and beat's schedule."""
        specs = tuple(queues)
        return cls(
            {spec.name: frozenset({spec.task, *_by_the_clock(spec.name, schedule)}) for spec in specs},
            {spec.name: (spec.workflow, spec.task) for spec in specs},
            frozenset(spec.name for spec in served),
        )

    @property
    def homes(self) -> dict[str, str]:
        """The queue of each task; the first one of a task with several."""
        found: dict[str, str] = {}
        for queue, tasks in self.tasks.items():
            for task in sorted(tasks):
                found.setdefault(task, queue)
        return found

    @property
    def own(self) -> frozenset[str]:
        """The tasks of this pool."""
        return frozenset[str]().union(*(self.tasks[queue] for queue in self.served))

    @property
    def modules(self) -> tuple[str, ...]:
        """What this pool imports: the modules of its own tasks, and no other."""
        return tuple(sorted({task.rpartition(".")[0] for task in self.own}))

    def place(
        self, task: str, queue: str, workflow: str | None, moves: int = 0
    ) -> RunHere | SendHome | Hold | None:
        """What becomes of a message for `task` that this pool took from `queue`; None if it is none of ours.

        `workflow` is that of the events in it, None if it has none. A queue has one workflow: events of it
        are for its task, whatever name the message says.
        """
        if queue not in self.served:
            return Hold(f"this pool does not serve {queue}: `celery control cancel_consumer {queue}`")
        if task in self.tasks[queue]:
            return RunHere(task)
        home = self.homes.get(task)
        if home is not None and moves < MOST_MOVES:
            return SendHome(home)
        if workflow == self.workflows[queue][0]:
            return RunHere(self.workflows[queue][1])
        if home is None and workflow is None:
            return None
        return Hold(f"no task {task} on {queue}: compare config/workflows.yaml of dispatcher and workers")


def _by_the_clock(queue: str, schedule: Mapping[str, Mapping[str, Any]]) -> Iterable[str]:
    return (entry["task"] for entry in schedule.values() if entry.get("options", {}).get("queue") == queue)
