"""Columns of items or users that conditions are tested on, indexed once per job.

Every column has one more row than its table, the last one empty: code -1 ("unknown") then reads missing values by
ordinary indexing. Text columns keep posting lists both ways, so that a test touches only the rows that match.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from personalize_nb.local.data import schema
from personalize_nb.local.filters.rules import is_number
from personalize_nb.local.filters.syntax import EQUALS, IS_IN, Operator
from personalize_nb.local.filters.values import FilterValueError

# to texts, every operator that negates no other means that one of the values is the same
_OF_NUMBERS: Mapping[str, Callable[..., np.ndarray]] = {
    "IN": np.isin,
    "=": np.equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}


class Column(Protocol):
    """One field of a table, ready to be tested; rows with equal values have equal numbers in `value_of_row`."""

    value_of_row: np.ndarray

    def test(self, operator: Operator, literals: Sequence[str]) -> np.ndarray:
        """Return for every row (and the empty one) whether the condition holds."""
        ...

    def test_against(self, operator: Operator, other: Self, rows: np.ndarray) -> np.ndarray:
        """Return [len(rows), rows of this column]: the condition against `other` at each of `rows`."""
        ...


@dataclass(frozen=True)
class Postings:
    """A ragged table: row i holds `data[start[i]:start[i + 1]]`."""

    start: np.ndarray
    data: np.ndarray

    @classmethod
    def grouped(cls, keys: np.ndarray, data: np.ndarray, rows: int) -> Postings:
        """Group `data` by `keys` (0 .. rows - 1), keeping its order within a group."""
        order = np.argsort(keys, kind="stable")
        start = np.zeros(rows + 1, dtype=np.int64)
        np.cumsum(np.bincount(keys, minlength=rows), out=start[1:])
        return cls(start, data[order])

    def take(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return for the entries of all `rows` one after another: position in `rows`, and the entry.

        Row -1 is the last one, as in numpy.
        """
        rows = rows % (len(self.start) - 1)
        lengths = self.start[rows + 1] - self.start[rows]
        owner = np.repeat(np.arange(len(rows)), lengths)
        ends = np.cumsum(lengths)
        offsets = np.arange(len(owner)) + np.repeat(self.start[rows] - (ends - lengths), lengths)
        return owner, self.data[offsets]


class TextColumn:
    """Strings, or lists of them: each row holds any number of distinct codes.

    Parameters
    ----------
    values
        One value or null per row.
    categorical
        Whether `A|B` is two values.
    """

    def __init__(self, values: pa.ChunkedArray, categorical: bool):
        rows = len(values)
        whole = pc.fill_null(values.combine_chunks(), "").dictionary_encode()
        # the empty row shares a number with no other: no harm, it only is asked apart
        self.value_of_row = np.append(whole.indices.to_numpy(zero_copy_only=False).astype(np.int64), -1)
        if categorical:
            lists = pc.split_pattern(values.combine_chunks(), "|")
            flat, owner = pc.list_flatten(lists), pc.list_parent_indices(lists)
        else:
            flat, owner = values.combine_chunks(), pa.array(np.arange(rows))
        # an empty component, as in "A||B", is no value; neither is an empty cell
        present = pc.fill_null(pc.not_equal(flat, ""), False)
        encoded = flat.filter(present).dictionary_encode()
        owners = owner.filter(present).to_numpy(zero_copy_only=False).astype(np.int64)
        codes = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
        self.rows = rows + 1
        self.code = {value: code for code, value in enumerate(encoded.dictionary.to_pylist())}
        self.codes_of_row = Postings.grouped(owners, codes, self.rows)
        self.rows_of_code = Postings.grouped(codes, owners, len(self.code))

    def test(self, operator: Operator, literals: Sequence[str]) -> np.ndarray:
        known = np.array([self.code[text] for text in literals if text in self.code], dtype=np.int64)
        holds = np.zeros(self.rows, dtype=bool)
        holds[self.rows_of_code.take(known)[1]] = True
        return ~holds if operator.negates else holds

    def test_against(self, operator: Operator, other: TextColumn, rows: np.ndarray) -> np.ndarray:
        # codes of the other column in this column's numbering; values unknown here match nothing
        translate = np.array([self.code.get(value, -1) for value in other.code], dtype=np.int64)
        owner, codes = other.codes_of_row.take(rows)
        codes = translate[codes] if len(codes) else codes
        owner, codes = owner[codes >= 0], codes[codes >= 0]
        entry, matching = self.rows_of_code.take(codes)
        holds = np.zeros((len(rows), self.rows), dtype=bool)
        holds[owner[entry], matching] = True
        return ~holds if operator.negates else holds


class NumberColumn:
    """Numbers; a missing one is NaN, which no comparison but != matches."""

    def __init__(self, values: pa.ChunkedArray):
        self.values = np.append(pc.fill_null(values.cast(pa.float64(), safe=False), np.nan).to_numpy(), np.nan)
        self.value_of_row = np.unique(self.values, return_inverse=True)[1]

    def test(self, operator: Operator, literals: Sequence[str]) -> np.ndarray:
        for text in literals:
            if not is_number(text):
                raise FilterValueError(f"holds {text!r}, which is not a number")
        numbers = np.array([float(text) for text in literals])
        meaning = _OF_NUMBERS[operator.affirmed.text]
        holds = meaning(self.values, numbers if operator.takes_list else numbers[0])
        return ~holds if operator.negates else holds

    def test_against(self, operator: Operator, other: NumberColumn, rows: np.ndarray) -> np.ndarray:
        # a row of a number column holds one number, and to be in it is to be equal
        affirmed = EQUALS if operator.affirmed == IS_IN else operator.affirmed
        holds = _OF_NUMBERS[affirmed.text](self.values[None, :], other.values[rows][:, None])
        return ~holds if operator.negates else holds


def make_column(table: pa.Table | None, field: schema.Field, rows: int, order: pa.Array | None = None) -> Column:
    """Build the column of a field.

    Parameters
    ----------
    table
        The imported rows; None for a dataset without any.
    field
        The field, as resolved in the schema.
    rows
        How many rows the column has.
    order
        Row numbers of `table` in the wanted order, null where there is none; by default the table's own order.
    """
    if table is None:
        values = pa.chunked_array([pa.nulls(rows, pa.float64() if field.numeric else pa.string())])
    else:
        values = table.column(field.name)
        if order is not None:
            values = values.take(order)
    return NumberColumn(values) if field.numeric else TextColumn(values.cast(pa.string()), field.categorical)
