"""The declaration of the Kafka topics: what the shipped file asks for, and what is wrong with another."""

from pathlib import Path

import pytest

from dispatcher.topics import DeclaredTopics
from events.errors import ConfigError
from routing import load
from routing.topics import Declared
from routing.topics_file import load_topics
from transport.topics import DEAD_LETTER_BYTES, LANE_BYTES, TopicSpec

ROOT = Path(__file__).parents[3]
SHIPPED = ROOT / "config/topics.yaml"
RULES = load(ROOT / "config/routing_table.yaml", ROOT / "config/workflows.yaml")


def shipped(replicas: int | None = None) -> dict[str, TopicSpec]:
    return {spec.name: spec for spec in DeclaredTopics(SHIPPED, 4, replicas).specs(RULES)}


def declared(text: str, tmp_path: Path) -> dict[str, Declared]:
    path = tmp_path / "topics.yaml"
    path.write_text(text)
    return load_topics(path, RULES.catalogue)


def test_every_topic_of_the_rules_is_declared_and_no_other() -> None:
    fixed = {"retail.events", "retail.events.unrouted", "retail.events.dlq", "retail.events.replays"}
    lanes = {lane.topic for lane in RULES.lanes()}
    dead = {f"{queue}.dlq" for queue in RULES.catalogue.queues}
    assert shipped().keys() == fixed | {"ml.predictions"} | lanes | dead


def test_only_the_source_expires_by_default() -> None:
    kept = {name for name, spec in shipped().items() if spec.properties["retention.ms"] == "-1"}
    assert shipped().keys() - kept == {"retail.events"}
    assert {spec.properties["retention.bytes"] for spec in shipped().values()} == {"-1"}


def test_what_an_earlier_table_or_a_refused_lane_has_left_is_declared_too() -> None:
    left = ["ml.churn.input.high", "ml.fraud.input.high.overflow", "a topic of others"]
    specs = {spec.name: spec for spec in DeclaredTopics(SHIPPED, 4).specs(RULES, left)}
    assert specs.keys() - shipped().keys() == set(left[:2])
    assert specs["ml.fraud.input.high.overflow"].properties["retention.ms"] == "-1"


def test_the_broker_dates_every_record() -> None:
    assert {spec.properties["message.timestamp.type"] for spec in shipped().values()} == {"LogAppendTime"}


def test_a_lane_takes_what_the_router_writes_and_a_dead_letter_its_original() -> None:
    for name, spec in shipped().items():
        expected = DEAD_LETTER_BYTES if name.endswith(".dlq") else LANE_BYTES
        assert spec.properties["max.message.bytes"] == str(expected), name


@pytest.mark.parametrize(
    ("replicas", "least", "in_sync"),
    [
        pytest.param(None, 3, "2", id="the file's"),
        pytest.param(1, 1, "1", id="a Kafka of one node"),
        pytest.param(2, 2, "1", id="with both in sync required, no broker could be restarted"),
        pytest.param(5, 5, "2", id="more than the file asks for"),
    ],
)
def test_the_installation_says_how_many_replicas_are_enough(
    replicas: int | None, least: int, in_sync: str
) -> None:
    for spec in shipped(replicas).values():
        assert (spec.min_replicas, spec.properties["min.insync.replicas"]) == (least, in_sync)


def test_a_topic_goes_before_its_kind_and_a_kind_before_all(tmp_path: Path) -> None:
    found = declared(
        "topics:\n"
        "  all: {retention.ms: 1000, max.message.bytes: 20000, partitions: 3}\n"
        "  lanes: {retention.ms: 2000}\n"
        "  ml.fraud.input.high: {retention.ms: -1, partitions: 12, replication.factor: 3}\n",
        tmp_path,
    )
    assert found["ml.fraud.input.high"] == Declared(
        12, 3, 1, {"retention.ms": "-1", "max.message.bytes": "20000"}
    )
    assert found["ml.churn.input.low"] == Declared(
        3, None, 1, {"retention.ms": "2000", "max.message.bytes": "20000"}
    )
    assert found["retail.events"].properties["retention.ms"] == "1000"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("  lanes: {retention.ms: 0}", r":2: lanes: retention.ms must be -1 .* is 0", id="none"),
        pytest.param("  lanes: {retention.ms: 7d}", "retention.ms must be a whole number, is 7d", id="7d"),
        pytest.param(
            "  lanes: {retention.minutes: 5}",
            ":2: lanes: unknown key retention.minutes; nearest: retention",
            id="a property that is misspelt",
        ),
        pytest.param("  lane: {}", "neither a kind of topic nor a topic; nearest: lanes", id="a kind"),
        pytest.param(
            "  ml.fruad.input.high: {}", "nearest: ml.fraud.input.high", id="a topic that is misspelt"
        ),
        pytest.param(
            "  lanes: {cleanup.policy: compact}",
            ":2: lanes: cleanup.policy must be one of delete, is compact",
            id="compaction drops the earlier events of a customer",
        ),
        pytest.param(
            "  all: {min.replicas: 3}\n  lanes: {min.insync.replicas: 3}",
            r":3: lanes: min.insync.replicas must be below the number of replicas \(3\), is 3",
            id="all in sync",
        ),
        pytest.param(
            "  all: {unclean.leader.election.enable: maybe}", ":2: all: .* true or false", id="no truth"
        ),
        pytest.param("  lanes: [1]", ":2: lanes: must be a mapping", id="a list"),
        pytest.param("  lanes: {partitions: 0}", "partitions must be positive, is 0", id="partitions"),
        pytest.param("  lanes: {}\n  lanes: {}", ":3: .*lanes stands twice", id="twice"),
        pytest.param(" : : [", "is not YAML", id="no YAML"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_its_line(text: str, problem: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=problem):
        declared("topics:\n" + text + "\n", tmp_path)


def test_a_file_that_is_not_there_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone\.yaml: cannot be read"):
        load_topics(tmp_path / "gone.yaml", RULES.catalogue)
