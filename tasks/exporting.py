"""How do the figures of a pool's processes reach Prometheus? In files that the main process reads."""

import atexit
import os
import shutil
import tempfile
from typing import Any

from celery.signals import worker_ready
from celery.utils.log import get_logger
from prometheus_client import CollectorRegistry, start_http_server, values
from prometheus_client.multiprocess import MultiProcessCollector

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
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        try:
            start_http_server(port, registry=registry)
        except OSError as error:
            logger.warning("no metrics on port %d: %s", port, error)

    worker_ready.connect(serve, weak=False)
