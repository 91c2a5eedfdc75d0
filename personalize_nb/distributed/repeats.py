"""Records that are the same in several partitions: found by the workers, exactly, without any of them seeing all.

The keys of a partition are dealt out by a hash, the same key always to the same heap; each heap is looked through by
itself. There are about as many heaps as the root of the number of partitions, so that a heap is as large as so many
partitions' keys, and the number of tasks grows slower than the square.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from personalize_nb.contract import columns as c
from personalize_nb.distributed.checking import Checked
from personalize_nb.inputs import distinct, json_lines, text_bytes
from personalize_nb.inputs.batch import REPEATED
from personalize_nb.inputs.ids import Findings

APART = (
    "rows of this user are in another partition as well, and a list is not cut in two: bring them together by "
    "frame.shuffle('user_id'), or give the lists in a column 'item_list'"
)
_DIGEST = 16  # bytes, of records that are more than an id


def heaps(partitions: int) -> int:
    """Return how many heaps there are.

    Examples
    --------
    >>> heaps(1), heaps(10), heaps(1000)
    (1, 3, 31)
    """
    return max(1, math.isqrt(partitions))


def dealt(checked: Checked, count: int) -> list[pa.Table]:
    """Return a table for each heap: the keys of a partition's records that belong to it, and their places."""
    keys = _keys(checked)
    owner = text_bytes.mixed(text_bytes.hashes(keys)) % np.uint64(count)
    found = []
    for heap in range(count):
        places = np.flatnonzero(owner == heap)
        found.append(pa.table({"key": keys.take(pa.array(places)), "place": pa.array(places)}))
    return found


def _keys(checked: Checked) -> pa.Array:
    """Return a text for each record, equal where the records are; of lists with a row per item, where the users are."""
    table = checked.table
    if table is None:
        return pa.array([], pa.string())
    if checked.by_item:
        table = table.drop_columns([c.ITEM_LIST])
    if table.num_columns == 1:
        return text_bytes.one_array(table.column(0))
    # ends of lines only end lines: JSON escapes them within texts
    lines = b"".join(json_lines.encoded(table)).split(b"\n")[:-1]
    return pa.array([hashlib.blake2b(line, digest_size=_DIGEST).hexdigest() for line in lines], pa.string())


def looked_through(heap: Sequence[pa.Table]) -> dict[int, np.ndarray]:
    """Return the records of each partition that an earlier partition has as well, by their places.

    Parameters
    ----------
    heap
        The keys of each partition, in the order of the partitions; within a partition each is there once.
    """
    keys = pa.chunked_array([chunk for one in heap for chunk in one.column("key").chunks], pa.string())
    again = np.flatnonzero(distinct.repeats(distinct.firsts(keys)))
    ends = np.cumsum([one.num_rows for one in heap])
    owners = np.searchsorted(ends, again, side="right")
    found = {}
    for owner in np.unique(owners).tolist():
        rows = again[owners == owner] - (ends[owner] - heap[owner].num_rows)
        found[owner] = heap[owner].column("place").to_numpy()[rows]
    return found


def together(each: Sequence[Mapping[int, np.ndarray]]) -> dict[int, np.ndarray]:
    """Return what was found in all heaps, by partition."""
    found: dict[int, list[np.ndarray]] = {}
    for one in each:
        for owner, places in one.items():
            found.setdefault(owner, []).append(places)
    return {owner: np.sort(np.concatenate(places)) for owner, places in sorted(found.items())}


def told(checked: Checked, places: np.ndarray) -> Findings:
    """Return what is found of records that an earlier partition has as well."""
    findings, table = Findings(), checked.table
    if table is None:
        return findings
    rows = checked.row(places)
    mask = np.zeros(checked.rows, bool)
    mask[rows] = True
    key = table.column_names[0]
    values = dict(zip(rows.tolist(), table.column(0).take(pa.array(places)).to_pylist(), strict=True))
    find = findings.error if checked.by_item else findings.note
    find(mask, key, values, APART if checked.by_item else REPEATED)
    return findings
