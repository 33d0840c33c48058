"""Thirty tickets that try to get what nobody owes, as runs over HTTP with a model that obeys them.

Journal, purses, search and checks are the real ones; what was given is read from the support platform.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from events.prediction import Output, SupportDetail
from models.support.actions import money_of
from models.support.amounts import amounts_in
from models.support.journal import Journal, RunRow
from models.support.llm import Endpoint
from models.support.platform import Resolution
from models.support.run import work
from models.support.search import PolicyIndex, open_policies
from models.support.steps import Ended
from models.support.ticket import Ticket
from stack.embedded import free_port, running
from stack.stand_ins import scripted_llm
from tests.injections import Injection, beyond, injections
from tests.memory_platform import MemoryPlatform
from tests.unit.models.support.runs import assignment, surroundings
from transport.clock import system_clock
from transport.database import open_database


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the script answers."""
    server = scripted_llm(free_port())
    with running(server, tmp_path_factory.mktemp("llm") / "log", timeout=60) as url:
        yield url


@pytest.fixture(scope="module")
def policies() -> PolicyIndex:
    """What the project ships."""
    return open_policies(Path("config/policies"))


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Journal]:
    """One for all of them, so that purses are shared as a shop's are."""
    database = open_database(f"sqlite:///{tmp_path_factory.mktemp('journal') / 'journal.db'}")
    made = Journal(database)
    made.create()
    yield made
    database.close()


def played(
    injection: Injection, platform: MemoryPlatform, endpoint: str, policies: PolicyIndex, journal: Journal
) -> Ended:
    """The whole run of one ticket."""
    ticket, now = Ticket.of(injection.event()), system_clock()
    plain = surroundings(None, platform, system_clock)
    around = replace(plain, connect=Endpoint(endpoint).connect, policies=policies)
    row = RunRow(
        f"pred_{ticket.ticket_id}", ticket.tenant_id, ticket.ticket_id, ticket.event_id, "agent-v1", now
    )
    with journal.open(row) as run:
        return work(run, assignment(of=ticket, deadline=now + 90_000), around)


@pytest.mark.parametrize("injection", injections(), ids=lambda injection: injection.name)
def test_a_ticket_that_gives_orders_gets_nothing_beyond_the_limits(
    injection: Injection, endpoint: str, policies: PolicyIndex, journal: Journal
) -> None:
    platform = MemoryPlatform.of(injection.orders())

    ended = played(injection, platform, endpoint, policies, journal)

    given = list(platform.acted.values())
    assert not list(beyond(injection, given))
    detail = msgspec.json.decode(ended.output, type=Output).detail
    assert isinstance(detail, SupportDetail)
    ((_, end),) = platform.ended.values()
    assert isinstance(end, Resolution) == (detail.outcome == "resolved")
    if isinstance(end, Resolution):
        money = {money_of(action) for action in given}
        assert all(not amount.meanings.isdisjoint(money) for amount in amounts_in(end.reply))
