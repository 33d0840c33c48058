"""A stack counts on only in the log that it counted before."""

from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient
from redis import Redis

from events.topics import EVENTS
from features.offline.batch import StreamBatch
from features.offline.store import open_offline
from features.retail import DEFINITIONS
from stack.assembly import topic_id
from stack.past import follow
from tests.services import unique_name
from transport.topics import TopicSpec, create_topics

COUNTED = {0: 5}


@pytest.fixture
def env(tmp_path: Path, features_url: str) -> dict[str, str]:
    return {"DATABASE_URL": f"sqlite:///{tmp_path}/features.db", "REDIS_URL": features_url}


def count_stream(env: dict[str, str]) -> None:
    """What a pipeline leaves in both tiers."""
    store = open_offline(env["DATABASE_URL"])
    store.create(DEFINITIONS)
    store.commit(StreamBatch(EVENTS, 0, 0, COUNTED[0], as_of=1, clock=1, events=[]))
    store.close()
    with Redis.from_url(env["REDIS_URL"]) as client:
        client.set("features:row", b"row")


def positions(env: dict[str, str]) -> dict[int, int]:
    store = open_offline(env["DATABASE_URL"])
    found = store.positions(EVENTS)
    store.close()
    return found


@pytest.mark.parametrize(
    ("before", "unknown_is_another", "counted_on"),
    [
        pytest.param("this", True, True, id="the same log is counted on"),
        pytest.param("another", False, False, id="another log is counted from its beginning"),
        pytest.param(None, True, False, id="a log that is embedded is not what an unknown one was"),
        pytest.param(None, False, True, id="a log that lasts is taken for the one counted so far"),
    ],
)
def test_a_log_is_counted_on_where_it_is_the_one_that_was_counted(
    env: dict[str, str], before: str | None, unknown_is_another: bool, counted_on: bool
) -> None:
    if before is not None:
        follow(env, before, unknown_is_another=False)
    count_stream(env)

    follow(env, "this", unknown_is_another=unknown_is_another)
    assert positions(env) == (COUNTED if counted_on else {})
    with Redis.from_url(env["REDIS_URL"]) as client:
        assert bool(client.exists("features:row")) == counted_on


def test_a_log_that_was_begun_is_counted_on_the_next_time(env: dict[str, str]) -> None:
    follow(env, "this", unknown_is_another=True)
    count_stream(env)
    follow(env, "this", unknown_is_another=True)
    assert positions(env) == COUNTED


def test_a_log_is_known_by_what_its_kafka_gave_its_topic(kafka: str) -> None:
    one, another = unique_name("one"), unique_name("another")
    admin = AdminClient({"bootstrap.servers": kafka, "log_level": 0})
    create_topics(admin, [TopicSpec(one, 1), TopicSpec(another, 1)])
    assert topic_id(one, kafka) == topic_id(one, kafka) != topic_id(another, kafka)
