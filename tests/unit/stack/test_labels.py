"""When the frauds of a file of card transactions become known."""

from datetime import date, datetime
from pathlib import Path

import msgspec
import pandas as pd
import pytest

from stack.labels import card_history, card_labels, history_length


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Three transactions, two of them fraud."""
    frame = pd.DataFrame(
        {
            "transaction_id": [1, 2, 3],
            "tx_datetime": [datetime(2018, 7, day, 12) for day in (1, 2, 3)],  # noqa: DTZ001  # as such files have it
            "customer_id": [11, 12, 13],
            "terminal_id": [21, 22, 23],
            "tx_amount_cents": [100, 200, 300],
            "tx_fraud": [1, 0, 1],
        }
    )
    frame.to_parquet(tmp_path / "cards.parquet")
    return tmp_path / "cards.parquet"


def test_a_fraud_is_known_seven_days_later(file: Path) -> None:
    first, second = (msgspec.json.decode(label.value) for label in card_labels(file))
    assert first["event_type"] == "order.fraud_confirmed"
    assert first["occurred_at"] == 1_531_051_200_000  # 2018-07-08 12:00
    assert (first["payload"]["order_id"], first["payload"]["terminal_id"]) == ("1", "21")
    assert (second["event_id"], second["payload"]["order_id"]) == ("tx-3-fraud", "3")


@pytest.mark.parametrize(
    ("since", "until", "known"),
    [
        pytest.param(None, None, ["tx-1", "tx-2", "tx-3", "tx-1-fraud", "tx-3-fraud"], id="all of it"),
        pytest.param(None, date(2018, 7, 9), ["tx-1", "tx-2", "tx-3", "tx-1-fraud"], id="until a day"),
        pytest.param(date(2018, 7, 3), None, ["tx-3", "tx-1-fraud", "tx-3-fraud"], id="from a day on"),
    ],
)
def test_history_is_what_became_known_in_its_days_in_that_order(
    file: Path, since: date | None, until: date | None, known: list[str]
) -> None:
    assert [each.event_id for each in card_history(file, since, until)] == known
    assert history_length(file, since, until) == len(known)
