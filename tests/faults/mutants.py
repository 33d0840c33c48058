"""100,000 damaged envelopes and messages that are no tasks crash, block and lose nothing.

python -m tests.faults.mutants
"""

import argparse
import json
import os
import subprocess
import sys
import time

from confluent_kafka import KafkaException, Producer
from redis import Redis

from events.topics import EVENTS
from stack.mutations import mutants
from tests.faults.processes import SIGNALBOX
from tests.faults.rig import FRAUD_QUEUE, Rig, rig
from transport.kafka import producer_config

SETTLE_SECONDS = 180
NO_TASKS: tuple[str, ...] = (
    "",
    "not json",
    "{}",
    "[]",
    "null",
    json.dumps({"body": "e30=", "headers": {}, "properties": {}}),
    json.dumps({"body": "", "headers": {"task": "tasks.fraud.score"}, "properties": {"delivery_tag": "x"}}),
    json.dumps(
        {
            "body": "bm90IGpzb24=",
            "content-type": "application/json",
            "content-encoding": "utf-8",
            "headers": {"task": "tasks.fraud.score", "id": "no-arguments"},
            "properties": {
                "delivery_tag": "y",
                "delivery_info": {"exchange": "", "routing_key": FRAUD_QUEUE},
                "body_encoding": "base64",
            },
        }
    ),
)


def play(made: Rig, seed: int, count: int) -> tuple[int, int]:
    """Produce the mutants; how many Kafka took, and how many it refused as too large for the topic."""
    producer = Producer(producer_config(made.bootstrap, **{"linger.ms": 20}))
    taken = refused = 0
    for mutant in mutants(seed, count):
        headers: list[tuple[str, str | bytes | None]] = list(mutant.headers)
        try:
            producer.produce(EVENTS, value=mutant.value, key=str(mutant.number).encode(), headers=headers)
            taken += 1
        except KafkaException:
            refused += 1
        if mutant.number % 1_000 == 0:
            producer.poll(0)
    producer.flush(60)
    return taken, refused


def put_no_tasks(made: Rig) -> None:
    """Push what is no Celery message onto the queue's lists."""
    broker = Redis.from_url(made.broker_url)
    for text in NO_TASKS:
        broker.lpush(FRAUD_QUEUE, text)


def balanced(made: Rig) -> tuple[bool, str]:
    """Whether `signalbox balance` says that nothing is missing, and what it printed."""
    done = subprocess.run(
        [*SIGNALBOX, "balance"], env={**os.environ, **made.env}, capture_output=True, text=True, check=False
    )
    return done.returncode == 0, done.stdout + done.stderr


def main() -> int:
    """Run once; 0 if every mutant is accounted for and no part has died."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    with rig() as made:
        parts = [
            made.run("dispatcher", "dispatcher"),
            made.run("reconciler", "reconcile"),
            made.run("worker", "worker", FRAUD_QUEUE),
        ]
        put_no_tasks(made)
        taken, refused = play(made, args.seed, args.count)
        print(f"mutants {args.count:,}: Kafka took {taken:,}, its client refused {refused:,}", flush=True)
        put_no_tasks(made)
        deadline = time.monotonic() + SETTLE_SECONDS
        good, said = balanced(made)
        while not good and time.monotonic() < deadline:
            time.sleep(3)
            good, said = balanced(made)
        print(said)
        dead = [part.name for part in parts if not part.running]
        print(f"parts that died: {dead or 'none'}")
        return 0 if good and not dead else 1


if __name__ == "__main__":
    sys.exit(main())
