"""The whole stack, raised for a programme to be played on it; what the processes print goes to files."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from events.timeliness import OLDEST_DAYS
from routing import Rules
from settings import Settings
from stack.assembly import Assembly, declared_topics, make_topics
from stack.champions import needs_agent
from stack.embedded import free_port
from stack.local_env import published
from stack.output import LOGS, Files, Listening
from stack.parts import Parts, choose_parts
from stack.programme import Programme
from stack.services import Plan, unserved_queues
from stack.supervisor import ITSELF, StartError, Supervisor
from stack.up import environment, for_terminals
from transport.cluster import Bootstrap

FOLDER = Path("var/demo")


def played(env: Mapping[str, str]) -> dict[str, str]:
    """What a process of a demonstration is started with: its night and its days are the programme's."""
    return {**env, "SIGNALBOX_NIGHTLY_AT": "off", "SIGNALBOX_EVENT_AGE_DAYS": str(OLDEST_DAYS)}


class Stage:
    """The stack that a programme is played on."""

    def __init__(self, settings: Settings, rules: Rules, programme: Programme, console: Console) -> None:
        self._settings = settings
        self._rules = rules
        self._programme = programme
        self._console = console
        self._files = Files(LOGS)
        self._output = Listening(self._show)
        self.supervisor = Supervisor(self._output)

    def _show(self, name: str, line: str) -> None:
        self._files(name, line)
        if name in (ITSELF, "backfill", "train"):
            self._console.print(f"  {line}", markup=False)

    @contextmanager
    def raised(self) -> Iterator[tuple[Mapping[str, str], Bootstrap]]:
        """Everything runs for the length of a `with`; gives a process's addresses, and Kafka."""
        parts = choose_parts(self._settings, FOLDER, agent=needs_agent(self._rules))
        plan = Plan(self._rules, played(environment(parts, FOLDER)), FOLDER, free_port())
        with published(for_terminals(self._settings, dict(plan.env))), self.supervisor:
            self._raise(parts, plan)
            yield plan.env, parts.kafka
            self._console.print("[bold]5[/] stopping")

    def _raise(self, parts: Parts, plan: Plan) -> None:
        console = self._console
        assembly = Assembly(self.supervisor, self._output, lambda line: self._output(ITSELF, line))

        def topics() -> None:
            make_topics(declared_topics(self._settings, parts).specs(self._rules), parts.kafka)

        console.print("[bold]2[/] servers, topics, features of the past, models")
        assembly.servers(parts, topics)
        topics()
        assembly.features(parts, plan.env, *self._programme.backfill)
        assembly.models(self._rules, plan.env, self._programme.past)
        console.print("[bold]3[/] dispatcher, feature pipeline, reconciler, workers, beat, Flower")
        if failed := assembly.start(plan, parts.kafka):
            raise StartError(f"{', '.join(failed)} did not come up: {self._files.folder} has why")
        console.print(
            f"  Flower: http://127.0.0.1:{plan.flower_port}; logs: {self._files.folder}",
        )
        if parts.desk is not None:
            console.print(f"  tickets, drafts and actions: {parts.desk}")
        if unserved := unserved_queues(self._rules):
            console.print(
                f"  no worker yet for {', '.join(unserved)}: nothing is played for them",
            )
