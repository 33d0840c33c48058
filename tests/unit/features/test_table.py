"""A batch's values, taken together by a model and one by one by whoever looks at an event."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from features.table import Floats, Table, TableRow, Value, matrix_of

MATRIX = np.arange(6.0).reshape(3, 2)


def test_an_event_has_its_row() -> None:
    first, _, last = Table(MATRIX).rows()
    assert (tuple(first), tuple(last)) == ((0.0, 1.0), (4.0, 5.0))
    assert (len(first), 1.0 in first, 4.0 in first) == (2, True, False)
    assert first != last


def test_a_row_equals_what_it_says() -> None:
    row = Table(MATRIX).rows()[1]
    assert row == (2.0, 3.0)
    assert row == Table(MATRIX[1:]).rows()[0]
    assert row != "23"


def test_a_row_without_a_number_equals_itself() -> None:
    (row,) = Table(np.array([[np.nan, 1.0]])).rows()
    assert row == row  # NaN equals nothing, which is the point


def test_texts_stand_among_the_numbers() -> None:
    table = Table(MATRIX, {1: ["toys", "", "shoes"]})
    assert [tuple(row) for row in table.rows()] == [(0.0, "toys"), (2.0, ""), (4.0, "shoes")]


Rows = Sequence[TableRow | tuple[Value, ...]]


def _whole(rows: list[TableRow]) -> Rows:
    return rows


def _some(rows: list[TableRow]) -> Rows:
    return [rows[2], rows[0]]


def _of_two_tables(rows: list[TableRow]) -> Rows:
    return [rows[2], Table(MATRIX + 10).rows()[0]]


def _made_by_hand(rows: list[TableRow]) -> Rows:
    return [(7.0, 8.0), rows[0]]


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        pytest.param(_whole, [[0, 1], [2, 3], [4, 5]], id="all events of a read"),
        pytest.param(_some, [[4, 5], [0, 1]], id="those that the model may answer"),
        pytest.param(_of_two_tables, [[4, 5], [10, 11]], id="events of two reads"),
        pytest.param(_made_by_hand, [[7, 8], [0, 1]], id="values that were never in a table"),
    ],
)
def test_a_model_takes_the_values_of_all_at_once(
    chosen: Callable[[list[TableRow]], Rows], expected: list[list[int]]
) -> None:
    assert matrix_of(chosen(Table(MATRIX).rows()), 2).tolist() == expected


def test_the_values_of_a_whole_read_are_not_copied() -> None:
    table = Table(MATRIX)
    matrix = matrix_of(table.rows(), 2)
    assert matrix is table.matrix
    with pytest.raises(ValueError, match="read-only"):
        matrix[0, 0] = 9.0


def test_of_nobody_there_are_no_values() -> None:
    assert matrix_of([], 2).shape == (0, 2)
    assert matrix_of([()], 0).shape == (1, 0)


def _with_text() -> Floats:
    return matrix_of(Table(MATRIX, {1: ["a", "b", "c"]}).rows(), 2)


def _too_short() -> Floats:
    return matrix_of([(1.0,), (2.0, 3.0)], 2)


def _other_width() -> Floats:
    return matrix_of(Table(MATRIX).rows(), 3)


@pytest.mark.parametrize("made", [_with_text, _too_short, _other_width])
def test_what_is_no_matrix_of_numbers_is_refused(made: Callable[[], Floats]) -> None:
    with pytest.raises(ValueError, match=r"could not convert|inhomogeneous|cannot reshape"):
        made()
