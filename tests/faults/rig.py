"""The whole system on real services, as child processes that a fault run or a benchmark may kill."""

import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.request import urlopen

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient
from redis import Redis
from redis.exceptions import RedisError

from benchmarks.seeding import model_dir, seed
from events.timeliness import OLDEST_DAYS
from tests.faults.processes import (
    ROOT,
    SIGNALBOX,
    Child,
    accepts,
    free_port,
    kafka,
    rabbitmq,
    redis,
    signalbox,
    wait_until,
)
from transport.kafka import consumer_config

FRAUD_QUEUE = "ml.fraud.input"
Broker = Literal["redis", "rabbitmq"]


@dataclass
class Rig:
    """Real Kafka, a Redis for features, a Celery broker, and the parts of the system by name."""

    folder: Path
    services: dict[str, Child]
    ports: dict[str, int]
    broker_url: str
    parts: dict[str, Child] = field(default_factory=dict)
    extra_env: dict[str, str] = field(default_factory=dict)

    @property
    def bootstrap(self) -> str:
        """Kafka's address."""
        return f"127.0.0.1:{self.ports['kafka']}"

    @property
    def store_url(self) -> str:
        """The address of the Redis that holds features."""
        return f"redis://127.0.0.1:{self.ports['store']}/0"

    @property
    def env(self) -> Mapping[str, str]:
        """What a part needs to find the services."""
        return {
            "KAFKA_BOOTSTRAP_SERVERS": self.bootstrap,
            "REDIS_URL": self.store_url,
            "CELERY_BROKER_URL": self.broker_url,
            "DATABASE_URL": f"sqlite:///{self.folder}/signalbox.db",
            # a run may play what happened long ago
            "SIGNALBOX_EVENT_AGE_DAYS": str(OLDEST_DAYS),
            **self.extra_env,
        }

    def run(self, name: str, *arguments: str, **env: str) -> Child:
        """Start a part with `signalbox` and these arguments, under a name of its own."""
        child = signalbox(name, arguments, self.folder, {**self.env, **env})
        child.start()
        self.parts[name] = child
        return child

    def stop(self, name: str) -> None:
        """Stop a part as an operator would."""
        self.parts.pop(name).stop()

    def restart(self, service: str) -> None:
        """Kill a service and start it again; returns once it listens."""
        self.services[service].kill()
        self.services[service].start()
        self.wait_for(service)

    def wait_for(self, service: str) -> None:
        """Return once a service listens."""
        wait_until(lambda: accepts(self.ports[service]), 180, service)

    def complete(
        self,
        name: str,
        *arguments: str,
        env: Mapping[str, str] | None = None,
        check: bool = True,
        seconds: float | None = None,
    ) -> int:
        """Run a command of `signalbox` to its end; its exit code. With `check`, raises where it is not 0.

        Raises `subprocess.TimeoutExpired` after `seconds`.
        """
        path = self.folder / f"{name}.log"
        with path.open("ab") as log:
            code = subprocess.run(
                [*SIGNALBOX, *arguments],
                cwd=ROOT,
                env={**os.environ, **self.env, **(env or {})},
                stdout=log,
                stderr=subprocess.STDOUT,
                check=False,
                timeout=seconds,
            ).returncode
        if check and code:
            raise RuntimeError(f"{name} ended with exit code {code}: see {path}")
        return code

    def empty_redis(self) -> None:
        """Forget all that stands in Redis, features included, as a failover to an empty replica does."""
        wait_until(self._emptied, 30, "Redis is emptied")

    def _emptied(self) -> bool:
        """Not while it is down, or reads its file after a restart."""
        with Redis.from_url(self.store_url) as client, suppress(RedisError):
            client.flushall()
            return True
        return False

    def leads(self) -> bool:
        """Whether Kafka answers for every partition that there is."""
        consumer = Consumer(consumer_config(self.bootstrap, "rig"))
        try:
            for topic in consumer.list_topics(timeout=10).topics.values():
                for number in topic.partitions:
                    consumer.get_watermark_offsets(TopicPartition(topic.topic, number), timeout=10)
        except KafkaException:
            return False
        finally:
            consumer.close()
        return True

    def wait_for_assignment(self, group: str, seconds: float = 30) -> None:
        """Return once a consumer group has a member with partitions."""
        admin = AdminClient({"bootstrap.servers": self.bootstrap})

        def assigned() -> bool:
            described = admin.describe_consumer_groups([group], request_timeout=10)[group].result()
            return any(member.assignment.topic_partitions for member in described.members)

        wait_until(assigned, seconds, f"group {group}")

    def close(self) -> None:
        """Stop the parts, then the services."""
        for child in reversed(self.parts.values()):
            child.stop()
        for service in self.services.values():
            service.kill()


def scrape(port: int, metric: str) -> float:
    """The sum of a Prometheus metric over its labels, as a part exports it on `port`."""
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        lines = answer.read().decode().splitlines()
    return sum(
        float(line.rpartition(" ")[2]) for line in lines if line.startswith((metric + "{", metric + " "))
    )


@contextmanager
def rig(broker: Broker = "redis", *, one_redis: bool = False, seeded: bool = True) -> Iterator[Rig]:
    """Start services on free ports with data of their own.

    `one_redis`: the features stand in the broker's Redis. `seeded`: there is a model, and both tiers of the
    feature store hold a past of every customer and terminal that the benchmarks' orders name.

    The logs stay in `Rig.folder`; everything else is gone afterwards.
    """
    folder = Path(tempfile.mkdtemp(prefix="signalbox-rig-"))
    ports = {"kafka": free_port(), "store": free_port()}
    services = {
        "kafka": kafka(ports["kafka"], free_port(), folder),
        "store": redis("store", ports["store"], folder),
    }
    broker_url = f"redis://127.0.0.1:{ports['store']}/1"
    if broker == "rabbitmq":
        ports["rabbitmq"] = free_port()
        services["rabbitmq"] = rabbitmq(ports["rabbitmq"], folder)
        broker_url = f"amqp://guest:guest@127.0.0.1:{ports['rabbitmq']}//"
    elif not one_redis:
        ports["broker"] = free_port()
        services["broker"] = redis("broker", ports["broker"], folder)
        broker_url = f"redis://127.0.0.1:{ports['broker']}/0"
    made = Rig(folder, services, ports, broker_url)
    try:
        for service in services.values():
            service.start()
        for name in services:
            made.wait_for(name)
        made.complete("topics", "topics")
        wait_until(made.leads, 60, "a leader for every partition")
        if seeded:
            made.extra_env["SIGNALBOX_MODEL_DIR"] = str(model_dir())
            seed(made.env["DATABASE_URL"], made.store_url)
        yield made
    finally:
        made.close()
