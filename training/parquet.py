"""Reads card transactions from Parquet; a missing column is refused by name."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import types

from events.errors import ConfigError, Problem
from training.transactions import Transactions, from_columns

ID, TIME, CUSTOMER, TERMINAL = "transaction_id", "tx_datetime", "customer_id", "terminal_id"
AMOUNT, FRAUD = "tx_amount_cents", "tx_fraud"
SECONDS = "seconds"

Kind = tuple[str, Callable[[pa.DataType], bool]]


def _is_id(kind: pa.DataType) -> bool:
    return bool(types.is_integer(kind) or types.is_string(kind) or types.is_large_string(kind))


_AN_ID = ("a whole number or a text", _is_id)
COLUMNS: dict[str, Kind] = {
    ID: _AN_ID,
    TIME: ("a timestamp", types.is_timestamp),
    CUSTOMER: _AN_ID,
    TERMINAL: _AN_ID,
    AMOUNT: ("a whole number of cents", types.is_integer),
    FRAUD: ("0 or 1", lambda kind: types.is_integer(kind) or types.is_boolean(kind)),
}


def read_transactions(path: Path) -> Transactions:
    """Everything in the file, for training. Raises `ConfigError` as `read_frame` does."""
    frame = read_frame(path)
    return from_columns(frame[SECONDS], frame[CUSTOMER], frame[TERMINAL], frame[AMOUNT], frame[FRAUD])


def read_sorted(path: Path) -> tuple[Transactions, list[str]]:
    """The same, and beside each transaction its id."""
    frame = read_frame(path).sort_values(SECONDS, kind="stable")
    columns = (frame[SECONDS], frame[CUSTOMER], frame[TERMINAL], frame[AMOUNT], frame[FRAUD])
    return from_columns(*columns), [str(each) for each in frame[ID].tolist()]


def read_frame(path: Path) -> pd.DataFrame:
    """The columns `COLUMNS`, with `seconds` (epoch, UTC) in the place of the timestamp; the file's order.

    A timestamp without a zone is UTC. Raises `ConfigError` naming the file, or each column that is missing,
    of another kind, or has gaps.
    """
    try:
        schema = pq.read_schema(path)
        problems = list(_kinds(schema))
        table = None if problems else pq.read_table(path, columns=list(COLUMNS))
    except FileNotFoundError as error:
        raise ConfigError([Problem(str(path), 0, "", "there is no such file")]) from error
    except OSError as error:
        raise ConfigError([Problem(str(path), 0, "", f"cannot be read: {error}")]) from error
    except pa.ArrowInvalid as error:
        raise ConfigError([Problem(str(path), 0, "", f"is not a parquet file: {error}")]) from error
    if table is not None:
        problems = list(_values(table)) if len(table) else [("", "holds no transactions")]
    if table is None or problems:
        raise ConfigError(Problem(str(path), 0, column, message) for column, message in problems)
    seconds = table[TIME].cast(pa.timestamp("s", table[TIME].type.tz), safe=False).cast(pa.int64())
    frame: pd.DataFrame = table.drop_columns([TIME]).append_column(SECONDS, seconds).to_pandas()
    return frame


def _kinds(schema: pa.Schema) -> Iterator[tuple[str, str]]:
    for column, (kind, fits) in COLUMNS.items():
        if column not in schema.names:
            yield column, f"is missing; the file has {', '.join(schema.names)}"
        elif not fits(schema.field(column).type):
            yield column, f"must be {kind}, is {schema.field(column).type}"


def _values(table: pa.Table) -> Iterator[tuple[str, str]]:
    for column in COLUMNS:
        if table[column].null_count:
            yield column, f"is empty in {table[column].null_count} of {len(table)} rows"
    for column, lowest, highest in ((AMOUNT, 0, None), (FRAUD, 0, 1)):
        found = pc.min_max(table[column].cast(pa.int64())).as_py()
        if found["min"] < lowest or (highest is not None and found["max"] > highest):
            bound = f"from {lowest} to {highest}" if highest is not None else f"at least {lowest}"
            yield column, f"must be {bound}, has {found['min']} to {found['max']}"
