"""Which Kafka, Redis, RabbitMQ and database a test runs against: real where set, else embedded.

A service that can be had in neither way skips its tests on a laptop. Where `CI=true` or
`SIGNALBOX_REQUIRE_SERVICES=1` is set, each of the four addresses must be set, or its tests fail.
"""

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from stack.embedded import accepts, free_port, kafka, kafka_answers, redis_answers, running, valkey

PROCESS = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 7
"""Which process of a parallel run this is: a Redis has 16 databases, and each process takes two."""
BROKER_DB = 1 + 2 * PROCESS
"""The broker's Redis database; the feature store keeps 0, so that no test empties the other's."""
FEATURES_DB = 2 + 2 * PROCESS
"""Where tests of the feature store keep theirs, which they empty: its heartbeats have one name."""


def required() -> bool:
    """Whether a missing service is a failure."""
    return os.environ.get("CI") == "true" or os.environ.get("SIGNALBOX_REQUIRE_SERVICES") == "1"


def configured(variable: str) -> str | None:
    """The address in an environment variable. Fails the test where it is required and not there."""
    address = os.environ.get(variable) or None
    if address is None and required():
        pytest.fail(f"{variable} is not set, and this run requires real services", pytrace=False)
    return address


def answering(variable: str, address: str, answers: bool) -> str:
    """The address, once it is known that something answers there: a service that was named must be there."""
    if not answers:
        pytest.fail(f"{variable}: nothing answers at {address}", pytrace=False)
    return address


@contextlib.contextmanager
def kafka_service(folder: Path) -> Iterator[str]:
    """Bootstrap servers of a Kafka."""
    if address := configured("KAFKA_BOOTSTRAP_SERVERS"):
        yield answering("KAFKA_BOOTSTRAP_SERVERS", address, kafka_answers(address, 10))
    else:
        with running(kafka(free_port()), folder / "kafka.log") as bootstrap:
            yield bootstrap


@contextlib.contextmanager
def redis_service(folder: Path) -> Iterator[str]:
    """URL of a Redis."""
    if url := configured("REDIS_URL"):
        yield answering("REDIS_URL", url, redis_answers(url))
    else:
        with running(valkey(free_port(), folder / "valkey"), folder / "valkey.log") as url:
            yield url


def rabbitmq_url() -> str:
    """URL of a RabbitMQ, which has no embedded form."""
    url = configured("RABBITMQ_URL")
    if url is None:
        pytest.skip("RABBITMQ_URL is not set, and there is no embedded RabbitMQ")
    address = urlsplit(url)
    return answering("RABBITMQ_URL", url, accepts(address.port or 5672, address.hostname or "127.0.0.1"))


def on_database(url: str, number: int) -> str:
    """The same Redis, another of its databases."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"/{number}"))


def unique_name(stem: str) -> str:
    """A topic, queue or key that no other test uses: `ml.fraud.input` becomes `ml.fraud.input.t3f9a01c2`."""
    return f"{stem}.t{secrets.token_hex(4)}"
