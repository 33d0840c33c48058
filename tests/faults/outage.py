"""An outage of the feature store of 40 s at full input loses no event and floods no worker.

python -m tests.faults.outage
"""

import sys
import threading
import time

from redis import Redis

from benchmarks.interference import waiting
from events.decision import lane_topic
from events.priority import Priority
from tests.faults.kills import produce, settle
from tests.faults.outcomes import OutcomeReader
from tests.faults.processes import wait_until
from tests.faults.rig import FRAUD_QUEUE, Rig, rig

RATE = 3_000
EVENTS = 240_000
BEFORE, DOWN = 10.0, 40.0
CONCURRENCY, PREFETCH = 2, 1
SOON = 60.0


def held(made: Rig) -> int:
    """Messages that the workers of the fraud queue took and did not acknowledge."""
    broker = Redis.from_url(made.broker_url)
    return sum(int(str(broker.hlen(key))) for key in broker.scan_iter("unacked*", _type="hash"))


def watch(made: Rig, seconds: float) -> int:
    """The most messages that the workers held within these seconds."""
    deadline, most = time.monotonic() + seconds, 0
    while time.monotonic() < deadline:
        most = max(most, held(made))
        time.sleep(0.1)
    return most


def main() -> int:
    """Run once; 0 if nothing was dead-lettered or lost, and the workers held no more than they may."""
    lane = lane_topic(FRAUD_QUEUE, Priority.HIGH)
    with rig() as made:
        made.run("dispatcher", "dispatcher")
        made.run("reconciler", "reconcile")
        made.run("worker", "worker", FRAUD_QUEUE)
        reader = OutcomeReader(made.bootstrap, [FRAUD_QUEUE])
        source = threading.Thread(target=produce, args=(made, EVENTS, RATE, "outage"))
        source.start()
        time.sleep(BEFORE)
        made.services["store"].kill()
        most = watch(made, DOWN)
        stood = waiting(made.bootstrap, lane)
        made.restart("store")
        back = time.monotonic()
        print(
            f"store down for {DOWN:.0f} s at {RATE:,} events/s: {stood:,} events wait in {lane}", flush=True
        )
        print(
            f"the workers held {most} messages at the most; they may hold {CONCURRENCY * (1 + PREFETCH)}",
            flush=True,
        )
        source.join()
        wait_until(lambda: waiting(made.bootstrap, lane) == 0, 120, f"{lane} is empty")
        print(f"{lane} empty {time.monotonic() - back:.1f} s after the store was back")
        events = {f"outage-{number}" for number in range(EVENTS)}
        outcomes, _ = settle(reader, events, SOON)
        missing = len(events - outcomes.ids.keys())
        print(
            f"events {EVENTS:,}; missing {missing}; twice {outcomes.twice:,};"
            f" dead letters {dict(outcomes.dead_letters)}"
        )
        good = not missing and not outcomes.dead_letters and most <= CONCURRENCY * (1 + PREFETCH)
        return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
