"""A version of the agent, its plan, and tickets, for tests."""

from pathlib import Path

from features.contract import Contract
from features.retail import DEFINITIONS
from models.recipe import Column, DataSummary, Provenance, Recipe, Signature
from models.support.plan import AgentPlan, load_plan
from models.support.platform import Order
from models.support.ticket import Ticket
from models.support.version import MODEL, NEEDS
from tests.unit.models.versions import PROVENANCE

ROOT = Path(__file__).parents[4]
PLAN: AgentPlan = load_plan(ROOT / "config/agent.yaml")
TODAY = "2026-03-02"
NOON = 1_772_452_800_000  # 2026-03-02T12:00:00Z


def ticket(
    order_id: str | None = "o-1", customer_id: str = "c-1", body: str = "My mug came broken."
) -> Ticket:
    """One that came in, of a customer and perhaps of an order."""
    return Ticket(
        tenant_id="acme",
        event_id="e-1",
        ticket_id="t-1",
        customer_id=customer_id,
        order_id=order_id,
        subject="A broken mug",
        body=body,
        reason="no answer for a week",
    )


def order(total: int = 5_000, refunded: int = 0, order_id: str = "o-1", customer_id: str = "c-1") -> Order:
    """One that the shop knows, in pounds."""
    return Order(
        order_id=order_id,
        customer_id=customer_id,
        currency="GBP",
        total_minor=total,
        refunded_minor=refunded,
        placed_at=NOON - 86_400_000,
    )


def recipe(plan: AgentPlan = PLAN) -> Recipe:
    """What such a version says of itself."""
    return Recipe(
        model=MODEL,
        data=DataSummary(
            first="2026-01-01",
            last="2026-02-01",
            ranges={"policies": "2026-01-01 to 2026-02-01"},
            rows={"policies": 40, "questions": 100},
            labels={"questions.answered": 100},
            sha256="5" * 64,
        ),
        parameters={"llm": plan.llm.model},
        metrics={"recall_at_5": 0.9},
        payload=(),
        needs=NEEDS,
        feature_hash=Contract.of(DEFINITIONS, NEEDS).hash,
        signature=Signature(inputs=(Column("ticket", "string"),), outputs=(Column("outcome", "string"),)),
    )


def provenance() -> Provenance:
    """Who registered it."""
    return PROVENANCE
