"""Tool calls: each is judged and journaled; nothing is sent while the model reasons."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, assert_never

from sqlalchemy import Connection

from events.decision import Millis
from events.identity import derived_id
from models.support import limits, spending
from models.support.actions import Action, Refund, money_of, tool_of
from models.support.cursor import Cursor
from models.support.passage import Passage
from models.support.plan import AgentPlan
from models.support.platform import Order, RefusalError, SupportPlatform
from models.support.prompt import shown
from models.support.searching import PolicySearch, SearchPolicies
from models.support.spending import OverspentError
from models.support.steps import Declined, Intended, Searched
from models.support.ticket import Ticket
from transport.clock import Clock

NO_MORE: Final = "No more searches: work with what was found, or call escalate_to_human."


DayOf = Callable[[Millis], str]
"""The shop's day at a moment (epoch ms), in ISO 8601."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What the tools of one run work with."""

    ticket: Ticket
    plan: AgentPlan
    cursor: Cursor
    policies: PolicySearch
    platform: SupportPlatform
    clock: Clock
    day_of: DayOf

    def search(self, asked: SearchPolicies) -> list[dict[str, str]] | str:
        """The passages, as the model reads them, or why there are none. Raises what the journal raises."""
        namespace = asked.namespace or self.plan.search.namespace
        if namespace not in self.policies.namespaces:
            return f"There is no such namespace. There are: {', '.join(self.policies.namespaces)}."
        if len(self.searched) > self.plan.budgets.searches:  # beyond the one that the run began with
            return NO_MORE
        found = self.cursor.recorded(Searched)
        if found is None:
            passages = self.policies.search(asked.query, namespace, self.plan.search.top_k)
            found = Searched(asked.query, namespace, tuple(passages))
            self.cursor.add(found)
        return shown(found.passages) or "Nothing was found."

    def act(self, action: Action) -> str:
        """What the model is told of it. Raises `Unavailable`, and what the journal raises."""
        step = self.cursor.recorded(Intended, Declined)
        return _told(self._judge(action) if step is None else step)

    def _judge(self, action: Action) -> Intended | Declined:
        ticket, now = self.ticket, self.clock()
        order_id = action.order_id if isinstance(action, Refund) else ticket.order_id
        order = known_order(self.platform, ticket.tenant_id, order_id)
        judgement = limits.judge(action, ticket, order, self.plan, self.day_of(now), self.intended)
        match judgement:
            case limits.Allowed(purses):
                return self._intend(action, purses)
            case limits.NeedsHuman(reason):
                step = Declined(action, reason, human=True)
            case limits.Refused(reason):
                step = Declined(action, reason, human=False)
            case _:
                assert_never(judgement)
        self.cursor.add(step)
        return step

    def _intend(self, action: Action, purses: tuple[limits.Purse, ...]) -> Intended | Declined:
        tenant, run = self.ticket.tenant_id, self.cursor.run
        # of the event and the step: whoever takes the run up sends it under the same one
        step = Intended(derived_id("act", run.run_id, str(len(run.steps) + 1)), action, purses)
        money = money_of(action)

        def spend(connection: Connection) -> None:
            if money is not None:
                spending.take(connection, tenant, purses, money.amount_minor)

        try:
            self.cursor.add(step, within=spend)
        except OverspentError as error:
            declined = Declined(action, str(error), human=True)
            self.cursor.add(declined)
            return declined
        return step

    @property
    def intended(self) -> list[Action]:
        """The actions that this run has intended."""
        return [step.action for step in self.cursor.behind if isinstance(step, Intended)]

    @property
    def searched(self) -> list[tuple[Passage, ...]]:
        """What each search of this run found."""
        return [step.passages for step in self.cursor.behind if isinstance(step, Searched)]

    @property
    def retrieved(self) -> set[str]:
        """The ids of the documents that a reply may cite."""
        return {passage.document for passages in self.searched for passage in passages}


def known_order(platform: SupportPlatform, tenant_id: str, order_id: str | None) -> Order | None:
    """The order, as the shop knows it; None if it knows none. Raises `Unavailable`."""
    if order_id is None:
        return None
    try:
        return platform.order(tenant_id, order_id)
    except RefusalError:
        return None  # an id that it does not take, as a ticket or a model may make up


def _told(step: Intended | Declined) -> str:
    tool = tool_of(step.action)
    match step:
        case Intended():
            return (
                f"{tool} is accepted. It is carried out once your final answer holds; say so in your reply."
            )
        case Declined(human=True):
            return (
                f"{tool} is not done: {step.reason}. A person decides about it after your final answer; "
                "promise nothing of it."
            )
        case _:
            return f"{tool} is not done: {step.reason}."
