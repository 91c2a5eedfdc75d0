"""IDs as strings, exactly as given, and the findings about rows that are not fit to be one.

pandas turns a column of whole numbers with one missing value into floats, and digits of long ids are gone. So floats
are never guessed back: they are refused, with the repair.
"""

from __future__ import annotations

import datetime
import numbers
import uuid
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from personalize_nb.contract import columns as c
from personalize_nb.contract import limits
from personalize_nb.errors import InputError
from personalize_nb.inputs import text_bytes
from personalize_nb.text.counts import counted
from personalize_nb.text.elements import elements, plain
from personalize_nb.text.values import is_unicode, missing, shown

_SHOWN_ROWS, _SHOWN_CHARACTERS = 5, 80
# beside spaces those that nobody sees: a byte order mark, a space that does not break, one without width
_SPACE = r"^[\s\x{FEFF}\x{A0}\x{200B}]|[\s\x{FEFF}\x{A0}\x{200B}]$"
_LIKE_FLOAT = r"^-?\d+\.0$"
# not guessed back either: 7.00 and 7 would be two texts of one number
_NO_WHOLE_NUMBER = "the id is a {}; give whole numbers or text, for example by .map(int) or .map(str)"
_TIMES = (datetime.date, datetime.time, datetime.timedelta, np.datetime64, np.timedelta64, pd.Period)
_FLOAT = "the id is a float; give whole numbers or text, for example '233' instead of 233.0"
_DROPPED = "drop such rows: dropna() of pandas, drop_nulls() of polars"
_FLOATS_OF_ARROW = (
    "ids are {}, numbers with a point; long ids have lost digits. Read them again as text, or, if no id has more than "
    "15 digits, cast them to whole numbers: .cast(polars.Int64) in polars, .cast(pyarrow.int64()) in Arrow, "
    ".astype('int64[pyarrow]') in pandas"
)
_NOT_UNICODE = "the text is not valid Unicode"
_LIKE_MISSING = pa.array(["nan", "NaN", "None", "<NA>", "null", "NaT"])


