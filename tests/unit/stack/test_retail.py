"""RetailPulse's day is the handbook simulator's, and always the same."""

from collections import Counter
from datetime import date, timedelta

from stack.retail import (
    CUSTOMER_DAYS,
    DAY_S,
    FIRST_DAY,
    OUTLIER_CENTS,
    TERMINAL_DAYS,
    Order,
    Retail,
    Scenario,
)

SHOP = Retail(customers=400, terminals=400)
DAYS = [FIRST_DAY + timedelta(days=offset) for offset in range(20)]


def orders_of(shop: Retail) -> list[Order]:
    return [order for day in DAYS for order in shop.orders(day)]


def test_a_day_is_always_the_same_whatever_was_asked_for_before() -> None:
    later = Retail(customers=400, terminals=400)
    later.orders(DAYS[7])
    assert later.orders(FIRST_DAY) == SHOP.orders(FIRST_DAY)


def test_another_seed_is_another_day() -> None:
    assert Retail(seed=8, customers=400, terminals=400).orders(FIRST_DAY) != SHOP.orders(FIRST_DAY)


def test_a_customer_orders_twice_a_day_on_average() -> None:
    assert 1.8 < len(orders_of(SHOP)) / (400 * len(DAYS)) < 2.2


def test_the_shares_of_the_scenarios_are_as_stated() -> None:
    shop = Retail(
        customers=2_000, terminals=2_000, compromised_terminals_a_day=0.8, compromised_customers_a_day=1.5
    )
    counted = Counter(order.scenario for day in DAYS for order in shop.orders(day))
    share = {scenario: count / counted.total() for scenario, count in counted.items()}
    # compromised terminals at a time: 0.8 a day for 28 days, of 2,000
    assert 0.006 < share[Scenario.TERMINAL] < 0.018
    # a third of the orders of 1.5 customers a day for 14 days, of 2,000
    assert 0.001 < share[Scenario.CUSTOMER] < 0.007
    assert 0 < share[Scenario.OUTLIER] < 0.002


def test_the_label_follows_from_what_happened() -> None:
    for day in DAYS:
        terminals, customers = SHOP.compromised(day)
        for order in SHOP.orders(day):
            if order.scenario is Scenario.CUSTOMER:
                assert order.customer in customers
            elif order.terminal in terminals:
                assert order.scenario is Scenario.TERMINAL
            else:
                assert (order.scenario is Scenario.OUTLIER) == (order.cents > OUTLIER_CENTS)


def test_who_is_compromised_stays_so_for_the_days_of_their_scenario() -> None:
    shop = Retail(compromised_terminals_a_day=1, compromised_customers_a_day=1)
    quiet = Retail(compromised_terminals_a_day=0, compromised_customers_a_day=0)
    terminals, customers = shop.compromised(FIRST_DAY)
    assert TERMINAL_DAYS - 3 <= len(terminals) <= TERMINAL_DAYS
    assert CUSTOMER_DAYS - 3 <= len(customers) <= CUSTOMER_DAYS
    tomorrow, _ = shop.compromised(FIRST_DAY + timedelta(days=1))
    assert len(terminals - tomorrow) <= 1
    assert quiet.compromised(FIRST_DAY) == (frozenset(), frozenset())


def test_orders_come_by_time_within_the_day_and_cost_something() -> None:
    orders = SHOP.orders(date(2026, 3, 7))
    assert [order.second for order in orders] == sorted(order.second for order in orders)
    assert all(0 <= order.second < DAY_S and order.cents >= 1 for order in orders)
    noon = sum(36_000 <= order.second < 50_400 for order in orders)
    assert noon > 2 * sum(order.second < 14_400 for order in orders)


def test_a_crowd_comes_within_its_time() -> None:
    crowd = SHOP.crowd(FIRST_DAY, 500, first_second=36_000, seconds=60)
    assert len(crowd) == 500
    assert {36_000 <= order.second < 36_060 for order in crowd} == {True}
    assert crowd == SHOP.crowd(FIRST_DAY, 500, first_second=36_000, seconds=60)
