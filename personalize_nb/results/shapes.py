"""Rows of a job as columns: one row per recommended item, item of a theme, or user of a segment.

A shape is a list of parts: tables, and places where columns of the user's items go. What it becomes, a `Form` says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from personalize_nb.contract import columns as c
from personalize_nb.resources import filter_texts
from personalize_nb.results.lines import flat
from personalize_nb.results.members import ITEMS, RELEVANCE, SCORES, THEME, USERS, VALUES

_FEW_ROWS = 4_000


@dataclass(frozen=True)
class ItemColumns:
    """Where columns of the user's items go: those of `ids`, their names after `prefix`."""

    ids: pa.Array | pa.ChunkedArray
    prefix: str = ""


Shape: TypeAlias = "list[pa.Table | ItemColumns]"


def joined(shapes: Sequence[Shape]) -> Shape:
    """Return shapes of the same columns as one, without a copy."""
    if len(shapes) == 1:
        return shapes[0]
    return [_joined(parts) for parts in zip(*shapes, strict=True)]


def _joined(parts: Sequence[Any]) -> pa.Table | ItemColumns:
    if isinstance(parts[0], pa.Table):
        return pa.concat_tables(parts)
    chunks = [
        chunk for one in parts for chunk in (one.ids.chunks if isinstance(one.ids, pa.ChunkedArray) else [one.ids])
    ]
    return ItemColumns(pa.chunked_array(chunks), parts[0].prefix)


def _pieces(rows: pa.Table) -> Iterator[pa.Table]:
    """Yield rows in pieces that mostly lie in one chunk each, as rows of several are copied to lie in one."""
    batches: list[pa.RecordBatch] = []
    for batch in rows.to_batches():
        batches.append(batch)
        if sum(one.num_rows for one in batches) >= _FEW_ROWS:
            yield pa.Table.from_batches(batches)
            batches = []
    if batches or not rows.num_rows:
        yield pa.Table.from_batches(batches, rows.schema)


def recommendations(rows: pa.Table, keys: Sequence[str]) -> Shape:
    """Return one row per recommended item."""
    return joined([_recommendations(piece, keys) for piece in _pieces(rows)])


def _recommendations(rows: pa.Table, keys: Sequence[str]) -> Shape:
    output = flat(rows.column("output"))
    owner, rank, items = _exploded(pc.struct_field(output, ITEMS))
    told = _keys(flat(rows.column("input")), owner, keys)
    name = c.RECOMMENDED_ITEM_ID if c.ITEM_ID in told else c.ITEM_ID
    score = _aligned(pc.struct_field(output, SCORES), owner, rank)
    return [pa.table({**told, c.RANK: rank, name: items, c.SCORE: score}), ItemColumns(items)]


def segments(rows: pa.Table, keys: Sequence[str]) -> Shape:
    """Return one row per user of a segment."""
    output = flat(rows.column("output"))
    lists = [pc.struct_field(output, name) for name in USERS]
    owner, rank, users = _exploded(lists[0] if lists[1].null_count == len(output) else pc.coalesce(*lists))
    told = _keys(flat(rows.column("input")), owner, keys)
    shape: Shape = [pa.table({**told, c.RANK: rank, c.USER_ID: users})]
    return [*shape, ItemColumns(told[c.ITEM_ID])] if c.ITEM_ID in told else shape


def with_themes(rows: pa.Table) -> tuple[pa.Table, int]:
    """Return the rows without those that are recommendations of another job, and how many of these list items."""
    output = flat(rows.column("output"))
    items, theme, relevance = (pc.struct_field(output, name) for name in (ITEMS, THEME, RELEVANCE))
    listed = pc.fill_null(pc.greater(pc.list_value_length(items), 0), False)
    plain = pc.and_(listed, pc.and_(pc.is_null(theme), pc.is_null(relevance)))
    return rows.filter(pc.invert(plain)), int(pc.sum(plain).as_py() or 0)


