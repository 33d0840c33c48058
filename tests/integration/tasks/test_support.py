"""From an escalated ticket to its prediction: by the shipped table, and by the version that is shipped."""

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import msgspec
import pytest

from events.decision import Position
from events.envelope import Envelope
from events.lane import Batch, Fed, Waiting, encode_waiting
from events.prediction import Prediction, SupportDetail, decode_prediction
from features.offline.store import OfflineStore, open_offline
from features.redis_store import RedisStore
from features.retail import DEFINITIONS
from features.tiered import TieredReader
from models import artifact
from models.support.assignment import Surroundings
from models.support.journal import Journal
from models.support.llm import Endpoint
from models.support.plan import load_plan
from models.support.platform import Order
from models.support.policies import read_policies
from models.support.questions import QUESTIONS, read_questions
from models.support.replaying import replay
from models.support.search import PolicyIndex
from models.support.version import MODEL
from models.support.workflow import SupportAgent
from routing import load, route
from stack.embedded import free_port, running
from stack.retail import TENANT
from stack.stand_ins import scripted_llm
from tasks.equipment import Readers
from tasks.lifecycle import Lifecycle
from tests.memory_platform import MemoryPlatform
from tests.trained import small_database
from training.agent import make
from transport.clock import system_clock

RULES = load("config/routing_table.yaml", "config/workflows.yaml")
POLICIES = Path("config/policies")
PLAN = load_plan(Path("config/agent.yaml"))
TICKETS = 12


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the script answers, each time after half a second."""
    with running(scripted_llm(free_port()), tmp_path_factory.mktemp("llm") / "log", timeout=60) as url:
        faults = {"slow": 1.0, "slow_s": 0.5}
        assert httpx2.post(f"{url.removesuffix('/v1')}/faults", json=faults).status_code == 200
        yield url


@pytest.fixture(scope="module")
def version(tmp_path_factory: pytest.TempPathFactory) -> artifact.Artifact:
    """What `signalbox agent register` makes of the shipped files."""
    policies = read_policies(POLICIES)
    questions = read_questions(POLICIES / QUESTIONS, policies)
    prompt = Path("config/agent.md").read_text(encoding="utf-8")
    path, _ = make(PLAN, prompt, policies, questions, tmp_path_factory.mktemp("models"))
    return artifact.load(path)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[OfflineStore]:
    """The small shop's past."""
    shutil.copy(small_database(), tmp_path / "features.db")
    made = open_offline(f"sqlite:///{tmp_path / 'features.db'}")
    yield made
    made.close()


def order(number: int) -> Order:
    return Order(
        order_id=f"o-{number}",
        customer_id=f"c-{number}",
        currency="GBP",
        total_minor=4_000,
        placed_at=system_clock() - 86_400_000,
    )


def message(number: int) -> Batch:
    """The agent's part of what the shipped table makes of a ticket, as it comes to a worker."""
    now, source = system_clock(), Position("retail.events", 0, number)
    event = Envelope(
        event_id=f"e-{number}",
        event_type="support.ticket.escalated",
        source="desk",
        version="1.0.0",
        occurred_at=now,
        tenant_id=TENANT,
        payload={
            "ticket_id": f"t-{number}",
            "customer_id": f"c-{number}",
            "order_id": f"o-{number}",
            "subject": "My order arrived damaged",
            "body": "The mug in my parcel is broken. I would like my money back.",
        },
    )
    (decision,) = route(event, RULES.table, source, now)
    assert (decision.workflow, decision.queue, decision.sla_ms) == (MODEL, "ml.agent.input", 90_000)
    waiting = Waiting(msgspec.Raw(msgspec.json.encode(event)), decision)
    lane = Position(decision.lane, 0, number)
    return Batch(now, (Fed(lane, now, msgspec.Raw(encode_waiting(waiting)), b"k"),))


def lifecycle(
    store: OfflineStore, features_url: str, version: artifact.Artifact, around: Surroundings
) -> Lifecycle:
    journal = Journal(store.database)
    journal.create()
    readers = Readers(lambda: TieredReader(DEFINITIONS, RedisStore(features_url), store))
    return Lifecycle(SupportAgent.load(version, journal, around), readers, system_clock, "1.0.0")


def told(lifecycle: Lifecycle, batch: Batch) -> Prediction:
    outcomes = lifecycle.decide(batch, "ml.agent.input", 0)
    assert (outcomes.waiting, outcomes.again) == ([], [])
    (record,) = outcomes.records
    return decode_prediction(record.value or b"")


def test_tickets_are_worked_on_beside_each_other_in_one_process(
    store: OfflineStore, features_url: str, version: artifact.Artifact, endpoint: str
) -> None:
    platform = MemoryPlatform.of(map(order, range(TICKETS)))
    index = PolicyIndex(read_policies(POLICIES))
    around = Surroundings(Endpoint(endpoint).connect, index, platform, lambda _: "2026-03-02", system_clock)
    working = lifecycle(store, features_url, version, around)
    messages = [message(number) for number in range(TICKETS)]
    with ThreadPoolExecutor(TICKETS) as threads:
        made = list(threads.map(lambda batch: told(working, batch), messages))
    assert {prediction.output.label for prediction in made} == {"resolved"}
    assert {prediction.fallback for prediction in made} == {None}
    assert {prediction.entity_id for prediction in made} == {f"t-{number}" for number in range(TICKETS)}
    for prediction in made:
        detail = prediction.output.detail
        assert isinstance(detail, SupportDetail)
        assert detail.policies == index.digest
        assert set(detail.cited) <= {part.document.id for part in read_policies(POLICIES).parts}
        assert {call.state for call in detail.tool_calls} == {"confirmed"}
    assert len(platform.ended) == TICKETS
    health = httpx2.get(f"{endpoint.removesuffix('/v1')}/health").json()
    assert health["most_at_once"] > TICKETS // 2
    calls = platform.calls
    journal = Journal(store.database)
    for number in range(TICKETS):
        (row,) = journal.of_event(f"e-{number}")
        replayed = replay(row, [each.step for each in journal.steps(row.run_id)], PLAN)
        assert replayed.then is not None
        assert replayed.same
    assert [told(working, batch).output for batch in messages] == [each.output for each in made]
    assert platform.calls == calls
