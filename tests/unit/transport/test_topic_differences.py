"""What is said of a topic that is not as it was declared."""

import pytest

from transport.topic_differences import Described, as_lines, differences
from transport.topics import TopicSpec, create_command, new_topic

DECLARED = {
    "retention.ms": "-1",
    "retention.bytes": "-1",
    "cleanup.policy": "delete",
    "message.timestamp.type": "LogAppendTime",
    "max.message.bytes": "2000000",
    "compression.type": "producer",
    "min.insync.replicas": "2",
    "unclean.leader.election.enable": "false",
}
LANE = TopicSpec("lane", 4, DECLARED, min_replicas=3)


def described(partitions: int = 4, replicas: int = 3, **properties: str) -> Described:
    changed = {name.replace("_", "."): value for name, value in properties.items()}
    return Described(partitions, replicas, DECLARED | changed)


def found(topic: Described | None, spec: TopicSpec = LANE) -> list[tuple[str, str, bool]]:
    return [(each.level, each.property, each.safe) for each in differences(spec, topic)]


def test_a_topic_that_is_as_declared_has_no_difference() -> None:
    assert found(described()) == []
    assert found(described(partitions=8, replicas=5)) == []


@pytest.mark.parametrize(
    ("topic", "expected"),
    [
        pytest.param(None, ("error", "topic", False), id="it does not exist"),
        pytest.param(
            described(retention_ms="604800000"), ("error", "retention.ms", True), id="events expire in a lane"
        ),
        pytest.param(described(retention_bytes="1"), ("error", "retention.bytes", True), id="by their bytes"),
        pytest.param(
            described(max_message_bytes="1048588"), ("error", "max.message.bytes", True), id="too narrow"
        ),
        pytest.param(
            described(max_message_bytes="9000000"),
            ("warning", "max.message.bytes", False),
            id="wider: what it holds might not be taken again",
        ),
        pytest.param(described(cleanup_policy="compact"), ("error", "cleanup.policy", True), id="compacted"),
        pytest.param(
            described(cleanup_policy="compact,delete"), ("error", "cleanup.policy", True), id="both"
        ),
        pytest.param(
            described(message_timestamp_type="CreateTime"),
            ("error", "message.timestamp.type", True),
            id="the producer's clock",
        ),
        pytest.param(
            described(unclean_leader_election_enable="true"),
            ("error", "unclean.leader.election.enable", True),
            id="a replica that lags may lead",
        ),
        pytest.param(
            described(min_insync_replicas="1"),
            ("error", "min.insync.replicas", True),
            id="one disk will do",
        ),
        pytest.param(
            described(min_insync_replicas="3"),
            ("warning", "min.insync.replicas", True),
            id="stricter: writes stop while one broker is away",
        ),
        pytest.param(
            described(compression_type="gzip"), ("warning", "compression.type", True), id="compressed again"
        ),
        pytest.param(described(partitions=2), ("warning", "partitions", False), id="fewer partitions"),
        pytest.param(
            described(replicas=1, min_insync_replicas="1"),
            ("error", "replication.factor", False),
            id="one replica, of which none more can be in sync",
        ),
        pytest.param(
            Described(4, 3, None), ("unknown", "properties", False), id="no right to read its properties"
        ),
    ],
)
def test_a_difference_is_an_error_if_records_are_lost_by_it(
    topic: Described | None, expected: tuple[str, str, bool]
) -> None:
    assert found(topic) == [expected]


def test_a_topic_that_keeps_more_than_declared_is_not_cut_by_apply() -> None:
    week = TopicSpec("source", 4, {**DECLARED, "retention.ms": "604800000"}, min_replicas=3)
    assert found(described(retention_ms="-1"), week) == [("warning", "retention.ms", False)]


def test_what_kafka_does_not_describe_is_said_to_be_unchecked() -> None:
    bare = Described(4, 3, {name: value for name, value in DECLARED.items() if name != "retention.ms"})
    assert [level for level, name, _ in found(bare) if name == "retention.ms"] == ["unknown"]


def test_the_way_out_is_a_command_to_copy() -> None:
    (difference,) = differences(LANE, described(retention_ms="1"))
    assert difference.way_out.endswith(
        "kafka-configs.sh --alter --entity-type topics --entity-name lane --add-config retention.ms=-1"
    )
    (missing,) = differences(LANE, None)
    assert create_command(LANE) in missing.way_out
    assert "--replication-factor 3 --config retention.ms=-1" in create_command(LANE)


def test_a_log_has_a_line_for_each_kind_of_difference() -> None:
    others = (TopicSpec(name, 4, DECLARED) for name in ("b", "a"))
    (line,) = as_lines(each for spec in others for each in differences(spec, described(retention_ms="1")))
    assert line.startswith("a, b: retention.ms is 1, declared -1: records expire")


@pytest.mark.parametrize(
    ("spec", "brokers", "replicas", "in_sync"),
    [
        pytest.param(LANE, 3, 3, "2", id="as many as declared"),
        pytest.param(LANE, 6, 3, "2", id="not more because there are more brokers"),
        pytest.param(LANE, 1, -1, None, id="too few brokers: the cluster's default"),
        pytest.param(
            TopicSpec("lane", 4, DECLARED, replicas=3),
            1,
            3,
            "2",
            id="asked for as it is declared",
        ),
    ],
)
def test_a_topic_is_made_with_the_replicas_that_are_declared(
    spec: TopicSpec, brokers: int, replicas: int, in_sync: str | None
) -> None:
    made = new_topic(spec, brokers)
    assert made.replication_factor == replicas
    assert (made.config or {}).get("min.insync.replicas") == in_sync
