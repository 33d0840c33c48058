"""A queue of its own for each test, on each broker."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.integration.tasks.rig import Rig, queue_spec


@pytest.fixture
def rig(
    broker_url: str, redis_url: str, kafka: str, unique: Callable[[str], str], tmp_path: Path
) -> Iterator[Rig]:
    """Nothing runs yet: a test starts the workers that it needs."""
    made = Rig(broker_url, redis_url, kafka, queue_spec(unique("ml.test.input")), tmp_path)
    yield made
    made.close()
