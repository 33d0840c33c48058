"""The ceiling: consume, validate, features, predict, produce in one process; no queue, no retries.

python -m benchmarks.loop
"""

import time
from functools import partial

from confluent_kafka import Producer

from benchmarks.deciding import Deciding, Source
from events.topics import EVENTS
from settings import load_settings
from transport.kafka import connect_consumer, producer_config
from transport.publisher import Receipt

BATCH = 256
COMMIT_SECONDS = 1.0


def main() -> None:
    """Run until killed."""
    bootstrap = load_settings().kafka_cluster
    deciding = Deciding.from_settings()
    consumer = connect_consumer(bootstrap, "benchmark-loop", **{"enable.auto.offset.store": True})
    consumer.subscribe([EVENTS])
    producer = Producer(producer_config(bootstrap))
    committed = time.monotonic()
    while True:
        first = consumer.poll(0.1)
        if first is None:
            continue
        sources = [Source.of(m) for m in (first, *consumer.consume(BATCH - 1, 0)) if m.error() is None]
        receipt = Receipt(range(len(sources)))
        for place, record in enumerate(deciding.predictions(sources)):
            delivered = partial(receipt.delivered, place)
            producer.produce(record.topic, value=record.value, key=record.key, on_delivery=delivered)
        while receipt.left:
            producer.poll(0.01)
        if time.monotonic() - committed > COMMIT_SECONDS:
            consumer.commit(asynchronous=True)
            committed = time.monotonic()


if __name__ == "__main__":
    main()
