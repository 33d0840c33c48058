"""100,000 strange records in every topic that we read end and hang no process, while orders flow.

python -m tests.faults.stranger
python -m tests.faults.stranger --records 500 --inflated-mb 5

Giants cost most of the time: 72 of them, up to 100 MB each, and every reader inflates them. Strange records
come at a rate: written as fast as Kafka takes them, they and their inflating take both cores of a small
machine, and the latency of the orders is that of the machine.
"""

import argparse
import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path

import msgspec
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import AlterConfigOpType, ConfigEntry, ConfigResource
from confluent_kafka.admin._resource import ResourceType

from benchmarks.orders import order
from events.decision import dead_letter_topic, lane_topic
from events.priority import Priority
from events.topics import DEAD_LETTERS, EVENTS, PREDICTIONS, UNROUTED
from monitoring.reading import LogReader
from tests.faults.processes import free_port, wait_until
from tests.faults.rig import FRAUD_QUEUE, Rig, rig, scrape
from tests.faults.strange_records import INFLATED, MB, Strange, giants, strange_records
from tests.raw_producer import RawProducer
from transport.clock import system_clock
from transport.kafka import producer_config

RATE = 200
STRANGE_RATE = 300
RUN = "stranger"
SETTLE_S = 120.0
WARM_S = 120.0
FIRST = 4_000
"""Orders before the first strange record: a broker that has just started compiles what it runs."""
COMMAND_S = 300.0
MOST_MB = 1_500
"""What each process may have held at the most; docs/decisions/0032 has what it is made of."""
P99_MS = 500.0
TRANSACTIONS = 20

INFLATING = frozenset(
    {EVENTS, PREDICTIONS, DEAD_LETTERS, UNROUTED, dead_letter_topic(FRAUD_QUEUE)}
    | {lane_topic(FRAUD_QUEUE, priority) for priority in Priority}
)
"""Topics that get what is 100 MB once it is inflated: those that the parts of this run read."""

COMMANDS: tuple[tuple[str, ...], ...] = (
    ("balance", "--json"),
    ("where", f"{RUN}-1"),
    ("where", "no-such-event"),
    ("deadletters", "list"),
    ("deadletters", "replay", "--all", "--dry-run", "--reason", "a look"),
    ("features", "freshness"),
    ("features", "skew"),
    ("features", "get", "customer", "c-1"),
    ("features", "history", "customer", "c-1"),
    ("features", "backfill", "--from-kafka"),
    ("topics", "check"),
)


class _Stamp(msgspec.Struct):
    source_event_id: str
    latency_ms: float


class _Struck(msgspec.Struct):
    missing: list[str]
    unexpected: list[str]
    without_outcome: int
    lost: int
    expired: dict[str, int]


_decode = msgspec.json.Decoder(_Stamp).decode
_decode_balance = msgspec.json.Decoder(_Struck).decode
OURS = f" in {FRAUD_QUEUE}."
"""What the balance says of a lane that has a worker in this run."""


class Orders:
    """Writes good orders at a steady rate until it is stopped."""

    def __init__(self, bootstrap: str) -> None:
        self.sent = 0
        self._stop = threading.Event()
        self._producer = Producer(producer_config(bootstrap))
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        rng, start = random.Random(RUN), time.monotonic()
        while not self._stop.wait(max(0.0, start + self.sent / RATE - time.monotonic())):
            key, value = order(self.sent, RUN, system_clock(), rng)
            self._producer.produce(EVENTS, value, key)
            self._producer.poll(0)
            self.sent += 1
        self._producer.flush(60)

    def stop(self) -> set[str]:
        """The ids of all orders that were sent, once Kafka holds them."""
        self._stop.set()
        self._thread.join()
        return {f"{RUN}-{number}" for number in range(self.sent)}


def take_any_time(bootstrap: str, topics: Iterable[str]) -> None:
    """Let these topics keep whatever time a producer writes."""
    wanted = {"message.timestamp.type": "CreateTime", "message.timestamp.after.max.ms": str(2**63 - 1)}
    entries = [
        ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
        for name, value in wanted.items()
    ]
    resources = [ConfigResource(ResourceType.TOPIC, topic, incremental_configs=entries) for topic in topics]
    admin = AdminClient({"bootstrap.servers": bootstrap})
    for altered in admin.incremental_alter_configs(resources).values():
        altered.result()


