"""Whose last order was when, out of increments that the pipeline counted: on SQLite and on PostgreSQL."""

from collections.abc import Iterator

import msgspec
import pytest

from events.inactivity import DAY_MS, became_inactive
from features.inactivity import Rule, Seen, Spell
from features.offline.spells import Spells
from features.offline.store import OfflineStore, open_offline
from tests.trained import placed, remember
from training.transactions import Transaction

pytestmark = pytest.mark.integration

NOW = 1_772_409_600_000
SEEN = Rule(after_days=30, lost_days=90).seen(NOW)
TENANT = "retailpulse"


@pytest.fixture
def store(offline_url: str) -> Iterator[OfflineStore]:
    made = open_offline(offline_url)
    yield made
    made.close()


@pytest.fixture
def spells(store: OfflineStore) -> Spells:
    made = Spells(store.database)
    made.create()
    return made


def at(days_ago: int) -> int:
    return NOW - days_ago * DAY_MS


def order(store: OfflineStore, customer: str, *days_ago: int) -> None:
    """So many days before now, whenever they are counted."""
    orders = [Transaction(at(days) // 1_000, customer, "t-1", 500, fraud=False) for days in days_ago]
    remember(store, [placed(each, f"{customer}-{each.time}") for each in orders])


def test_it_is_the_last_order_that_counts_in_whatever_order_they_came(
    store: OfflineStore, spells: Spells
) -> None:
    order(store, "away", 40, 200, 100)
    order(store, "there", 3, 50)
    order(store, "longer", 89)
    order(store, "lost", 90)
    order(store, "just", 30)
    found = spells.due(SEEN)
    assert found == [
        Spell(TENANT, who, at(days)) for who, days in (("longer", 89), ("away", 40), ("just", 30))
    ]


def test_who_was_told_of_is_not_due_until_they_ordered_again(store: OfflineStore, spells: Spells) -> None:
    order(store, "c-1", 80)
    spells.note(spells.due(SEEN), NOW)
    assert spells.due(SEEN) == []
    order(store, "c-1", 35)
    assert spells.due(SEEN) == [Spell(TENANT, "c-1", at(35))]


def test_two_that_found_the_same_both_note_it(store: OfflineStore, spells: Spells) -> None:
    order(store, "c-1", 40)
    due = spells.due(SEEN)
    spells.note(due, NOW)
    spells.note([*due, *due], NOW + 1)
    assert spells.due(SEEN) == []


def test_an_event_of_inactivity_ends_no_spell(store: OfflineStore, spells: Spells) -> None:
    order(store, "c-1", 40)
    remember(store, [msgspec.json.encode(became_inactive(TENANT, "c-1", at(40), 30))])
    assert spells.due(SEEN) == [Spell(TENANT, "c-1", at(40))]


def test_a_store_that_knows_nobody_has_nobody_to_tell_of(store: OfflineStore, spells: Spells) -> None:
    remember(store, [])
    assert spells.due(SEEN) == []
    assert spells.counted() == {}
    assert spells.due(Seen(0, NOW)) == []
