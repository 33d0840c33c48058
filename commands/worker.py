"""`signalbox worker`: the Celery worker pool of one queue."""

import os
import shlex
import sys
from typing import Annotated

import typer

from routing import load
from settings import load_settings
from tasks.command import worker_command
from tasks.worker import select


def worker(queue: Annotated[str, typer.Argument(help="As in config/workflows.yaml: ml.fraud.input")]) -> None:
    """Print and run the Celery command of a queue's pool."""
    settings = load_settings()
    catalogue = load(settings.routing_table, settings.workflows).catalogue
    (spec,) = select([spec for spec in catalogue.queues.values() if spec.served], [queue])
    # the process keeps its id: no other worker on this machine has the same name
    command = worker_command(spec, str(os.getpid()))
    prefix = ("nice", "-n", str(spec.nice)) if spec.nice else ()
    typer.echo(shlex.join((*prefix, *command)))
    sys.stdout.flush()
    if spec.nice:
        os.nice(spec.nice)
    # each process of a pool has one core: a model library's own threads would take turns with the others
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.execv(sys.executable, (sys.executable, "-m", *command))  # noqa: S606 - no shell, our own arguments
