"""What holds of every decision, whatever the table and the event."""

from dataclasses import replace
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from events.decision import Position
from events.envelope import Envelope
from routing import Priority, Route, Table, route

TYPES = ("order.placed", "order.returned", "customer.inactive")
WORKFLOWS = ("fraud-classifier", "churn-predictor", "demand-forecaster")
MILLIS = st.integers(0, 253_402_300_799_999)

names = st.text(min_size=1, max_size=12)
settled = settings(deadline=None)


@st.composite
def routes_of(draw: st.DrawFn, event_type: str) -> list[Route]:
    workflows = draw(st.lists(st.sampled_from(WORKFLOWS), min_size=1, unique=True))
    return [
        Route(
            event_type=event_type,
            rule=f"{event_type}[{rank}]",
            workflow=workflow,
            priority=draw(st.sampled_from(Priority)),
            sla_ms=draw(st.integers(1, 10**9)),
            queue=draw(st.sampled_from(("ml.a.input", "ml.b.input"))),
            max_retries=draw(st.integers(0, 20)),
            backoff_ms=draw(st.integers(1, 60_000)),
            explain=draw(st.booleans()),
        )
        for rank, workflow in enumerate(workflows)
    ]


@st.composite
def tables(draw: st.DrawFn) -> Table:
    event_types = draw(st.lists(st.sampled_from(TYPES), unique=True))
    return Table.of(each for event_type in event_types for each in draw(routes_of(event_type)))


envelopes: st.SearchStrategy[Envelope] = st.builds(
    Envelope,
    event_id=names,
    event_type=st.sampled_from(TYPES),
    source=names,
    version=st.just("1.0.0"),
    occurred_at=MILLIS,
    tenant_id=names,
    payload=st.dictionaries(names, st.integers(), max_size=2),
)
positions = st.builds(Position, names, st.integers(0, 100), st.integers(0, 2**63 - 1))


@given(envelopes, tables(), positions, MILLIS)
@settled
def test_the_same_event_gets_the_same_decisions(
    event: Envelope, table: Table, source: Position, entered: int
) -> None:
    before = msgspec.json.encode(event), table.hash, table.all_routes
    assert route(event, table, source, entered) == route(event, table, source, entered)
    assert (msgspec.json.encode(event), table.hash, table.all_routes) == before


@given(envelopes, tables(), positions, MILLIS)
@settled
def test_each_route_of_the_type_gets_its_decision_in_order(
    event: Envelope, table: Table, source: Position, entered: int
) -> None:
    decisions = route(event, table, source, entered)
    routes = table.routes.get(event.event_type, ())
    assert len(decisions) == len(routes)
    for decision, chosen in zip(decisions, routes, strict=True):
        assert decision.rule == chosen.rule
        assert decision.workflow == chosen.workflow
        assert decision.queue == chosen.queue
        assert decision.priority is chosen.priority
        assert decision.lane == f"{chosen.queue}.{chosen.priority.value}"
        assert (decision.max_retries, decision.backoff_ms) == (chosen.max_retries, chosen.backoff_ms)
        assert decision.explain is chosen.explain
        assert (decision.arm, decision.bucket, decision.propensity) == ("champion", None, 1.0)


@given(envelopes, tables(), positions, MILLIS)
@settled
def test_a_decision_is_stamped_on_what_it_rests_on(
    event: Envelope, table: Table, source: Position, entered: int
) -> None:
    for decision in route(event, table, source, entered):
        assert decision.table_hash == table.hash
        assert decision.source == source


@given(envelopes, tables(), positions, MILLIS)
@settled
def test_the_promise_runs_from_the_entry_into_kafka(
    event: Envelope, table: Table, source: Position, entered: int
) -> None:
    for decision in route(event, table, source, entered):
        assert decision.deadline - entered == decision.sla_ms > 0


@given(envelopes, tables(), positions, positions, MILLIS, MILLIS)
@settled
def test_the_id_is_the_same_wherever_and_whenever_the_event_is_routed_again(
    event: Envelope, table: Table, once: Position, again: Position, then: int, now: int
) -> None:
    later = msgspec.structs.replace(event, version="1.7.0", occurred_at=0, payload={})
    first = {d.workflow: d.prediction_id for d in route(event, table, once, then)}
    second = {d.workflow: d.prediction_id for d in route(later, table, again, now)}
    assert first == second


@given(envelopes, tables(), tables(), positions, MILLIS)
@settled
def test_another_table_does_not_change_the_id(
    event: Envelope, table: Table, other: Table, source: Position, entered: int
) -> None:
    before = {d.workflow: d.prediction_id for d in route(event, table, source, entered)}
    after = {d.workflow: d.prediction_id for d in route(event, other, source, entered)}
    for workflow in before.keys() & after.keys():
        assert before[workflow] == after[workflow]


@given(envelopes, envelopes, tables(), positions, MILLIS)
@settled
def test_inferences_share_an_id_only_where_they_are_the_same(
    one: Envelope, other: Envelope, table: Table, source: Position, entered: int
) -> None:
    def caused(event: Envelope) -> dict[str, tuple[str, ...]]:
        return {
            d.prediction_id: (event.tenant_id, event.source, event.event_id, d.workflow)
            for d in route(event, table, source, entered)
        }

    assert len(caused(one)) == len(table.routes.get(one.event_type, ()))
    ours, theirs = caused(one), caused(other)
    assert set(ours) & set(theirs) == {key for key in ours if ours[key] in theirs.values()}


DECISIVE = ["workflow", "queue", "sla_ms", "max_retries", "backoff_ms", "max_batch", "explain"]


@given(tables(), st.sampled_from(DECISIVE))
@settled
def test_whatever_decides_is_in_the_hash(table: Table, field: str) -> None:
    values: dict[str, Any] = {
        "workflow": "another", "queue": "ml.c.input", "sla_ms": 2 * 10**9, "max_retries": 99,
        "backoff_ms": 99_999, "max_batch": 5,
    }  # fmt: skip
    routes = list(table.all_routes)
    if routes:
        values["explain"] = not routes[-1].explain
        routes[-1] = replace(routes[-1], **{field: values[field]})
        assert Table.of(routes).hash != table.hash
    moved = [replace_line(each) for each in table.all_routes]
    assert Table.of(moved) == table


def replace_line(each: Route) -> Route:
    return replace(each, line=each.line + 40)


@given(envelopes, tables(), positions, MILLIS)
@settled
def test_a_decision_survives_the_lane(event: Envelope, table: Table, source: Position, entered: int) -> None:
    for decision in route(event, table, source, entered):
        assert msgspec.json.decode(msgspec.json.encode(decision), type=type(decision)) == decision
