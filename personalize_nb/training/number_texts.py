"""Columns of text that are nearly numbers: what keeps them from being numbers is told, row by row.

One empty mark or one range of years in a file makes pandas read a whole column as text. It is imported as text, which
is what it is; but a model then learns from 117 names of years, and nobody meant that.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from personalize_nb.inputs.ids import Findings

# Of the values that are there, so many are numbers in a column that was meant as numbers.
_NEARLY_ALL = 0.8
_FEWEST = 3
_SEPARATED = "([0-9])[, '_\u00a0\u202f]([0-9])"
# as codes and zip codes are written; a number never is
_CODE = r"^[+-]?0\d"
# more digits than a double keeps: an article number, no amount
_LONGEST_NUMBER = 15


def note(texts: pa.Array, given: pd.Series, column: str, findings: Findings) -> None:
    """Note the cells that make a column of numbers one of text.

    Parameters
    ----------
    texts
        The column as text.
    given
        The column as it was given, where an empty text is no missing value yet.
    column
        Its name in findings.
    findings
        Receives the note.
    """
    coded = texts.dictionary_encode()
    distinct = coded.dictionary
    if not len(distinct):
        return
    plain = _numbers(distinct)
    separated = ~plain & _numbers(pc.replace_substring_regex(distinct, _SEPARATED, r"\1\2"))
    codes = pc.fill_null(coded.indices, -1).to_numpy()
    there = codes >= 0
    is_number, is_separated = (there & mask[codes] for mask in (plain, separated))
    count = int((is_number | is_separated).sum())
    if count < max(_FEWEST, _NEARLY_ALL * there.sum()):
        return
    if pc.any(pc.match_substring_regex(distinct, _CODE)).as_py() or _longest(distinct) > _LONGEST_NUMBER:
        return
    repair = f"frame[{column!r}] = pd.to_numeric(frame[{column!r}], errors='coerce')"
    findings.note(
        is_separated,
        column,
        texts,
        f"a number with separators is text, so that the column is imported as text; for numbers: read the file with "
        f"thousands=',' or {repair}, which makes such cells missing",
    )
    findings.note(
        there & ~is_number & ~is_separated,
        column,
        texts,
        f"the value is no number while nearly all others are, so that the column is imported as text; for numbers: "
        f"{repair}, which makes such cells missing",
    )
    cells = list(given)
    findings.note(
        np.array([isinstance(cell, str) and not cell for cell in cells], dtype=bool),
        column,
        cells,
        "an empty text is no number while nearly all others are, so that the column is imported as text; for numbers: "
        f"{repair}, which makes such cells missing",
    )


def _numbers(texts: pa.Array) -> np.ndarray:
    found: np.ndarray = pd.to_numeric(texts.to_pandas(), errors="coerce").notna().to_numpy()
    return found


def _longest(texts: pa.Array) -> int:
    return pc.max(pc.utf8_length(pc.replace_substring_regex(texts, r"\D", ""))).as_py() or 0
