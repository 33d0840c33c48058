"""The point-in-time join returns what was known at a time, and nothing later."""

import random
from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from events.errors import ConfigError
from features.increments import of_segments
from features.offline.batch import StreamEvent
from features.offline.join import distinct, point_in_time, values_at
from features.offline.store import OfflineStore
from features.reading import Of, Span
from features.retail import DEFINITIONS, NEVER
from features.schema import Definitions, Entity
from features.views import BatchView, Field
from features.windows import evaluate
from tests.integration.features.made import (
    CUSTOMERS,
    DAY_MS,
    NOW,
    TENANT,
    TERMINALS,
    TOPIC,
    batch,
    confirmed,
    order,
)
from transport.clock import Clock
from transport.database import open_database

COUNT, MEAN = "customer_count_7d", "customer_mean_amount_7d"


HOUR_MS = 3_600_000
"""By so much the edges of windows may lie apart that are a week back."""


def of_customers(
    store: OfflineStore, features: Sequence[str], *at: int, customer: str = "c-1"
) -> list[list[float]]:
    """The values of one customer at some times."""
    joined = point_in_time(
        store, DEFINITIONS, features, {"customer": [customer] * len(at)}, np.array(at), tenant_id=TENANT
    )
    rows: list[list[float]] = joined.matrix.tolist()
    return rows


@pytest.mark.parametrize(
    ("after_ms", "expected"),
    [
        pytest.param(0, [0, 0], id="an order is not in its own past"),
        pytest.param(999, [0, 0], id="nor is anything of the same second"),
        pytest.param(1_000, [1, 30], id="it is in what comes a second later"),
        pytest.param(DAY_MS, [1, 30], id="the next order, of the same moment as asked for, is not yet"),
        pytest.param(DAY_MS + 1_000, [2, 25], id="then both are"),
        pytest.param(7 * DAY_MS, [2, 25], id="seven days are in the window"),
        pytest.param(7 * DAY_MS + HOUR_MS, [1, 20], id="what is older falls out, to the hour"),
        pytest.param(30 * DAY_MS, [0, 0], id="in the end all of it does"),
    ],
)
def test_only_what_came_before_counts(store: OfflineStore, after_ms: int, expected: list[float]) -> None:
    store.commit(batch(order(0, at=NOW, amount=30.0), order(1, at=NOW + DAY_MS, amount=20.0)))
    assert of_customers(store, (COUNT, MEAN), NOW + after_ms) == [expected]


def test_an_order_that_arrives_late_counts_when_it_happened(store: OfflineStore) -> None:
    store.commit(batch(order(0, at=NOW), order(1, at=NOW - 3 * DAY_MS)))
    assert of_customers(store, (COUNT,), NOW - 2 * DAY_MS, NOW + DAY_MS) == [[1], [2]]


def test_a_label_counts_from_when_it_is_known(store: OfflineStore) -> None:
    known = NOW + 7 * DAY_MS
    store.commit(
        batch(order(0), order(1, at=NOW + 1_000), confirmed(2, at=known), confirmed(3, at=known + DAY_MS))
    )

    at = np.array([known, known + 2 * HOUR_MS, known + DAY_MS + 2 * HOUR_MS, known + 3 * DAY_MS])
    joined = point_in_time(
        store,
        DEFINITIONS,
        ("terminal_risk_1d", "terminal_risk_7d"),
        {"terminal": ["t-1"] * 4},
        at,
        tenant_id=TENANT,
    )
    assert joined.matrix.tolist() == [[0, 0], [0.5, 0.5], [0, 1], [0, 1]]


def test_what_is_not_known_is_missing_and_at_its_default(store: OfflineStore) -> None:
    store.commit(batch(order(0)))
    joined = point_in_time(
        store,
        DEFINITIONS,
        ("days_since_last_order", "terminal_count_1d"),
        {"customer": ["c-1", "c-1", "nobody"], "terminal": ["t-1", "t-9", "t-1"]},
        np.array([NOW + 2 * DAY_MS, NOW, NOW + DAY_MS]),
        tenant_id=TENANT,
    )
    assert joined.matrix.tolist() == [[2, 0], [NEVER, 0], [NEVER, 0]]
    assert joined.missing.tolist() == [[False, False], [True, True], [True, False]]


