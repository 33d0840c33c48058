"""Multiprocess Prometheus export: a pool's processes write files that the main process serves."""

import atexit
import os
import re
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from celery.signals import worker_ready
from celery.utils.log import get_logger
from prometheus_client import CollectorRegistry, Metric, start_http_server, values
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

# what a process that is gone said of itself would be summed with what its successor says
_OF_ONE_PROCESS = re.compile(r"gauge_live[a-z]+_(\d+)\.db")
FOLDER = "PROMETHEUS_MULTIPROC_DIR"
logger = get_logger(__name__)


def prepare(port: int) -> None:
    """Let figures be counted in files, and serve them on `port` once the worker is ready; 0 does nothing.

    Call it before any figure is made: prometheus_client decides by then where a figure is kept. (It was
    imported before: Flower's plugin for the `celery` command does that.)
    """
    if not port:
        return
    if FOLDER not in os.environ:
        folder = os.environ[FOLDER] = tempfile.mkdtemp(prefix="signalbox-metrics-")
        # a pool's processes end without it: it runs once, in the main process
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    values.ValueClass = values.get_value_class()  # type: ignore[no-untyped-call]

    def serve(**_: Any) -> None:
        registry = CollectorRegistry()
        Living(registry)
        try:
            start_http_server(port, registry=registry)
        except OSError as error:
            logger.warning("no metrics on port %d: %s", port, error)

    worker_ready.connect(serve, weak=False)


class Living(MultiProcessCollector):
    """The figures of all processes, and of those that live what they are at the moment."""

    def __init__(self, registry: CollectorRegistry) -> None:
        super().__init__(registry)  # type: ignore[no-untyped-call]

    def collect(self) -> Iterable[Metric]:
        """A killed process could not take back its figures."""
        for path in Path(os.environ[FOLDER]).iterdir():
            found = _OF_ONE_PROCESS.fullmatch(path.name)
            if found and not _lives(int(found[1])):
                mark_process_dead(int(found[1]))  # type: ignore[no-untyped-call]
        collected: Iterable[Metric] = super().collect()  # type: ignore[no-untyped-call]
        return collected


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's: its number was given anew
        return False
    return True
