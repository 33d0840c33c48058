"""The services that tests ask for by name. A test that asks for one is marked `integration`."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redis import Redis

from tests import services

INTEGRATION = Path(__file__).with_name("integration")
SECURED = INTEGRATION / "secured"
"""Its services are four processes and a Kafka: they are started once."""
SERVICES = frozenset({"kafka", "redis_url", "features_url", "broker_url", "database_url"})


def pytest_configure() -> None:
    """Where the tests run in the background, Ctrl-C is ignored by them, and by all that they start."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a service, or starts one itself, so that `-m 'not integration'` leaves it out.

    And name what one process of a parallel run must run alone, one after the other.
    """
    for item in items:
        needs_one = SERVICES.intersection(getattr(item, "fixturenames", ()))
        if needs_one or item.path.is_relative_to(INTEGRATION):
            item.add_marker("integration")
        item.add_marker(pytest.mark.xdist_group(_group(item)))


def _group(item: pytest.Item) -> str:
    """A file's tests share what they set up, all of MLflow's share its server, and RabbitMQ its broadcasts.

    A Celery control command reaches every worker of its broker: each process has a Redis database of its own
    for that, but one RabbitMQ.
    """
    if "mlflow_uri" in getattr(item, "fixturenames", ()):
        return "mlflow"
    if item.path.is_relative_to(SECURED):
        return "secured"
    parameters = (
        item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
    )
    return "rabbitmq" if parameters.get("broker_url") == "rabbitmq" else str(item.path)


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Bootstrap servers of one Kafka for the whole run: take topic names from `unique`."""
    with services.kafka_service(tmp_path_factory.mktemp("kafka")) as bootstrap:
        yield bootstrap


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One Redis for the whole run: take keys from `unique`, and never empty it."""
    with services.redis_service(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture
def features_url(redis_url: str) -> Iterator[str]:
    """An empty database of that Redis, for the one test that runs."""
    url = services.on_database(redis_url, services.FEATURES_DB)
    with Redis.from_url(url) as client:
        client.flushdb()
        yield url
        client.flushdb()


@pytest.fixture(scope="session", params=["redis", "rabbitmq"])
def broker_url(request: pytest.FixtureRequest) -> str:
    """A Celery broker; each test that asks for it runs once on each kind. Take queue names from `unique`."""
    if request.param == "rabbitmq":
        return services.rabbitmq_url()
    url: str = request.getfixturevalue("redis_url")
    return services.on_database(url, services.BROKER_DB)


@pytest.fixture(scope="session")
def database_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """SQLAlchemy URL of one database for the whole run."""
    file = tmp_path_factory.mktemp("database") / "signalbox.db"
    return services.configured("DATABASE_URL") or f"sqlite:///{file}"


@pytest.fixture
def unique() -> Callable[[str], str]:
    """Makes a name that no other test uses: `unique("ml.fraud.input")`."""
    return services.unique_name
