"""Values of filters for each record, as columns of quoted text; what cannot be sent is found row by row."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from personalize_nb.contract import limits
from personalize_nb.errors import InputError
from personalize_nb.inputs import arrow, column_values, plain_values, text_bytes
from personalize_nb.inputs.ids import Findings
from personalize_nb.inputs.list_texts import listed
from personalize_nb.resources import filter_texts
from personalize_nb.text.elements import is_list, plain
from personalize_nb.text.values import shown

FilterValues: TypeAlias = Mapping[str, Any] | Sequence[str]

_NUMBER = r'^\s*"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?"\s*$'


def filter_columns(source: pd.DataFrame, wanted: FilterValues, findings: Findings) -> dict[str, pa.Array]:
    """Return a column `$NAME` of quoted text for each placeholder.

    Parameters
    ----------
    source
        The frame of the records.
    wanted
        Values by placeholder, or names of columns of the frame.
    findings
        Receives values that cannot be sent, and notes on those that may mean something else.
    """
    if isinstance(wanted, str):
        wanted = [wanted]
    if not isinstance(wanted, Iterable) or not all(isinstance(name, str) for name in wanted):
        raise InputError(
            f"Filter values are a mapping of placeholders to values, or names of columns, got {shown(wanted)}."
        )
    if not isinstance(wanted, Mapping):
        absent = [name for name in wanted if named_column(source, name) is None]
        if absent:
            raise InputError(f"No column for filter values {absent}; the frame has {list(source.columns)}.")
        wanted = {name: named_column(source, name) for name in wanted}
    if len(wanted) > limits.MAX_FILTER_VALUES:
        raise InputError(f"At most {limits.MAX_FILTER_VALUES} filter values per record, got {len(wanted)}.")
    return {f"${name}": _column(name, value, source.index, findings) for name, value in wanted.items()}


def named_column(source: pd.DataFrame, name: str) -> pd.Series | None:
    """Return the column that a placeholder is named after, in any case; None where there is none.

    Raises
    ------
    InputError
        Several columns differ in case only, and none is spelled as the placeholder is.
    """
    places = [place for place, column in enumerate(source.columns) if str(column).lower() == name.lower()]
    exact = [place for place in places if str(source.columns[place]) == name] or places
    if len(exact) > 1:
        raise InputError(
            f"Filter value {name!r} may be any of the columns {[source.columns[place] for place in exact]}; keep one."
        )
    return source.iloc[:, exact[0]] if exact else None


def find_no_numbers(values: Mapping[str, Any], numbers: Collection[str], findings: Findings) -> None:
    """Find values that a filter cannot compare by `<` or `>`; the service would fail their lines."""
    for name in numbers:
        column = values.get(f"${name}")
        if column is not None:
            found, texts, places = Findings(), *_parts(text_bytes.one_array(column))
            wrong = pc.fill_null(pc.invert(pc.match_substring_regex(texts, _NUMBER)), False)
            found.error(wrong, name, texts, f"the filter compares ${name}: give one number, or a moment in time")
            findings.repeat(found, places)


def is_number(text: str) -> bool:
    """Tell a text that a filter can compare by `<` or `>`.

    Examples
    --------
    >>> is_number("1999"), is_number("1e3"), is_number("many")
    (True, True, False)
    """
    return re.fullmatch(_NUMBER, f'"{text}"') is not None


def _parts(column: pa.DictionaryArray) -> tuple[pa.Array, np.ndarray]:
    """Return the texts of a column, a missing one behind them, and the place of each row's among them."""
    texts = pa.concat_arrays([column.dictionary, pa.nulls(1, column.dictionary.type)])
    return texts, pc.fill_null(column.indices, len(texts) - 1).to_numpy(zero_copy_only=False)


