"""What is read of a file of card transactions, and what is said of one that cannot be."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from events.errors import ConfigError
from training.parquet import read_frame, read_transactions

MOMENT = datetime(2018, 7, 2, 12, 0, 1)  # noqa: DTZ001  # without a zone, as in the handbook's data
COLUMNS: dict[str, list[Any]] = {
    "transaction_id": [1, 2],
    "tx_datetime": [MOMENT, MOMENT - timedelta(days=1)],
    "customer_id": [17, 3],
    "terminal_id": [4, 4],
    "tx_amount_cents": [5_716, 100],
    "tx_fraud": [0, 1],
}


def written(path: Path, columns: dict[str, list[Any]]) -> Path:
    pq.write_table(pa.table(columns), path / "cards.parquet")
    return path / "cards.parquet"


def without(*names: str) -> dict[str, list[Any]]:
    return {name: values for name, values in COLUMNS.items() if name not in names}


def test_rows_come_in_the_order_of_their_time(tmp_path: Path) -> None:
    transactions = read_transactions(written(tmp_path, COLUMNS))
    noon = int(MOMENT.replace(tzinfo=UTC).timestamp())
    assert transactions.time.tolist() == [noon - 86_400, noon]
    assert [transactions.customers.ids[code] for code in transactions.customers.codes] == ["3", "17"]
    assert transactions.amount_cents.tolist() == [100, 5_716]
    assert transactions.fraud.tolist() == [1, 0]


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param(MOMENT, id="a time without a zone is UTC"),
        pytest.param(MOMENT.replace(tzinfo=UTC), id="a time in UTC"),
        pytest.param(
            (MOMENT + timedelta(hours=2)).replace(tzinfo=timezone(timedelta(hours=2))),
            id="a time of another zone",
        ),
        pytest.param(MOMENT.replace(microsecond=999_999), id="a part of a second is dropped"),
    ],
)
def test_times_are_epoch_seconds(tmp_path: Path, moment: datetime) -> None:
    path = written(tmp_path, COLUMNS | {"tx_datetime": [moment, moment]})
    assert read_frame(path)["seconds"].tolist() == [1_530_532_801] * 2


def test_ids_may_be_texts_and_a_label_may_be_a_yes(tmp_path: Path) -> None:
    path = written(tmp_path, COLUMNS | {"customer_id": ["b", "a"], "tx_fraud": [False, True]})
    transactions = read_transactions(path)
    assert (transactions.customers.ids, transactions.fraud.tolist()) == (("a", "b"), [1, 0])


def test_columns_beyond_these_are_not_looked_at(tmp_path: Path) -> None:
    path = written(tmp_path, COLUMNS | {"tx_fraud_scenario": [None, 2]})
    assert len(read_transactions(path)) == 2


@pytest.mark.parametrize(
    ("columns", "problems"),
    [
        pytest.param(
            without("tx_fraud", "terminal_id"),
            [
                f"terminal_id: is missing; the file has {', '.join(without('tx_fraud', 'terminal_id'))}",
                f"tx_fraud: is missing; the file has {', '.join(without('tx_fraud', 'terminal_id'))}",
            ],
            id="two columns are missing, and both are told",
        ),
        pytest.param(
            COLUMNS | {"tx_datetime": ["yesterday", "today"]},
            ["tx_datetime: must be a timestamp, is string"],
            id="times as texts",
        ),
        pytest.param(
            COLUMNS | {"tx_amount_cents": [57.16, 1.0]},
            ["tx_amount_cents: must be a whole number of cents, is double"],
            id="amounts that are not in cents",
        ),
        pytest.param(
            COLUMNS | {"customer_id": [1, None]},
            ["customer_id: is empty in 1 of 2 rows"],
            id="a row without a customer",
        ),
        pytest.param(
            COLUMNS | {"tx_fraud": [0, 2]}, ["tx_fraud: must be from 0 to 1, has 0 to 2"], id="a label of 2"
        ),
        pytest.param(
            COLUMNS | {"tx_amount_cents": [-1, 2]},
            ["tx_amount_cents: must be at least 0, has -1 to 2"],
            id="an amount below zero",
        ),
    ],
)
def test_a_file_that_does_not_fit_is_refused_with_every_problem(
    tmp_path: Path, columns: dict[str, list[Any]], problems: list[str]
) -> None:
    path = written(tmp_path, columns)
    with pytest.raises(ConfigError) as failure:
        read_frame(path)
    assert str(failure.value) == "\n".join(f"{path}: {problem}" for problem in problems)


def test_a_file_without_rows_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cards.parquet"
    pq.write_table(pa.table(COLUMNS).slice(0, 0), path)
    with pytest.raises(ConfigError, match="holds no transactions"):
        read_frame(path)


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cards.parquet"
    path.write_text("transaction_id,tx_datetime\n")
    with pytest.raises(ConfigError, match=r"cards\.parquet: is not a parquet file"):
        read_frame(path)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        pytest.param("none.parquet", "there is no such file", id="no file"),
        pytest.param("", "cannot be read", id="a directory"),
    ],
)
def test_what_cannot_be_opened_is_named(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read_frame(tmp_path / name)
