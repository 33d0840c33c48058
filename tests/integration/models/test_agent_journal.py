"""Workers that meet over one ticket go on one after another, in each database."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from sqlalchemy import Connection

from events.errors import Unavailable
from models.support.journal import Journal, LeaseLostError, RunRow
from models.support.leases import LEASE_MS
from models.support.steps import Sent
from transport.database import Database, open_database

THREADS = 8
TICKETS = 20
STEPS = 10
ROW = RunRow("pred_1", "acme", "t-1", "e-1", "ai-support-agent-v1", 1_000)


class Time:
    """A clock that is set."""

    now = 1_000

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def database(offline_url: str) -> Iterator[Database]:
    made = open_database(offline_url)
    yield made
    made.close()


def ticket(number: int) -> RunRow:
    return ROW._replace(run_id=f"pred_{number}", ticket_id=f"t-{number}", event_id=f"e-{number}")


def test_of_workers_that_want_the_same_tickets_each_ticket_has_one_at_a_time(database: Database) -> None:
    journal, at_work, most = Journal(database), dict.fromkeys(range(TICKETS), 0), [0]
    journal.create()

    def work(worker: int) -> int:
        written = 0
        for number in range(TICKETS):
            try:
                with journal.open(ticket(number)) as run:
                    at_work[number] += 1
                    most.append(at_work[number])
                    for _ in range(STEPS):
                        run.append(Sent(f"worker-{worker}"))
                    written += STEPS
                    at_work[number] -= 1
            except Unavailable:
                continue
        return written

    with ThreadPoolExecutor(THREADS) as threads:
        written = sum(threads.map(work, range(THREADS)))
    assert max(most) == 1
    rows = [journal.steps(ticket(number).run_id) for number in range(TICKETS)]
    assert sum(map(len, rows)) == written
    for steps in rows:
        assert [row.number for row in steps] == list(range(1, len(steps) + 1))
        tokens = [row.token for row in steps]
        assert tokens == sorted(tokens)
        assert all(tokens.count(token) == STEPS for token in tokens)


def test_a_step_that_is_being_written_is_waited_for_by_who_takes_the_ticket_over(database: Database) -> None:
    time = Time()
    journal = Journal(database, time)
    journal.create()
    writing, taken = threading.Event(), threading.Event()
    frozen = journal.open(ROW)

    def dwell(_: Connection) -> None:
        writing.set()
        # what takes over has all the time to come in between, if nothing keeps it from that
        taken.wait(0.5)

    def write() -> None:
        frozen.append(Sent("first"), within=dwell)

    writer = threading.Thread(target=write)
    writer.start()
    assert writing.wait(30)
    time.now += LEASE_MS
    with journal.open(ROW) as successor:
        taken.set()
        assert [*successor.steps] == [Sent("first")]
        successor.append(Sent("second"))
        with pytest.raises(LeaseLostError):
            frozen.append(Sent("third"))
    writer.join()
    assert [row.step for row in journal.steps(ROW.run_id)] == [Sent("first"), Sent("second")]


def test_a_read_only_database_is_an_outage_of_the_journal_and_of_no_ticket(
    database: Database,
) -> None:
    if database.engine.dialect.name != "postgresql":
        pytest.skip("a file is made read-only by its owner, not by a failover")
    Journal(database).create()
    url, before = database.engine.url, str(database.engine.url.query["options"])
    read_only = url.update_query_dict({"options": f"{before} -cdefault_transaction_read_only=on"})
    replica = open_database(read_only.render_as_string(hide_password=False))
    with closing(replica), pytest.raises(Unavailable, match="agent journal is unavailable"):
        Journal(replica).open(ROW)
