"""`signalbox up`: the whole of Signalbox on this machine, until Ctrl-C."""

import logging
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.live import Live

from events.errors import ConfigError, Problem
from routing import load
from settings import LOCAL_ENV, Settings, local_stack_runs
from stack.assembly import Assembly, declared_topics, make_topics
from stack.champions import Past, needs_agent
from stack.glance import Glance
from stack.history import TRAIN_DAYS
from stack.live_traffic import today
from stack.local_env import in_force, published
from stack.output import LOGS, Files, Listening
from stack.parts import KAFKA, Parts, choose_parts
from stack.ports import Ports
from stack.services import Plan, served_lanes, served_queues, unserved_queues
from stack.supervisor import ITSELF, Supervisor
from stack.view import PartState, View, line, picture
from transport.urls import masked

FOLDER = Path("var/local")
FLOWER_PORT = 5555
LOOK_S = 0.2
FRAME_S = 1.0
LINE_S = 10.0
"""How often the view is printed if the output is no terminal."""


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
    """Raises `ConfigError` if a local stack runs in this folder: its addresses would pass for real."""
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
        # reachable from this machine only; without this its API answers no request
        "FLOWER_UNAUTHENTICATED_API": "true",
    }


def for_terminals(settings: Settings, env: dict[str, str]) -> dict[str, str]:
    """What a command in another terminal needs to decide by the same files and addresses as the parts."""
    everything = {**in_force(settings), **env}
    # the port is the parts' own: a command that took it too would not start
    everything.pop("SIGNALBOX_METRICS_PORT", None)
    return everything


def logged(files: Files, console: Console) -> Listening:
    """Every line goes to its file, and what the supervisor reports also to the console."""

    def sink(name: str, text: str) -> None:
        files(name, text)
        if name == ITSELF:
            console.print(text, markup=False)

    # the Kafka clients of this process report each broken connection while the servers start
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    root.addHandler(files.handler("clients"))
    return Listening(sink)


def up(settings: Settings, rate: float) -> None:
    """Start everything and keep it running. `rate` is the events a second of the traffic; 0 plays none."""
    console = Console(highlight=False, soft_wrap=True)
    output = logged(Files(LOGS), console)
    rules = load(settings.routing_table, settings.workflows)
    parts = choose_parts(settings, FOLDER, agent=needs_agent(rules))
    env = environment(parts, FOLDER)
    flower_port = Ports(FOLDER / "ports.json").take("flower", FLOWER_PORT)
    plan = Plan(rules, env, FOLDER, flower_port, rate or None)

    with ended_by_signals(), published(for_terminals(settings, env)), Supervisor(output) as supervisor:
        _raise(settings, parts, plan, Assembly(supervisor, output, lambda text: output(ITSELF, text)))
        console.print("Ctrl-C stops it")
        _show(supervisor, plan, parts, console)
    for text in _farewell(parts):
        output(ITSELF, text)


def _raise(settings: Settings, parts: Parts, plan: Plan, assembly: Assembly) -> None:
    assembly.say(f"starting; what each process prints is in {LOGS}: signalbox logs [PART] [-f]")

    def topics() -> None:
        made = make_topics(declared_topics(settings, parts).specs(plan.rules), parts.kafka)
        assembly.say(f"made {len(made)} topics")

    until = ("--until", today().isoformat())
    assembly.servers(parts, topics)
    topics()
    assembly.features(parts, plan.env, "--generated", *until)
    assembly.models(plan.rules, plan.env, Past(until, ("--train-days", str(TRAIN_DAYS))))
    failed = assembly.start(plan, parts.kafka)
    for text in _announcement(plan, parts.desk, failed):
        assembly.say(text)


def _show(supervisor: Supervisor, plan: Plan, parts: Parts, console: Console) -> None:
    """The live view on a terminal, else a line every few seconds, until Ctrl-C."""
    glance = Glance(served_lanes(plan.rules), parts.kafka)
    glance.start()
    addresses = dict(_addresses(plan, parts.desk))
    due = 0.0
    try:
        with Live(console=console, auto_refresh=False, transient=True) as screen:
            while True:
                supervisor.watch()
                if (now := time.monotonic()) >= due:
                    view = View(addresses, _part_states(supervisor), glance.states, glance.trouble)
                    if console.is_terminal:
                        screen.update(picture(view), refresh=True)
                    else:
                        console.print(line(view), markup=False)
                    due = now + (FRAME_S if console.is_terminal else LINE_S)
                time.sleep(LOOK_S)
    finally:
        glance.stop()


def _part_states(supervisor: Supervisor) -> list[PartState]:
    return [
        PartState(child.service.name, child.exit_code is None, child.deaths) for child in supervisor.children
    ]


def _announcement(plan: Plan, desk: str | None, failed: tuple[str, ...]) -> Iterator[str]:
    if failed:
        yield f"everything but {', '.join(failed)} runs; see `signalbox logs {failed[0].replace(' ', '-')}`"
    else:
        yield f"everything runs; served: {', '.join(served_queues(plan.rules))}"
    if unserved := unserved_queues(plan.rules):
        yield f"no worker yet for {', '.join(unserved)}: events wait in their lanes, and none are played"
    for name, address in _addresses(plan, desk):
        yield f"{name}: {address}"
    yield f"other terminals find this stack by {LOCAL_ENV}: celery -A tasks worker -Q ml.fraud.input"


def _addresses(plan: Plan, desk: str | None) -> Iterator[tuple[str, str]]:
    if desk is not None:
        yield "tickets, drafts and actions", desk
    yield "models", masked(plan.env["MLFLOW_TRACKING_URI"])
    yield "Flower", f"http://127.0.0.1:{plan.flower_port}"


def _farewell(parts: Parts) -> Iterator[str]:
    if KAFKA in parts.embedded:
        yield (
            "stopped; the embedded Kafka kept its records in memory, and they are gone: events, lanes, "
            f"predictions, dead letters. Features, models and forecasts stay in {FOLDER}"
        )
    else:
        yield "stopped"
