"""Topics are made as they are declared, compared with the declaration, and put right, in a Kafka."""

import time
from collections.abc import Callable

import pytest
from confluent_kafka.admin import AdminClient

from events.errors import ConfigError
from tests import services
from transport.kafka import admin_client
from transport.topic_check import apply_properties, check_topics
from transport.topics import TopicSpec, create_topics, existing_topics

PROPERTIES = {
    "retention.ms": "-1",
    "retention.bytes": "-1",
    "cleanup.policy": "delete",
    "message.timestamp.type": "LogAppendTime",
    "max.message.bytes": "2000000",
    "compression.type": "producer",
    "min.insync.replicas": "1",
    "unclean.leader.election.enable": "false",
}


def wait_until(condition: Callable[[], bool], seconds: float = 10) -> None:
    """Return once the broker has heard of a change from the controller, some 50 ms after it was made."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def admin(kafka: str) -> AdminClient:
    return admin_client(kafka, **{"log_level": 0})


@pytest.fixture
def real() -> None:
    """Skips where Kafka is embedded, which keeps every property that it is given and follows none."""
    if services.configured("KAFKA_BOOTSTRAP_SERVERS") is None:
        pytest.skip("an embedded Kafka refuses nothing and has no defaults")


def test_what_is_made_is_as_declared(admin: AdminClient, unique: Callable[[str], str]) -> None:
    specs = [TopicSpec(unique("lane"), 3, PROPERTIES), TopicSpec(unique("letters"), 1, PROPERTIES)]
    assert set(create_topics(admin, specs)) == {spec.name for spec in specs}
    assert check_topics(admin, specs) == ()
    assert create_topics(admin, specs) == ()


def test_a_topic_that_is_missing_is_a_difference(admin: AdminClient, unique: Callable[[str], str]) -> None:
    (difference,) = check_topics(admin, [TopicSpec(unique("lane"), 1, PROPERTIES)])
    assert (difference.level, difference.found) == ("error", "missing")


@pytest.mark.usefixtures("real")
def test_a_topic_that_somebody_else_made_is_put_right(
    admin: AdminClient, unique: Callable[[str], str]
) -> None:
    name = unique("lane")
    create_topics(admin, [TopicSpec(name, 2)])
    declared = TopicSpec(name, 4, PROPERTIES)
    found = check_topics(admin, [declared])
    errors = {each.property for each in found if each.level == "error"}
    assert errors == {"retention.ms", "max.message.bytes", "message.timestamp.type"}
    assert apply_properties(admin, found) == {}
    # its partitions are left: to add some moves keys
    wait_until(lambda: [each.property for each in check_topics(admin, [declared])] == ["partitions"])


@pytest.mark.usefixtures("real")
@pytest.mark.parametrize(
    ("spec", "named"),
    [
        pytest.param(
            TopicSpec("", 1, PROPERTIES, replicas=3),
            [r"replication\.factor 3", "INVALID_REPLICATION_FACTOR", "lower replication.factor"],
            id="more replicas than there are brokers",
        ),
        pytest.param(
            TopicSpec("", 1, {"retention.ms": "-5"}),
            [r"retention\.ms -5", "INVALID_CONFIG", "change what is declared"],
            id="a property that Kafka does not take",
        ),
    ],
)
def test_a_topic_that_kafka_refuses_is_named_and_made_in_no_other_way(
    admin: AdminClient, unique: Callable[[str], str], spec: TopicSpec, named: list[str]
) -> None:
    bad = TopicSpec(unique("bad"), spec.partitions, spec.properties, spec.replicas)
    good = TopicSpec(unique("good"), 1, PROPERTIES)
    with pytest.raises(ConfigError, match=rf"kafka: {bad.name}: was not made .*{'.*'.join(named)}"):
        create_topics(admin, [bad, good])
    wait_until(lambda: good.name in existing_topics(admin))
    assert bad.name not in existing_topics(admin)
