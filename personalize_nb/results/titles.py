"""Titles and other columns of the user's items, joined to the ids of a result."""

from __future__ import annotations

import numbers
from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from personalize_nb.contract import columns as c
from personalize_nb.errors import InputError
from personalize_nb.inputs import frames
from personalize_nb.inputs.ids import Findings, to_strings
from personalize_nb.results.lines import flat
from personalize_nb.session.progress import choose
from personalize_nb.text.counts import counted, verb

if TYPE_CHECKING:
    from personalize_nb.inputs.forms import Data

    Items: TypeAlias = Data | Mapping[str, str]


class Titles:
    """Columns of an items frame, looked up by id.

    Parameters
    ----------
    items
        What the user gave; None joins nothing.
    columns
        Which columns; by default the title, or all when there is none.

    Raises
    ------
    InputError
        It is no such frame, or has not these columns.
    """

    def __init__(self, items: Items | None, columns: Sequence[str] | str | None):
        self.frame: pd.DataFrame | None = None
        self.matched = self.asked = 0
        if items is None:
            if columns is not None:
                raise InputError(f"'columns' names columns of 'items': pass items=... as well, got {columns!r} alone.")
            return
        frame = framed(items)
        chosen = _chosen(frame, columns)
        findings = Findings()
        self._ids = to_strings(frame[c.ITEM_ID], c.ITEM_ID, findings)
        findings.raise_errors(len(frame), "items")
        tell_doubled(self._ids)
        self.frame = frame[chosen].reset_index(drop=True)

    def join(self, frame: pd.DataFrame, ids: pa.Array | pa.ChunkedArray, prefix: str = "") -> pd.DataFrame:
        """Add the columns for these ids; an unknown id has missing values."""
        if self.frame is None:
            return frame
        place = pc.fill_null(self._places(ids), -1).to_numpy(zero_copy_only=False)
        found = (self._with_gaps if (place < 0).any() else self.frame).reindex(place).set_axis(frame.index)
        return pd.concat([frame, found.set_axis(self._names(frame.columns, prefix), axis=1)], axis=1)

    def columns_of(self, ids: pa.Array | pa.ChunkedArray, taken: Collection[str], prefix: str = "") -> pa.Table:
        """Return the columns for these ids as an Arrow table, under names that are not taken."""
        if self.frame is None:
            return pa.table({})
        names = self._names(taken, prefix)
        return self._table.take(self._places(ids)).rename_columns(names)

    @cached_property
    def _with_gaps(self) -> pd.DataFrame:
        """The columns in types that hold missing values: pandas makes floats of whole numbers, which lose digits."""
        assert self.frame is not None
        found = self.frame.copy(deep=False)
        # by place: an items frame may have a name twice
        whole = [place for place, kind in enumerate(found.dtypes) if isinstance(kind, np.dtype) and kind.kind in "iu"]
        for place in whole:
            found.isetitem(place, found.iloc[:, place].convert_dtypes().array)
        return found

    @cached_property
    def _table(self) -> pa.Table:
        try:
            return pa.Table.from_pandas(self.frame, preserve_index=False)
        except pa.ArrowException as error:
            raise InputError(
                f"The items frame has a column that cannot become an Arrow column: {error}. Name others with "
                "columns=[...], or make its values of one kind."
            ) from error

    def _places(self, ids: pa.Array | pa.ChunkedArray) -> pa.Array:
        place = flat(pc.index_in(ids, self._ids))
        self.asked, self.matched = self.asked + len(place), self.matched + len(place) - place.null_count
        return place

    def _names(self, taken: Collection[str], prefix: str) -> list[str]:
        # a frame of items may have a rank or a score of its own
        assert self.frame is not None
        named = [f"{prefix}{name}" for name in self.frame.columns]
        return [
            own if own not in taken else f"{name}_of_item" for own, name in zip(named, self.frame.columns, strict=True)
        ]

    def tell_unmatched(self) -> None:
        """Say how many ids have no row in the frame: none matches when ids were read as numbers, for example."""
        if self.asked > self.matched:
            missing = self.asked - self.matched
            have = verb(missing, "has", "have")
            choose().say(f"{missing:,} of {counted(self.asked, 'listed item')} {have} no row in 'items'")


def tell_doubled(ids: pa.Array | pa.ChunkedArray | pd.Series) -> None:
    """Say which items have several rows: the first one is joined, and another may hold the better title."""
    if isinstance(ids, pd.Series):
        ids = pa.array(ids, pa.string(), from_pandas=True)
    counts = pc.value_counts(ids.combine_chunks() if isinstance(ids, pa.ChunkedArray) else ids)
    several = counts.filter(pc.greater(pc.struct_field(counts, "counts"), 1))
    if len(several):
        have = verb(len(several), "has", "have")
        first = pc.struct_field(several, "values")[0].as_py()
        choose().say(
            f"{counted(len(several), 'item')} {have} more than one row in 'items' ({first!r}): the first of each is "
            f"joined; items.drop_duplicates({c.ITEM_ID!r}) says so without this line"
        )


def framed(items: Items) -> pd.DataFrame:
    """Return what the user gave as a frame that has one column of ids, in our spelling."""
    if isinstance(items, Mapping):
        given = pd.Series(items, dtype=object)
        items = given.infer_objects()
        # a whole number beside a missing one stays what it is
        if items.dtype.kind == "f" and any(isinstance(one, numbers.Integral) for one in given):
            items = given
    if isinstance(items, pd.Series):
        name = "title" if items.name is None else str(items.name)
        items = pd.DataFrame({c.ITEM_ID: items.index, name: items.to_numpy()})
    items = frames.table(items, f"'items' must be a frame with {c.ITEM_ID!r}, a series of titles by id or a mapping")
    if c.ITEM_ID not in map(c.canonical, items.columns) and c.ITEM_ID in map(c.canonical, items.index.names):
        items = items.reset_index()
    frame = items.rename(columns=c.canonical)
    if (frame.columns == c.ITEM_ID).sum() != 1:
        raise InputError(f"The items frame needs one column {c.ITEM_ID!r}; it has {list(items.columns)}.")
    return frame


def _chosen(frame: pd.DataFrame, columns: Sequence[str] | str | None) -> list[str]:
    """Return the columns to join: those asked for, else the title, else all but the ids."""
    if isinstance(columns, str):
        columns = [columns]
    if columns is None:
        title = next((name for name in frame.columns if str(name).lower() in c.NAME_COLUMNS), None)
        return [title] if title is not None else [name for name in frame.columns if name != c.ITEM_ID]
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise InputError(f"The items frame has no column {missing}; it has {list(frame.columns)}.")
    return list(columns)
