"""What the dispatcher's integration tests share."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.integration.dispatcher.ground import Ground
from tests.integration.dispatcher.own_redis import OwnRedis


@pytest.fixture
def ground(kafka: str, unique: Callable[[str], str], tmp_path: Path) -> Ground:
    """Orders go to a queue of this test alone, at high priority."""
    made = Ground(kafka, unique("retail.events"), unique("ml.fraud.input"), tmp_path)
    made.write_table(order_placed="high")
    made.make_topics()
    return made


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[OwnRedis]:
    """A Redis that this test may freeze and kill."""
    server = OwnRedis(tmp_path)
    server.start()
    yield server
    server.thaw()
    server.kill()
