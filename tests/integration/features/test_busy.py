"""A busy entity: its rows stay short, and say the same as each of its events one by one."""

from collections.abc import Iterator

import numpy as np
import pytest
from sqlalchemy import delete, func, select

from events.errors import Unavailable
from features.decoding import decode_rows
from features.increments import Ints, encoded_row, of_segments
from features.offline import rolling
from features.offline.batch import StreamEvent
from features.offline.rebasing import rebase
from features.offline.store import OfflineStore
from features.offline.tables import ROLLED, TILES
from features.reading import Of, Span
from features.retail import DEFINITIONS
from features.views import StreamView
from features.windows import Floats, evaluate
from tests.integration.features.made import CUSTOMERS, DAY_MS, NOW, TENANT, TERMINALS, batch, confirmed, order

CUSTOMER, TERMINAL = (TENANT, "c-1"), (TENANT, "t-1")
MOST = 1e12
"""The largest amount of an order."""


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sums are made of few increments already, after nearly every batch."""
    monkeypatch.setattr(rolling, "ROLLED_FROM", 16)
    monkeypatch.setattr(rolling, "AT_ONCE", 200)
    monkeypatch.setattr(rolling, "ONE_IN", 8)


def played(number: int, days: int, seed: int = 1) -> Iterator[StreamEvent]:
    """Orders of one customer at one terminal, in bursts; some late, and of some it becomes known as fraud."""
    rng = np.random.default_rng(seed)
    bursts = NOW - rng.integers(0, days * DAY_MS, 40)
    for offset in range(number):
        name = f"{seed}-{offset}"
        at = int(bursts[rng.integers(len(bursts))] + rng.integers(0, 600_000))
        if rng.random() < 0.1:
            yield confirmed(offset, at=at)._replace(digest=name.encode().ljust(16))
        else:
            amount = float(rng.choice([MOST, 0.01, 12.34, 99.99]))
            yield order(offset, at=at, name=name, amount=amount)


def fill(store: OfflineStore, number: int = 2_000, days: int = 60) -> None:
    """Two partitions and a past."""
    for partition, seed in ((0, 1), (1, 2)):
        events = list(played(number, days, seed))
        for base in range(0, number, 100):
            store.commit(batch(*events[base : base + 100], base=base, partition=partition))
    store.append_history(list(played(200, 400, 3)))


def one_by_one(store: OfflineStore, view: StreamView, whose: Of, at: Ints) -> Floats:
    """The values as of the increments that were counted, none of them added up before."""
    history = store.increments(view, [whose]).increments()
    return evaluate(view, history, 1, np.zeros(len(at), np.intp), at).matrix


@pytest.mark.parametrize(("view", "whose"), [(CUSTOMERS, CUSTOMER), (TERMINALS, TERMINAL)])
def test_its_row_says_what_its_events_say(store: OfflineStore, view: StreamView, whose: Of) -> None:
    fill(store, 1_000)
    check_row(store, view, whose)


def check_row(store: OfflineStore, view: StreamView, whose: Of) -> None:
    """Against its events, at times around its newest one and for a month after."""
    segments = store.rows(view, [whose]).segments[whose]
    newest = max(int(segment.increments["tile"].max()) for segment in segments) * view.tile_ms
    at = (
        newest
        + np.concatenate([np.arange(-200, 40), np.linspace(-8, 40, 97) * DAY_MS // 1_000]).astype(np.int64)
        * 1_000
    )
    expected = one_by_one(store, view, whose, at)
    for row in (of_segments([segments]), decode_rows([encoded_row(segments, view)], len(view.measures))):
        values = evaluate(view, row, 1, np.zeros(len(at), np.intp), at)
        assert values.exact[at >= newest - 120_000].all()
        np.testing.assert_array_equal(values.matrix[values.exact], expected[values.exact])


@pytest.mark.parametrize(("view", "whose"), [(CUSTOMERS, CUSTOMER), (TERMINALS, TERMINAL)])
def test_the_past_is_answered_out_of_sums(store: OfflineStore, view: StreamView, whose: Of) -> None:
    fill(store)
    at = (NOW + np.linspace(-70, 50, 61) * DAY_MS).astype(np.int64)
    tiles = (at // view.tile_ms).tolist()
    found = store.rows_within(view, [Span(whose, tile, tile) for tile in tiles])
    values = evaluate(view, of_segments(found.rows), len(at), np.arange(len(at)), at)
    assert values.exact.all()
    np.testing.assert_array_equal(values.matrix, one_by_one(store, view, whose, at))


def test_a_read_fetches_tiles_and_not_events(store: OfflineStore) -> None:
    events = [order(offset, at=NOW - DAY_MS * 200 + offset % 20_000 * 50) for offset in range(6_000)]
    for base in range(0, len(events), 500):
        store.commit(batch(*events[base : base + 500], base=base))
    span = Span(CUSTOMER, (NOW - 200 * DAY_MS) // 1_000 + 290, (NOW - 200 * DAY_MS) // 1_000 + 295)
    (past,) = store.rows_within(CUSTOMERS, [span]).rows
    (recent,) = store.rows(CUSTOMERS, [CUSTOMER]).segments[CUSTOMER]
    counted = recent.increments["n"].sum()
    assert counted == 6_000
    assert len(past[0].increments) < 1_000
    assert len(recent.increments) < 1_000


def test_sums_are_those_of_what_was_counted_before_their_mark(store: OfflineStore) -> None:
    fill(store, 500)
    with store.database.reading() as connection:
        marks = connection.execute(select(ROLLED).where(ROLLED.c.entity != rolling.NOBODY)).all()
        sums = select(TILES.c.entity, TILES.c.partition, TILES.c.width, func.sum(TILES.c.n)).group_by(
            TILES.c.entity, TILES.c.partition, TILES.c.width
        )
        found = {tuple(row[:3]): int(row[3]) for row in connection.execute(sums)}
    assert marks
    for view, whose in ((CUSTOMERS, CUSTOMER), (TERMINALS, TERMINAL)):
        history = store.increments(view, [whose])
        number = next(number for number, of in store.entities(view, 0, 10) if of == whose)
        for entity, partition, next_offset in marks:
            if entity == number:
                counted = ((history.partition == partition) & (history.offset < next_offset)).sum()
                widths = (1, *(level.width for level in view.levels))
                assert [found[entity, partition, width] for width in widths] == [counted] * len(widths)


def test_a_store_that_was_filled_before_sums_were_kept_gets_them_at_the_start(store: OfflineStore) -> None:
    fill(store, 500)
    with store.database.writing() as connection:
        for table in (TILES, ROLLED):
            connection.execute(delete(table))
    store.create(DEFINITIONS)
    with store.database.reading() as connection:
        # two partitions and the past of two entities, and the mark that it was done
        assert connection.execute(select(func.count()).select_from(ROLLED)).scalar() == 2 * 3 + 1
    check_row(store, TERMINALS, TERMINAL)


def test_a_log_that_was_replaced_leaves_no_sums_of_it(store: OfflineStore) -> None:
    fill(store, 300)
    at = np.array([NOW], np.int64)
    before = one_by_one(store, TERMINALS, TERMINAL, at)
    rebase(store)
    store.create(DEFINITIONS)
    segments = store.rows(TERMINALS, [TERMINAL]).segments[TERMINAL]
    assert [segment.partition for segment in segments] == [-1]
    np.testing.assert_array_equal(
        evaluate(TERMINALS, of_segments([segments]), 1, np.zeros(1, np.intp), at).matrix, before
    )


def test_sums_that_cannot_be_written_lose_no_event(
    store: OfflineStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_args: object, **_more: object) -> bool:
        raise Unavailable("offline feature store")

    monkeypatch.setattr(rolling, "roll", away)
    events = [order(offset) for offset in range(100)]
    assert len(store.commit(batch(*events)).fresh) == 100
