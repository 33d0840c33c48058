"""Kafka topics as they are declared, and how what is missing is made."""

import logging
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from events.errors import ConfigError, Problem, Unavailable

LANE_BYTES = 2_000_000
"""The largest record of a source or lane topic."""

DEAD_LETTER_BYTES = 4_000_000
"""A dead letter carries its original and what is said about it."""

CLUSTERS_DEFAULT = -1
"""As many replicas as the cluster's `default.replication.factor` says."""

LASTING = {
    "retention.ms": "-1",
    "retention.bytes": "-1",
    "message.timestamp.type": "LogAppendTime",
    "max.message.bytes": str(LANE_BYTES),
}
"""What a topic gets that is made in need, before any declaration is asked: nothing in it expires."""

VISIBLE_S = 5.0
MIN_ISR = "min.insync.replicas"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """A topic as it is declared. `properties` has Kafka's own names and values (`retention.ms`: `-1`).

    `replicas` is asked for as it is. None asks for `min_replicas`, or for the cluster's default if it has
    fewer brokers.
    """

    name: str
    partitions: int
    properties: Mapping[str, str] = field(default_factory=dict)
    replicas: int | None = None
    min_replicas: int = 1


def existing_topics(admin: AdminClient, timeout: float = 10) -> set[str]:
    """The names of the topics that Kafka holds, as far as this user may see them. Raises `Unavailable`."""
    try:
        return set(admin.list_topics(timeout=timeout).topics)
    except KafkaException as error:
        raise Unavailable("kafka", error) from error


def create_topics(admin: AdminClient, specs: Iterable[TopicSpec], timeout: float = 30) -> tuple[str, ...]:
    """Make what is missing, as it is declared; returns the names of the topics that were made.

    Raises `Unavailable`, and `ConfigError` with every topic that Kafka refuses to make: none is made in
    another way than it is declared. Several processes may call this at once.
    """
    try:
        known = admin.list_topics(timeout=timeout)
    except KafkaException as error:
        raise Unavailable("kafka", error) from error
    missing = {spec.name: spec for spec in specs if spec.name not in known.topics}
    if not missing:
        return ()
    brokers = len(known.brokers)
    _warn_of_few_brokers(missing.values(), brokers)
    refused = _create(admin, [new_topic(spec, brokers) for spec in missing.values()], timeout)
    if refused:
        raise ConfigError(
            Problem("kafka", 0, name, _refusal(missing[name], error)) for name, error in refused.items()
        )
    _await_visible(admin, missing.keys(), timeout)
    return tuple(missing)


def _await_visible(admin: AdminClient, names: Collection[str], timeout: float) -> None:
    """A broker answers for a topic only once it has heard of it from the controller, some 50 ms later."""
    deadline = time.monotonic() + min(timeout, VISIBLE_S)
    while not existing_topics(admin, timeout).issuperset(names) and time.monotonic() < deadline:
        time.sleep(0.02)


def new_topic(spec: TopicSpec, brokers: int) -> NewTopic:
    """What a cluster of so many brokers is asked to make."""
    replicas = spec.replicas or spec.min_replicas
    properties = dict(spec.properties)
    if spec.replicas is None and brokers < spec.min_replicas:
        replicas = CLUSTERS_DEFAULT
        # nobody knows how many that is: with more in sync than there are replicas, no record would be taken
        properties.pop(MIN_ISR, None)
    return NewTopic(spec.name, spec.partitions, replicas, config=properties)


def _warn_of_few_brokers(specs: Iterable[TopicSpec], brokers: int) -> None:
    few = sorted(spec.name for spec in specs if spec.replicas is None and brokers < spec.min_replicas)
    if few:
        _log.warning(
            "%d topics are made with fewer replicas than min.replicas declares (%s, ...): the cluster has %d"
            " broker(s), and a lost disk loses records; add brokers, or accept it by SIGNALBOX_REPLICAS=%d",
            *(len(few), few[0], brokers, brokers),
        )


def _create(admin: AdminClient, wanted: Sequence[NewTopic], timeout: float) -> dict[str, KafkaError]:
    """Ask for topics; returns those that Kafka will never make so, and why. Raises `Unavailable`."""
    refused: dict[str, KafkaError] = {}
    for name, made in admin.create_topics(
        list(wanted), operation_timeout=timeout, request_timeout=timeout
    ).items():
        try:
            made.result()
        except KafkaException as raised:
            error = raised.args[0]
            if error.code() not in _PERMANENT and error.code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise Unavailable("kafka", f"topic {name} could not be made: {error.str()}") from raised
            if error.code() != KafkaError.TOPIC_ALREADY_EXISTS:
                refused[name] = error
    return refused


_MAY_NOT = frozenset({KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.CLUSTER_AUTHORIZATION_FAILED})
_PERMANENT = _MAY_NOT | {
    KafkaError.INVALID_CONFIG,
    KafkaError.INVALID_PARTITIONS,
    KafkaError.INVALID_REPLICATION_FACTOR,
    KafkaError.INVALID_REQUEST,
    KafkaError.POLICY_VIOLATION,
    KafkaError.TOPIC_EXCEPTION,  # a name that Kafka does not take
    KafkaError.UNSUPPORTED_VERSION,
}


def _refusal(spec: TopicSpec, error: KafkaError) -> str:
    """What Kafka did not take, in its own words, and the way out."""
    if error.code() in _MAY_NOT:
        return (
            f"is missing, or this user may not see it, and may not make it ({error.name()}): have it made"
            f" with `{create_command(spec)}`, or grant CREATE and DESCRIBE"
        )
    declared = f"with {spec.partitions} partitions"
    match error.code():
        case KafkaError.INVALID_REPLICATION_FACTOR:
            declared = f"replication.factor {spec.replicas or spec.min_replicas}"
            way_out = "lower replication.factor or min.replicas in the file of the topics, or add brokers"
        case KafkaError.INVALID_CONFIG | KafkaError.POLICY_VIOLATION | KafkaError.INVALID_REQUEST:
            declared = ", ".join(f"{key} {value}" for key, value in spec.properties.items())
            way_out = "change what is declared in the file of the topics"
        case KafkaError.INVALID_PARTITIONS:
            way_out = "change partitions in the file of the topics, or SIGNALBOX_PARTITIONS"
        case _:
            way_out = f"make it by hand with `{create_command(spec)}`"
    return f"was not made ({declared}): {error.name()}: {error.str()}; {way_out}"


def create_command(spec: TopicSpec) -> str:
    """What makes a topic with Kafka's own tool."""
    properties = " ".join(f"--config {key}={value}" for key, value in spec.properties.items())
    return (
        f"kafka-topics.sh --create --topic {spec.name} --partitions {spec.partitions}"
        f" --replication-factor {spec.replicas or spec.min_replicas} {properties}"
    ).rstrip()
