"""The packages of the support agent's task, and the error if they are missing."""

import subprocess
import sys

import pytest

LOADED = """
import sys
sys.modules[{library!r}] = None
from models.artifact import Artifact, BrokenModelError
from tasks.support import resolve
try:
    resolve.load(Artifact("there", "1", None))
except BrokenModelError as error:
    print(error)
"""


@pytest.mark.parametrize("library", ["httpx2", "openai", "pydantic_ai"])
def test_a_version_is_refused_with_what_to_install_where_its_libraries_are_missing(library: str) -> None:
    environment = {
        "CELERY_BROKER_URL": "redis://127.0.0.1/1",
        "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9092",
        "REDIS_URL": "redis://127.0.0.1/0",
        "DATABASE_URL": "sqlite://",
        "SUPPORT_PLATFORM_URL": "http://127.0.0.1:9",
    }
    command = [sys.executable, "-c", LOADED.format(library=library)]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert "pip install 'signalbox[agent]'" in ran.stdout, ran.stderr
    assert library in ran.stdout
