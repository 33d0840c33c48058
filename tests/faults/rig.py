"""The whole system on real services, as child processes that a run may kill: what every fault run and benchmark stands on."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.orders import feature_rows
from features.online import RedisOnlineStore
from tests.faults.processes import Child, accepts, free_port, kafka, redis, signalbox, wait_until
from transport.clock import system_clock
from transport.topics import ensure_topics

FRAUD_QUEUE = "ml.fraud.input"


@dataclass
class Rig:
    """Real Kafka, a Redis for features, a broker, and the parts of the system by name."""

    folder: Path
    bootstrap: str
    store_url: str
    broker_url: str
    kafka: Child
    store: Child
    broker: Child
    parts: dict[str, Child] = field(default_factory=dict)

    @property
    def env(self) -> Mapping[str, str]:
        """What a part needs to find the services."""
        return {
            "KAFKA_BOOTSTRAP_SERVERS": self.bootstrap,
            "REDIS_URL": self.store_url,
            "CELERY_BROKER_URL": self.broker_url,
            "DATABASE_URL": f"sqlite:///{self.folder}/signalbox.db",
            "OMP_NUM_THREADS": "1",
        }

    def run(self, name: str, *arguments: str) -> Child:
        """Start a part with `signalbox` and these arguments, under a name of its own."""
        child = signalbox(name, arguments, self.folder, self.env)
        child.start()
        self.parts[name] = child
        return child

    def stop(self, name: str) -> None:
        """Stop a part as an operator would."""
        self.parts.pop(name).stop()

    def load_features(self) -> None:
        """Put the feature rows of every customer and terminal that the orders name into the store."""
        RedisOnlineStore(self.store_url).write(feature_rows(system_clock()))

    def restart(self, service: Child) -> None:
        """Kill a service and start it again; returns once it answers."""
        service.kill()
        service.start()
        wait_until(lambda: accepts(self.ports[service.name]), 60, service.name)

    def empty_redis(self) -> None:
        """Forget everything that stands in Redis, features included, as a failover to an empty replica does."""
        Redis.from_url(self.store_url).flushall()

    def fed_again(self) -> int:
        """How many records the reconciler has sent a second time, as its metrics say."""
        return int(scrape(self.metrics_port, "signalbox_reconciler_fed_again_total"))

    def close(self) -> None:
        """Stop the parts, then the services."""
        for child in reversed(self.parts.values()):
            child.stop()
        for service in (self.broker, self.store, self.kafka):
            service.kill()


@contextmanager
def rig(partitions: int = 4) -> Iterator[Rig]:
    """Start services on free ports with data of their own; everything is gone afterwards but the logs."""
    folder = Path(tempfile.mkdtemp(prefix="signalbox-rig-"))
    kafka_port, store_port, broker_port = free_port(), free_port(), free_port()
    made = Rig(
        folder=folder,
        bootstrap=f"127.0.0.1:{kafka_port}",
        store_url=f"redis://127.0.0.1:{store_port}/0",
        broker_url=f"redis://127.0.0.1:{broker_port}/0",
        kafka=kafka(kafka_port, free_port(), folder),
        store=redis("store", store_port, folder),
        broker=redis("broker", broker_port, folder),
    )
    try:
        for service in (made.kafka, made.store, made.broker):
            service.start()
        for port in (kafka_port, store_port, broker_port):
            wait_until(lambda port=port: accepts(port), 60, f"port {port}")  # type: ignore[misc]  # default binds the loop variable
        ensure_topics(made.bootstrap, partitions)
        made.load_features()
        yield made
    finally:
        made.close()