@pytest.mark.parametrize(
    ("feature", "said"),
    [
        pytest.param("amount", "stands in the event itself", id="a value of the event"),
        pytest.param("product_category", "is text", id="a text"),
        pytest.param("terminal_count_1d", "is of terminal: name their ids", id="an entity that nobody named"),
        pytest.param("customer_cuont_1d", "customer_count_1d", id="a name with a slip"),
    ],
)
def test_what_cannot_be_joined_is_said(store: OfflineStore, feature: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        of_customers(store, (COUNT, feature), NOW)


def played(seed: int, events: int = 300) -> list[StreamEvent]:
    """Orders and labels of a few customers and terminals over two months, in no order of time."""
    chosen = random.Random(seed)
    return [
        order(
            offset,
            at=NOW + chosen.randrange(60 * DAY_MS),
            customer=f"c-{chosen.randrange(5)}",
            terminal=f"t-{chosen.randrange(4)}",
            amount=chosen.randrange(10_000) / 100,
        )
        if chosen.random() < 0.9
        else confirmed(offset, at=NOW + chosen.randrange(60 * DAY_MS), terminal=f"t-{chosen.randrange(4)}")
        for offset in range(events)
    ]


def values_of_rows(
    store: OfflineStore, keys: Sequence[Of], at: int
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """What the whole rows of SQL say, as an online row would."""
    segments = store.rows(CUSTOMERS, keys).segments
    increments = of_segments([segments.get(key, ()) for key in keys])
    return evaluate(CUSTOMERS, increments, len(keys), np.arange(len(keys)), np.full(len(keys), at)).matrix


def test_a_prediction_is_reproduced_from_where_the_pipeline_stood(store: OfflineStore) -> None:
    """Rows are read between the batches of two partitions; the history tells the same of each moment."""
    keys = [(TENANT, f"c-{number}") for number in range(6)]
    at = NOW + 60 * DAY_MS
    stood: list[Mapping[int, int]] = []
    served = []
    first = played(1)
    second = [each._replace(digest=b"2" + each.digest[1:]) for each in played(2)]
    for base in range(0, len(first), 20):
        stood.append(store.positions(TOPIC))
        served.append(values_of_rows(store, keys, at))
        store.commit(batch(*first[base : base + 20], base=base))
        store.commit(batch(*second[base : base + 20], base=base, partition=1))

    queries = keys * len(served)
    known = [offsets for offsets in stood for _ in keys]
    told = values_at(store, CUSTOMERS, queries, np.full(len(queries), at), known)

    assert len(served) == 15
    np.testing.assert_array_equal(told.matrix, np.concatenate(served))


def test_folded_rows_tell_the_same_as_single_increments(store: OfflineStore) -> None:
    events = [order(offset, at=NOW + offset * DAY_MS // 2, amount=offset) for offset in range(300)]
    store.commit(batch(*events))
    whose = (TENANT, "c-1")
    at = NOW + 150 * DAY_MS
    folded = store.rows(CUSTOMERS, [whose]).segments[whose][0].increments
    tile = at // CUSTOMERS.tile_ms
    single = store.rows_within(CUSTOMERS, [Span(whose, tile, tile)]).rows[0][0].increments

    assert len(single) == 300
    # 30 days of windows and 7 of slack, two orders a day, and one for all that lies before
    assert len(folded) == 2 * 37 + 2
    assert values_of_rows(store, [whose], at).tolist() == of_customers(store, CUSTOMERS.names, at)


def test_many_entities_are_read_as_one(store: OfflineStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.commit(batch(*played(3)))
    keys, _ = distinct([(TENANT, f"t-{number % 6}") for number in range(50)])
    at = np.full(len(keys), NOW + 50 * DAY_MS)
    one_by_one = values_at(store, TERMINALS, keys, at)
    monkeypatch.setattr("features.offline.history.WHOLE_VIEW", 2)
    together = values_at(store, TERMINALS, keys, at)

    assert one_by_one.matrix.any()
    np.testing.assert_array_equal(together.matrix, one_by_one.matrix)
    np.testing.assert_array_equal(together.absent, one_by_one.absent)


PRICES = BatchView(
    name="prices",
    entity="sku",
    table="prices",
    fields=(
        Field("price", "number", -1.0, "what it costs"),
        Field("season", "text", "none", "when it sells"),
    ),
    ttl_days=30,
    freshness_s=7_200,
    owner="demand",
    description="what a product costs",
)
WITH_PRICES = Definitions.of([Entity("sku", "sku", "what is sold")], [PRICES])


def opened(url: str, clock: Clock) -> OfflineStore:
    """A store of the prices, written at the times of a clock."""
    store = OfflineStore(open_database(url), clock)
    store.create(WITH_PRICES)
    return store


@pytest.mark.parametrize(
    ("after_ms", "expected"),
    [
        pytest.param(-1, None, id="before the first it had none"),
        pytest.param(0, 1.0, id="a price holds from its moment on"),
        pytest.param(DAY_MS - 1, 1.0, id="until the next"),
        pytest.param(DAY_MS, 3.0, id="of two for one moment, that which was written later"),
        pytest.param(31 * DAY_MS, 3.0, id="and as long as it counts"),
        pytest.param(31 * DAY_MS + 1, None, id="no longer"),
    ],
)
def test_a_table_is_joined_by_when_its_rows_took_effect(
    offline_url: str, after_ms: int, expected: float | None
) -> None:
    clock = iter([NOW, NOW + 1, NOW + 2])
    store = opened(offline_url, lambda: next(clock))
    whose = (TENANT, "sku-1")
    store.batch.add(PRICES, [(whose, NOW, {"price": 1.0}), ((TENANT, "sku-2"), NOW - DAY_MS, {"price": 9.0})])
    store.batch.add(PRICES, [(whose, NOW + DAY_MS, {"price": 2.0})])
    store.batch.add(PRICES, [(whose, NOW + DAY_MS, {"price": 3.0})])

    joined = point_in_time(
        store,
        WITH_PRICES,
        ["price"],
        {"sku": ["sku-1", "sku-3"]},
        np.array([NOW + after_ms, NOW]),
        tenant_id=TENANT,
    )
    assert joined.matrix.tolist() == [[-1.0 if expected is None else expected], [-1.0]]
    assert joined.missing.tolist() == [[expected is None], [True]]
    store.close()
