"""Which rows are the same, exactly: for each row, the first one that it repeats; itself where it repeats none.

Texts are told apart by a hash of their bytes, several times as fast as by a table of texts; what has the same hash is
compared, so that the answer is exact whatever the hash does.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from personalize_nb.inputs import text_bytes

_SAMPLE, _FEW = 4_096, 256


def are_distinct(texts: pa.Array | pa.ChunkedArray, numbers: np.ndarray | None = None) -> bool:
    """Tell whether no two texts are the same; where it is hard to tell, they are said to be the same.

    Parameters
    ----------
    texts
        The texts.
    numbers
        A whole number beside each; texts with others beside them are not the same.

    Examples
    --------
    >>> are_distinct(pa.array(["a", "b"])), are_distinct(pa.array(["a", "b", "a"]))
    (True, False)
    >>> are_distinct(pa.array(["a", "b", "a"]), np.array([0, 0, 1]))
    True
    """
    found = text_bytes.hashes(text_bytes.one_array(texts))
    if numbers is not None:
        found = text_bytes.mixed(found) ^ numbers.astype(np.uint64)
    found.sort()
    return not bool((found[1:] == found[:-1]).any())


def firsts(column: pa.Array | pa.ChunkedArray) -> np.ndarray:
    """Return the first row with the value of each row.

    Parameters
    ----------
    column
        Texts, lists of texts, or a dictionary of texts.

    Examples
    --------
    >>> firsts(pa.array(["b", "a", None, "b"])).tolist()
    [0, 1, 2, 0]
    """
    array = text_bytes.one_array(column)
    if pa.types.is_dictionary(array.type):
        known = np.append(firsts(array.dictionary), -1)  # the last is what is missing
        return firsts_of_numbers(known[pc.fill_null(array.indices, -1).to_numpy(zero_copy_only=False)])
    if pa.types.is_list(array.type):  # of numbers, because a text may hold any separator
        texts = pa.array(firsts(array.flatten())).cast(pa.string())
        lengths = pc.list_value_length(array).to_numpy(zero_copy_only=False)
        places = pa.array(np.concatenate([[0], lengths.cumsum()]), pa.int32())
        array = pc.binary_join(pa.ListArray.from_arrays(places, texts), ",")
    return _of_texts(array)


def firsts_of_numbers(values: np.ndarray) -> np.ndarray:
    """Return the first row with the whole number of each row.

    Examples
    --------
    >>> firsts_of_numbers(np.array([7, 5, 7])).tolist()
    [0, 1, 0]
    """
    rows = np.arange(len(values))
    if not len(values):
        return rows
    least, most = int(values.min()), int(values.max())
    if most - least <= 2 * len(values) + _SAMPLE:  # a table of all numbers that there may be
        places = values - least
        table = np.empty(most - least + 1, np.int64)
        table[places[::-1]] = rows[::-1]  # what is written last stays
        return np.asarray(table[places])
    order = np.argsort(values)
    ordered = values[order]
    begins = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    found = np.empty(len(values), np.int64)
    found[order] = np.repeat(np.minimum.reduceat(order, begins), np.diff(begins, append=len(values)))
    return found


def together(columns: Iterable[np.ndarray]) -> np.ndarray:
    """Return the first row that agrees with each row in all columns, each given by its first rows.

    Examples
    --------
    >>> together([np.array([0, 0, 2, 0]), np.array([0, 1, 1, 1])]).tolist()
    [0, 1, 2, 1]
    """
    first, *others = columns
    for one in others:
        first = firsts_of_numbers(first * len(first) + one)
    return first


def numbered(found: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows that repeat none, and for each row the place among them of the one that it repeats.

    Examples
    --------
    >>> rows, places = numbered(np.array([0, 1, 0, 3]))
    >>> rows.tolist(), places.tolist()
    ([0, 1, 3], [0, 1, 0, 2])
    """
    new = ~repeats(found)
    return np.flatnonzero(new), (np.cumsum(new) - 1)[found]


def repeats(found: np.ndarray) -> np.ndarray:
    """Return a mask of the rows that repeat an earlier one."""
    mask: np.ndarray = found != np.arange(len(found))
    return mask


def repeated(table: pa.Table) -> np.ndarray:
    """Return a mask of the rows that are the same as an earlier one, where the first column is of texts.

    Examples
    --------
    >>> repeated(pa.table({"user_id": ["a", "b", "a"]})).tolist()
    [False, False, True]
    """
    mask = np.zeros(table.num_rows, bool)
    if are_distinct(table.column(0)):  # whatever stands beside them
        return mask
    found = firsts(table.column(0))
    if table.num_columns == 1:
        return repeats(found)
    rows = np.flatnonzero(np.bincount(found)[found] > 1)
    alike = table.take(pa.array(rows))
    mask[rows] = repeats(together(firsts(column) for column in alike.columns))
    return mask


def _of_texts(texts: pa.Array) -> np.ndarray:
    if len(texts) > _SAMPLE and len(texts.slice(0, _SAMPLE).unique()) <= _FEW:
        return _by_table(texts)
    found = firsts_of_numbers(text_bytes.hashes(texts))
    rows = np.flatnonzero(repeats(found))
    same = texts.take(pa.array(rows)).equals(texts.take(pa.array(found[rows])))
    return found if same else _by_table(texts)


def _by_table(texts: pa.Array) -> np.ndarray:
    return firsts_of_numbers(pc.fill_null(texts.dictionary_encode().indices, -1).to_numpy(zero_copy_only=False))
