"""The feature matrix of a batch: one row for each event, in the column order of the model."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat

import msgspec
import numpy as np
from numpy.typing import NDArray

Value = float | str
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """The values of some features for the events of a batch.

    `matrix` [events, features], its columns contiguous; `texts` by column, one for each event, of the
    features that are no numbers: the matrix there means nothing.
    """

    matrix: Floats
    texts: Mapping[int, Sequence[str]] = field(default_factory=dict)

    def rows(self) -> "list[TableRow]":
        """One for each event. From now on the matrix is read-only: models may have it as it is."""
        self.matrix.flags.writeable = False
        # by `map`, which makes one of msgspec's structs in a sixth of the time that a class of Python's takes
        return list(map(TableRow, repeat(self), range(len(self.matrix))))


class TableRow(msgspec.Struct, frozen=True, eq=False, gc=False):
    """One event's values: a `Collection` that makes them when asked, which for most never happens."""

    table: Table
    place: int

    def values(self) -> tuple[Value, ...]:
        """All of them."""
        found: list[Value] = self.table.matrix[self.place].tolist()
        for column, texts in self.table.texts.items():
            found[column] = texts[self.place]
        return tuple(found)

    def __len__(self) -> int:
        features: int = self.table.matrix.shape[1]
        return features

    def __iter__(self) -> Iterator[Value]:
        return iter(self.values())

    def __contains__(self, value: object) -> bool:
        return value in self.values()

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return self.values() == tuple(other) if isinstance(other, TableRow | tuple) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # NaN, which stands for a text, is hashed by identity


def matrix_of(rows: Sequence[Collection[Value]], features: int) -> Floats:
    """The values of all rows [rows, features], which are numbers; not to be written to.

    The rows of one table are taken as they lie. Raises `ValueError` if a row has more values or fewer, and
    where one of them is a text that says no number.
    """
    first = rows[0] if rows else None
    if isinstance(first, TableRow) and not first.table.texts:
        table = first.table
        places = [row.place for row in rows if isinstance(row, TableRow) and row.table is table]
        if len(places) == len(rows) and table.matrix.shape[1] == features:
            whole = places == list(range(len(table.matrix)))
            return table.matrix if whole else table.matrix[places]
    return np.array(list(map(tuple, rows)), np.float64).reshape(len(rows), features)
