"""Which answer a ticket's event gets, over a journal in SQL."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from events.decision import Decision, Position
from events.envelope import Envelope
from events.errors import DeadLetter, Unavailable
from events.prediction import SupportDetail, ToolCall
from events.priority import Priority
from features.contract import Contract
from features.reading import FeatureVector
from features.retail import DEFINITIONS
from models.support.journal import Journal, RunRow
from models.support.spending import SPENDING
from models.support.version import NEEDS, AgentVersion
from models.support.workflow import SupportAgent
from models.workflow import Answer, Case, ModelVersion
from tests.memory_platform import MemoryPlatform
from tests.unit.models.support.agents import NOON, PLAN, order
from tests.unit.models.support.runs import HANDED, ORDINARY, Reply, Script, drafted, refunded, surroundings
from transport.database import Database, open_database

PAYLOAD = {
    "ticket_id": "t-1",
    "customer_id": "c-1",
    "order_id": "o-1",
    "subject": "A broken mug",
    "body": "My mug came broken.",
}
VERSION = ModelVersion("ai-support-agent-v1", "1", "d" * 64, "f" * 64)


def case(values: tuple[float, ...] = (120.0, 3.0, 1.0), event_id: str = "e-1", **changes: Any) -> Case:
    event = Envelope(
        event_id=event_id,
        event_type="support.ticket.escalated",
        source="desk",
        version="1.0.0",
        occurred_at=NOON,
        tenant_id="acme",
        payload=PAYLOAD | changes,
    )
    decision = Decision(
        prediction_id=f"pred_{event_id}",
        workflow="ai-support-agent",
        queue="ml.agent.input",
        priority=Priority.HIGH,
        rule="support.ticket.escalated[0]",
        table_hash="abc",
        sla_ms=90_000,
        deadline=NOON + 90_000,
        source=Position("retail.events", 0, 1),
    )
    features = FeatureVector(values, (), (), NOON, "online", "0@1")
    return Case(event, decision, {}, features)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path / 'journal.db'}")
    yield opened
    opened.close()


@pytest.fixture
def journal(database: Database) -> Journal:
    made = Journal(database, lambda: NOON)
    made.create()
    return made


def agent(journal: Journal, replies: list[Reply], platform: MemoryPlatform | None = None) -> SupportAgent:
    version = AgentVersion(VERSION, PLAN, "Be kind.", Contract.of(DEFINITIONS, NEEDS))
    return SupportAgent(version, journal, surroundings(Script(replies), platform))


def said(answer: object) -> tuple[str, list[str]]:
    """Why it was handed over, or that it was not, and what became of each call."""
    assert isinstance(answer, Answer)
    detail = answer.output.detail
    assert isinstance(detail, SupportDetail)
    return detail.reason or detail.outcome, [call.state for call in detail.tool_calls]


def spent(database: Database) -> list[int]:
    with database.reading() as connection:
        return sorted(connection.scalars(select(SPENDING.c.spent_minor)))


def test_a_ticket_is_resolved_and_answered_the_same_whoever_asks_again(
    journal: Journal, database: Database
) -> None:
    [first] = agent(journal, list(ORDINARY)).infer([case()])
    assert isinstance(first, Answer)
    assert (first.output.label, first.output.decision, first.output.confidence) == (
        "resolved",
        "resolve",
        None,
    )
    assert first.fallback is None
    assert first.features["order_count"] == 3.0
    assert set(spent(database)) == {1_000}
    assert agent(journal, []).infer([case()]) == [first]


def test_what_a_withdrawn_refund_had_taken_is_given_back(journal: Journal, database: Database) -> None:
    [answer] = agent(journal, [refunded(), *[drafted("We refund 99.00 GBP.")] * 9]).infer([case()])
    assert isinstance(answer, Answer)
    assert isinstance(answer.output.detail, SupportDetail)
    assert answer.output.detail.tool_calls == (ToolCall("issue_refund", "withdrawn", 1_000, "GBP"),)
    assert set(spent(database)) == {0}


def test_what_a_person_gave_back_of_an_order_is_left_to_one_ticket_of_two(journal: Journal) -> None:
    # while neither refund has come to the platform, both tickets are told that 60.00 are left
    platform = MemoryPlatform.of([order(10_000, refunded=4_000)])
    given: list[Reply] = [refunded(5_000), drafted("We refund 50.00 GBP.", 5_000)]
    [first] = agent(journal, given, platform).infer([case()])
    held: list[Reply] = [refunded(5_000), HANDED]
    [second] = agent(journal, held, platform).infer([case(event_id="e-2", ticket_id="t-2")])
    assert (said(first), said(second)) == (("resolved", ["confirmed"]), ("limits", ["declined"]))


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        pytest.param([drafted()], HANDED, ("limits", ["declined"]), id="what was given is not given again"),
        pytest.param(
            [HANDED] * 9,
            drafted("We refund 5.00 GBP.", 500),
            ("resolved", ["confirmed"]),
            id="what was withdrawn may be",
        ),
    ],
)
def test_each_tool_gives_once_to_a_ticket_that_is_escalated_again(
    journal: Journal, first: list[Reply], second: Reply, expected: tuple[str, list[str]]
) -> None:
    agent(journal, [refunded(), *first]).infer([case()])
    [answer] = agent(journal, [refunded(500), second]).infer([case(event_id="e-2")])
    assert said(answer) == expected


def test_a_run_that_is_taken_up_says_which_features_it_was_decided_by(journal: Journal) -> None:
    platform = MemoryPlatform.of([order()])
    platform.lost = [Unavailable("support platform")]
    then, now = case((float("nan"), 3.0, 1.0)), case((130.0, 4.0, 2.0))
    agent(journal, list(ORDINARY), platform).infer([then])
    [answer] = agent(journal, [], platform).infer(
        [replace(now, features=msgspec.structs.replace(now.features, position="0@9"))]
    )
    assert isinstance(answer, Answer)
    assert answer.features == {"order_count": 3.0, "prev_escalations": 1.0}
    assert answer.read == msgspec.structs.replace(then.features, values=[])


def test_a_ticket_that_another_worker_has_is_waited_for(journal: Journal) -> None:
    row = RunRow("pred_0", "acme", "t-1", "e-0", "ai-support-agent-v1", NOON)
    with journal.open(row):
        [answer] = agent(journal, list(ORDINARY)).infer([case()])
        assert isinstance(answer, Unavailable)
    [answer] = agent(journal, list(ORDINARY)).infer([case()])
    assert isinstance(answer, Answer)


def test_while_the_platform_is_away_a_ticket_waits_and_then_goes_on(journal: Journal) -> None:
    platform = MemoryPlatform.of([order()])
    platform.lost = [Unavailable("support platform")]
    [answer] = agent(journal, list(ORDINARY), platform).infer([case()])
    assert isinstance(answer, Unavailable)
    script = Script([])
    again = agent(journal, [], platform)
    [answer] = again.infer([case()])
    assert isinstance(answer, Answer)
    assert answer.output.label == "resolved"
    assert not script.asked
    assert len(platform.acted) == 1


def test_an_event_that_is_no_ticket_is_refused(journal: Journal) -> None:
    workflow = agent(journal, [])
    with pytest.raises(DeadLetter, match="ticket_id"):
        workflow.entities(case(ticket_id="").event)
    [answer] = workflow.infer([case(ticket_id="")])
    assert isinstance(answer, DeadLetter)


def test_an_event_is_about_its_ticket_and_needs_its_customer(journal: Journal) -> None:
    workflow = agent(journal, [])
    assert workflow.entity_id(case().event) == "t-1"
    assert [key.entity_id for key in workflow.entities(case().event).values()] == ["c-1"]


def test_a_feature_that_nobody_knows_is_left_out(journal: Journal) -> None:
    [answer] = agent(journal, list(ORDINARY)).infer([case((float("nan"), 3.0, 1.0))])
    assert isinstance(answer, Answer)
    assert set(answer.features) == {"order_count", "prev_escalations"}


def test_without_its_features_a_ticket_is_handed_over(journal: Journal) -> None:
    answer = agent(journal, []).fall_back(case(), "missing: order_count")
    assert (answer.output.label, answer.fallback) == ("handed_over", "missing: order_count")
