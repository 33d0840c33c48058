"""A worker survives the Redis broker being killed again and again while it holds messages.

python -m tests.faults.broker --pool threads --kills 20
"""

import argparse
import sys
import threading
import time
from pathlib import Path

from tests.faults.kills import produce, settle
from tests.faults.outcomes import OutcomeReader
from tests.faults.processes import ROOT
from tests.faults.rig import FRAUD_QUEUE, Rig, rig

RATE = 300.0
EVERY_S = 3.0
SOON = 90.0


def workflows(folder: Path, pool: str) -> Path:
    """The shipped catalogue, whose fraud classifier has this pool: the first one that it names."""
    file = folder / "workflows.yaml"
    text = (ROOT / "config" / "workflows.yaml").read_text()
    file.write_text(text.replace("pool: prefork", f"pool: {pool}", 1))
    return file


def kill_again_and_again(made: Rig, kills: int) -> bool:
    """Kill and restart the broker; whether the worker's main process is the same afterwards."""
    worker = made.parts["worker"]
    pid = worker.pid
    for _ in range(kills):
        time.sleep(EVERY_S)
        made.restart("broker")
        if not worker.running:
            return False
    return worker.running and worker.pid == pid


def main() -> int:
    """Run once; 0 if the process lives and each event has its one decision."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pool", choices=("prefork", "threads"), default="prefork")
    parser.add_argument("--kills", type=int, default=20)
    args = parser.parse_args()
    with rig() as made:
        made.extra_env["SIGNALBOX_WORKFLOWS"] = str(workflows(made.folder, args.pool))
        made.run("dispatcher", "dispatcher")
        made.run("reconciler", "reconcile")
        made.run("worker", "worker", FRAUD_QUEUE)
        reader = OutcomeReader(made.bootstrap, [FRAUD_QUEUE])
        count = int(RATE * EVERY_S * (args.kills + 2))
        source = threading.Thread(target=produce, args=(made, count, RATE, "broker"))
        source.start()
        lived = kill_again_and_again(made, args.kills)
        source.join()
        events = {f"broker-{number}" for number in range(count)}
        outcomes, took = settle(reader, events, SOON)
        missing = len(events - outcomes.ids.keys())
        print(
            f"pool {args.pool}, {args.kills} kills: the same process goes on: {lived}; logs in {made.folder}"
        )
        print(f"events {count:,}; missing {missing}; twice {outcomes.twice:,}; settled after {took:.1f} s")
        print(f"dead letters {dict(outcomes.dead_letters)}")
        return 0 if lived and not missing and not outcomes.dead_letters else 1


if __name__ == "__main__":
    sys.exit(main())
