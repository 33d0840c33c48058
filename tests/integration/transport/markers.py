"""Writes records in transactions, whose markers take the last offset of their partitions."""

from collections.abc import Mapping

from confluent_kafka import Producer

from transport.kafka import producer_config


def write_in_a_transaction(kafka: str, topic: str, values: Mapping[int, list[bytes]]) -> None:
    """Write values by partition, and commit. Each partition then ends with a marker."""
    producer = Producer(producer_config(kafka, **{"transactional.id": f"tests.{topic}"}))
    producer.init_transactions(30)
    producer.begin_transaction()
    for number, some in values.items():
        for value in some:
            producer.produce(topic, value, str(number).encode(), number)
    producer.commit_transaction(30)
