"""Which Kafka topics there must be, and how they are made."""

from collections.abc import Iterable
from dataclasses import dataclass

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from events.errors import Unavailable

LANE_BYTES = 2_000_000
"""The largest record of a source or lane topic."""

DEAD_LETTER_BYTES = 4_000_000
"""A dead letter carries its original and what is said about it."""


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """A topic by name, partitions and the bytes of its largest record."""

    name: str
    partitions: int
    max_message_bytes: int = LANE_BYTES


def existing_topics(admin: AdminClient, timeout: float = 10) -> set[str]:
    """The names of the topics that Kafka holds. Raises `Unavailable`."""
    try:
        return set(admin.list_topics(timeout=timeout).topics)
    except KafkaException as error:
        raise Unavailable("kafka", error) from error


def create_topics(admin: AdminClient, specs: Iterable[TopicSpec], timeout: float = 30) -> tuple[str, ...]:
    """Make what is missing; answer with the names of the topics that were made. Raises `Unavailable`.

    A broker that refuses the topic's configuration (an embedded one may) gets it without.
    Several processes may call this at once.
    """
    present = existing_topics(admin, timeout)
    missing = {spec.name: spec for spec in specs if spec.name not in present}
    refused = _create(admin, missing.values(), timeout, with_config=True)
    still_refused = _create(admin, (missing[name] for name in refused), timeout, with_config=False)
    if still_refused:
        name, reason = next(iter(still_refused.items()))
        raise Unavailable("kafka", f"topic {name} could not be made: {reason}")
    return tuple(missing)


def _create(
    admin: AdminClient, specs: Iterable[TopicSpec], timeout: float, *, with_config: bool
) -> dict[str, KafkaException]:
    """Try to make topics; answer with those that Kafka refused, and why."""
    wanted = [
        NewTopic(
            spec.name,
            num_partitions=spec.partitions,
            replication_factor=-1 if with_config else 1,
            config={"max.message.bytes": str(spec.max_message_bytes)} if with_config else {},
        )
        for spec in specs
    ]
    refused: dict[str, KafkaException] = {}
    if not wanted:
        return refused
    for name, made in admin.create_topics(wanted, operation_timeout=timeout, request_timeout=timeout).items():
        try:
            made.result()
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                refused[name] = error
    return refused
