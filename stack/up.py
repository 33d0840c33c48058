"""`signalbox up`: the whole of Signalbox on this machine, until Ctrl-C."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from events.errors import ConfigError, Problem
from routing import load
from settings import LOCAL_ENV, Settings, local_stack_runs
from stack.assembly import Assembly, declared_topics, make_topics
from stack.champions import Past
from stack.embedded import accepts, free_port
from stack.history import TRAIN_DAYS
from stack.local_env import published
from stack.output import Listening, Terminal
from stack.parts import Parts, choose_parts
from stack.services import Plan, served_queues, unserved_queues
from stack.supervisor import ITSELF, Supervisor
from transport.urls import masked

FOLDER = Path("var/local")
FLOWER_PORT = 5555
LOOK_S = 0.2


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """SIGTERM and a closed terminal end the stack as Ctrl-C does, by `KeyboardInterrupt`; it stops here."""
    signals = (signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, signal.default_int_handler) for number in signals]
    try:
        yield
    except KeyboardInterrupt:
        pass
    finally:
        for number, handler in zip(signals, before, strict=True):
            signal.signal(number, handler)


def refuse_second_stack() -> None:
    """Raises `ConfigError` where a local stack runs in this folder: its addresses would pass for real."""
    if local_stack_runs():
        raise ConfigError(
            [Problem(str(LOCAL_ENV), 0, "", "a local stack runs here already; Ctrl-C stops it")]
        )


def environment(parts: Parts, folder: Path) -> dict[str, str]:
    """What each process of the stack is started with."""
    return {
        **parts.env,
        "SIGNALBOX_MODEL_CACHE": str(folder / "model-cache"),
        "OMP_NUM_THREADS": "1",
        # reachable from this machine only; without this its API answers to nobody
        "FLOWER_UNAUTHENTICATED_API": "true",
    }


def up(settings: Settings, rate: float) -> None:
    """Start everything and keep it running. `rate` is the events a second of the traffic; 0 plays none."""
    output = Listening(Terminal(Console(highlight=False, soft_wrap=True)))
    rules = load(settings.routing_table, settings.workflows)
    parts = choose_parts(settings, FOLDER)
    env = environment(parts, FOLDER)
    flower_port = free_port() if accepts(FLOWER_PORT) else FLOWER_PORT
    plan = Plan(rules, env, FOLDER, flower_port, rate or None)

    def say(line: str) -> None:
        output(ITSELF, line)

    def topics() -> None:
        made = make_topics(declared_topics(settings, parts).specs(rules), parts.kafka)
        say(f"made {len(made)} topics")

    with ended_by_signals(), published(env), Supervisor(output) as supervisor:
        assembly = Assembly(supervisor, output, say)
        assembly.servers(parts, topics)
        topics()
        assembly.features(parts, env, "--generated")
        assembly.models(rules, env, Past(fraud=("--train-days", str(TRAIN_DAYS))))
        assembly.start(plan, parts.kafka)
        for line in _announcement(plan, parts.desk):
            say(line)
        while True:
            supervisor.watch()
            time.sleep(LOOK_S)
    say("stopped")


def _announcement(plan: Plan, desk: str | None) -> Iterator[str]:
    yield f"everything runs; served: {', '.join(served_queues(plan.rules))}"
    if unserved := unserved_queues(plan.rules):
        yield f"no worker yet for {', '.join(unserved)}: events wait in their lanes, and none are played"
    yield f"models: {masked(plan.env['MLFLOW_TRACKING_URI'])}, and `signalbox models list`"
    if desk is not None:
        yield f"tickets, drafts and actions: {desk}"
    yield f"Flower: http://127.0.0.1:{plan.flower_port}"
    yield f"other terminals find this stack by {LOCAL_ENV}: celery -A tasks worker -Q ml.fraud.input"
    yield "Ctrl-C stops it"
