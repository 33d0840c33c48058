"""Which of the services are real and which embedded, and under which addresses everything finds them."""

import os
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from events.errors import ConfigError, Problem
from settings import Settings
from stack.embedded import Server, kafka, mlflow, valkey
from stack.ports import Ports
from stack.stand_ins import SCRIPTED_MODEL, SUPPORT_DESK, scripted_llm, support_desk
from transport.cluster import Bootstrap

KAFKA = "kafka"
REDIS = "redis"
REGISTRY = "mlflow"
BROKER_DB = 1
"""The Celery queues have a Redis database of their own, apart from the features in 0."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The addresses as environment variables, and the embedded servers that must run for them to hold."""

    env: Mapping[str, str]
    servers: tuple[Server, ...]
    kafka: Bootstrap
    """The configured Kafka with what lets this process in, or the embedded one."""

    @property
    def embedded(self) -> frozenset[str]:
        """The names of the servers that are not real ones."""
        return frozenset(server.name for server in self.servers)

    @property
    def desk(self) -> str | None:
        """Where the page of the embedded support desk is, if it is one."""
        return next((server.url for server in self.servers if server.name == SUPPORT_DESK), None)


def choose_parts(settings: Settings, folder: Path, *, agent: bool = True) -> Parts:
    """What is configured stays; the rest is embedded, its data and the ports that it had in `folder`.

    Without `agent`, there is no stand-in for what only the support agent needs.
    Raises `EmbeddedError`, and `ConfigError` if what is configured would be spoiled by what is not.
    """
    _check(settings)
    env: dict[str, str] = {}
    servers: list[Server] = []
    ports = Ports(folder / "ports.json")
    if settings.kafka is None:
        servers.append(kafka(ports.take("kafka")))
        env["KAFKA_BOOTSTRAP_SERVERS"] = servers[-1].url
        # one node, which keeps every property of a topic that it is given and follows none
        env["SIGNALBOX_REPLICAS"] = "1"
    if settings.redis is None or settings.broker is None:
        server = valkey(ports.take("redis"), folder / "redis")
        servers.append(server)
        env["REDIS_URL"] = server.url
        env["CELERY_BROKER_URL"] = f"{server.url.removesuffix('/0')}/{BROKER_DB}"
    if settings.registry is None:
        servers.append(mlflow(ports.take("mlflow"), folder / "mlflow"))
        env["MLFLOW_TRACKING_URI"] = servers[-1].url
    env["DATABASE_URL"] = f"sqlite:///{(folder / 'signalbox.db').resolve()}"
    configured = {
        "KAFKA_BOOTSTRAP_SERVERS": settings.kafka,
        "REDIS_URL": settings.redis,
        "CELERY_BROKER_URL": settings.broker,
        "DATABASE_URL": settings.database,
        "MLFLOW_TRACKING_URI": settings.registry,
        "LLM_BASE_URL": settings.llm,
        "SUPPORT_PLATFORM_URL": settings.support_platform,
    }
    env.update({name: value for name, value in configured.items() if value is not None})
    if agent:
        for server, variables in _stand_ins(settings, folder, env["KAFKA_BOOTSTRAP_SERVERS"], ports):
            servers.append(server)
            env.update(variables)
    # what is handed on by value is not read from a file again: both would be one too many
    env.update({f"{name}_FILE": "" for name in list(env) if f"{name}_FILE" in os.environ})
    reached = env["KAFKA_BOOTSTRAP_SERVERS"] if settings.kafka is None else settings.kafka_cluster
    return Parts(env, tuple(servers), reached)


def _stand_ins(
    settings: Settings, folder: Path, kafka: str, ports: Ports
) -> Iterator[tuple[Server, Mapping[str, str]]]:
    """What the agent works with where none is configured, and what everybody must know of it."""
    if settings.llm is None:
        server = scripted_llm(ports.take("llm"))
        # whatever else stands in the environment belongs to an endpoint that is not configured
        named = {"LLM_BASE_URL": server.url, "LLM_MODEL": SCRIPTED_MODEL}
        yield server, {**named, "LLM_API_KEY": "", "EMBEDDING_MODEL": ""}
    if settings.support_platform is None:
        token = secrets.token_urlsafe()
        server = support_desk(ports.take("desk"), folder, kafka, token)
        keys = {"SUPPORT_PLATFORM_IDEMPOTENT": "true"}
        yield server, {"SUPPORT_PLATFORM_URL": server.url, "SUPPORT_PLATFORM_TOKEN": token, **keys}


def _check(settings: Settings) -> None:
    problems = []
    if settings.database is not None and settings.kafka is None:
        problem = "counts features by the offsets of one Kafka: set KAFKA_BOOTSTRAP_SERVERS too, or neither"
        problems.append(Problem("environment", 0, "DATABASE_URL", problem))
    others = {"DATABASE_URL": settings.database, "KAFKA_BOOTSTRAP_SERVERS": settings.kafka}
    missing = [name for name, value in others.items() if value is None]
    if settings.redis is not None and missing:
        problem = (
            "holds the features of one database and Kafka, and would be emptied for those that begin here: "
            f"set {' and '.join(missing)} too, or unset it"
        )
        problems.append(Problem("environment", 0, "REDIS_URL", problem))
    if settings.registry is not None and settings.database is None:
        problem = "holds models whose changes stand in one database: set DATABASE_URL too, or unset it"
        problems.append(Problem("environment", 0, "MLFLOW_TRACKING_URI", problem))
    if problems:
        raise ConfigError(problems)
