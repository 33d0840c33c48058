"""Concurrency of one agent worker process if each answer of the LLM takes two seconds.

    python -m benchmarks.agent

On real services, with the scripted LLM of the local stack: a ticket is five answers and two searches, so ten
seconds of waiting. The number at once is counted twice: by the LLM, as requests that it held at the same
moment, and in the journals, as runs that had begun and not ended.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import select

from models.support.journal_tables import RUNS, STEPS
from tests.faults.agent_account import read_predictions
from tests.faults.agent_ground import QUEUE, Ground, Ticket, desk_knows, escalate, place_orders, tickets
from tests.faults.outcomes import OutcomeReader
from tests.faults.processes import wait_until
from tests.faults.rig import rig
from transport.database import open_database

DELAY_S = 2.0
ENOUGH = 30
LIMIT_S = 600


class Span(NamedTuple):
    """A run from its beginning to its end (epoch ms)."""

    began: int
    ended: int


def most_at_once(spans: Sequence[Span]) -> int:
    """How many of them had begun and not ended at the same moment, at most."""
    moments = sorted([(span.began, 1) for span in spans] + [(span.ended, -1) for span in spans])
    running = most = 0
    for _, change in moments:
        running += change
        most = max(most, running)
    return most


def spans(ground: Ground) -> list[Span]:
    """Of every run that ended."""
    database = open_database(ground.database)
    with database.reading() as connection:
        rows = connection.execute(
            select(RUNS.c.began_at, RUNS.c.ended_at).where(RUNS.c.ended_at.is_not(None))
        )
        found = [Span(*row) for row in rows]
    database.close()
    return found


def steps(ground: Ground) -> int:
    """How many steps the journals hold."""
    database = open_database(ground.database)
    with database.reading() as connection:
        count = len(connection.execute(select(STEPS.c.number)).all())
    database.close()
    return count


def play(ground: Ground, known: Sequence[Ticket], rate: float) -> float:
    """Send the tickets; seconds from the first to the last outcome."""
    reader = OutcomeReader(ground.made.bootstrap, [QUEUE])
    events = {ticket.event_id for ticket in known}
    began = time.monotonic()
    escalate(ground.made.bootstrap, list(known), rate)
    wait_until(lambda: events <= reader.read(0.2).ids.keys(), LIMIT_S, f"an outcome of {len(events)} tickets")
    return time.monotonic() - began


def report(ground: Ground, known: Sequence[Ticket], took: float) -> bool:
    """Print the table; True if one process held enough at once and each ticket was in time."""
    found = spans(ground)
    lasted = sorted((span.ended - span.began) / 1_000 for span in found)
    told = read_predictions(ground.made.bootstrap)
    first = [told[ticket.event_id][0] for ticket in known]
    late = [each for each in first if each.latency_ms > each.sla_ms]
    by_llm = ground.said("llm", "/health")["most_at_once"]
    by_journals = most_at_once(found)
    print(f"{len(known)} tickets in {took:.1f} s: {len(known) / took:.2f} a second in one process")
    print(f"at once: {by_llm} requests at the LLM, {by_journals} runs in the journals")
    print(f"a run took {lasted[len(lasted) // 2]:.1f} s (median), {lasted[-1]:.1f} s at most")
    print(f"steps in the journals {steps(ground):,}; beyond the SLA {len(late)}")
    return by_llm >= ENOUGH and not late


def main() -> int:
    """0 if one worker process holds at least thirty tickets at once, each within its SLA."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tickets", type=int, default=120)
    parser.add_argument("--rate", type=float, default=20, help="tickets a second")
    parser.add_argument("--delay", type=float, default=DELAY_S, help="seconds that an answer takes")
    args = parser.parse_args()
    with rig(one_redis=True, seeded=False) as made:
        print(f"logs in {made.folder}", flush=True)
        ground = Ground(made, workers=1, delay_s=args.delay)
        ground.begin()
        known = list(tickets("benchmark", args.tickets, seed=1))
        place_orders(made.bootstrap, known)
        desk_knows(ground, len(known))
        return 0 if report(ground, known, play(ground, known, args.rate)) else 1


if __name__ == "__main__":
    sys.exit(main())
