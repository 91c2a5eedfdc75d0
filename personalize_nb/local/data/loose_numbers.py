"""Numbers in the metadata of items and users, where a cell that is no number is a missing value and fails nothing.

AWS's own notebooks import item metadata whose numeric columns hold empty cells or texts such as `2006–2007` under
types without null, and the imports they show end ACTIVE. What became of such cells is counted and written to the log:
the answer of DescribeDatasetImportJob has no member for it.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from personalize_nb.local.data.lines import place
from personalize_nb.local.data.schema import CREATION_TIMESTAMP, ITEMS, USERS, Field, Schema

log = logging.getLogger(__name__)

# 12.0 is how a whole number is written by a tool that knows floats only; more digits than these fit into no integer
_WHOLE = r"^\s*[+-]?0*\d{1,37}(\.0*)?\s*$"
_NOT_OF_WHOLE = r"^\s*\+?|\.0*\s*$|\s+$"
_REAL = r"^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$"
_NOT_OF_REAL = r"^\s*\+?|\s+$"
_RANGES = {"int": (-(2**31), 2**31 - 1), "long": (-(2**63), 2**63 - 1)}
_SHOWN = 3


def is_loose(column: Field, schema: Schema) -> bool:
    """Tell whether cells of a column may be anything: numeric metadata, and no time."""
    return schema.type in (ITEMS, USERS) and column.numeric and column.name != CREATION_TIMESTAMP


@dataclass
class Missing:
    """The cells of one file that hold no number where the schema wants one."""

    counts: dict[str, int] = field(default_factory=dict)
    first: dict[str, list[tuple[int, str]]] = field(default_factory=dict)

    def numbers(self, texts: pa.BinaryArray, column: Field, first_record: int) -> pa.Array:
        """Return the numbers of a column's cells, null where there is none, and note the cells that are to blame."""
        whole = column.type in _RANGES
        given = pc.fill_null(pc.match_substring_regex(texts, _WHOLE if whole else _REAL), False)
        good = pc.replace_substring_regex(
            pc.if_else(given, texts, None).cast(pa.string()), _NOT_OF_WHOLE if whole else _NOT_OF_REAL, ""
        )
        values = _whole(good, *_RANGES[column.type]) if whole else _real(good)
        bad = pc.is_null(values)
        if column.nullable:
            # an empty cell is legal then, and so is the way many tools write one
            blank = pc.match_substring_regex(texts, r"^(?i:nan)?$" if not whole else r"^$")
            bad = pc.and_(bad, pc.invert(pc.fill_null(blank, True)))
        self._note(bad, texts, column, first_record)
        return values

    def _note(self, bad: pa.Array, texts: pa.BinaryArray, column: Field, first_record: int) -> None:
        rows = np.flatnonzero(bad.to_numpy(zero_copy_only=False))
        if not len(rows):
            return
        self.counts[column.name] = self.counts.get(column.name, 0) + len(rows)
        shown = self.first.setdefault(column.name, [])
        for row in rows[: _SHOWN - len(shown)].tolist():
            shown.append((first_record + row, (texts[row].as_py() or b"").decode("utf-8", "replace")[:60]))

    def tell(self, stream: BinaryIO, name: str) -> None:
        """Write to the log how many cells of each column became missing values, and where the first of them are."""
        for column, count in self.counts.items():
            cells = ", ".join(f"{place(stream, record)} ({text!r})" for record, text in self.first[column])
            log.warning(
                "%d cells of %s in input CSV %s are no numbers and count as missing: %s%s",
                count,
                column,
                name,
                cells,
                ", ..." if count > len(self.first[column]) else "",
            )


def _whole(texts: pa.StringArray, least: int, most: int) -> pa.Array:
    exact = texts.cast(pa.decimal128(38, 0))
    bounds = [pa.scalar(bound, pa.int64()).cast(pa.decimal128(38, 0)) for bound in (least, most)]
    fits = pc.and_(pc.greater_equal(exact, bounds[0]), pc.less_equal(exact, bounds[1]))
    return pc.if_else(fits, exact, None).cast(pa.int64())


def _real(texts: pa.StringArray) -> pa.Array:
    values = texts.cast(pa.float64())
    return pc.if_else(pc.is_finite(values), values, None)
