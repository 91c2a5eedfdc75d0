"""Results of several questions side by side: two models, two filters, many jobs. Columns say which is which."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Generic

import pandas as pd
import pyarrow as pa

from personalize_nb.contract import limits
from personalize_nb.errors import NotFoundError
from personalize_nb.inputs.forms import given
from personalize_nb.results import parquet
from personalize_nb.results.forms import ARROW, PANDAS, POLARS, Frame, ResultForm
from personalize_nb.results.results import Results
from personalize_nb.results.results_as import ResultsAs
from personalize_nb.text.counts import counted

if TYPE_CHECKING:
    import os

    import polars as pl

    from personalize_nb.inputs.forms import Data
    from personalize_nb.results.titles import Items

Labels = Sequence[Mapping[str, str | None]]


class SideBySideAs(Generic[Frame]):
    """Several results as one, as frames of one kind: every frame begins with the columns that say which is which.

    Parameters
    ----------
    results
        The results.
    labels
        For each the columns that tell it from the others, and their values.
    form
        The kind of frame.
    """

    def __init__(self, results: Sequence[ResultsAs[Frame]], labels: Labels, form: ResultForm[Frame]):
        self._each, self._labels, self._form = list(results), list(labels), form

    def __len__(self) -> int:
        return sum(map(len, self._each))

    def __repr__(self) -> str:
        told = ", ".join(dict.fromkeys(name for labels in self._labels for name in labels))
        step = ".recommendations(items=...), .themes(items=...), .segments(), .errors(), .blocks()"
        return f"<Results of {counted(len(self._each), 'question')} side by side, told apart by {told}: {step}>"

    def each(self) -> list[tuple[str, ResultsAs[Frame]]]:
        """Return the results one by one, each with the values that tell it from the others."""
        apart = [name for name in self._labels[0] if len({labels[name] for labels in self._labels}) > 1]
        names = [", ".join(labels[name] or f"no {name}" for name in apart) for labels in self._labels]
        return list(zip(names, self._each, strict=True))

    @property
    def failed(self) -> int:
        """How many input lines have an error or no row."""
        return sum(one.failed for one in self._each)

    @property
    def answered(self) -> int:
        """How many input lines were answered with an item or a user."""
        return sum(one.answered for one in self._each)

    @property
    def empty(self) -> int:
        """How many input lines were answered with nothing; `.errors()` has them."""
        return sum(one.empty for one in self._each)

    @property
    def has_themes(self) -> bool:
        """Whether any row has a theme."""
        return any(one.has_themes for one in self._each)

    @property
    def has_segments(self) -> bool:
        """Whether any row is a segment of users."""
        return any(one.has_segments for one in self._each)

    def recommendations(self, items: Items | None = None, columns: Sequence[str] | None = None) -> Frame:
        """Return all recommendations, those of the first question first; see `Results.recommendations`."""
        return self._stacked(lambda one: one.recommendations(items, columns))

    def themes(
        self,
        items: Items | None = None,
        columns: Sequence[str] | None = None,
        *,
        threshold: float | None = limits.THEME_RELEVANCE_THRESHOLD,
        minimum_items: int = limits.THEME_MINIMUM_ITEMS,
    ) -> Frame:
        """Return all themes, those of the first question first; see `Results.themes`."""
        return self._stacked(lambda one: one.themes(items, columns, threshold=threshold, minimum_items=minimum_items))

    def segments(self, items: Items | None = None, columns: Sequence[str] | None = None) -> Frame:
        """Return all segments of users, those of the first question first; see `Results.segments`."""
        return self._stacked(lambda one: one.segments(items, columns))

    def errors(self) -> Frame:
        """Return the input lines that got nothing, for each question that they were asked; see `Results.errors`."""
        return self._stacked(lambda one: one.errors())

    def blocks(
        self, items: Items | None = None, columns: Sequence[str] | None = None, rows: int | None = None
    ) -> Iterator[Frame]:
        """Return `recommendations()`, or `segments()`, in frames of `rows` input lines each; see `Results.blocks`."""
        for one, labels in zip(self._each, self._labels, strict=True):
            for frame in one.blocks(items, columns, rows):
                yield self._form.labelled(frame, labels)

    def to_parquet(
        self,
        path: str | os.PathLike[str],
        items: Items | None = None,
        columns: Sequence[str] | None = None,
        *,
        kms_key_arn: str | None = None,
    ) -> str:
        """Write all results to one Parquet file in bounded memory; see `Results.to_parquet`."""
        pairs = list(zip(self._each, self._labels, strict=True))
        empty = [ARROW.labelled(one._empty_table(items, columns), labels) for one, labels in pairs]
        no_rows = ARROW.stacked(empty)  # has the columns of all
        tables = (
            ARROW.stacked([no_rows, ARROW.labelled(table, labels)])
            for one, labels in pairs
            for table in one._tables(items, columns)
        )
        return parquet.write(tables, path, self._each[0].session, kms_key_arn)

    def only(self, *, prefix: str | Sequence[str] | None = None, ids: Data | None = None) -> SideBySideAs[Frame]:
        """Return the results of some input lines only; see `Results.only`."""
        known = None if ids is None else given(ids)  # of a generator nothing is left the second time
        return SideBySideAs([one.only(prefix=prefix, ids=known) for one in self._each], self._labels, self._form)

    def _stacked(self, read: Callable[[ResultsAs[Frame]], Frame]) -> Frame:
        frames: list[Frame] = []
        absent: list[NotFoundError] = []
        for one, labels in zip(self._each, self._labels, strict=True):
            try:
                frames.append(self._form.labelled(read(one), labels))
            except NotFoundError as error:  # another job's rows may be of the kind that was asked for
                absent.append(error)
        if not frames:
            raise absent[0]
        return self._form.stacked(frames)


class SideBySide(SideBySideAs[pd.DataFrame]):
    """Several results as one, as pandas frames; `arrow()` and `polars()` give the same as theirs.

    Parameters
    ----------
    results
        The results.
    labels
        For each the columns that tell it from the others, and their values.
    """

    def __init__(self, results: Sequence[Results], labels: Labels):
        self._plain = list(results)
        super().__init__(results, labels, PANDAS)

    def arrow(self) -> SideBySideAs[pa.Table]:
        """Return the same results with Arrow tables for frames."""
        return SideBySideAs([one.arrow() for one in self._plain], self._labels, ARROW)

    def polars(self) -> SideBySideAs[pl.DataFrame]:
        """Return the same results with polars' frames."""
        return SideBySideAs([one.polars() for one in self._plain], self._labels, POLARS)
