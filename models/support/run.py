"""One run of a ticket: begun or taken up, reasoned about, acted on, reported to the support platform.

Wherever it is interrupted, the next worker does what is missing and nothing a second time.
"""

import asyncio
import dataclasses
import logging

import msgspec

from events.errors import SignalboxError
from models.support import concluding, standing
from models.support.agent import reason
from models.support.answering import BreachError, NoLlmError
from models.support.assignment import Assignment, Surroundings
from models.support.bounds import Bounds
from models.support.cursor import Cursor, DivergedError
from models.support.draft import Draft
from models.support.ending import TELL_MS, act, end
from models.support.journal import JournaledRun
from models.support.llm import JournaledModel
from models.support.masking import mask
from models.support.prompt import compose
from models.support.steps import Begun, Concluded, Ended, Searched
from models.support.tools import Tools, known_order

log = logging.getLogger(__name__)

MARGIN_MS = 10_000
"""What is left of a ticket's time, before its deadline, to act and to tell the platform."""
MOST_TAKEN_UP = 20
"""A ticket that is escalated more often is a person's: each run asks a model, and the others wait for it."""
_LONGEST_LOGGED = 500


def work(run: JournaledRun, assignment: Assignment, around: Surroundings) -> Ended:
    """The run's end, as it was said the first time.

    Raises `Unavailable` if the platform or the database is away, and `LeaseLostError`.
    """
    ended = standing.ended(run.steps)
    if ended is None:
        platform = around.platform.within(assignment.deadline - TELL_MS)
        around = dataclasses.replace(around, platform=platform)
        concluded = standing.concluded(run.steps)
        if concluded is None:
            concluded = conclude(run, assignment, around)
            carry_out = concluded.carry_out and assignment.heard
            concluded = msgspec.structs.replace(concluded, carry_out=carry_out, at=around.clock())
            run.append(concluded)
        act(run, concluded, assignment.ticket, around)
        ended = end(run, concluded, assignment, around)
        run.append(ended)
    return ended


def conclude(run: JournaledRun, assignment: Assignment, around: Surroundings) -> Concluded:
    """What is to be done for the ticket: reasoned about, as far as the journal does not say it.

    Raises `Unavailable`, and what the journal raises.
    """
    cursor, plan, ticket_id = Cursor(run), assignment.plan, assignment.ticket.ticket_id
    begun = _begin(cursor, assignment, around)
    try:
        if assignment.fallback is not None:
            return concluding.without_llm(
                assignment.fallback, run.steps, plan.on_no_llm, fallback=assignment.fallback
            )
        draft = asyncio.run(_reason(cursor, begun, assignment, around))
    except NoLlmError as error:
        log.warning("ticket %r is answered without a language model: %s", ticket_id, _whole(error))
        return concluding.without_llm(str(error), run.steps, plan.on_no_llm)
    except BreachError as error:
        log.info("ticket %r is handed over, %s: %s", ticket_id, error.reason, _whole(error))
        return concluding.breached(error)
    except DivergedError as error:
        log.warning("ticket %r is handed over: %s", ticket_id, _whole(error))
        return concluding.breached(BreachError("diverged", str(error)))
    except SignalboxError:
        raise
    except Exception as error:
        # the outermost of what is reasoned: tried again, the journal would be played into the same bug
        log.exception("ticket %r is handed over: an error that nobody foresaw", ticket_id)
        return concluding.breached(BreachError("failed", type(error).__name__))
    return concluding.drafted(draft, run.steps)


def _whole(error: Exception) -> str:
    """With what the endpoint wrote, for a log."""
    said = str(error) if error.__cause__ is None else f"{error} ({error.__cause__})"
    return mask(said)[:_LONGEST_LOGGED]


def _begin(cursor: Cursor, assignment: Assignment, around: Surroundings) -> Begun:
    """The run's beginning, as it is in the journal, or as it is written there now."""
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
        read=assignment.read,
    )
    cursor.add(begun, Searched(query, search.namespace, passages))
    return begun


async def _reason(cursor: Cursor, begun: Begun, assignment: Assignment, around: Surroundings) -> Draft:
    if assignment.taken_up > MOST_TAKEN_UP:
        raise BreachError("often", f"workers took this ticket up {assignment.taken_up} times")
    plan = assignment.plan
    bounds = Bounds.of(plan, around.clock(), assignment.deadline - MARGIN_MS, around.clock, around.stopping)
    tools = Tools(
        ticket=assignment.ticket,
        plan=plan,
        cursor=cursor,
        policies=around.policies,
        platform=around.platform.within(bounds.until),
        clock=around.clock,
        day_of=around.day_of,
    )
    async with around.connect(plan.llm) as model:
        return await reason(tools, JournaledModel(model, cursor, bounds), begun)