def warm_up(bootstrap: str) -> None:
    """Return once an order has its prediction: what comes before the worker is up would count as late."""
    producer = Producer(producer_config(bootstrap))
    key, value = order(0, "warm", system_clock(), random.Random(0))
    producer.produce(EVENTS, value, key)
    producer.flush(60)
    wait_until(lambda: bool(latencies(bootstrap, {"warm-0"})), WARM_S, "the first prediction")


def write(made: Rig, topics: Sequence[str], asked: argparse.Namespace) -> Counter[str]:
    """Write strange records to all topics by turns, each codec's giants to each; and what came of it."""
    outcome: Counter[str] = Counter()
    count, start = asked.records, time.monotonic()
    with ExitStack() as open_:
        producers = {
            codec: open_.enter_context(_producer(made.bootstrap, codec)) for codec in ("none", *INFLATED)
        }
        codecs = list(producers)
        waiting = [(topic, codec) for topic in topics if topic in INFLATING for codec in INFLATED]
        every = max(1, count // len(waiting))
        for number, strange in enumerate(strange_records(asked.seed, count)):
            time.sleep(max(0.0, start + number / asked.rate - time.monotonic()))
            _put(producers[codecs[number % len(codecs)]], topics[number % len(topics)], strange)
            if number % every == 0 and waiting:
                topic, codec = waiting.pop()
                for giant in giants(codec, asked.inflated_mb * MB):
                    _put(producers[codec], topic, giant)
                    outcome["giants"] += 1
                producers[codec].flush()
        for producer in producers.values():
            producer.flush()
            outcome["refused"] += len(producer.failed)
    return outcome


def _producer(bootstrap: str, codec: str) -> RawProducer:
    return RawProducer(
        bootstrap,
        **{
            "compression.type": codec,
            "message.max.bytes": 1_000_000_000,
            "queue.buffering.max.kbytes": 2_000_000,
            # a batch that Kafka refuses as a whole should have few records
            "batch.size": 100_000,
            "log_level": 0,
        },
    )


def _put(producer: RawProducer, topic: str, strange: Strange) -> None:
    producer.produce(topic, strange.value, strange.key, strange.headers, strange.timestamp)


def transactions(bootstrap: str, topics: Sequence[str]) -> None:
    """Leave markers, and records that were aborted, in every topic."""
    producer = Producer(producer_config(bootstrap, **{"transactional.id": RUN}))
    producer.init_transactions(30)
    for number in range(TRANSACTIONS):
        producer.begin_transaction()
        for topic in topics:
            producer.produce(topic, b"of a transaction", None)
        producer.flush(30)
        if number % 2:
            producer.commit_transaction(30)
        else:
            producer.abort_transaction(30)


def peak_mb(leader: int) -> int:
    """The most that any process of a group has held, in megabytes."""
    peaks = [0]
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            fields = dict(line.split(":\t", 1) for line in status.read_text().splitlines() if ":\t" in line)
            group = int((status.parent / "stat").read_text().rpartition(")")[2].split()[2])
        except (OSError, IndexError):
            continue
        if group == leader and "VmHWM" in fields:
            peaks.append(int(fields["VmHWM"].split()[0]) // 1_000)
    return max(peaks)


def latencies(bootstrap: str, wanted: set[str]) -> dict[str, float]:
    """How long after its entry each of these events had its first prediction (ms)."""
    found: dict[str, float] = {}
    reader = LogReader(bootstrap, [PREDICTIONS])
    for message in reader.read_all():
        try:
            stamp = _decode(message.value() or b"")
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            continue
        if stamp.source_event_id in wanted:
            found.setdefault(stamp.source_event_id, stamp.latency_ms)
    reader.close()
    return found


def incomplete(port: int) -> list[str]:
    """What is wrong with what the reconciler says of the lane that has a worker."""
    lane = f'{{lane="{lane_topic(FRAUD_QUEUE, Priority.HIGH)}"}}'
    opened = scrape(port, "signalbox_lane_open_records" + lane)
    print(f"the reconciler: {opened:.0f} records of the lane are open", flush=True)
    return [f"{opened:.0f} records of the lane have no outcome"] if opened else []


def commands(made: Rig) -> list[str]:
    """Run every reading command; what is wrong with how they end."""
    faults = []
    for arguments in COMMANDS:
        name, start = "-".join(arguments), time.monotonic()
        try:
            code = made.complete(name, *arguments, check=False, seconds=COMMAND_S)
        except subprocess.TimeoutExpired:
            faults.append(f"{name} did not end within {COMMAND_S:.0f} s")
            continue
        said = (made.folder / f"{name}.log").read_text(errors="replace")
        print(f"  signalbox {' '.join(arguments)}: exit {code}, {time.monotonic() - start:.1f} s", flush=True)
        if "Traceback" in said or code not in (0, 1):
            faults.append(f"{name} ended with {code}: {said[-1_000:]}")
        elif arguments[0] == "balance":
            faults += unbalanced(said)
    return faults


def unbalanced(said: str) -> list[str]:
    """What the balance misses, but for events of lanes that have no worker in this run."""
    struck = _decode_balance(said.strip().rpartition("\n")[2])
    elsewhere = [line for line in struck.missing if " has no outcome, in ml." in line and OURS not in line]
    if struck.lost or struck.expired or struck.without_outcome > len(elsewhere):
        return [f"the balance: {struck}"]
    return [f"the balance: {line}" for line in (*struck.missing, *struck.unexpected) if line not in elsewhere]


def report(made: Rig, events: set[str]) -> list[str]:
    """Print what came out; what is wrong with it."""
    deadline, found = time.monotonic() + SETTLE_S, latencies(made.bootstrap, events)
    while len(found) < len(events) and time.monotonic() < deadline:
        found = latencies(made.bootstrap, events)
    faults = [f"{name} has ended" for name, part in made.parts.items() if not part.running]
    times = sorted(found.values())
    p50, p99 = (times[int(len(times) * share)] if times else 0.0 for share in (0.5, 0.99))
    print(f"orders {len(events):,}, with a prediction {len(found):,}; p50 {p50:.0f} ms, p99 {p99:.0f} ms")
    if len(found) < len(events):
        faults.append(f"without an outcome: {len(events) - len(found)}, such as {min(events - found.keys())}")
    if p99 > P99_MS:
        faults.append(f"p99 is {p99:.0f} ms, and {P99_MS:.0f} are allowed")
    for name, part in made.parts.items():
        peak = peak_mb(part.pid)
        print(f"  {name}: at the most {peak:,} MB in a process", flush=True)
        if peak > MOST_MB:
            faults.append(f"{name} held {peak:,} MB, and {MOST_MB:,} are allowed")
    return faults + commands(made)


def main() -> int:
    """Run once; 0 if no part ended, every order has its outcome, and every command ends right."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--rate", type=float, default=STRANGE_RATE, help="strange records a second")
    parser.add_argument("--inflated-mb", type=int, default=100, help="what a giant inflates to at most")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    with rig() as made:
        print(f"seed {args.seed}, logs in {made.folder}", flush=True)
        topics = sorted(
            name
            for name in AdminClient({"bootstrap.servers": made.bootstrap}).list_topics(timeout=10).topics
            if not name.startswith("_")
        )
        take_any_time(made.bootstrap, topics)
        made.run("dispatcher", "dispatcher")
        port = free_port()
        made.run("reconciler", "reconcile", SIGNALBOX_METRICS_PORT=str(port))
        made.run("features", "features", "pipeline")
        made.run("worker", "worker", FRAUD_QUEUE)
        made.wait_for_assignment("signalbox.router")
        warm_up(made.bootstrap)
        # what compresses giants, a second of a core each, would be another machine
        os.nice(10)
        orders = Orders(made.bootstrap)
        wait_until(lambda: orders.sent >= FIRST, WARM_S, "the first orders")
        start = time.monotonic()
        written = write(made, topics, args)
        transactions(made.bootstrap, topics)
        events = orders.stop()
        took = time.monotonic() - start
        print(
            f"{args.records:,} strange records, {written['giants']} that inflate, {len(topics)} topics",
            flush=True,
        )
        print(f"written in {took:.0f} s; Kafka refused {written['refused']:,} of them", flush=True)
        faults = report(made, events) + incomplete(port)
        for fault in faults:
            print(f"WRONG: {fault}")
        return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
