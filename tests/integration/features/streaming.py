"""A topic, both stores and pipelines of a test's own."""

import shutil
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from confluent_kafka import KafkaError, Message, Producer
from confluent_kafka.admin import AdminClient

from events.errors import Unavailable
from events.timeliness import ANY_AGE
from features.decoding import segments_of
from features.keys import row_key, shelf_of
from features.offline.batch import Committed, StreamBatch
from features.offline.store import OfflineStore, open_offline
from features.pipeline.member import Pipeline
from features.redis_store import RedisStore
from features.retail import CUSTOMER_ORDERS, DEFINITIONS
from tests.integration.dispatcher.own_redis import OwnRedis
from transport.kafka import producer_config
from transport.topics import TopicSpec, create_topics

PARTITIONS = 4


class Streaming:
    """Events go to `topic`; what is counted stands in `offline` and `online`."""

    def __init__(self, kafka: str, topic: str, redis: OwnRedis, folder: Path) -> None:
        self.kafka = kafka
        self.topic = topic
        self.redis = redis
        self._redis_data = folder / "redis"
        self.database_url = f"sqlite:///{folder}/features.db"
        self.offline: OfflineStore = open_offline(self.database_url)
        self.offline.create(DEFINITIONS)
        self.online = RedisStore(redis.url)
        create_topics(AdminClient({"bootstrap.servers": kafka}), [TopicSpec(topic, PARTITIONS)])

    def produce(
        self, values: Iterable[bytes | None], partition: int | None = None, timestamp: int = 0
    ) -> None:
        """Returns once Kafka has them. `timestamp` (epoch ms) is what the producer's clock says; 0: now."""
        producer = Producer(producer_config(self.kafka))
        refused: list[KafkaError] = []

        def delivered(error: KafkaError | None, _message: Message) -> None:
            if error is not None:
                refused.append(error)

        for number, value in enumerate(values):
            while True:
                with suppress(BufferError):
                    place = number % PARTITIONS if partition is None else partition
                    key = str(number).encode()
                    producer.produce(self.topic, value, key, place, delivered, timestamp=timestamp)
                    break
                producer.poll(0.1)
        assert producer.flush(60) == 0
        assert refused == []

    def counted(self) -> int:
        """How many offsets are counted in SQL."""
        return sum(self.offline.positions(self.topic).values())

    def pushed(self) -> int:
        """How many offsets the online store was told of."""
        return sum(beat.position for beat in self.online.heartbeats().partitions.values())

    def total(self, customer: str) -> tuple[int | None, int]:
        """What a customer's increments sum, in cents, online (None: not there) and offline."""
        view = CUSTOMER_ORDERS
        (row,), _ = self.online.read([row_key("acme", shelf_of(view), customer)])
        found = self.offline.rows(view, [("acme", customer)]).segments.get(("acme", customer), ())
        here = None if row is None else sum(int(each.increments["amount"].sum()) for each in segments_of(row))
        return here, sum(int(each.increments["amount"].sum()) for each in found)

    def lose_redis_data(self) -> None:
        """As if the Redis that was killed were replaced by an empty one."""
        shutil.rmtree(self._redis_data)
        self._redis_data.mkdir()

    @contextmanager
    def member(self, offline: OfflineStore | None = None) -> Iterator["Member"]:
        """A pipeline on a thread of its own, which is stopped in the end."""
        running = Member(self, offline or open_offline(self.database_url))
        try:
            yield running
        finally:
            running.stop.set()
            running.join()


class MayBeAway(OfflineStore):
    """An offline store that can be cut off. `tried` counts the attempts to write to it meanwhile."""

    away = False
    tried = 0

    def positions(self, topic: str) -> dict[int, int]:
        """Cut off as well."""
        self._check()
        return super().positions(topic)

    def commit(self, batch: StreamBatch) -> Committed:
        """Cut off as well."""
        self._check()
        return super().commit(batch)

    def _check(self) -> None:
        if self.away:
            self.tried += 1
            raise Unavailable("offline feature store", "cut off")


class Member:
    """A pipeline that runs; `error` is what ended it, if that was not `stop`."""

    def __init__(self, streaming: Streaming, offline: OfflineStore) -> None:
        self.stop = threading.Event()
        self.error: Exception | None = None
        self._make: Callable[[], Pipeline] = lambda: Pipeline(
            streaming.kafka,
            DEFINITIONS,
            offline,
            RedisStore(streaming.redis.url),
            self.stop,
            source=streaming.topic,
            group=f"features.{streaming.topic}",
            spans=ANY_AGE,
        )
        self._offline = offline
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def join(self) -> None:
        """Wait for its end."""
        self._thread.join(30)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._make().run()
        except Exception as error:  # noqa: BLE001 - handed to the test's own thread
            self.error = error
        finally:
            self._offline.close()
