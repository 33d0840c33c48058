"""A row of card transactions as an order, and its label beside it."""

from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from events.codec import decode
from events.errors import ConfigError
from events.payloads import validate
from stack.cards import card_days, card_orders
from training.dataset import Days


@pytest.fixture
def cards(tmp_path: Path) -> Path:
    """Three transactions on three days, the last first."""
    path = tmp_path / "cards.parquet"
    table = {
        "transaction_id": [3, 1, 2],
        "tx_datetime": [datetime(2018, 7, day, 23, 59, 59, tzinfo=UTC) for day in (3, 1, 2)],
        "customer_id": [596, 4961, 2],
        "terminal_id": [3156, 3412, 1365],
        "tx_amount_cents": [5_716, 8_151, 14_600],
        "tx_fraud": [1, 0, 0],
    }
    pq.write_table(pa.table(table), path)
    return path


def test_a_row_is_an_order_that_validates(cards: Path) -> None:
    sent = list(card_orders(cards))[-1]
    event = decode(sent.value, sent.headers).envelope
    validate(event)
    assert (event.event_id, event.event_type, event.occurred_at) == (
        "tx-3",
        "order.placed",
        1_530_662_399_000,
    )
    assert event.payload == {
        "order_id": "3",
        "customer_id": "596",
        "terminal_id": "3156",
        "amount": 57.16,
        "currency": "EUR",
    }
    assert (sent.at, sent.key, sent.fate) == (event.occurred_at, b"596", "routed")


def test_orders_come_by_time_with_their_labels_beside_them(cards: Path) -> None:
    orders = list(card_orders(cards))
    assert [(sent.event_id, sent.fraud) for sent in orders] == [("tx-1", 0), ("tx-2", 0), ("tx-3", 1)]
    assert not any(b"fraud" in sent.value for sent in orders)


@pytest.mark.parametrize(
    ("since", "until", "ids"),
    [
        pytest.param(None, None, ["tx-1", "tx-2", "tx-3"], id="all of it"),
        pytest.param(date(2018, 7, 2), None, ["tx-2", "tx-3"], id="from a day on"),
        pytest.param(None, date(2018, 7, 2), ["tx-1"], id="before a day"),
        pytest.param(date(2018, 7, 2), date(2018, 7, 3), ["tx-2"], id="one day"),
        pytest.param(date(2019, 1, 1), None, [], id="a day that is not there"),
    ],
)
def test_a_part_of_the_file(cards: Path, since: date | None, until: date | None, ids: list[str]) -> None:
    assert [sent.event_id for sent in card_orders(cards, since, until)] == ids


def test_the_days_of_a_file(cards: Path) -> None:
    assert card_days(cards) == Days(date(2018, 7, 1), date(2018, 7, 3))


def test_a_file_that_lacks_a_column_is_refused_before_anything_is_played(tmp_path: Path) -> None:
    path = tmp_path / "other.parquet"
    pq.write_table(pa.table({"amount": [1]}), path)
    with pytest.raises(ConfigError, match="tx_amount_cents: is missing; the file has amount"):
        next(card_orders(path))
