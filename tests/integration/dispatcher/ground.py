"""Topics, a routing table and orders of a test's own, and what stands in Kafka afterwards."""

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec
from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

import routing
from dispatcher.topics import DeclaredTopics
from events.decision import Decision, Position
from events.lane import Waiting, encode_waiting
from events.priority import Priority
from routing import Rules
from transport.clock import system_clock
from transport.kafka import consumer_config, producer_config
from transport.topics import TopicSpec, create_topics

PARTITIONS = 4
TOPICS = DeclaredTopics(Path(__file__).parents[3] / "config/topics.yaml", PARTITIONS, replicas=1)
NOW = system_clock()

WORKFLOWS = """
workflows:
  fraud-classifier:
    task: tasks.fraud.score
    queues:
      {queue}:
        pool: prefork
        concurrency: 2
        soft_time_limit_s: 2
        time_limit_s: 3
        visibility_timeout_s: 4
        max_batch: 256
"""

ROUTE = """
  {event_type}:
    workflow: fraud-classifier
    priority: {priority}
    sla_ms: 100
    queue: {queue}
    backoff_ms: 100
"""


def wait_until(condition: Callable[[], object], seconds: float, what: str) -> None:
    """Return once `condition` holds. Fails the test, naming `what`, after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:.0f} s: {what}")
        time.sleep(0.02)


@dataclass(frozen=True)
class Ground:
    """A source topic and one queue that no other test uses."""

    kafka: str
    source: str
    queue: str
    folder: Path

    @property
    def lane(self) -> str:
        """The lane of orders."""
        return f"{self.queue}.high"

    @property
    def table_path(self) -> Path:
        """The routing table's file."""
        return self.folder / "routing_table.yaml"

    @property
    def workflows_path(self) -> Path:
        """The catalogue's file."""
        return self.folder / "workflows.yaml"

    def write_table(self, **priorities: str) -> None:
        """A table in which event types (`order_placed`) have routes of these priorities to the queue."""
        routes = (
            ROUTE.format(event_type=name.replace("_", "."), priority=priority, queue=self.queue)
            for name, priority in priorities.items()
        )
        self.table_path.write_text("routes:" + "".join(routes))
        self.workflows_path.write_text(WORKFLOWS.format(queue=self.queue))

    def rules(self) -> Rules:
        """What the files say now."""
        return routing.load(self.table_path, self.workflows_path)

    def make_topics(self) -> None:
        """Those of the rules, and the source."""
        specs = (*TOPICS.specs(self.rules()), TopicSpec(self.source, PARTITIONS))
        create_topics(AdminClient({"bootstrap.servers": self.kafka}), specs)

    def produce(self, topic: str, values: Iterable[bytes | None], partition: int | None = None) -> None:
        """Write records whose keys are their numbers; returns once Kafka has them."""
        producer = Producer(producer_config(self.kafka))
        for number, value in enumerate(values):
            place = -1 if partition is None else partition
            while True:
                with suppress(BufferError):
                    producer.produce(topic, value, str(number).encode(), place)
                    break
                producer.poll(0.1)
        assert producer.flush(60) == 0

    def read(self, topic: str, seconds: float = 0.7, enough: int | None = None) -> list[Message]:
        """What stands in a topic: read until nothing has come for `seconds`, or there is enough."""
        consumer = Consumer(consumer_config(self.kafka, "tests"))
        try:
            numbers = consumer.list_topics(topic, 10).topics[topic].partitions
            consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in numbers])
            messages: list[Message] = []
            while batch := consumer.consume(10_000, seconds):
                messages += [message for message in batch if message.error() is None]
                if enough is not None and len(messages) >= enough:
                    break
            return messages
        finally:
            consumer.close()

    def committed(self, group: str, topic: str) -> int:
        """The sum of what a group has committed in a topic."""
        consumer = Consumer(consumer_config(self.kafka, group))
        try:
            places = consumer.committed([TopicPartition(topic, n) for n in range(PARTITIONS)], 10)
            return sum(max(place.offset, 0) for place in places)
        finally:
            consumer.close()


def order(number: int, event_type: str = "order.placed", **changes: object) -> bytes:
    """An order as its producer writes it."""
    event = {
        "event_id": f"e-{number}",
        "event_type": event_type,
        "source": "till",
        "version": "1.0.0",
        "occurred_at": NOW,
        "tenant_id": "retailpulse",
        "payload": {
            "order_id": f"o-{number}",
            "customer_id": f"c-{number % 97}",
            "terminal_id": "t-1",
            "amount": 12.5,
            "currency": "GBP",
        },
    }
    return msgspec.json.encode(event | changes)


def refund(number: int) -> bytes:
    """A refund as its producer writes it."""
    payload = {
        "refund_id": f"r-{number}",
        "order_id": f"o-{number}",
        "customer_id": f"c-{number % 97}",
        "amount": 2.5,
        "currency": "GBP",
    }
    return order(number, "refund.requested", payload=payload)


def lane_records(
    ground: Ground, numbers: Iterable[int], priority: Priority = Priority.HIGH
) -> list[bytes | None]:
    """What a router writes for these orders."""
    (route,) = ground.rules().table.all_routes
    return [
        encode_waiting(
            Waiting(
                msgspec.Raw(order(number)),
                Decision(
                    prediction_id=f"pred_{number}",
                    workflow=route.workflow,
                    queue=ground.queue,
                    priority=priority,
                    rule=route.rule,
                    table_hash="0" * 12,
                    sla_ms=100,
                    deadline=1_700_000_000_100,
                    source=Position(ground.source, 0, number),
                ),
            )
        )
        for number in numbers
    ]
