"""What one run of the agent is about, and what it works with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from events.decision import Millis
from features.reading import FeatureVector
from models.support.llm import Connect
from models.support.plan import AgentPlan
from models.support.platform import SupportPlatform
from models.support.searching import PolicySearch
from models.support.ticket import Ticket
from models.support.tools import DayOf
from transport.clock import Clock


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the runs of one process share.

    `stopping` says whether this worker was asked to end: a run goes on elsewhere then, from its journal.
    """

    connect: Connect
    policies: PolicySearch
    platform: SupportPlatform
    day_of: DayOf
    clock: Clock
    stopping: Callable[[], bool] = lambda: False


@dataclass(frozen=True, slots=True)
class Assignment:
    """One ticket, by which version it is worked on, and until when (epoch ms) its end was promised.

    `customer` are the features that were found, in that `read`. `fallback` says why no model may be
    asked, if none may. One that is not `heard` reasons beside the run that is, and does and says nothing.
    `taken_up` counts how often workers took the ticket, in this run and in those of earlier escalations.
    """

    ticket: Ticket
    model_id: str
    plan: AgentPlan
    instructions: str
    customer: Mapping[str, float]
    deadline: Millis
    fallback: str | None = None
    heard: bool = True
    read: FeatureVector | None = None
    taken_up: int = 1
