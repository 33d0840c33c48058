"""The routing decision: the lanes of an event, and its deadline."""

from events.decision import Arm, Decision, Millis, Position
from events.envelope import Envelope
from events.identity import prediction_id
from routing.table import Table

CHAMPION: Arm = "champion"


def route(event: Envelope, table: Table, source: Position, entered_at: Millis) -> tuple[Decision, ...]:
    """One decision for each workflow that it wakes, in the table's order; none if its type has no route.

    `source` is where the event stands in Kafka, `entered_at` (epoch ms) when it came there: the route's
    promise runs from then on.
    """
    return tuple(
        Decision(
            prediction_id=prediction_id(
                event.tenant_id, event.source, event.event_id, chosen.workflow, CHAMPION
            ),
            workflow=chosen.workflow,
            queue=chosen.queue,
            priority=chosen.priority,
            rule=chosen.rule,
            table_hash=table.hash,
            sla_ms=chosen.sla_ms,
            deadline=entered_at + chosen.sla_ms,
            source=source,
            arm=CHAMPION,
            max_retries=chosen.max_retries,
            backoff_ms=chosen.backoff_ms,
            explain=chosen.explain,
        )
        for chosen in table.routes.get(event.event_type, ())
    )
