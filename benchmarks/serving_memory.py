"""Memory of a serving process: the light registry client, MLflow's own, and MLflow's loader.

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
    "with models/registry.py": "from models.registry import Registry; Registry('http://127.0.0.1:9')",
    "with mlflow.MlflowClient": "from mlflow import MlflowClient; MlflowClient('http://127.0.0.1:9')",
    "with mlflow.pyfunc": "import mlflow.pyfunc",
}
# LightGBM imports these two where they are installed; an image that only serves has neither
SERVING_ALONE = "import sys; sys.modules.update(pandas=None, sklearn=None)"


def main() -> None:
    """A line each: MB of memory, seconds until it serves."""
    path = train_small(Path(tempfile.mkdtemp(prefix="signalbox-memory-"))).path
    for what, more in MORE.items():
        alone = "" if "pyfunc" in what else SERVING_ALONE
        code = alone + SERVING.format(more=more)
        command = [sys.executable, "-W", "ignore", "-c", code, str(path)]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
        print(f"{what:40} {float(said[0]):6.0f} MB  {float(said[1]):5.1f} s")


if __name__ == "__main__":
    main()
