"""What the store knew of an order, against counting by hand, and against what serving sees."""

import numpy as np
from fakeredis import FakeStrictRedis

from features.calendar import night, weekend
from features.keys import EntityKey
from features.reading import Asked
from features.redis_store import RedisStore
from features.retail import DEFINITIONS, LABEL_DELAY_DAYS, TERMINAL_ORDERS, WINDOWS_DAYS
from features.tiered import TieredReader
from models.fraud_features import FEATURES, NEEDS, STORED
from models.fraud_matrix import assemble
from models.workflow import Case
from stack.retail import TENANT
from tests.trained import small_history, small_store
from tests.unit.features.plainly import edge
from tests.unit.models.cases import DECISION, order
from training.dataset import matrix
from training.stored import stored_in
from training.transactions import DAY_S, Transactions

PAST = small_history()
STORE_KNOWS = stored_in(small_store(), TENANT)


def by_hand(transactions: Transactions, place: int) -> dict[str, float]:
    """Every stored feature of one order, by looking at all others."""
    moment = transactions.time[place]
    same_customer = transactions.customers.codes == transactions.customers.codes[place]
    same_terminal = transactions.terminals.codes == transactions.terminals.codes[place]
    values = {}
    for days in WINDOWS_DAYS:
        whose = (("customer", same_customer, 0), ("terminal", same_terminal, LABEL_DELAY_DAYS))
        for entity, same, delay in whose:
            begin, end = (edge(TERMINAL_ORDERS, int(moment), back) for back in (delay + days, delay))
            inside = same & (transactions.time >= begin) & (transactions.time < end)
            count = int(inside.sum())
            values[f"{entity}_count_{days}d"] = float(count)
            if entity == "customer":
                cents = int(transactions.amount_cents[inside].sum())
                values[f"customer_mean_amount_{days}d"] = cents / (100 * count) if count else 0.0
            else:
                known = transactions.time + delay * DAY_S
                of_late = (known >= edge(TERMINAL_ORDERS, int(moment), days)) & (known < moment)
                frauds = int(transactions.fraud[same & of_late].sum())
                values[f"terminal_risk_{days}d"] = min(1.0, frauds / count) if count else 0.0
    return values


def test_every_feature_of_an_order_is_what_counting_by_hand_gives() -> None:
    places = np.random.default_rng(7).choice(len(PAST), 300, replace=False)
    rows = STORE_KNOWS(STORED, PAST, places)
    expected = [by_hand(PAST, place) for place in places.tolist()]
    assert rows.tolist() == [[each[name] for name in STORED] for each in expected]
    assert (rows > 0).any(axis=0).all()


def test_what_an_order_says_itself_stands_before_what_is_stored() -> None:
    places = np.arange(len(PAST) - 50, len(PAST))
    rows = matrix(NEEDS, PAST, places, STORE_KNOWS)
    assert rows.shape == (50, len(FEATURES))
    np.testing.assert_array_equal(rows[:, 0], PAST.amount_cents[places] / 100)
    np.testing.assert_array_equal(rows[:, 1], weekend(PAST.time[places]))
    np.testing.assert_array_equal(rows[:, 2], night(PAST.time[places]))


def test_serving_sees_of_an_order_what_training_sees() -> None:
    redis = FakeStrictRedis()
    online = RedisStore("redis://ignored", connect=lambda *_args, **_kwargs: redis)
    reader = TieredReader(DEFINITIONS, online, small_store())
    places = np.random.default_rng(8).choice(len(PAST), 200, replace=False)
    asked, events = [], []
    for place in places.tolist():
        at = int(PAST.time[place]) * 1_000
        keys = {
            "customer": EntityKey(TENANT, "customer", PAST.customers.ids[PAST.customers.codes[place]]),
            "terminal": EntityKey(TENANT, "terminal", PAST.terminals.ids[PAST.terminals.codes[place]]),
        }
        asked.append(Asked(keys, at, at))
        events.append(order(at, amount=int(PAST.amount_cents[place]) / 100))
    for _ in ("from the offline tier, and put back", "from Redis, as far as that reaches"):
        vectors = reader.read(NEEDS, asked)
        cases = [
            Case(event, DECISION, each.keys, vector)
            for event, each, vector in zip(events, asked, vectors, strict=True)
        ]
        np.testing.assert_array_equal(assemble(cases, NEEDS).matrix, matrix(NEEDS, PAST, places, STORE_KNOWS))
