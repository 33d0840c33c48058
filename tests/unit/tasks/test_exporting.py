"""Metrics of a pool's processes reach Prometheus."""

import socket
import subprocess
import sys
from pathlib import Path

WORKER = """
import os, sys, urllib.request
from celery.signals import worker_ready
from tasks.exporting import prepare

port = int(sys.argv[1])
prepare(port)
from transport.metrics import EVENTS_RETRIED, MODEL_INFO

if os.fork() == 0:
    EVENTS_RETRIED.labels("ml.fraud.input").inc(3)
    MODEL_INFO.labels("oracle", "1", "d").set(1)
    os._exit(0)
os.wait()
EVENTS_RETRIED.labels("ml.fraud.input").inc(4)
MODEL_INFO.labels("oracle", "1", "d").set(1)
worker_ready.send(sender=None)
print(urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics").read().decode())
print("folder", os.environ["PROMETHEUS_MULTIPROC_DIR"])
"""


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_what_each_process_counted_is_added_up_the_dead_serve_nothing_and_nothing_is_left_behind() -> None:
    command = [sys.executable, "-c", WORKER, str(free_port())]
    run = subprocess.run(command, capture_output=True, text=True, check=True)

    assert 'signalbox_events_retried_total{queue="ml.fraud.input"} 7.0' in run.stdout
    assert 'signalbox_model_info{digest="d",model="oracle",version="1"} 1.0' in run.stdout
    folder = run.stdout.rsplit("folder ", 1)[1].strip()
    assert not Path(folder).exists()
