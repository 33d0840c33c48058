"""One training from its lease to its verdict: the same for every model, by hand or by event."""

import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

import typer

from commands.training_parts import name_challenger, plan_of, registry_of, served_skew
from features.offline.store import OfflineStore
from models.artifact import Artifact, load
from models.runs import Held, Run, Runs
from models.training_plan import BY_PLAN
from models.who import who
from routing import load as load_rules
from settings import Settings
from training.bench import Bench
from training.challenging import Bounds, Challenge, Verdict
from training.registering import Registered
from training.reporting import summary, write_report
from training.session import Session
from transport.clock import system_clock

HELD = 3
"""The exit code if another process trains the model."""
REFUSED = 4
"""The exit code if the gate let nothing through. 1 is Python's own, for unexpected errors."""


class Made(Protocol):
    """A version that was fitted and measured, and what others of its model can be measured on."""

    @property
    def path(self) -> Path:
        """Its folder."""

    @property
    def bench(self) -> Bench:
        """The rows that it was measured on."""


class Conductor:
    """Trains one model under its lease, and lets the gate decide."""

    def __init__(self, settings: Settings, store: OfflineStore, model: str, tenant: str) -> None:
        self._settings = settings
        self._store = store
        self._plan = plan_of(settings, model)
        self._tenant = tenant

    def conduct(self, make: Callable[[Path], Made]) -> None:
        """`make` fits a version into the folder that it is given.

        Ends the command with `REFUSED` if nothing was registered, with `HELD` if another process trains
        the model. Raises what training and the registry raise.
        """
        runs = Runs(self._store.database)
        runs.create()
        run = self._begin(runs)
        draft = TemporaryDirectory(prefix="signalbox-train-")
        with _interrupted_by_sigterm(), Session(runs, run) as session, draft as folder:
            made = make(Path(folder) / "made")
            session.confirm()
            candidate = load(made.path)
            challenge = self._challenge(candidate, run, session.confirm)
            verdict = challenge.decide(candidate, made.bench, Path(folder) / "champion")
            told = self._report(verdict)
            session.end("refused" if verdict.outcome == "refused" else "registered", told)
        if verdict.outcome == "refused":
            raise typer.Exit(REFUSED)

    def _begin(self, runs: Runs) -> Run:
        model = self._plan.model
        holder = f"{who()}, process {os.getpid()} on {socket.gethostname()}"
        begun = runs.begin(model, self._tenant, holder, covering=BY_PLAN in os.environ)
        if isinstance(begun, Held):
            typer.echo(f"{model} is being trained by {begun.holder}: one at a time", err=True)
            raise typer.Exit(HELD)
        return begun

    def _challenge(self, candidate: Artifact, run: Run, confirm: Callable[[], None]) -> Challenge:
        settings = self._settings
        return Challenge(
            registry=registry_of(settings),
            plan=self._plan,
            bounds=Bounds.of(load_rules(settings.routing_table, settings.workflows), self._plan.model),
            skew=lambda: served_skew(settings, self._store, candidate.metadata),
            confirm=confirm,
            name_challenger=self._name_challenger,
            tags={"run": str(run.token), "dataset_versions": ", ".join(run.covers)[:5_000]},
        )

    def _name_challenger(self, made: Registered) -> None:
        name_challenger(self._settings, self._store.database, made, "it passed the gate of its training")

    def _report(self, verdict: Verdict) -> str:
        figures = ", ".join(f"{name} {value:.3f}" for name, value in verdict.metrics.items())
        typer.echo(figures)
        for check in verdict.checks:
            typer.echo(f"{'passed' if check.passed else 'FAILED'} {check.name}: {check.finding}")
        told = summary(verdict)
        report = write_report(self._settings.training_reports, verdict, system_clock())
        typer.echo(f"{verdict.outcome}: {told}, digest {verdict.digest[:12]}; report: {report}")
        return told


@contextmanager
def _interrupted_by_sigterm() -> Iterator[None]:
    """A training that is stopped writes down how it ended; the caller has its signal handler back."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
