"""The generated past is one to training and store, and its labels come a week later."""

from datetime import date, timedelta
from itertools import pairwise

import pytest

from events.codec import decode
from events.envelope import Envelope
from events.payloads import validate
from stack.confirmed import LABEL
from stack.emission import Emission
from stack.history import DAYS, SALES_DAYS, earlier_sales, history, past_events
from stack.retail import FIRST_DAY, Retail
from stack.traffic import Audience, day_of_traffic

SHOP = Retail(customers=200, terminals=50, compromised_terminals_a_day=2)
WEEK_MS = 7 * 86_400_000


def envelope(sent: Emission) -> Envelope:
    return decode(sent.value, sent.headers).envelope


@pytest.fixture(scope="module")
def past() -> list[Emission]:
    return list(past_events(SHOP, FIRST_DAY, days=21))


def test_every_order_that_training_sees_is_an_event_and_no_other(past: list[Emission]) -> None:
    orders = [envelope(sent) for sent in past if sent.fraud is not None]
    seen = [
        (each.time * 1_000, each.customer, each.terminal, each.amount_cents / 100)
        for each in history(SHOP, FIRST_DAY, days=21)
    ]
    assert seen == [
        (each.occurred_at, *(each.payload[name] for name in ("customer_id", "terminal_id", "amount")))
        for each in orders
    ]


def test_events_are_valid_come_by_time_and_have_ids_of_their_own(past: list[Emission]) -> None:
    for sent in past:
        validate(envelope(sent))
    assert all(one.at <= next_one.at for one, next_one in pairwise(past))
    assert len({sent.event_id for sent in past}) == len(past)


def test_a_fraud_becomes_known_a_week_later_and_none_from_the_first_day_played_on(
    past: list[Emission],
) -> None:
    frauds = {envelope(sent).payload["order_id"]: sent.at for sent in past if sent.fraud}
    labels = {envelope(sent).payload["order_id"]: sent.at for sent in past if sent.fraud is None}
    end = past[0].at // 86_400_000 * 86_400_000 + 21 * 86_400_000
    assert labels == {name: at + WEEK_MS for name, at in frauds.items() if at + WEEK_MS < end}
    assert len(labels) > 20


def test_the_first_day_played_brings_the_labels_of_a_week_before(past: list[Emission]) -> None:
    day = day_of_traffic(SHOP, FIRST_DAY, Audience())
    labels = [sent for sent in day if sent.event_id.startswith("fraud-")]
    told = {str(envelope(sent).payload["order_id"]): envelope(sent).event_type for sent in labels}
    week_before = f"{FIRST_DAY - timedelta(days=7):%Y%m%d}"
    frauds = {str(envelope(sent).payload["order_id"]) for sent in past if sent.fraud}
    assert told == {name: LABEL for name in frauds if week_before in name}
    assert {sent.fate for sent in labels} == {"ignored"}


def test_sales_reach_back_half_a_year_without_a_gap_and_without_overlap(past: list[Emission]) -> None:
    earlier = list(earlier_sales(SHOP, FIRST_DAY))
    days = [envelope(sent).occurred_at // 86_400_000 for sent in earlier]
    assert days == list(range(days[0], days[0] + SALES_DAYS))
    first_of_past = (FIRST_DAY - timedelta(days=DAYS) - date(1970, 1, 1)).days
    assert days[-1] == first_of_past - 1
    for sent in earlier:
        validate(envelope(sent))
    assert {sent.event_id for sent in earlier}.isdisjoint(sent.event_id for sent in past)


def test_every_order_of_the_past_names_what_was_bought(past: list[Emission]) -> None:
    assert all(envelope(sent).payload["items"] for sent in past if sent.fraud is not None)
