"""What does a serving process weigh with the light registry client, and with MLflow's own?

python -m benchmarks.serving_memory
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from tests.trained import train_small

SERVING = """
import sys, time
from pathlib import Path
import psutil
began = time.perf_counter()
import tasks.served
from models.artifact import load
from models.fraud import FraudWorkflow
from models.thresholds import Thresholds
artifact = load(Path(sys.argv[1]))
workflow = FraudWorkflow.load(artifact, Thresholds(0.1, 0.6))
{more}
took = time.perf_counter() - began
print(psutil.Process().memory_info().rss / 2**20, took)
"""
MORE = {
    "with the client of models/registry.py": "from models.registry import Registry",
    "with mlflow.MlflowClient": "from mlflow import MlflowClient; client = MlflowClient('http://127.0.0.1:9')",
}


def main() -> None:
    """A line each: MB of memory, seconds until it serves."""
    path = train_small(Path(tempfile.mkdtemp(prefix="signalbox-memory-"))).path
    for what, more in MORE.items():
        command = [sys.executable, "-W", "ignore", "-c", SERVING.format(more=more), str(path)]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
        print(f"{what:40} {float(said[0]):6.0f} MB  {float(said[1]):5.1f} s")


if __name__ == "__main__":
    main()
