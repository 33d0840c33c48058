"""`python -m tests.simulation --schedules 100000 --jobs 2` plays many, `--seed 17` prints one."""

import argparse
import sys
import time

from tests.simulation.playing import Tally, play_all, report

TELL_EVERY_S = 5.0


def main() -> int:
    """The exit code: 0 if every property held in every schedule."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--schedules", type=int, default=2_000, help="how many seeds to play (default 2,000)")
    parser.add_argument("--first", type=int, default=0, help="the first of them (default 0)")
    parser.add_argument("--jobs", type=int, default=1, help="in how many processes (default 1)")
    parser.add_argument("--seed", type=int, help="print the schedule of this one seed instead")
    options = parser.parse_args()
    if options.seed is not None:
        _tell(report(options.seed))
        return 0
    tally = _play(options.first, options.schedules, options.jobs)
    for line in tally.lines():
        _tell(line)
    if not tally.failed:
        return 0
    for outcome in tally.failed[:20]:
        _tell(f"seed {outcome.seed}: {outcome.violation}")
    _tell(report(tally.failed[0].seed))
    return 1


def _play(first: int, count: int, jobs: int) -> Tally:
    tally, began = Tally(), time.monotonic()
    tell_at = began + TELL_EVERY_S
    for chunk in play_all(first, count, jobs):
        tally.add(chunk)
        now = time.monotonic()
        if now >= tell_at or tally.schedules == count:
            tell_at = now + TELL_EVERY_S
            rate = tally.schedules / (now - began)
            _tell(f"{tally.schedules:,} of {count:,}, {rate:,.0f} a second, {len(tally.failed)} failed")
    return tally


def _tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
