"""Customers, products and orders of RetailPulse, fraud among them. Seeded: a day is always the same.

The frauds are those of the simulator in Le Borgne et al., *Reproducible Machine Learning for Credit Card
Fraud Detection* (2022), chapter 3: amounts above 220, terminals compromised for 28 days, customers for 14.
"""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import IntEnum
from functools import cached_property
from typing import NamedTuple

TENANT = "retailpulse"
SOURCE = "retailpulse/shop"
CURRENCY = "GBP"
FIRST_DAY = date(2026, 3, 2)
"""The day that is played unless another is asked for; what lies before it is history to train on."""

DAY_S = 86_400
_EPOCH = date(1970, 1, 1)
OUTLIER_CENTS = 22_000
TERMINAL_DAYS = 28
CUSTOMER_DAYS = 14
_OF_A_COMPROMISED_CUSTOMER = 1 / 3
_FACTOR = 5
_NOON, _SPREAD = 43_200, 20_000


class Scenario(IntEnum):
    """Why an order is fraud; the numbers are those of the handbook's data."""

    NONE = 0
    OUTLIER = 1
    TERMINAL = 2
    CUSTOMER = 3


class Order(NamedTuple):
    """`second` of its day; `customer` and `terminal` are their ids."""

    second: int
    customer: str
    terminal: str
    cents: int
    scenario: Scenario


class Customer(NamedTuple):
    """How a customer shops: orders a day, mean amount in cents, and the terminals within reach."""

    id: str
    rate: float
    mean_cents: float
    terminals: tuple[str, ...]


@dataclass(frozen=True)
class Retail:
    """A population of customers and terminals. `..._a_day` are newly compromised ones, on average."""

    seed: int = 7
    customers: int = 1_250
    terminals: int = 1_250
    terminals_within_reach: int = 40
    compromised_terminals_a_day: float = 0.4
    compromised_customers_a_day: float = 0.75

    @cached_property
    def people(self) -> tuple[Customer, ...]:
        """Every customer."""
        return tuple(self._customer(number) for number in range(self.customers))

    def orders(self, day: date) -> list[Order]:
        """The orders of one day (UTC), by time."""
        rng = self._rng("orders", day)
        bad_terminals, bad_customers = self.compromised(day)
        orders = [
            _order(person, _second(rng), rng, bad_terminals, bad_customers)
            for person in self.people
            for _ in range(_poisson(rng, person.rate))
        ]
        orders.sort()
        return orders

    def crowd(self, day: date, count: int, first_second: int, seconds: int) -> list[Order]:
        """As many orders more, within a part of the day: a flood."""
        rng = self._rng(f"crowd at {first_second}", day)
        bad_terminals, bad_customers = self.compromised(day)
        return [
            _order(
                rng.choice(self.people),
                first_second + rng.randrange(seconds),
                rng,
                bad_terminals,
                bad_customers,
            )
            for _ in range(count)
        ]

    def compromised(self, day: date) -> tuple[frozenset[str], frozenset[str]]:
        """The terminals and the customers that are compromised on a day."""
        terminals: set[str] = set()
        customers: set[str] = set()
        for ago in range(TERMINAL_DAYS):
            rng = self._rng("compromised", day - timedelta(days=ago))
            new_terminals = _about(rng, self.compromised_terminals_a_day)
            terminals.update(_terminal(rng.randrange(self.terminals)) for _ in range(new_terminals))
            new_customers = _about(rng, self.compromised_customers_a_day)
            picked = [f"c-{rng.randrange(self.customers)}" for _ in range(new_customers)]
            if ago < CUSTOMER_DAYS:
                customers.update(picked)
        return frozenset(terminals), frozenset(customers)

    def _customer(self, number: int) -> Customer:
        rng = random.Random(f"{self.seed}/customer/{number}")  # noqa: S311  # a simulation, repeatable by seed
        reach = min(self.terminals_within_reach, self.terminals)
        return Customer(
            f"c-{number}",
            rng.uniform(0, 4),
            rng.uniform(500, 10_000),
            tuple(_terminal(each) for each in rng.sample(range(self.terminals), reach)),
        )

    def _rng(self, purpose: str, day: date) -> random.Random:
        return random.Random(f"{self.seed}/{purpose}/{day}")  # noqa: S311  # a simulation, repeatable by seed


def numbered(kind: str, day: date, number: int) -> str:
    """The name of what belongs to a day's order of this number: `fraud-20260302-000017`."""
    return f"{kind}-{day:%Y%m%d}-{number:06}"


def days_before(until: date, count: int) -> Iterator[date]:
    """The last `count` days before a day, the earliest first."""
    return (until - timedelta(days=ago) for ago in range(count, 0, -1))


def midnight(day: date) -> int:
    """When a day begins (UTC), in epoch seconds."""
    return (day - _EPOCH).days * DAY_S


def _terminal(number: int) -> str:
    return f"t-{number}"


def _order(
    person: Customer,
    second: int,
    rng: random.Random,
    bad_terminals: frozenset[str],
    bad_customers: frozenset[str],
) -> Order:
    terminal = rng.choice(person.terminals)
    cents = rng.gauss(person.mean_cents, person.mean_cents / 2)
    if cents < 1:
        cents = rng.uniform(1, 2 * person.mean_cents)
    scenario = Scenario.OUTLIER if cents > OUTLIER_CENTS else Scenario.NONE
    if terminal in bad_terminals:
        scenario = Scenario.TERMINAL
    if person.id in bad_customers and rng.random() < _OF_A_COMPROMISED_CUSTOMER:
        scenario = Scenario.CUSTOMER
        cents *= _FACTOR
    return Order(second, person.id, terminal, round(cents), scenario)


def _second(rng: random.Random) -> int:
    while True:
        second = int(rng.gauss(_NOON, _SPREAD))
        if 0 <= second < DAY_S:
            return second


def _poisson(rng: random.Random, mean: float) -> int:
    """Knuth's algorithm, for small means."""
    limit, product, count = math.exp(-mean), rng.random(), 0
    while product > limit:
        product *= rng.random()
        count += 1
    return count


def _about(rng: random.Random, mean: float) -> int:
    return int(mean + rng.random())
