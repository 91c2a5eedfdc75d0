"""Events that are the same in every column are one event: of them Amazon keeps one, imported or put.

Whoever reads events reads them through here, so that trainings, minimum amounts, filters and exports agree, also about
rows that an earlier release of the service has stored.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from personalize_nb.local.data.schema import ACTION_INTERACTIONS, INTERACTIONS

_EVENTS = (INTERACTIONS, ACTION_INTERACTIONS)
_IDS = ("USER_ID", "ITEM_ID", "ACTION_ID")
# odd, so that every bit of a number comes into play
_SPREAD = np.uint64(0x9E3779B97F4A7C15)


def counted_once(table: pa.Table, dataset_type: str) -> pa.Table:
    """Return a table of events without those that repeat an earlier one in every column; other tables as they are."""
    if dataset_type not in _EVENTS or table.num_rows < 2:
        return table
    suspects = _alike(table)
    if not len(suspects):
        return table
    rows = table.take(pa.array(suspects)).append_column("", pa.array(suspects))
    groups = rows.group_by(table.column_names, use_threads=False).aggregate([("", "min")])
    if groups.num_rows == len(suspects):
        return table
    kept = np.ones(table.num_rows, bool)
    kept[suspects] = False
    kept[groups.column("_min").to_numpy()] = True
    return table.filter(pa.array(kept))


def _alike(table: pa.Table) -> np.ndarray:
    """Return rows among which all identical ones are: those whose user, subject and time another row has too."""
    key = table["TIMESTAMP"].combine_chunks().to_numpy(zero_copy_only=False).astype(np.int64).view(np.uint64).copy()
    for name in _IDS:
        if name in table.column_names:
            encoded = table[name].cast(pa.string()).combine_chunks().dictionary_encode()
            codes = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
            key = key * _SPREAD + codes.view(np.uint64)
            key ^= key >> np.uint64(29)
    ordered = np.sort(key)
    repeated = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    return np.flatnonzero(np.isin(key, repeated)) if len(repeated) else np.empty(0, np.int64)


class Distinct:
    """Counts the different events of a file, as far as anybody wants to know."""

    def __init__(self, enough: int):
        self._enough = enough
        self._seen: set[tuple[object, ...]] = set()

    def see(self, batch: pa.RecordBatch) -> None:
        """Count a batch's events; once there are enough, nothing more is looked at."""
        for start in range(0, batch.num_rows, self._enough):
            if len(self._seen) >= self._enough:
                break
            part = batch.slice(start, self._enough)
            self._seen.update(zip(*(column.to_pylist() for column in part.columns), strict=True))

    @property
    def count(self) -> int:
        """How many different events there were, exact below the number that is enough."""
        return len(self._seen)
