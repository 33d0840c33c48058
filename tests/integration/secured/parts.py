"""Signalbox's own processes on secured services, and what an administrator does to Kafka meanwhile."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # it lists them in no __all__
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from stack.embedded import free_port
from stack.stand_ins import support_desk
from tests.faults.processes import SIGNALBOX, Child, wait_until
from tests.integration.secured.servers import ADMIN, USER, Ground
from transport.kafka import admin_client, consumer_config, producer_config
from transport.kafka_access import secured_cluster

READY_S = 240
QUEUES = ("ml.fraud.input", "ml.churn.input", "ml.forecast.input", "ml.agent.input")


@dataclass
class Secured:
    """The addresses and logins, and the parts that run now by name."""

    ground: Ground
    ports: dict[str, int]
    models: Path
    parts: dict[str, Child] = field(default_factory=dict)

    def variables(self, user: str, password: str) -> dict[str, str]:
        """What lets a user into Kafka."""
        return {
            "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
            "KAFKA_SASL_USERNAME": user,
            "KAFKA_SASL_PASSWORD": password,
            "KAFKA_SSL_CA_LOCATION": str(self.ground.authority.certificate),
            "KAFKA_SSL_CERTIFICATE_LOCATION": str(self.ground.client.certificate),
            "KAFKA_SSL_KEY_LOCATION": str(self.ground.client.key),
        }

    @property
    def bootstrap(self) -> str:
        """Kafka's address."""
        return f"127.0.0.1:{self.ports['kafka']}"

    def client(self, user: str) -> dict[str, Any]:
        """The properties of a client of Kafka in the name of a user."""
        password = self.ground.admin_password if user == ADMIN else self.ground.password
        cluster = secured_cluster(self.bootstrap, self.variables(user, password))
        return {"bootstrap.servers": cluster.bootstrap, "log_level": 0, **cluster.properties}

    @cached_property
    def admin(self) -> AdminClient:
        """May do everything."""
        password = self.ground.admin_password
        return admin_client(secured_cluster(self.bootstrap, self.variables(ADMIN, password)), log_level=0)

    def _certificates(self, prefix: str = "ssl_") -> str:
        ground = self.ground
        return (
            f"{prefix}ca_certs={ground.authority.certificate}"
            f"&{prefix}certfile={ground.client.certificate}&{prefix}keyfile={ground.client.key}"
        )

    @property
    def redis_url(self) -> str:
        """The features' database."""
        return f"rediss://{self.ground.login}@127.0.0.1:{self.ports['redis']}/0?{self._certificates()}"

    def broker_url(self, kind: str) -> str:
        """The Celery broker: `redis`, in the spelling that Celery documents, or `rabbitmq`."""
        if kind == "redis":
            return f"{self.redis_url.replace('/0?', '/1?')}&ssl_cert_reqs=CERT_REQUIRED"
        return f"amqps://{self.ground.login}@127.0.0.1:{self.ports['rabbitmq']}//?{self._certificates()}"

    @property
    def database_url(self) -> str:
        """PostgreSQL, which must show who it is."""
        address = f"{self.ground.login}@127.0.0.1:{self.ports['postgres']}/postgres"
        ca = self.ground.authority.certificate
        return f"postgresql+psycopg://{address}?sslmode=verify-full&sslrootcert={ca}"

    def env(self, broker: str) -> dict[str, str]:
        """What a part is started with: each secret in a file that is named, none in the environment."""
        kafka = self.variables(USER, self.ground.password)
        hidden = {
            "KAFKA_SASL_PASSWORD": kafka.pop("KAFKA_SASL_PASSWORD"),
            "REDIS_URL": self.redis_url,
            "CELERY_BROKER_URL": self.broker_url(broker),
            "DATABASE_URL": self.database_url,
        }
        secrets = self.ground.folder / f"secrets-{broker}"
        secrets.mkdir(exist_ok=True)
        env = {"KAFKA_BOOTSTRAP_SERVERS": self.bootstrap, "SIGNALBOX_MODEL_DIR": str(self.models), **kafka}
        for name, value in hidden.items():
            (secrets / name).write_text(f"{value}\n")
            env |= {name: "", f"{name}_FILE": str(secrets / name)}
        for name in ("LLM_BASE_URL", "MLFLOW_TRACKING_URI", "SCHEMA_REGISTRY_URL", "CI"):
            env[name] = ""
        return env

    def prepare(self) -> None:
        """Grant what a principal of Signalbox needs, then make the topics."""
        self.grant(ResourceType.TOPIC, "*", AclOperation.ALL)
        self.grant(ResourceType.GROUP, "*", AclOperation.ALL)
        self.grant(ResourceType.BROKER, "kafka-cluster", AclOperation.ALL)
        topics = Child("topics", [*SIGNALBOX, "topics"], self.log("topics"), self.env("redis"))
        topics.start()
        wait_until(lambda: not topics.running, READY_S, "topics are made")
        assert "Error" not in self.log("topics").read_text(), self.log("topics").read_text()

    def grant(self, kind: ResourceType, name: str, operation: AclOperation) -> None:
        """Allow the user of Signalbox something."""
        literal, allow = ResourcePatternType.LITERAL, AclPermissionType.ALLOW
        self._set(AclBinding(kind, name, literal, f"User:{USER}", "*", operation, allow))

    def take_away(self, topic: str) -> None:
        """Deny the user of Signalbox all of a topic, and of those that begin with its name."""
        self._set(self._denial(topic))

    def give_back(self, topic: str) -> None:
        """Deny it no more."""
        for done in self.admin.delete_acls([self._denial(topic, AclBindingFilter)]).values():
            assert done.result()

    def _denial(self, topic: str, made: Any = AclBinding) -> Any:
        prefix, all_of_it = ResourcePatternType.PREFIXED, AclOperation.ALL
        return made(ResourceType.TOPIC, topic, prefix, f"User:{USER}", "*", all_of_it, AclPermissionType.DENY)

    def _set(self, acl: AclBinding) -> None:
        for done in self.admin.create_acls([acl]).values():
            done.result()

    def log(self, name: str) -> Path:
        """What a part has printed."""
        return self.ground.folder / f"{name}.log"

    def start(self, name: str, command: Sequence[str], env: dict[str, str]) -> None:
        """Start a part."""
        child = self.parts[name] = Child(name, command, self.log(name), env)
        child.start()

    def start_all(self, broker: str) -> None:
        """Dispatcher, pipeline, reconciler, a worker of the four queues, and a desk for tickets."""
        env = self.env(broker)
        token = "desk-token"
        desk = support_desk(free_port(), self.ground.folder / f"desk-{broker}", self.bootstrap, token)
        self.start(f"desk-{broker}", desk.command, {**env, **desk.env})
        env |= {"SUPPORT_PLATFORM_URL": desk.url, "SUPPORT_PLATFORM_TOKEN": token}
        dispatcher = {**env, "SIGNALBOX_METRICS_PORT": str(self.metrics_port)}
        self.start(f"dispatcher-{broker}", [*SIGNALBOX, "dispatcher"], dispatcher)
        self.start(f"pipeline-{broker}", [*SIGNALBOX, "features", "pipeline"], env)
        self.start(f"reconciler-{broker}", [*SIGNALBOX, "reconcile"], env)
        pool = ["-P", "threads", "-c", "4", "-l", "INFO", "-Q", ",".join(QUEUES)]
        celery = [sys.executable, "-m", "celery", "-A", "tasks", "worker", *pool]
        self.start(f"worker-{broker}", celery, {**env, "OMP_NUM_THREADS": "1"})
        wait_until(
            lambda: self._ready(f"worker-{broker}"), READY_S, f"worker: {self.log(f'worker-{broker}')}"
        )

    def __post_init__(self) -> None:
        self.metrics_port = free_port()

    def _ready(self, name: str) -> bool:
        assert self.parts[name].running, self.log(name).read_text()[-4_000:]
        return " ready." in self.log(name).read_text(errors="replace")

    def stop_all(self) -> None:
        """As an operator does."""
        for child in self.parts.values():
            if child.running:
                os.kill(child.pid, 15)
        for child in self.parts.values():
            child.stop(30)

    def close(self) -> None:
        """End whatever is left."""
        for child in self.parts.values():
            child.kill()
        self.__dict__.pop("admin", None)

    def produce(self, topic: str, values: dict[str, bytes]) -> None:
        """Write events by key, and see that Kafka has them."""
        refused: list[object] = []
        producer = Producer({**producer_config(""), **self.client(USER)})
        for key, value in values.items():
            producer.produce(
                topic, value, key, on_delivery=lambda error, _: refused.append(error) if error else None
            )
        assert producer.flush(30) == 0
        assert not refused

    def read(self, topic: str) -> "Reading":
        """All that a topic holds and will hold."""
        return Reading(Consumer({**consumer_config("", "tests.secured"), **self.client(ADMIN)}), topic)


class Reading:
    """The values of a topic from its beginning on."""

    def __init__(self, consumer: Consumer, topic: str) -> None:
        self._consumer = consumer
        numbers = consumer.list_topics(topic, 30).topics[topic].partitions
        consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in numbers])
        self.values: list[bytes] = []

    def look(self) -> list[bytes]:
        """All so far."""
        while (message := self._consumer.poll(0.2)) is not None:
            assert message.error() is None, message.error()
            self.values.append(message.value() or b"")
        return self.values

    def close(self) -> None:
        """Let go of the connection."""
        self._consumer.close()
