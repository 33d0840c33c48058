"""What would the online store hold at the end of the training data?"""

from collections.abc import Iterator
from datetime import date

import numpy as np

from features.definitions import CUSTOMER, TERMINAL
from features.online import FeatureRow
from features.snapshot import SnapshotRow
from training.transactions import DAY_S, Entities, Transactions, day_number
from training.windows import Pasts


def snapshot_rows(transactions: Transactions, pasts: Pasts, until: date) -> Iterator[SnapshotRow]:
    """A row for every customer and terminal, as of the beginning of `until`, UTC."""
    yield from _rows(CUSTOMER, transactions.customers, pasts, until)
    yield from _rows(TERMINAL, transactions.terminals, pasts, until)


def _rows(entity: str, entities: Entities, pasts: Pasts, until: date) -> Iterator[SnapshotRow]:
    moment = day_number(until) * DAY_S
    codes = np.arange(len(entities.ids), dtype=np.int64)
    values = pasts.values(entity, codes, np.full(len(codes), moment))
    columns = zip(*(column.tolist() for column in values.values()), strict=True)
    for entity_id, row in zip(entities.ids, columns, strict=True):
        yield SnapshotRow(entity, entity_id, FeatureRow(moment * 1_000, dict(zip(values, row, strict=True))))
