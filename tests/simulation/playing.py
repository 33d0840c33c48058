"""Plays schedules in several processes, and sums up their results."""

from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

from tests.simulation.schedule import Outcome, run
from tests.simulation.standing_in import simulated
from tests.simulation.world import FAULTS, Fault

CHUNK = 200


@dataclass(slots=True)
class Tally:
    """What many schedules came to."""

    schedules: int = 0
    events: int = 0
    fed_again: int = 0
    doubled: int = 0
    with_fault: Counter[Fault] = field(default_factory=Counter)
    failed: list[Outcome] = field(default_factory=list)

    def count(self, outcome: Outcome) -> None:
        """One more."""
        self.schedules += 1
        self.events += outcome.events
        self.fed_again += outcome.fed_again
        self.doubled += outcome.doubled
        self.with_fault.update(kind for kind, times in outcome.struck.items() if times)
        if outcome.violation:
            self.failed.append(outcome)

    def add(self, other: "Tally") -> None:
        """What another process played."""
        self.schedules += other.schedules
        self.events += other.events
        self.fed_again += other.fed_again
        self.doubled += other.doubled
        self.with_fault += other.with_fault
        self.failed += other.failed

    def lines(self) -> Iterator[str]:
        """For people."""
        yield f"{self.schedules:,} schedules, {self.events:,} events, {len(self.failed):,} schedules failed"
        yield f"{self.fed_again:,} records were fed again, {self.doubled:,} outcomes stand there once more"
        yield "schedules in which each fault struck:"
        for kind in FAULTS:
            yield f"  {self.with_fault[kind] / max(self.schedules, 1):6.1%}  {kind}"


def play(seeds: Iterable[int], until: str = "no property") -> Tally:
    """Play these one after the other, until a property that is named fails."""
    tally = Tally()
    with simulated() as clients:
        for seed in seeds:
            outcome = run(seed, clients)
            tally.count(outcome)
            if outcome.violation and outcome.violation.startswith(until):
                break
    return tally


def play_all(first: int, count: int, jobs: int) -> Iterator[Tally]:
    """Play `count` seeds from `first` on, in `jobs` processes; answers with what each chunk came to."""
    chunks = [range(start, min(start + CHUNK, first + count)) for start in range(first, first + count, CHUNK)]
    if jobs == 1:
        yield from map(play, chunks)
        return
    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(play, chunks)


def report(seed: int) -> str:
    """One seed's schedule step by step, and what it came to."""
    with simulated() as clients:
        outcome = run(seed, clients, traced=True)
    verdict = outcome.violation or "every property holds"
    return "\n".join([f"seed {seed}", *outcome.steps, f"seed {seed}: {verdict}"])
