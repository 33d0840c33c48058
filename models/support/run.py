"""How does a ticket come to its end? One run: begun or taken up, reasoned, acted on, told to the platform.

Wherever it is interrupted, the next worker does what is missing and nothing a second time.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec

from events.decision import Millis
from events.identity import derived_id
from models.support import concluding, standing
from models.support.acting import carry_out
from models.support.action_log import JournaledActions
from models.support.agent import reason
from models.support.answering import BreachError, NoLlmError
from models.support.cursor import Cursor, DivergedError
from models.support.draft import Draft
from models.support.fallback import Reason
from models.support.journal import JournaledRun
from models.support.llm import Bounds, Connect, JournaledModel
from models.support.masking import mask
from models.support.plan import AgentPlan
from models.support.platform import Receipt, RefusalError, SupportPlatform, TicketRef
from models.support.prompt import compose
from models.support.searching import PolicySearch
from models.support.steps import Begun, Concluded, Ended, Posted, Posting, Searched
from models.support.ticket import Ticket
from models.support.tools import DayOf, Tools, known_order
from transport.clock import Clock

log = logging.getLogger(__name__)

MARGIN_MS = 10_000
"""What is left of a ticket's time, before its deadline, to act and to tell the platform."""
TELL_MS = 2_000
"""Of that, for telling: a resolution that begins later would come too late, and is handed over."""


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

    `customer` are the features that were found. `fallback` says why no model may be asked, if none may. One
    that is not `heard` reasons beside the run that is, and does and says nothing.
    """

    ticket: Ticket
    model_id: str
    plan: AgentPlan
    instructions: str
    customer: Mapping[str, float]
    deadline: Millis
    fallback: str | None = None
    heard: bool = True


def work(run: JournaledRun, assignment: Assignment, around: Surroundings) -> Ended:
    """The run's end, as it was said the first time.

    Raises `Unavailable` where the platform or the database is away, and `LeaseLostError`.
    """
    ended = standing.ended(run.steps)
    if ended is None:
        concluded = standing.concluded(run.steps)
        if concluded is None:
            concluded = conclude(run, assignment, around)
            if not assignment.heard:
                concluded = msgspec.structs.replace(concluded, carry_out=False)
            run.append(concluded)
        _act(run, concluded, assignment.ticket, around.platform)
        ended = _end(run, concluded, assignment, around)
        run.append(ended)
    return ended


def conclude(run: JournaledRun, assignment: Assignment, around: Surroundings) -> Concluded:
    """What is to be done for the ticket: reasoned about, as far as the journal does not say it.

    Raises `Unavailable`, and what the journal raises.
    """
    cursor, plan = Cursor(run), assignment.plan
    begun = _begin(cursor, assignment, around)
    try:
        if assignment.fallback is not None:
            return concluding.without_llm(
                assignment.fallback, run.steps, plan.on_no_llm, fallback=assignment.fallback
            )
        draft = asyncio.run(_reason(cursor, begun, assignment, around))
    except NoLlmError as error:
        ticket, why = assignment.ticket.ticket_id, mask(str(error))
        log.warning("ticket %s is answered without a language model: %s", ticket, why)
        return concluding.without_llm(str(error), run.steps, plan.on_no_llm)
    except BreachError as error:
        log.info(
            "ticket %s is handed over, %s: %s", assignment.ticket.ticket_id, error.reason, mask(str(error))
        )
        return concluding.breached(error)
    except DivergedError as error:
        log.warning("ticket %s is handed over: %s", assignment.ticket.ticket_id, error)
        return concluding.breached(BreachError("diverged", str(error)))
    return concluding.drafted(draft, run.steps)


def _begin(cursor: Cursor, assignment: Assignment, around: Surroundings) -> Begun:
    """The run's beginning, as it stands in the journal, or as it is written there now."""
    found = cursor.recorded(Begun)
    if found is not None:
        cursor.recorded(Searched)
        return found
    ticket, search = assignment.ticket, assignment.plan.search
    now = around.clock()
    order = known_order(around.platform, ticket.tenant_id, ticket.order_id)
    if order is not None and order.customer_id != ticket.customer_id:
        order = None  # of somebody else's order nothing is told
    query = f"{ticket.subject}\n{ticket.body}".strip() or ticket.reason
    passages = tuple(around.policies.search(query, search.namespace, search.top_k))
    known = dict(assignment.customer)
    begun = Begun(
        model_id=assignment.model_id,
        began_at=now,
        policies=around.policies.digest,
        instructions=assignment.instructions,
        prompt=compose(ticket, order, known, passages, around.day_of(now)),
        features=known,
    )
    cursor.add(begun, Searched(query, search.namespace, passages))
    return begun


async def _reason(cursor: Cursor, begun: Begun, assignment: Assignment, around: Surroundings) -> Draft:
    plan = assignment.plan
    tools = Tools(
        ticket=assignment.ticket,
        plan=plan,
        cursor=cursor,
        policies=around.policies,
        platform=around.platform,
        clock=around.clock,
        day_of=around.day_of,
    )
    bounds = Bounds.of(plan, around.clock(), assignment.deadline - MARGIN_MS, around.clock, around.stopping)
    async with around.connect(plan.llm) as model:
        return await reason(tools, JournaledModel(model, cursor, bounds), begun)


def _act(run: JournaledRun, concluded: Concluded, ticket: Ticket, platform: SupportPlatform) -> None:
    actions = JournaledActions(run, ticket.tenant_id)
    intents = standing.intents(run.steps)
    if concluded.carry_out:
        carry_out(intents, platform, _ref(ticket), actions)
    else:
        actions.withdraw(intents)


def _end(run: JournaledRun, concluded: Concluded, assignment: Assignment, around: Surroundings) -> Ended:
    """Tell the platform, unless it was told."""
    why = concluding.handed_over_for(run.steps)
    if assignment.heard:
        why = _reason_told(run, why, late=around.clock() > assignment.deadline - TELL_MS)
        if standing.the(Posted, run.steps) is None:
            try:
                receipt = _post(run, concluded, why, _ref(assignment.ticket), around.platform)
            except RefusalError as error:
                # the ticket has another end there, which stands: a person closed it, or an earlier event
                log.warning("ticket %s: %s", assignment.ticket.ticket_id, mask(str(error)))
                why = "post_refused"
            else:
                run.append(Posted("handed_over" if why else "resolved", receipt.reference))
    output = concluding.output(why, run.steps, assignment.plan)
    return Ended(msgspec.json.encode(output).decode(), concluded.fallback)


def _reason_told(run: JournaledRun, why: Reason | None, *, late: bool) -> Reason | None:
    """Why the platform is told that a person has it: also where the answer would come too late."""
    posting = standing.the(Posting, run.steps)
    if posting is None:
        posting = Posting("deadline" if why is None and late else why)
        run.append(posting)
    return posting.reason


def _post(
    run: JournaledRun,
    concluded: Concluded,
    why: Reason | None,
    ref: TicketRef,
    platform: SupportPlatform,
) -> Receipt:
    begun, key = standing.the(Begun, run.steps), derived_id("post", run.run_id)
    if begun is None:
        raise ValueError(f"{run.run_id} was concluded and never began")
    if why is None:
        return platform.resolve(key, ref, concluding.resolution(begun, concluded, run.steps))
    return platform.hand_over(key, ref, concluding.hand_over(begun, concluded, why, run.steps))


def _ref(ticket: Ticket) -> TicketRef:
    return TicketRef(
        tenant_id=ticket.tenant_id,
        ticket_id=ticket.ticket_id,
        customer_id=ticket.customer_id,
        event_id=ticket.event_id,
    )
