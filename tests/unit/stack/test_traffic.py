"""A day of traffic, and the fate that the router gives each event as its sender expects."""

from collections import Counter
from pathlib import Path

import msgspec
import pytest

from dispatcher.sorting import SourceRecord, sort
from events.codec import decode
from events.decision import Position
from routing import load
from stack.emission import Emission
from stack.retail import DAY_S, FIRST_DAY, Retail
from stack.traffic import FLOODS, Audience, Flood, Mix, day_of_traffic, days_of_traffic

RULES = load(Path("config/routing_table.yaml"), Path("config/workflows.yaml"))
AUDIENCE = Audience.of(RULES)
TICKET = "support.ticket.escalated"
SHOP = Retail(customers=600, terminals=600)


def played(mix: Mix | None = None, audience: Audience = AUDIENCE) -> list[Emission]:
    return day_of_traffic(SHOP, FIRST_DAY, audience, mix)


@pytest.fixture(scope="module")
def day() -> list[Emission]:
    return played(Mix(bad=0.05, repeated=0.02))


def test_a_day_is_the_same_byte_for_byte(day: list[Emission]) -> None:
    again = day_of_traffic(
        Retail(customers=600, terminals=600), FIRST_DAY, AUDIENCE, Mix(bad=0.05, repeated=0.02)
    )
    assert again == day


def test_the_router_makes_of_each_event_what_was_said_it_must(day: list[Emission]) -> None:
    for offset, sent in enumerate(day):
        record = SourceRecord(Position("x", 0, offset), sent.at, sent.key, sent.value, sent.headers)
        outcome = sort(record, RULES.table, sent.at)
        assert (sent.event_id, outcome.fate, outcome.cause) == (sent.event_id, sent.fate, sent.cause)


def test_every_fate_and_every_way_to_go_bad_is_played(day: list[Emission]) -> None:
    assert {sent.fate for sent in day} == {"routed", "ignored", "unrouted", "dead_letter"}
    assert {sent.cause for sent in day if sent.cause} == {
        "undecodable",
        "invalid_envelope",
        "unknown_version",
        "invalid_payload",
    }


def test_emissions_come_by_time(day: list[Emission]) -> None:
    assert [sent.at for sent in day] == sorted(sent.at for sent in day)
    assert day[-1].at - day[0].at <= DAY_S * 1_000 + 5_000


def test_the_shares_are_as_stated(day: list[Emission]) -> None:
    orders = [sent for sent in day if sent.fraud is not None and not sent.repeats]
    bad = sum(sent.fate == "dead_letter" for sent in day)
    repeated = sum(sent.repeats for sent in day)
    assert bad / len(orders) == pytest.approx(0.05, abs=0.015)
    assert repeated / len(orders) == pytest.approx(0.02, abs=0.01)


def test_every_form_is_played_and_says_the_same() -> None:
    forms = Counter(decode(sent.value, sent.headers).form for sent in played() if sent.fraud is not None)
    assert forms["json"] > 3 * forms["cloudevents-structured"] > 0
    assert forms["json"] > 3 * forms["cloudevents-binary"] > 0


def test_an_event_id_comes_twice_only_where_it_repeats(day: list[Emission]) -> None:
    first: dict[str, Emission] = {}
    for sent in day:
        if sent.repeats:
            before = first[sent.event_id]
            assert (before.value, before.headers, before.fraud) == (sent.value, sent.headers, sent.fraud)
        else:
            assert sent.event_id not in first
            first[sent.event_id] = sent


def test_no_event_carries_its_label(day: list[Emission]) -> None:
    orders = [sent for sent in day if sent.fraud is not None]
    assert not any(b"fraud" in sent.value or b"scenario" in sent.value for sent in orders)
    assert {sent.fraud for sent in day if sent.fate != "routed"} == {None}
    assert sum(bool(sent.fraud) for sent in day) > 20


def test_floods_come_at_their_moment() -> None:
    flood = Flood(36_000, 60, 700)
    calm, flooded = played(Mix(floods=())), played(Mix(floods=(flood,)))
    midnight = calm[0].at // (DAY_S * 1_000) * DAY_S * 1_000

    def orders_within(day: list[Emission]) -> int:
        begin = midnight + flood.second * 1_000
        return sum(
            begin <= sent.at < begin + flood.seconds * 1_000 and sent.fraud is not None and not sent.repeats
            for sent in day
        )

    assert orders_within(flooded) - orders_within(calm) == flood.orders


def test_the_usual_day_has_its_floods_within_the_day() -> None:
    assert all(flood.second + flood.seconds <= DAY_S for flood in FLOODS)


class TestWhoListens:
    def types(self, audience: Audience) -> dict[str, str]:
        return {
            decode(sent.value, sent.headers).envelope.event_type: sent.fate
            for sent in played(Mix(bad=0), audience)
        }

    def test_the_projects_rules_serve_all_four_workflows(self) -> None:
        asked = {"inventory.restock_requested", "customer.inactive", "support.ticket.escalated"}
        assert AUDIENCE.served >= {"order.placed", *asked}
        assert not AUDIENCE.unserved

    def test_a_type_whose_queue_has_no_worker_is_not_played(self) -> None:
        audience = Audience(AUDIENCE.served - {TICKET}, frozenset({TICKET}))
        assert TICKET not in self.types(audience)

    def test_a_type_that_has_a_worker_is_played_and_routed(self) -> None:
        assert self.types(AUDIENCE)[TICKET] == "routed"

    def test_a_type_that_loses_its_route_is_ignored(self) -> None:
        assert self.types(Audience(AUDIENCE.served - {TICKET}, frozenset()))[TICKET] == "ignored"

    def test_orders_without_a_worker_are_not_played(self) -> None:
        audience = Audience(frozenset(), AUDIENCE.unserved | {"order.placed"})
        assert "order.placed" not in self.types(audience)


def test_days_follow_one_another() -> None:
    days = days_of_traffic(SHOP, AUDIENCE, Mix(floods=()))
    first = played(Mix(floods=()))
    taken = [next(days) for _ in range(len(first) + 1)]
    assert taken[:-1] == first
    assert taken[-1].at // (DAY_S * 1_000) == first[0].at // (DAY_S * 1_000) + 1


def test_what_customers_and_terminals_are_called_is_what_history_calls_them() -> None:
    payload = msgspec.json.decode(
        next(sent.value for sent in played(Mix(forms=(1, 0, 0))) if sent.fraud == 0)
    )["payload"]
    assert payload["customer_id"].startswith("c-")
    assert payload["terminal_id"].startswith("t-")
