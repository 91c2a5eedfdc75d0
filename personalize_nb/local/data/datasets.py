"""Imported data on disk: one Parquet file per dataset, replaced as a whole or not at all.

`import_files` turns CSV files into `datasets/<group>/<TYPE>.parquet` (FULL replaces it; INCREMENTAL writes all rows,
its own in place of those of the same ID, to a file beside it, because segments are made of FULL imports alone);
`load` gives the datasets of a group to a training. Rows stream through in blocks; only the IDs of items or users are
held at once.
"""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from personalize_nb.contract import limits
from personalize_nb.local.data import events
from personalize_nb.local.data.csv_files import Opener, arrow_schema, read_csv_files
from personalize_nb.local.data.identical import Distinct, counted_once
from personalize_nb.local.data.schema import (
    ACTION_INTERACTIONS,
    ACTIONS,
    INTERACTIONS,
    ITEMS,
    USERS,
    Schema,
    TrainingData,
)
from personalize_nb.local.errors import WorkError
from personalize_nb.local.state.layout import DRAFT, dataset_path, merged_path

FULL, INCREMENTAL = "FULL", "INCREMENTAL"
_UNIQUE = {ITEMS: "ITEM_ID", USERS: "USER_ID", ACTIONS: "ACTION_ID"}
_SORTED_BY = {INTERACTIONS: "TIMESTAMP", ACTION_INTERACTIONS: "TIMESTAMP", **_UNIQUE}


def import_files(
    root: Path,
    group: str,
    schema: Schema,
    files: Iterable[tuple[str, Opener]],
    mode: str = FULL,
    most_event_types: int | None = None,
) -> int:
    """Read CSV files into a dataset.

    Parameters
    ----------
    root
        The service's folder.
    group
        Name of the dataset group.
    schema
        The dataset's schema; its type names the dataset.
    files
        Name and opener of each CSV file, in the order in which later rows replace earlier ones.
    mode
        `FULL` forgets the rows of earlier imports, `INCREMENTAL` keeps them.
    most_event_types
        How many different event types an interactions dataset may have after the import.

    Returns
    -------
    int
        The number of records read from the files.

    Raises
    ------
    WorkError
        A file breaks a rule, or there is too little data; the dataset is as it was.
    """
    full, merged = dataset_path(root, group, schema.type), merged_path(root, group, schema.type)
    full.parent.mkdir(parents=True, exist_ok=True)
    target = merged if mode == INCREMENTAL else full
    earlier = _newest(root, group, schema.type) if mode == INCREMENTAL else None
    with _replacing(target) as draft:
        records, kinds, distinct = 0, _Kinds(schema, most_event_types), Distinct(limits.MIN_INTERACTIONS)
        with pq.ParquetWriter(draft, arrow_schema(schema), compression="zstd") as writer:
            for batch in _stored(earlier, schema) if earlier is not None else ():
                kinds.see(batch)
                writer.write_batch(batch)
            for batch in read_csv_files(files, schema):
                records += batch.num_rows
                kinds.see(batch)
                distinct.see(batch)
                writer.write_batch(batch)
        if schema.type == INTERACTIONS and distinct.count < limits.MIN_INTERACTIONS:
            raise WorkError(_too_few(records, distinct.count))
        if schema.type in _UNIQUE:
            _keep_last(draft, _UNIQUE[schema.type])
    if mode == FULL:
        merged.unlink(missing_ok=True)
    return records


def _too_few(records: int, distinct: int) -> str:
    once = "" if distinct == records else f" that differ from one another (of {records}: identical ones count once)"
    return (
        f"Input CSV has {distinct} interaction records{once}. An import job needs at least {limits.MIN_INTERACTIONS}."
    )


class _Kinds:
    """The event types seen so far, of which there may be so many."""

    def __init__(self, schema: Schema, most: int | None):
        counts = schema.type == INTERACTIONS and schema.field("EVENT_TYPE") is not None
        self._schema, self._most = schema, most if counts else None
        self._seen: set[str] = set()

    def see(self, batch: pa.RecordBatch) -> None:
        if self._most is None:
            return
        self._seen.update(pc.unique(batch.column("EVENT_TYPE").drop_null()).to_pylist())
        if len(self._seen) > self._most:
            columns = len(self._schema.metadata)
            raise WorkError(
                f"The dataset would have more than {self._most} event types beside {columns} metadata columns: "
                f"{', '.join(sorted(self._seen)[: self._most + 1])}. Event types and metadata columns can be "
                f"{self._most + columns} together; leave out event types or columns, or let several be one."
            )


def _newest(root: Path, group: str, dataset_type: str) -> Path | None:
    """Return the file with all imported rows of a dataset, or None before its first import."""
    paths = (merged_path(root, group, dataset_type), dataset_path(root, group, dataset_type))
    return next((path for path in paths if path.exists()), None)


