"""Topics grow, transactions end in markers, positions and records expire, a lane is deleted: under load.

python -m tests.faults.offsets

Every event must have its outcome, but for those whose records were deleted unread; those must be counted as
lost. No event has more than two records of one id.
"""

import argparse
import random
import sys
import threading
import time
from contextlib import suppress
from urllib.error import URLError

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewPartitions

from benchmarks.interference import waiting
from dispatcher.lane_reader import RECONCILER_GROUP
from dispatcher.router import GROUP as ROUTER_GROUP
from events.decision import lane_topic, overflow_topic
from events.priority import Priority
from events.topics import EVENTS
from tests.faults.kills import Plan, produce, settle
from tests.faults.outcomes import OutcomeReader
from tests.faults.processes import free_port, wait_until
from tests.faults.rig import FRAUD_QUEUE, Rig, rig, scrape
from transport.kafka import consumer_config, producer_config

RATE = 300.0
SECONDS = 110.0
LANE = lane_topic(FRAUD_QUEUE, Priority.HIGH)
PARTITIONS = 8
SETTLE_SECONDS = 90.0
BACKLOG = 1_000
"""Events that are written while no router reads; the older half of one partition of them expires."""


class Cluster:
    """What an operator, or time, does to the topics."""

    def __init__(self, made: Rig) -> None:
        self._made = made
        self.backlog = 0
        self._admin = AdminClient({"bootstrap.servers": made.bootstrap})
        self._consumer = Consumer(consumer_config(made.bootstrap, ROUTER_GROUP))

    def topics(self) -> list[str]:
        """All but Kafka's own."""
        return sorted(name for name in self._admin.list_topics(timeout=10).topics if name[:2] != "__")

    def grow(self) -> None:
        """Every topic has eight partitions."""
        asked = [NewPartitions(name, PARTITIONS) for name in self.topics()]
        for future in self._admin.create_partitions(asked).values():
            future.result(30)

    def mark_ends(self) -> None:
        """Every partition ends with the marker of an aborted transaction."""
        settings = {"transactional.id": "fault-run", "log_level": 2}
        config = producer_config(self._made.bootstrap, **settings)
        producer = Producer(config)
        producer.init_transactions(30)
        producer.begin_transaction()
        for name in self.topics():
            for number in range(PARTITIONS):
                producer.produce(name, b"never", None, number)
        producer.flush(30)
        producer.abort_transaction(30)

    def forget_positions(self) -> None:
        """The reconciler's positions expire while it is away."""
        places = [TopicPartition(LANE, number) for number in range(PARTITIONS)]
        reconciler = Consumer(consumer_config(self._made.bootstrap, RECONCILER_GROUP))
        wait_until(
            lambda: reconciler.committed(places, 10)[0].offset >= 0, 60, "the reconciler has positions"
        )
        reconciler.close()
        self._made.parts["reconciler"].kill()
        self._admin.delete_consumer_groups([RECONCILER_GROUP])[RECONCILER_GROUP].result(30)
        self._made.parts["reconciler"].start()

    def delete_lane(self) -> None:
        """The lane of orders is gone, with what waited in it."""
        self.backlog = waiting(self._made.bootstrap, LANE)
        self._admin.delete_topics([LANE])[LANE].result(30)

    def make_topics(self) -> None:
        """What is missing is made."""
        self._made.complete("topics", "topics")

    def expire(self) -> int:
        """Delete half of what the router has not read of one partition; how many records that is."""
        place = TopicPartition(EVENTS, 0)
        position = self._consumer.committed([place], 10)[0].offset
        end = self._consumer.get_watermark_offsets(place, 10)[1]
        below = position + (end - position) // 2
        (deleted,) = self._admin.delete_records([TopicPartition(EVENTS, 0, below)]).values()
        deleted.result(30)
        return below - position

    def overflowed(self) -> int:
        """How many records the overflow topic of the lane has taken."""
        return sum(
            self._consumer.get_watermark_offsets(TopicPartition(overflow_topic(LANE), number), 10)[1]
            for number in self._admin.list_topics(overflow_topic(LANE), 10)
            .topics[overflow_topic(LANE)]
            .partitions
        )


def plan(cluster: Cluster) -> Plan:
    """What happens under load, and when."""
    made = Plan()
    made.add(8, "every topic grows to eight partitions", cluster.grow)
    made.add(24, "a transaction's marker ends every partition", cluster.mark_ends)
    made.add(34, "the reconciler's positions expire", cluster.forget_positions)
    made.add(46, "the lane is deleted", cluster.delete_lane)
    made.add(66, "the lane is made again", cluster.make_topics)
    return made


def main() -> int:
    """Run once; 0 if every event is accounted for."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    with rig() as made:
        print(f"logs in {made.folder}", flush=True)
        port, reconciler_port = free_port(), free_port()
        made.run("dispatcher", "dispatcher", SIGNALBOX_METRICS_PORT=str(port))
        made.run("reconciler", "reconcile", SIGNALBOX_METRICS_PORT=str(reconciler_port))
        made.run("worker", "worker", FRAUD_QUEUE)
        cluster = Cluster(made)
        count = int(RATE * SECONDS)
        source = threading.Thread(target=produce, args=(made, count, RATE, "offsets"))
        source.start()
        plan(cluster).play(time.monotonic())
        source.join()
        events = {f"offsets-{number}" for number in range(count)}
        reader = OutcomeReader(made.bootstrap, [FRAUD_QUEUE])
        settle(reader, events, SETTLE_SECONDS)
        unfed = len(events - reader.outcomes.ids.keys())
        print(
            f"{len(events):,} events; {unfed} without an outcome, which waited in the lane as it was deleted"
        )
        print(f"{cluster.overflowed():,} records went to the overflow topic", flush=True)

        made.parts["dispatcher"].stop()
        produce(made, BACKLOG, 1_000, f"late-{random.Random(1).random()}")
        expired = cluster.expire()
        made.parts["dispatcher"].start()

        def counted() -> bool:
            with suppress(URLError):  # it is starting
                return scrape(port, "signalbox_offsets_lost_total") == expired
            return False

        wait_until(counted, 60, f"{expired} expired records are counted as lost")
        wait_until(lambda: scrape(reconciler_port, "signalbox_lane_open_records") == 0, 90, "nothing is open")
        outcomes = reader.read(2)
        late = sum(not event.startswith("offsets-") for event in outcomes.ids)
        most = max(outcomes.predictions.values())
        print(
            f"{BACKLOG:,} events more, {expired} expired unread and counted as lost; {late:,} have outcomes"
        )
        print(f"{outcomes.twice:,} records are a second one of their id, {most} of one id at the most")
        print(f"dead letters {dict(outcomes.dead_letters)}")
        print(f"fed again {int(scrape(reconciler_port, 'signalbox_events_fed_again_total')):,}")
        good = (
            late == BACKLOG - expired and most <= 2 and not outcomes.dead_letters and unfed <= cluster.backlog
        )
        return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