class Findings:
    """What was found about the rows of an input; errors stop a job, notes do not."""

    def __init__(self) -> None:
        self._parts: list[tuple[pd.DataFrame, bool]] = []

    def error(self, mask: Any, column: str, values: Any, problem: str) -> None:
        """Add an error, with its repair, for each row where the mask is true: such rows cannot be used."""
        self._add(mask, column, values, problem, True)

    def note(self, mask: Any, column: str, values: Any, problem: str) -> None:
        """Add a note, with what is done about it, for each row where the mask is true."""
        self._add(mask, column, values, problem, False)

    def adopt(self, inner: Findings, owner: np.ndarray) -> None:
        """Take over the findings about parts of rows; `owner` gives each part's row."""
        self._parts += [(part.assign(row=owner[part["row"]]), error) for part, error in inner._parts]

    def repeat(self, inner: Findings, places: np.ndarray) -> None:
        """Take over findings about values for each row that has the value; `places` gives each row's value."""
        for part, error in inner._parts:
            found = np.full(max(places.max(), part["row"].max()) + 1, -1)
            found[part["row"]] = np.arange(len(part))
            rows = np.flatnonzero(found[places] >= 0)
            again = part.iloc[found[places[rows]]]
            self._parts.append((again.assign(row=rows).reset_index(drop=True), error))

    @classmethod
    def gathered(cls, parts: Iterable[tuple[Findings, int]]) -> Findings:
        """Return findings about parts of one input, each with the row of the input that it begins with, as one."""
        alike: dict[tuple[str, str, bool], list[pd.DataFrame]] = {}
        for inner, begin in parts:
            for part, error in inner._parts:
                kind = (part["column"].iloc[0], part["problem"].iloc[0], error)
                alike.setdefault(kind, []).append(part.assign(row=part["row"] + begin))
        found = cls()
        found._parts = [
            (pd.concat(same, ignore_index=True).sort_values("row", kind="stable", ignore_index=True), error)
            for (_, _, error), same in alike.items()
        ]
        return found

    @property
    def have_errors(self) -> bool:
        """Whether there are rows that cannot be used."""
        return any(error for _, error in self._parts)

    def _add(self, mask: Any, column: str, values: Any, problem: str, error: bool) -> None:
        rows = np.flatnonzero(mask.to_numpy(zero_copy_only=False) if hasattr(mask, "to_numpy") else mask)
        if not len(rows):
            return
        taken = (
            values.take(pa.array(rows)).to_pylist() if hasattr(values, "to_pylist") else [values[row] for row in rows]
        )
        texts = [None if value is None else _text(value) for value in taken]
        part = pd.DataFrame(
            {"row": rows, "column": column, "value": pd.Series(texts, dtype=object), "problem": problem}
        )
        self._parts.append((part, error))

    def frame(self) -> pd.DataFrame:
        """Return all findings, ordered by row."""
        if not self._parts:
            return pd.DataFrame({"row": pd.Series(dtype="int64"), "column": [], "value": [], "problem": []})
        found = pd.concat([part for part, _ in self._parts], ignore_index=True)
        return found.sort_values("row", kind="stable", ignore_index=True)

    def sentences(self, rows: int) -> list[str]:
        """Return a sentence for each kind of note, with the first rows concerned."""
        return [_sentence(part, rows) for part, error in self._parts if not error]

    def raise_errors(self, rows: int, noun: str) -> None:
        """Raise `InputError` when rows cannot be used: a line per kind of error, all rows in `.findings`."""
        lines = [f"{_sentence(part, rows)}." for part, error in self._parts if error]
        if not lines:
            return
        raise InputError(
            "\n".join(
                [f"The {noun} cannot be used as they are; nothing was sent.", *lines, "All rows: error.findings"]
            ),
            findings=self.frame(),
        )


def _text(value: object) -> str:
    """Return a value as a finding shows it: text and numbers as they are, all else as Python writes it."""
    if type(value) is str:
        return value[:_SHOWN_CHARACTERS]
    if isinstance(value, (str, float, np.generic, *_TIMES)) and not isinstance(value, bytes):
        return str(value)[:_SHOWN_CHARACTERS]
    return shown(value)


def _sentence(part: pd.DataFrame, rows: int) -> str:
    return f"{part['column'].iloc[0]}: {part['problem'].iloc[0]} ({_which(part, rows)})"


def _which(part: pd.DataFrame, rows: int) -> str:
    first = part.head(_SHOWN_ROWS)
    named = ", ".join(f"{row}: {value!r}" for row, value in zip(first["row"], first["value"], strict=True))
    more = ", ..." if len(part) > _SHOWN_ROWS else ""
    return f"{part['row'].nunique():,} of {counted(rows, 'row')}, counted from 0: {named}{more}"


def to_strings(series: pd.Series, column: str, findings: Findings) -> pa.Array:
    """Return ids as an Arrow string array; rows that are no ids are added to the findings and null.

    Parameters
    ----------
    series
        Strings, whole numbers of any size, categories of them, or Python objects.
    column
        The column's name in findings.
    findings
        Receives errors (missing, empty, float, too long) and notes (spaces around an id, text like `233.0`).
    """
    array, wrong = _converted(series, column, findings)
    array = text_bytes.one_array(array)
    rows = text_bytes.to_judge(array)
    if len(rows):
        taken, found = pa.array(rows), Findings()
        _judge(array.take(taken), pa.array(wrong[rows]), column, found)
        findings.adopt(found, rows)
    return array