def themes(rows: pa.Table, threshold: float | None, minimum_items: int) -> tuple[Shape, int]:
    """Return one row per item of a theme, and how many themes have too few such items to be listed."""
    output, inputs = flat(rows.column("output")), flat(rows.column("input"))
    owner, rank, items = _exploded(pc.struct_field(output, ITEMS))
    relevance = _aligned(pc.struct_field(output, RELEVANCE), owner, rank)
    numbers = pc.fill_null(relevance, np.nan).to_numpy(zero_copy_only=False)
    fits = np.full(len(owner), True) if threshold is None else numbers >= threshold
    kept = fits & (np.bincount(owner, fits)[owner] >= minimum_items)  # of each answer: an item may be asked twice
    hidden = len(np.unique(owner)) - len(np.unique(owner[kept]))
    owner, rank, items, relevance = owner[kept], rank.filter(kept), items.filter(kept), relevance.filter(kept)
    chosen = pa.array(owner)
    texts = pc.utf8_rtrim(pc.struct_field(output, THEME), ".").take(chosen)
    told = {**_keys(inputs, owner, ["itemId"]), c.THEME: texts, c.RANK: rank}
    seeds = pc.struct_field(inputs, "itemId").take(chosen)
    listed = pa.table({c.RECOMMENDED_ITEM_ID: items, c.RELEVANCE: relevance})
    return [pa.table(told), ItemColumns(seeds, "item_"), listed, ItemColumns(items)], hidden


def errors(rows: pa.Table, keys: Sequence[str]) -> Shape:
    """Return one row per input line that got nothing."""
    told = _keys(flat(rows.column("input")), np.arange(rows.num_rows), keys)
    return [pa.table({**told, **{name: rows.column(name) for name in (c.ERROR, c.LINE, c.FILE)}})]


def _keys(records: pa.StructArray, owner: np.ndarray, keys: Sequence[str]) -> dict[str, pa.Array]:
    """Return the input's key columns, repeated for the rows that belong to each record."""
    chosen = pa.array(owner)
    found = {c.JSON_KEYS[key]: pc.struct_field(records, key).take(chosen) for key in keys}
    if any(one.name == VALUES for one in records.type):
        values = pc.struct_field(records, VALUES)
        for one in values.type:
            texts = pc.dictionary_encode(pc.struct_field(values, one.name))
            plain = pa.array([filter_texts.unquoted(text) for text in texts.dictionary.to_pylist()], pa.string())
            name = f"{one.name}_of_filter" if one.name in _RESERVED else one.name
            found[name] = plain.take(texts.indices).take(chosen)
    return found


_RESERVED = {
    *c.JSON_KEYS.values(), c.RANK, c.SCORE, c.THEME, c.RECOMMENDED_ITEM_ID, c.RELEVANCE, c.ERROR, c.LINE, c.FILE
}  # fmt: skip


def _exploded(lists: pa.ListArray) -> tuple[np.ndarray, pa.Array, pa.Array]:
    """Return for each element of all lists: its list's position, its rank from 1, and the element."""
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy(zero_copy_only=False).astype(np.int64)
    owner = np.repeat(np.arange(len(lists)), lengths)
    starts = np.repeat(lengths.cumsum() - lengths, lengths)
    return owner, pa.array(np.arange(len(owner)) - starts + 1), lists.flatten()


def _aligned(lists: pa.ListArray, owner: np.ndarray, rank: pa.Array) -> pa.Array:
    """Return the number beside each item; missing where a record has none or fewer numbers than items."""
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy(zero_copy_only=False).astype(np.int64)
    if len(lists.flatten()) == len(owner) and np.array_equal(lengths, np.bincount(owner, minlength=len(lists))):
        return lists.flatten()
    place: Any = (lengths.cumsum() - lengths)[owner] + rank.to_numpy() - 1
    absent = rank.to_numpy() > lengths[owner]
    return lists.flatten().take(pa.array(place, mask=absent))
