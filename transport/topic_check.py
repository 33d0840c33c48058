"""Asks Kafka how its topics are, and sets what differs from the declaration and can be set without loss."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # the stubs do not export them again
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)

from events.errors import Unavailable
from transport.topic_differences import Described, Difference, differences
from transport.topics import TopicSpec

TIMEOUT_S = 30.0


def check_topics(
    admin: AdminClient, specs: Iterable[TopicSpec], timeout: float = TIMEOUT_S
) -> tuple[Difference, ...]:
    """In what the topics differ from what is declared of them, in the order of `specs`.

    Raises `Unavailable`. A topic that this user may not see counts as missing.
    """
    specs = tuple(specs)
    found = _describe(admin, [spec.name for spec in specs], timeout)
    return tuple(each for spec in specs for each in differences(spec, found.get(spec.name)))


def apply_properties(
    admin: AdminClient, wanted: Iterable[Difference], timeout: float = TIMEOUT_S
) -> dict[str, str]:
    """Set the properties that differ and are safe to set; returns the topics that Kafka refused, and why.

    Neither partitions nor replicas are changed. Raises `Unavailable`.
    """
    entries: dict[str, list[ConfigEntry]] = defaultdict(list)
    for each in wanted:
        if each.safe:
            entry = ConfigEntry(each.property, each.declared, incremental_operation=AlterConfigOpType.SET)
            entries[each.topic].append(entry)
    if not entries:
        return {}
    resources = [
        ConfigResource(ResourceType.TOPIC, topic, incremental_configs=of_topic)
        for topic, of_topic in entries.items()
    ]
    refused = {}
    for resource, altered in admin.incremental_alter_configs(resources, request_timeout=timeout).items():
        try:
            altered.result()
        except KafkaException as raised:
            error = raised.args[0]
            if error.code() < 0 or error.retriable():
                raise Unavailable("kafka", error.str()) from raised
            refused[resource.name] = f"{error.name()}: {error.str()}"
    return refused


def _describe(admin: AdminClient, names: Sequence[str], timeout: float) -> dict[str, Described]:
    try:
        known = admin.list_topics(timeout=timeout).topics
    except KafkaException as error:
        raise Unavailable("kafka", error) from error
    there = [name for name in names if name in known]
    properties = _properties(admin, there, timeout) if there else {}
    return {
        name: Described(
            len(known[name].partitions),
            min((len(each.replicas) for each in known[name].partitions.values()), default=0),
            properties[name],
        )
        for name in there
    }


def _properties(
    admin: AdminClient, names: Sequence[str], timeout: float
) -> dict[str, Mapping[str, str] | None]:
    """The properties of topics by name; None without the right to read them."""
    asked = [ConfigResource(ResourceType.TOPIC, name) for name in names]
    properties: dict[str, Mapping[str, str] | None] = {}
    for resource, answer in admin.describe_configs(asked, request_timeout=timeout).items():
        try:
            entries = answer.result()
        except KafkaException as raised:
            if raised.args[0].code() != KafkaError.TOPIC_AUTHORIZATION_FAILED:
                raise Unavailable("kafka", raised.args[0].str()) from raised
            properties[resource.name] = None
        else:
            # Kafka leaves out the value of what it holds for secret
            properties[resource.name] = {
                name: entry.value for name, entry in entries.items() if entry.value is not None
            }
    return properties
