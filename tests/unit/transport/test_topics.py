"""What becomes of Kafka's refusals when topics are made and described."""

from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from events.errors import ConfigError, Unavailable
from transport.topic_check import apply_properties, check_topics
from transport.topics import TopicSpec, create_topics

LANE = TopicSpec("lane", 4, {"retention.ms": "-1"})


@dataclass
class Partition:
    replicas: list[int]


@dataclass
class Topic:
    partitions: dict[int, Partition]


@dataclass
class Metadata:
    topics: dict[str, Topic]
    brokers: dict[int, object] = field(default_factory=lambda: {1: object()})


def done(result: Any = None, code: int | None = None) -> "Future[Any]":
    future: Future[Any] = Future()
    if code is None:
        future.set_result(result)
    else:
        future.set_exception(KafkaException(KafkaError(code, "as Kafka puts it")))
    return future


@dataclass
class Admin:
    """A Kafka that answers to every request with one error."""

    code: int | None = None
    topics: dict[str, Topic] = field(default_factory=dict)
    made: list[str] = field(default_factory=list)

    def list_topics(self, timeout: float) -> Metadata:
        return Metadata(self.topics)

    def create_topics(self, wanted: Iterable[Any], **_: float) -> dict[str, "Future[Any]"]:
        self.made += [each.topic for each in wanted]
        if self.code in (None, KafkaError.TOPIC_ALREADY_EXISTS):
            self.topics |= dict.fromkeys(self.made, Topic({0: Partition([1])}))
        return {name: done(code=self.code) for name in self.made}

    def describe_configs(self, asked: Iterable[Any], **_: float) -> dict[Any, "Future[Any]"]:
        return {each: done({}, self.code) for each in asked}

    def incremental_alter_configs(self, asked: Iterable[Any], **_: float) -> dict[Any, "Future[Any]"]:
        return {each: done({}, self.code) for each in asked}


def client(code: int | None = None, *existing: str) -> AdminClient:
    topics = {name: Topic({number: Partition([1]) for number in range(4)}) for name in existing}
    return cast(AdminClient, Admin(code, topics))


def test_topics_that_the_platforms_people_made_need_no_right_to_make_them() -> None:
    assert create_topics(client(KafkaError.TOPIC_AUTHORIZATION_FAILED, "lane"), [LANE]) == ()


def test_without_the_right_to_make_topics_each_that_is_missing_is_named() -> None:
    specs = [LANE, TopicSpec("letters", 1), TopicSpec("predictions", 1)]
    with pytest.raises(ConfigError) as caught:
        create_topics(client(KafkaError.TOPIC_AUTHORIZATION_FAILED, "predictions"), specs)
    assert [problem.key for problem in caught.value.problems] == ["lane", "letters"]
    assert "kafka-topics.sh --create --topic lane" in str(caught.value)
    assert "grant CREATE" in str(caught.value)


def test_another_process_may_have_made_it_meanwhile() -> None:
    assert create_topics(client(KafkaError.TOPIC_ALREADY_EXISTS), [LANE]) == ("lane",)


@pytest.mark.parametrize("code", [KafkaError._TIMED_OUT, KafkaError._TRANSPORT, KafkaError.NOT_CONTROLLER])
def test_a_kafka_that_is_away_is_asked_again_later(code: int) -> None:
    with pytest.raises(Unavailable, match="topic lane could not be made"):
        create_topics(client(code), [LANE])


@pytest.mark.parametrize(
    "code",
    [
        KafkaError.INVALID_CONFIG,
        KafkaError.INVALID_PARTITIONS,
        KafkaError.INVALID_REPLICATION_FACTOR,
        KafkaError.POLICY_VIOLATION,
        KafkaError.TOPIC_EXCEPTION,
    ],
)
def test_what_kafka_will_never_make_is_the_operators_to_put_right(code: int) -> None:
    admin = Admin(code)
    with pytest.raises(ConfigError, match=r"kafka: lane: was not made .*as Kafka puts it; "):
        create_topics(cast(AdminClient, admin), [LANE])
    assert admin.made == ["lane"]


def test_without_the_right_to_describe_partitions_and_replicas_are_compared_all_the_same() -> None:
    wanted = TopicSpec("lane", 8, {"retention.ms": "-1"}, min_replicas=2)
    found = check_topics(client(KafkaError.TOPIC_AUTHORIZATION_FAILED, "lane"), [wanted])
    assert [(each.level, each.property) for each in found] == [
        ("error", "replication.factor"),
        ("warning", "partitions"),
        ("unknown", "properties"),
    ]


def test_without_the_right_to_alter_the_topic_is_named() -> None:
    admin = client(KafkaError.TOPIC_AUTHORIZATION_FAILED, "lane")
    found = check_topics(client(None, "lane"), [LANE])
    refused = apply_properties(admin, found)
    assert refused["lane"].startswith("TOPIC_AUTHORIZATION_FAILED")