def _column(name: str, value: Any, index: pd.Index, findings: Findings) -> pa.DictionaryArray:
    rows, found = len(index), Findings()
    if is_each(value):
        if len(value) != rows:
            raise InputError(f"Filter values {name!r}: {len(value)} values for {rows} records; give one for each.")
        own = getattr(value, "index", index)
        if isinstance(own, pd.Index) and not own.equals(index) and own.symmetric_difference(index).empty:
            raise InputError(
                f"Filter values {name!r} have the index of the records in another order; values go to records by "
                "position. Sort them alike: values.reindex(frame.index)."
            )
        known, places = column_values.known(value)
    else:
        known = [list(value) if isinstance(value, Iterator) and is_list(value) else value]
        places = np.zeros(rows, np.int64)
    texts = _texts(name, known, found)
    longest = limits.MAX_FILTER_VALUE_CHARACTERS
    long = pc.fill_null(pc.greater(pc.utf8_length(texts), longest), False)
    found.error(long, name, texts, f"filter values longer than {longest} characters")
    findings.repeat(found, places)
    coded = texts.dictionary_encode()  # two values may have one text
    return pa.DictionaryArray.from_arrays(coded.indices.take(pa.array(places)), coded.dictionary)


def is_each(value: Any) -> bool:
    """Tell a series or array of any library, which has a value for each record, from values for all of them."""
    if not is_list(value):  # a frame is none, of whatever library
        return False
    return (hasattr(value, "dtype") and getattr(value, "ndim", 0) == 1) or arrow.is_arrow(value)


def _texts(name: str, values: Any, findings: Findings) -> pa.Array:
    """Return values as quoted text."""
    usual = plain_values.texts(values)
    quoted = text_bytes.joined('"', usual, '"')
    rows = np.flatnonzero(usual.is_null().to_numpy(zero_copy_only=False))
    if len(rows):
        found = Findings()
        others = _one_by_one(name, column_values.taken(values, rows), found)
        findings.adopt(found, rows)
        quoted = pc.replace_with_mask(quoted, usual.is_null(), others)
    return quoted


def _one_by_one(name: str, values: list[Any], findings: Findings) -> pa.Array:
    values = [plain(value) for value in values]
    texts: list[str | None] = [None] * len(values)
    problems: dict[str, list[int]] = {}
    commas, gaps = [], []
    for row, value in enumerate(values):
        try:
            text = filter_texts.quoted(value)
            if text is not None:
                text.encode()
            texts[row] = text
        except InputError as error:
            problems.setdefault(str(error).rstrip("."), []).append(row)
        except UnicodeEncodeError:
            told = "a filter value is not valid Unicode, half of a character is lost; read its source again"
            problems.setdefault(told, []).append(row)
        else:
            if _meant(value):
                commas.append(row)
            elif filter_texts.lacks_parts(value):
                gaps.append(row)

    def mask(rows: list[int]) -> np.ndarray:
        wanted = np.zeros(len(values), bool)
        wanted[rows] = True
        return wanted

    for problem, rows in problems.items():
        findings.error(mask(rows), name, values, problem)
    if commas:
        parts = _meant(values[commas[0]])
        bars = "" if any("|" in part for part in parts) else f", or {'|'.join(parts)!r}"
        what, is_sent = (
            ("a text with commas", "as one value")
            if _has_commas(values[commas[0]])
            else ("the text of a list", "as it is, with its brackets")
        )
        told = f"{what} is sent {is_sent}; several values are a list, {parts}{bars}"
        findings.note(mask(commas), name, values, told)
    if gaps:
        findings.note(mask(gaps), name, values, "a value that is missing or empty within a list is left out")
    return pa.array(texts, pa.large_string())


def _has_commas(value: Any) -> bool:
    return isinstance(value, str) and listed(value) is None


def _meant(value: Any) -> list[str]:
    """Return the values that one text may be meant as: separated by commas, or those of a list's own text."""
    if not isinstance(value, str):
        return []
    found = listed(value)
    if found is not None:
        return [str(one) for one in found if one is not None]
    parts = filter_texts.values(value)
    if len(parts) != 1 or "," not in parts[0] or (parts[0] == value and "|" in value):
        return []
    return [part.strip() for part in parts[0].split(",") if part.strip()]
