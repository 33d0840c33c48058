"""Mismatches of served and stored feature values are counted, and nothing else."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from fakeredis import FakeStrictRedis

from events.timeliness import ANY_AGE
from features.contract import Contract
from features.keys import EntityKey
from features.offline.batch import StreamBatch, StreamEvent
from features.offline.store import open_offline
from features.pipeline.reading import Record, read_record
from features.reading import Asked
from features.redis_store import RedisStore
from features.retail import DEFINITIONS
from features.tiered import TieredReader
from models.fraud_features import NEEDS
from monitoring.skew import report_of
from monitoring.skew_report import Report
from tests.trained import placed
from training.transactions import Transaction

TOPIC = "retail.events"
DAY_S = 86_400
NOON = 20_100 * DAY_S + DAY_S // 2
KEYS = {
    "customer": EntityKey("retailpulse", "customer", "c-1"),
    "terminal": EntityKey("retailpulse", "terminal", "t-1"),
}


class Shop:
    """An offline store with a stream of orders of one customer at one terminal, and what is served of it."""

    def __init__(self, path: Path) -> None:
        self.store = open_offline(f"sqlite:///{path}/features.db")
        self.store.create(DEFINITIONS)
        self._counted = 0

    def order(self, second: int, cents: int = 1_000) -> None:
        """One more, counted at once."""
        transaction = Transaction(second, "c-1", "t-1", cents, False)
        record = Record(self._counted, NOON * 1_000, placed(transaction, f"e-{self._counted}"), None)
        event = read_record(record, DEFINITIONS, spans=ANY_AGE)
        assert isinstance(event, StreamEvent)
        base, self._counted = self._counted, self._counted + 1
        stream = StreamBatch(TOPIC, 0, base, self._counted, NOON * 1_000, NOON * 1_000, [event])
        self.store.commit(stream)

    def predict(self, second: int, **changes: Any) -> bytes:
        """A prediction's record with the features that a worker gets now for an order at this time."""
        redis = FakeStrictRedis()
        online = RedisStore("redis://ignored", connect=lambda *_args, **_kwargs: redis)
        asked = Asked(KEYS, second * 1_000, second * 1_000)
        (vector,) = TieredReader(DEFINITIONS, online, self.store).read(NEEDS, [asked])
        values = (10.0, 0.0, 0.0, *vector.values)
        record = {
            "prediction_id": "pred_1",
            "tenant_id": "retailpulse",
            "occurred_at": second * 1_000,
            "features": dict(zip(NEEDS.names, values, strict=True)),
            "feature_hash": NEEDS.hash,
            "feature_keys": {entity: key.entity_id for entity, key in KEYS.items()},
            "feature_position": vector.position,
            "missing": vector.missing,
            **changes,
        }
        return msgspec.json.encode(record)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    made = Shop(tmp_path)
    for day in range(40):
        made.order(NOON - day * DAY_S - 60)
    return made


def report(shop: Shop, *records: bytes, contract: Contract = NEEDS) -> Report:
    return report_of(shop.store, DEFINITIONS, contract, records)


def changed(record: bytes, changes: Mapping[str, float]) -> bytes:
    found = msgspec.json.decode(record)
    found["features"] |= changes
    return msgspec.json.encode(found)


def test_what_is_served_is_what_the_store_holds(shop: Shop) -> None:
    found = report(shop, *(shop.predict(NOON - hours * 3_600) for hours in range(50)))
    assert (found.predictions, found.values, found.mismatches.total()) == (50, 50 * 12, 0)


def test_a_value_that_differs_in_its_last_digit_is_counted_under_its_feature(shop: Shop) -> None:
    record = shop.predict(NOON)
    mean = msgspec.json.decode(record)["features"]["customer_mean_amount_7d"]
    found = report(
        shop, record, changed(record, {"customer_mean_amount_7d": mean + 1e-14, "terminal_risk_1d": 1.0})
    )
    assert found.mismatches == {"customer_mean_amount_7d": 1, "terminal_risk_1d": 1}
    assert "pred_1: terminal_risk_1d was 1.0, the store has 0.0" in map(str, found.examples)


def test_what_was_counted_after_the_position_is_not_held_against_a_prediction(shop: Shop) -> None:
    record = shop.predict(NOON)
    shop.order(NOON - 30, cents=99_999)
    assert report(shop, record).mismatches.total() == 0
    assert report(shop, shop.predict(NOON)).mismatches.total() == 0


