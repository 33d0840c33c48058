"""`signalbox features pipeline` as two processes that are killed: a smaller tests/faults/pipeline.py."""

import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from confluent_kafka import KafkaError, Message, Producer
from confluent_kafka.admin import AdminClient

from events.topics import EVENTS
from features.offline.store import OfflineStore
from features.redis_store import RedisStore
from tests import services
from tests.faults.feature_events import Batch, Sent, sent
from tests.faults.feature_values import compare
from tests.faults.pipeline import settled, times
from tests.faults.processes import Child, signalbox
from tests.integration.dispatcher.ground import wait_until
from tests.integration.dispatcher.own_redis import OwnRedis
from transport.clock import system_clock
from transport.kafka import producer_config
from transport.topics import TopicSpec, create_topics

EVENT_COUNT, KILLS, SEED = 4_000, 4, 11

pytestmark = pytest.mark.integration


@pytest.fixture
def own_kafka(tmp_path: Path) -> Iterator[str]:
    """An embedded broker lets a group in later each time that its members came and went: decisions/0003."""
    with services.kafka_service(tmp_path) as bootstrap:
        yield bootstrap


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[OwnRedis]:
    """The online store of this test alone: there is one set of heartbeats in a Redis."""
    made = OwnRedis(tmp_path)
    made.start()
    yield made
    made.kill()


@pytest.fixture
def members(own_kafka: str, redis: OwnRedis, offline_url: str, tmp_path: Path) -> Iterator[list[Child]]:
    """Two pipelines of one group."""
    create_topics(AdminClient({"bootstrap.servers": own_kafka}), [TopicSpec(EVENTS, 4)])
    env = {"KAFKA_BOOTSTRAP_SERVERS": own_kafka, "REDIS_URL": redis.url, "DATABASE_URL": offline_url}
    made = [signalbox(f"pipeline-{number}", ["features", "pipeline"], tmp_path, env) for number in (1, 2)]
    for member in made:
        member.start()
    yield made
    for member in made:
        member.stop()


def produce(kafka: str, events: Sequence[Sent]) -> dict[int, int]:
    """Write events; the offset after the last one, of each partition that got some."""
    producer = Producer(producer_config(kafka))
    ends: dict[int, int] = {}

    def delivered(error: KafkaError | None, message: Message) -> None:
        assert error is None
        number, offset = message.partition(), message.offset()
        assert number is not None
        assert offset is not None
        ends[number] = max(ends.get(number, 0), offset + 1)

    for each in events:
        producer.produce(EVENTS, value=each.value, key=each.key, on_delivery=delivered)
    assert producer.flush(60) == 0
    return ends


def batch_of(events: Sequence[Sent]) -> Batch:
    """Each event once."""
    batch = Batch()
    for event in {each.event["event_id"]: each.event for each in events}.values():
        batch.add(event)
    return batch


def test_killed_pipelines_end_up_with_what_a_batch_computation_says(
    own_kafka: str, redis: OwnRedis, store: OfflineStore, members: list[Child], unique: Callable[[str], str]
) -> None:
    tenant, now, rng = unique("tenant"), system_clock(), random.Random(SEED)
    events, online = list(sent(SEED, EVENT_COUNT, tenant, now)), RedisStore(redis.url)
    size, until = len(events) // KILLS + 1, dict[int, int]()
    for first in range(0, len(events), size):
        before = sum(store.positions(EVENTS).values())
        until |= produce(own_kafka, events[first : first + size])
        wait_until(lambda: sum(store.positions(EVENTS).values()) > before, 60, "some are counted")  # noqa: B023
        victim = rng.choice(members)
        victim.kill()
        victim.start()
    wait_until(lambda: settled(store, online, until), 120, "both tiers are at the topic's end")
    offline_tier, online_tier = compare(batch_of(events), tenant, times(SEED, now), store, online)
    online.close()
    assert (offline_tier.wrong, online_tier.wrong) == ([], [])
    assert min(offline_tier.values, online_tier.values) > 5_000


def test_a_pipeline_ends_by_sigterm(own_kafka: str, members: list[Child], store: OfflineStore) -> None:
    produce(own_kafka, list(sent(SEED, 10, "sigterm", system_clock())))
    wait_until(lambda: store.positions(EVENTS), 60, "it counts")
    assert [member.end() for member in members] == [0, 0]