def _judge(array: pa.Array, wrong: pa.Array, column: str, findings: Findings) -> None:
    """Find what the texts of ids tell; all of it is in rows that `text_bytes.to_judge` names."""
    absent = pc.and_not(pc.is_null(array), wrong)
    findings.error(absent, column, array, f"the id is missing; {_DROPPED}")
    findings.error(_true(pc.equal(array, "")), column, array, "the id is an empty text")
    most = limits.MAX_ID_CHARACTERS
    findings.error(
        _true(pc.greater(pc.utf8_length(array), most)), column, array, f"the id is longer than {most} characters"
    )
    broken = pc.match_substring_regex(array, r"[\r\n]$")
    notes = (
        (broken, "a line break at the end of the id, as readlines() leaves it; kept; read().splitlines() gives none"),
        (
            pc.and_not(pc.match_substring_regex(array, _SPACE), broken),
            "space around the id; kept, but it must be so in the training data too",
        ),
        (pc.match_substring_regex(array, _LIKE_FLOAT), "text of a float; kept, but the id was probably a whole number"),
        (pc.is_in(array, _LIKE_MISSING), "text of a missing value; kept, but it was probably no id"),
    )
    for mask, problem in notes:
        findings.note(_true(mask), column, array, problem)


def _converted(series: pd.Series, column: str, findings: Findings) -> tuple[Any, np.ndarray]:
    """Return strings, and a mask of the rows that are already found wrong."""
    if isinstance(series.dtype, pd.SparseDtype):
        series = series.sparse.to_dense()  # type: ignore[attr-defined]  # unknown to pandas' stubs
    dtype = series.dtype
    right = np.zeros(len(series), bool)
    if isinstance(dtype, pd.CategoricalDtype):
        known, wrong = _converted(pd.Series(dtype.categories), column, Findings())
        if wrong.any():
            return _one_by_one(series.astype(object).tolist(), column, findings)
        codes = series.cat.codes.to_numpy()
        return text_bytes.taken(text_bytes.one_array(known), pa.array(codes, mask=codes < 0)), right
    if isinstance(dtype, pd.ArrowDtype):
        return _of_arrow(series, column, findings)
    if pd.api.types.is_bool_dtype(dtype) or dtype.kind in "mM":
        raise _no_ids(column, dtype)
    if pd.api.types.is_integer_dtype(dtype):
        return pc.cast(pa.array(_native(series), from_pandas=True), pa.string()), right
    if pd.api.types.is_float_dtype(dtype):
        return _refused_floats(series, column, findings)
    if isinstance(dtype, pd.StringDtype) or pd.api.types.infer_dtype(series, skipna=True) == "string":
        try:
            return pa.array(series, type=pa.string(), from_pandas=True), right
        except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeEncodeError):
            return _one_by_one(series.tolist(), column, findings)
    if not pd.api.types.is_object_dtype(dtype):
        raise _no_ids(column, dtype)
    return _one_by_one(series.tolist(), column, findings)


def _of_arrow(series: pd.Series, column: str, findings: Findings) -> tuple[Any, np.ndarray]:
    """Convert a column of Arrow's types; those that hold no ids are refused as a whole."""
    array = pa.array(series, from_pandas=True)
    array = pa.chunked_array([array]) if isinstance(array, pa.Array) else array
    kind, types = array.type, pa.types
    while types.is_dictionary(kind):
        kind = kind.value_type
    right = np.zeros(len(series), bool)
    if types.is_floating(kind):
        return _refused_floats(series, column, findings)
    if types.is_integer(kind) or types.is_null(kind):
        return array.cast(kind).cast(pa.string()), right
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        try:
            texts = text_bytes.one_array(array.cast(kind).cast(pa.string()))
            if not text_bytes.is_ascii(texts):
                texts.validate(full=True)  # Arrow takes the bytes of others' files for UTF-8
            return texts, right
        except pa.ArrowInvalid:
            return _one_by_one(elements(array), column, findings)
    if types.is_boolean(kind) or types.is_temporal(kind) or "binary" in str(kind):
        raise _no_ids(column, series.dtype)
    if types.is_decimal(kind) and kind.scale == 0:  # databases have whole numbers in this type
        return _one_by_one([None if one is None else int(one) for one in array.to_pylist()], column, findings)
    return _one_by_one(elements(array), column, findings)


