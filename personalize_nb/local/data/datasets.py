"""Imported data on disk: one Parquet file per dataset, replaced as a whole or not at all.

`import_files` turns CSV files into a Parquet file (INCREMENTAL writes all rows, its own in place of those of the same
ID, and leaves the file of the FULL import, because segments are made of those alone); `versions` says which files are
the present ones, `load` gives the datasets of a group to a training. Rows stream through in blocks; only the IDs of
items or users are held at once.
"""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
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
from personalize_nb.local.errors import DamagedError, WorkError
from personalize_nb.local.state.layout import DRAFT, data_path
from personalize_nb.local.state.versions import (
    IMPORT_AGAIN,
    DataFiles,
    DatasetVersions,
    OvertakenError,
    Replacement,
    draft_path,
    finish_draft,
    new_name,
    require_whole,
    told_when_lost,
)

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
    job: str = "",
    keep: Callable[[Replacement], None] | None = None,
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
    job
        What names the job and no other one; all its attempts write the same file. By default a name is made up.
    keep
        Called with what is ready to be committed; by default it is committed at once.

    Returns
    -------
    int
        The number of records read from the files.

    Raises
    ------
    WorkError
        A file breaks a rule, or there is too little data; the dataset is as it was.
    OvertakenError
        The rows of earlier imports were replaced meanwhile.
    """
    data_path(root, group, ".").mkdir(parents=True, exist_ok=True)
    with DatasetVersions(root) as versions:
        before = versions.files(group, schema.type)
    written = new_name(schema.type, job or uuid.uuid4().hex)
    draft = draft_path(root, group, written)
    with _removed_on_failure(root, group, [written]):
        records, kinds, distinct = 0, _Kinds(schema, most_event_types), Distinct(limits.MIN_INTERACTIONS)
        earlier = before.newest if mode == INCREMENTAL else None
        with _writer(draft, arrow_schema(schema)) as writer:
            with told_when_lost(root, group, schema.type, before):
                for batch in _stored(data_path(root, group, earlier), schema) if earlier is not None else ():
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
        newest = finish_draft(root, group, written)
    after = DataFiles(before.full if mode == INCREMENTAL else newest, newest)
    made = Replacement(group, schema.type, after, before if mode == INCREMENTAL else None)
    if keep is None:
        with DatasetVersions(root) as versions:
            versions.replace(made)
    else:
        keep(made)
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
    while True:
        with DatasetVersions(root) as versions:
            present = versions.files(group, schema.type)
        name = present.newest if with_incremental else present.full
        path = data_path(root, group, name) if with_imported and name is not None else None
        try:
            with told_when_lost(root, group, schema.type, present):
                return _load(path, schema, events.table(root, group, schema) if with_streamed else None)
        except OvertakenError:
            continue


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


def delete_users(
    root: Path, group: str, schemas: Mapping[str, Schema], users: pa.Array, job: str
) -> tuple[int, list[Replacement]]:
    """Remove all rows of some users from a group's datasets.

    Returns
    -------
    tuple
        How many rows there were, and the files without them, ready to be committed. Rows that were put one by one
        are gone at once, and counted again when the same job asks again.

    Raises
    ------
    OvertakenError
        Rows were replaced meanwhile.
    """
    deleted = 0
    replaced: list[Replacement] = []
    with DatasetVersions(root) as versions:
        present = {
            kind: versions.files(group, kind) for kind in (INTERACTIONS, USERS, ACTION_INTERACTIONS) if kind in schemas
        }
    drafts: list[str] = []
    with _removed_on_failure(root, group, drafts):
        for kind, before in present.items():
            new: dict[str | None, str] = {}
            for old in sorted(before.names()):
                name = new_name(kind, job, old)
                drafts.append(name)
                with told_when_lost(root, group, kind, before):
                    gone = _without(data_path(root, group, old), draft_path(root, group, name), users)
                new[old] = finish_draft(root, group, name)
                drafts.append(new[old])
                deleted += gone if old == before.newest else 0
            replaced.append(Replacement(group, kind, DataFiles(new.get(before.full), new.get(before.newest)), before))
        with events.opened(root) as put:
            deleted += put.forget_users(group, users.to_pylist(), job)
    return deleted, replaced


def _without(path: Path, draft: Path, users: pa.Array) -> int:
    """Write a file's rows but those of some users to a draft; return how many those were."""
    deleted = 0
    with _opened(path) as stored, _writer(draft, stored.schema_arrow) as writer:
        for batch in stored.iter_batches():
            kept = batch.filter(pc.invert(pc.is_in(batch.column("USER_ID"), value_set=users)))
            deleted += batch.num_rows - kept.num_rows
            writer.write_batch(kept)
    return deleted


def verify(path: Path) -> int:
    """Read a file through and count its rows; raise `DamagedError` when they are not those that were written."""
    with _opened(path) as stored:
        return sum(batch.num_rows for batch in stored.iter_batches())


def _writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    return pq.ParquetWriter(path, schema, compression="zstd")


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[pq.ParquetFile]:
    """Open a file with rows, if they are those that were written."""
    require_whole(path)
    try:
        with pq.ParquetFile(path) as stored:
            yield stored
    except (pa.ArrowException, OSError) as error:
        # one with a number comes from the system: a file that is gone, a full disk
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise DamagedError(path, f"Parquet cannot read it: {error}", IMPORT_AGAIN) from error


def _stored(path: Path, schema: Schema) -> Iterator[pa.RecordBatch]:
    target = arrow_schema(schema)
    with _opened(path) as stored:
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
    thinned = path.with_name(f"{path.name}{DRAFT}")
    with _opened(path) as stored, _writer(thinned, stored.schema_arrow) as writer:
        for batch in stored.iter_batches():
            writer.write_batch(batch.filter(pa.array(keep[start : start + batch.num_rows])))
            start += batch.num_rows
    os.replace(thinned, path)


@contextlib.contextmanager
def _removed_on_failure(root: Path, group: str, drafts: Collection[str]) -> Iterator[None]:
    """Remove drafts when the block that writes them fails."""
    try:
        yield
    except BaseException:
        for name in drafts:
            draft_path(root, group, name).unlink(missing_ok=True)
        raise