def test_a_value_from_beyond_the_position_that_is_named_is_a_mismatch(shop: Shop) -> None:
    position = msgspec.json.decode(shop.predict(NOON))["feature_position"]
    shop.order(NOON - 30, cents=99_999)
    found = report(shop, shop.predict(NOON, feature_position=position))
    assert {"customer_count_1d", "customer_mean_amount_30d"} <= found.mismatches.keys()


@pytest.mark.parametrize(
    ("second", "missing"),
    [
        pytest.param(NOON, list(NEEDS.stored[:6]), id="said to be missing, and it is not"),
        pytest.param(NOON - 60 * DAY_S, [], id="passed off as present"),
    ],
)
def test_what_is_missing_must_be_said_and_nothing_else(shop: Shop, second: int, missing: list[str]) -> None:
    assert report(shop, shop.predict(second)).mismatches.total() == 0
    assert report(shop, shop.predict(second, missing=missing)).mismatches.total() > 0


@pytest.mark.parametrize(
    ("replaced", "stale", "mismatches"),
    [
        pytest.param([], ["customer_count_1d"], 1, id="a stale value is served as it is"),
        pytest.param(["customer_count_1d"], ["customer_count_1d"], 0, id="unless its default is asked for"),
        pytest.param(["customer_count_1d"], [], 1, id="which a fresh value is never replaced by"),
        pytest.param(["customer_count_7d"], ["customer_count_1d"], 1, id="nor that of another feature"),
    ],
)
def test_the_default_stands_for_a_stale_value_only_where_the_model_asks_for_it(
    shop: Shop, replaced: list[str], stale: list[str], mismatches: int
) -> None:
    record = changed(shop.predict(NOON, stale=stale), {"customer_count_1d": 0.0})
    needs = (replace(need, on_stale="default") if need.feature in replaced else need for need in NEEDS.needs)
    found = report(shop, record, contract=replace(NEEDS, needs=tuple(needs)))
    assert (found.stale, found.mismatches.total()) == (bool(stale), mismatches)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param({"fallback": "missing: a"}, "answered without the model", id="a rule's answer"),
        pytest.param({"feature_position": ""}, "without a position", id="nothing was counted yet"),
        pytest.param({"feature_hash": "0" * 12}, "made by other definitions", id="an older definition"),
        pytest.param({"features": {"gone": 1.0}}, "made by other definitions", id="a feature that is gone"),
        pytest.param({"feature_keys": {"customer": "c-1"}}, "without the id of an entity", id="a key lacks"),
        pytest.param({"feature_position": "0@x"}, "with a position that cannot be read", id="no position"),
    ],
)
def test_what_cannot_be_compared_is_counted_by_its_reason(
    shop: Shop, changes: dict[str, Any], reason: str
) -> None:
    found = report(shop, shop.predict(NOON, **changes))
    assert (found.predictions, found.passed_over) == (0, {reason: 1})


@pytest.mark.parametrize(
    "record",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x00\x00\x00\x00\x07", id="another encoding"),
        pytest.param(b'{"who": "somebody else"}', id="somebody else's record"),
        pytest.param(b'{"who": ' * 100_000, id="nested too deeply"),
        pytest.param(b'{"prediction_id": "\xff"}', id="not UTF-8"),
    ],
)
def test_a_record_that_is_no_prediction_is_counted_and_hides_no_other(shop: Shop, record: bytes) -> None:
    found = report(shop, shop.predict(NOON), record, shop.predict(NOON))
    assert (found.predictions, found.passed_over) == (2, {"that cannot be read": 1})


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        pytest.param([], "nothing was predicted", id="an empty topic"),
        pytest.param(
            [{"feature_hash": "0" * 12}] * 2, "2 made by other definitions", id="an older model alone"
        ),
        pytest.param(
            [{"feature_hash": "0" * 12}, {"fallback": "x"}, {"fallback": "x"}],
            "2 answered without the model, 1 made by other definitions",
            id="several reasons, the most frequent first",
        ),
    ],
)
def test_a_report_that_compared_nothing_is_not_good_and_says_why(
    shop: Shop, records: list[dict[str, Any]], expected: str
) -> None:
    found = report(shop, *(shop.predict(NOON, **changes) for changes in records))
    assert not found.good
    assert list(found.lines())[-1] == f"nothing was compared, so nothing is known: {expected}"


def test_a_report_is_good_where_all_that_was_compared_is_the_same(shop: Shop) -> None:
    record = shop.predict(NOON)
    found = report(shop, record)
    assert found.good
    assert next(found.lines()).startswith("compared 12 values of 1 predictions")
    assert not report(shop, record, changed(record, {"terminal_risk_1d": 1.0})).good