def load(
    root: Path,
    group: str,
    schemas: Mapping[str, Schema],
    *,
    kept: Mapping[str, Schema] | None = None,
    with_streamed: bool = True,
    with_incremental: bool = True,
) -> TrainingData:
    """Read the datasets of a group.

    Parameters
    ----------
    root
        The service's folder.
    group
        Name of the dataset group.
    schemas
        Schema of each dataset that the group has, by dataset type. Columns that a newer schema added are null
        until the next import; columns that it dropped are left out.
    kept
        The same schemas with the columns that are wanted, where those are not all.
    with_streamed
        Whether rows that were put one by one count too; of an item or user the streamed row is the newer one.
    with_incremental
        Whether rows of INCREMENTAL imports count too.
    """
    wanted = schemas if kept is None else kept
    learnt = {kind: wanted[kind] for kind in (INTERACTIONS, ITEMS, USERS) if kind in wanted}
    tables = {}
    for kind, schema in learnt.items():
        # whether two events are the same is a matter of all their columns
        table = rows(root, group, schemas[kind], with_streamed=with_streamed, with_incremental=with_incremental)
        tables[kind] = None if table is None else table.select(list(schema.names))
    return TrainingData(tables.get(INTERACTIONS), tables.get(ITEMS), tables.get(USERS), learnt)


def rows(
    root: Path,
    group: str,
    schema: Schema,
    *,
    with_imported: bool = True,
    with_streamed: bool = True,
    with_incremental: bool = True,
) -> pa.Table | None:
    """Read one dataset, of any type, as `load` does, with or without imported rows; None when it has no rows."""
    full = dataset_path(root, group, schema.type)
    path = _newest(root, group, schema.type) if with_incremental else full if full.exists() else None
    return _load(path if with_imported else None, schema, events.table(root, group, schema) if with_streamed else None)


def _load(path: Path | None, schema: Schema, put: pa.Table | None) -> pa.Table | None:
    parts = []
    if path is not None:
        parts.append(pa.Table.from_batches(_stored(path, schema), schema=arrow_schema(schema)))
    if put is not None and put.num_rows:
        parts.append(put)
    if not parts:
        return None
    table = pa.concat_tables(parts).combine_chunks()
    # imported rows are of different IDs by themselves
    if put is not None and put.num_rows and schema.type in _UNIQUE:
        table = table.filter(pa.array(_last_of_each(table.column(_UNIQUE[schema.type]).combine_chunks())))
    table = counted_once(table, schema.type)
    key = _SORTED_BY[schema.type]
    order = table.column(key)
    if schema.type == INTERACTIONS and np.all(np.diff(order.to_numpy()) >= 0):
        return table
    return table.take(pc.sort_indices(table, sort_keys=[(key, "ascending")]))


def _last_of_each(ids: pa.Array) -> np.ndarray:
    """Return for each row whether it is the last one of its ID."""
    codes = ids.dictionary_encode().indices.to_numpy()
    last = np.full(int(codes.max(initial=-1)) + 1, -1, dtype=np.int64)
    # numpy keeps the last of several assignments to one place
    last[codes] = np.arange(len(codes))
    keep = np.zeros(len(codes), dtype=bool)
    keep[last] = True
    return keep


def delete_users(root: Path, group: str, schemas: Mapping[str, Schema], users: pa.Array) -> int:
    """Remove all rows of some users from a group's datasets; return how many there were."""
    with events.opened(root) as put:
        deleted = put.forget_users(group, users.to_pylist())
    for dataset_type in (INTERACTIONS, USERS, ACTION_INTERACTIONS):
        newest, full = _newest(root, group, dataset_type), dataset_path(root, group, dataset_type)
        if dataset_type in schemas and newest is not None:
            deleted += _drop(newest, users)
            if newest != full and full.exists():
                _drop(full, users)
    return deleted


def _drop(path: Path, users: pa.Array) -> int:
    deleted = 0
    with (
        _replacing(path) as draft,
        pq.ParquetFile(path) as stored,
        pq.ParquetWriter(draft, stored.schema_arrow, compression="zstd") as writer,
    ):
        for batch in stored.iter_batches():
            kept = batch.filter(pc.invert(pc.is_in(batch.column("USER_ID"), value_set=users)))
            deleted += batch.num_rows - kept.num_rows
            writer.write_batch(kept)
    return deleted


def _stored(path: Path, schema: Schema) -> Iterator[pa.RecordBatch]:
    target = arrow_schema(schema)
    with pq.ParquetFile(path) as stored:
        present = [name for name in target.names if name in stored.schema_arrow.names]
        for batch in stored.iter_batches(columns=present):
            columns = [
                batch.column(field.name).cast(field.type)
                if field.name in present
                else pa.nulls(batch.num_rows, field.type)
                for field in target
            ]
            yield pa.record_batch(columns, schema=target)


def _keep_last(path: Path, key: str) -> None:
    """Drop all but the last row of each ID; only the IDs are in memory at once."""
    ids = pq.read_table(path, columns=[key]).column(key).combine_chunks()
    keep = _last_of_each(ids)
    if keep.all():
        return
    start = 0
    with (
        _replacing(path) as draft,
        pq.ParquetFile(path) as stored,
        pq.ParquetWriter(draft, stored.schema_arrow, compression="zstd") as writer,
    ):
        for batch in stored.iter_batches():
            writer.write_batch(batch.filter(pa.array(keep[start : start + batch.num_rows])))
            start += batch.num_rows


@contextlib.contextmanager
def _replacing(target: Path) -> Iterator[Path]:
    """Give a draft beside `target` that takes its place when the block ends well."""
    draft = target.parent / f"{uuid.uuid4().hex}{DRAFT}"
    try:
        yield draft
        os.replace(draft, target)
    finally:
        draft.unlink(missing_ok=True)
