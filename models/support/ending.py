"""The end of a concluded run: its actions are executed, then the platform is notified."""

import logging

import msgspec

from events.errors import DeadLetter
from events.identity import derived_id
from models.support import concluding, standing
from models.support.acting import carry_out
from models.support.action_log import JournaledActions
from models.support.assignment import Assignment, Surroundings
from models.support.fallback import Reason
from models.support.journal import JournaledRun
from models.support.masking import mask
from models.support.platform import AlreadyEndedError, Receipt, RefusalError, SupportPlatform, TicketRef
from models.support.steps import Begun, Concluded, Ended, Posted, Posting, Unposted
from models.support.ticket import Ticket

log = logging.getLogger(__name__)

TELL_MS = 2_000
"""Of a ticket's time, for telling: a resolution that begins later would come too late, and is handed over."""


def act(run: JournaledRun, concluded: Concluded, ticket: Ticket, around: Surroundings) -> None:
    """Do what the run intended and has not done yet, or withdraw it.

    Raises `Unavailable` and `LeaseLostError`.
    """
    actions = JournaledActions(run, ticket.tenant_id)
    intents = standing.intents(run.steps)
    if concluded.carry_out:
        carry_out(
            intents,
            around.platform,
            _ref(ticket),
            actions,
            decided_at=concluded.at,
            clock=around.clock,
        )
    else:
        actions.withdraw(intents)


def end(run: JournaledRun, concluded: Concluded, assignment: Assignment, around: Surroundings) -> Ended:
    """Notify the platform, unless it was notified.

    Raises what `act` does, and `DeadLetter` if the platform takes neither an answer nor a hand-over.
    """
    why = concluding.handed_over_for(run.steps)
    if assignment.heard:
        why = _reason_told(run, why, late=around.clock() > assignment.deadline - TELL_MS)
        if standing.the(Posted, run.steps) is None:
            why = _tell(run, concluded, why, _ref(assignment.ticket), around.platform)
    output = concluding.output(why, run.steps, assignment.plan)
    return Ended(msgspec.json.encode(output).decode(), concluded.fallback)


def _reason_told(run: JournaledRun, why: Reason | None, *, late: bool) -> Reason | None:
    """The reason of a hand-over as the platform gets it: also that the answer would come too late."""
    if standing.the(Unposted, run.steps) is not None:
        return "reply_refused"
    posting = standing.the(Posting, run.steps)
    if posting is None:
        posting = Posting("deadline" if why is None and late else why)
        run.append(posting)
    return posting.reason


def _tell(
    run: JournaledRun,
    concluded: Concluded,
    why: Reason | None,
    ref: TicketRef,
    platform: SupportPlatform,
) -> Reason | None:
    """Why a person has the ticket in the end. A reply that is not taken makes it theirs."""
    try:
        receipt = _post(run, concluded, why, ref, platform)
    except AlreadyEndedError as error:
        log.warning("ticket %r: %s", ref.ticket_id, mask(str(error)))
        return "post_refused"
    except RefusalError as error:
        if why is not None:
            raise DeadLetter("rejected", f"nobody could be given the ticket: {mask(str(error))}") from error
        log.warning("ticket %r is handed over: %s", ref.ticket_id, mask(str(error)))
        run.append(Unposted(error.reason))
        return _tell(run, concluded, "reply_refused", ref, platform)
    run.append(Posted("handed_over" if why else "resolved", receipt.reference))
    return why


def _post(
    run: JournaledRun,
    concluded: Concluded,
    why: Reason | None,
    ref: TicketRef,
    platform: SupportPlatform,
) -> Receipt:
    begun = standing.the(Begun, run.steps)
    # to a platform that keeps what it refused, the hand-over after that is another call
    key = derived_id("post", run.run_id, *(["hand-over"] if why == "reply_refused" else []))
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
