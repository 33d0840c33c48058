"""The event of a spell of inactivity is one, whoever finds it and however often."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from events.codec import decode
from events.inactivity import DAY_MS, became_inactive

SEEN = 1_772_409_600_123
names = st.text(min_size=1, max_size=8)
spells = st.tuples(names, names, st.integers(0, 4_000_000_000_000))


def test_it_happened_when_the_days_were_over_not_when_it_was_found() -> None:
    event = became_inactive("acme", "c-1", SEEN, after_days=30)
    assert event.occurred_at == SEEN + 30 * DAY_MS
    assert event.payload == {"customer_id": "c-1", "inactive_days": 30, "last_seen_at": SEEN}


@given(spells, spells)
def test_one_spell_has_one_id_and_no_other_has_it(
    one: tuple[str, str, int], other: tuple[str, str, int]
) -> None:
    ours, theirs = (became_inactive(*spell, 30).event_id for spell in (one, other))
    assert (ours == theirs) == (one == other)
    assert became_inactive(*one, 30) == became_inactive(*one, 30)


def test_the_router_takes_it_as_any_event() -> None:
    event = became_inactive("acme", "c-1", SEEN, after_days=30)
    found, *_ = decode(msgspec.json.encode(event), None)
    assert found == event