def _native(series: pd.Series) -> pd.Series:
    """Return numbers in the byte order of this machine; Arrow takes no other."""
    order = getattr(series.dtype, "byteorder", "=")
    return series if order in "=|" else series.astype(series.dtype.newbyteorder("="))  # type: ignore[union-attr]


def _no_ids(column: str, dtype: Any) -> InputError:
    """Return the error for truth values, moments, durations, bytes and the like, whose text would be taken for ids."""
    return InputError(f"{column} is a column of {dtype}, which are no ids. Name the column that holds the ids.")


def _refused_floats(series: pd.Series, column: str, findings: Findings) -> tuple[Any, np.ndarray]:
    array = pa.array(_native(series).astype("float64"), from_pandas=True)
    filled = pc.is_valid(array).to_numpy(zero_copy_only=False)
    if isinstance(series.dtype, pd.ArrowDtype):
        repair = _FLOATS_OF_ARROW.format(series.dtype.pyarrow_dtype)
    else:
        repair = (
            f"ids are {series.dtype}, pandas' type for whole numbers with a missing value; long ids have lost digits. "
            f"Read the file again with dtype={{{column!r}: 'string'}} under the name that the column has there, or, if "
            f"no id has more than 15 digits, frame[{column!r}] = frame[{column!r}].astype('Int64').astype('string')"
        )
    findings.error(filled, column, array, repair)
    return pa.nulls(len(series), pa.string()), filled


def _one_by_one(values: list[Any], column: str, findings: Findings) -> tuple[Any, np.ndarray]:
    """Convert Python objects of mixed types, the one case without a columnar way."""
    texts: list[str | None] = [None] * len(values)
    wrong: dict[str, list[int]] = {}
    for row, value in enumerate(values):
        text, problem = _one(value)
        texts[row] = text
        if problem:
            wrong.setdefault(problem, []).append(row)
    mask = np.zeros(len(values), bool)
    for problem, rows in wrong.items():
        this = np.zeros(len(values), bool)
        this[rows] = True
        mask |= this
        findings.error(this, column, values, problem)
    return pa.array(texts, pa.string()), mask


def _one(value: Any) -> tuple[str | None, str | None]:
    """Return the text of an id, or what is wrong with it; neither where it is missing. All that is known is here."""
    value = plain(value)
    if isinstance(value, str):
        text = str.__str__(value)  # a member of an enumeration has another text of its own
        return (text, None) if is_unicode(text) else (None, _NOT_UNICODE)
    if isinstance(value, (bool, np.bool_)):
        return None, "True and False are no ids"
    if missing(value):
        return None, None
    if isinstance(value, _TIMES):  # before whole numbers, which numpy's durations are, too
        return None, f"the id is a {type(value).__name__}; name the column that holds the ids"
    if isinstance(value, numbers.Integral):
        try:
            return str(int(value)), None
        except ValueError:  # Python writes no number of thousands of digits
            return None, f"the id is longer than {limits.MAX_ID_CHARACTERS} characters"
    if isinstance(value, uuid.UUID):
        return str(value), None
    if isinstance(value, (float, np.floating)):
        return None, _FLOAT
    if isinstance(value, (bytes, bytearray, memoryview)):
        return None, "the id is bytes; decode it first"
    if isinstance(value, numbers.Number):
        return None, _NO_WHOLE_NUMBER.format(type(value).__name__)
    return (
        None,
        f"the id is of the type {type(value).__name__}; give one id per row, text or a whole number, or name a "
        f"column of lists {c.ITEM_LIST!r}",
    )


def _true(mask: Any) -> Any:
    return pc.fill_null(mask, False)
