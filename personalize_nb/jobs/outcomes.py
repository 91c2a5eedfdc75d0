"""The ways to read what a job or a run has written, each in one word: `job.recommendations()`, `job.to_parquet(path)`.

They are those of `Results`, which is loaded only here: pandas and Arrow are not needed to start or watch a job.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from personalize_nb.contract import limits
from personalize_nb.contract.parameters import BATCH_SEGMENT, THEME_GENERATION

if TYPE_CHECKING:
    import os

    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from personalize_nb.inputs.forms import Data
    from personalize_nb.results.results import Results
    from personalize_nb.results.results_as import ResultsAs
    from personalize_nb.results.side_by_side import SideBySide, SideBySideAs
    from personalize_nb.results.titles import Items


READERS = {BATCH_SEGMENT: ".segments()", THEME_GENERATION: ".themes(items=...)"}  # others read recommendations


class Outcome(ABC):
    """What has results."""

    @abstractmethod
    def results(self) -> Results | SideBySide:
        """Return what was written.

        Returns
        -------
        Results or SideBySide
            Reads rows when they are asked for.
        """

    def arrow(self) -> ResultsAs[pa.Table] | SideBySideAs[pa.Table]:
        """Return the results as Arrow tables, `job.arrow().recommendations()`; see `Results.arrow`.

        Returns
        -------
        ResultsAs
            The same methods, with `pyarrow.Table` for frames.
        """
        return self.results().arrow()

    def polars(self) -> ResultsAs[pl.DataFrame] | SideBySideAs[pl.DataFrame]:
        """Return the results as polars' frames, `job.polars().recommendations()`; see `Results.polars`.

        Returns
        -------
        ResultsAs
            The same methods, with `polars.DataFrame` for frames.
        """
        return self.results().polars()

    def to_parquet(
        self,
        path: str | os.PathLike[str],
        items: Items | None = None,
        columns: Sequence[str] | None = None,
        *,
        kms_key_arn: str | None = None,
    ) -> str:
        """Write the results to a Parquet file, on disk or in S3, in bounded memory.

        Parameters
        ----------
        path, items, columns, kms_key_arn
            As for `Results.to_parquet`.

        Returns
        -------
        str
            The path or address.

        Raises
        ------
        InputError
            The path names a folder, or one that is not there.
        """
        return self.results().to_parquet(path, items, columns, kms_key_arn=kms_key_arn)

    def only(
        self, *, prefix: str | Sequence[str] | None = None, ids: Data | None = None
    ) -> ResultsAs[pd.DataFrame] | SideBySideAs[pd.DataFrame]:
        """Return the results of some input lines, `job.only(prefix="r01").recommendations()`.

        Parameters
        ----------
        prefix, ids
            As for `Results.only`.

        Returns
        -------
        ResultsAs
            The same methods, of these lines.

        Raises
        ------
        InputError
            Neither is given, or both are.
        """
        return self.results().only(prefix=prefix, ids=ids)

    def blocks(
        self, items: Items | None = None, columns: Sequence[str] | None = None, rows: int | None = None
    ) -> Iterator[pd.DataFrame]:
        """Return the recommendations or segments in frames of `rows` input lines each.

        Parameters
        ----------
        items, columns, rows
            As for `Results.blocks`.

        Returns
        -------
        iterator of pandas.DataFrame
            At least one frame; columns as of `Results.recommendations` or `Results.segments`.
        """
        return self.results().blocks(items, columns, rows)

    def errors(self) -> pd.DataFrame:
        """Return the input lines that failed or got nothing, with the reason.

        Returns
        -------
        pandas.DataFrame
            Columns as of `Results.errors`: the input's keys, `error`, `line`, `file`.
        """
        return self.results().errors()


class ItemsOutcome(Outcome):
    """What has results that are lists of items."""

    def recommendations(self, items: Items | None = None, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return the recommendations in input order.

        Parameters
        ----------
        items, columns
            As for `Results.recommendations`.

        Returns
        -------
        pandas.DataFrame
            Columns as of `Results.recommendations`: the input's keys, `rank` from 1, `item_id`, `score`.

        Raises
        ------
        NotFoundError
            There are segments of users and nothing else.
        """
        return self.results().recommendations(items, columns)

    def themes(
        self,
        items: Items | None = None,
        columns: Sequence[str] | None = None,
        *,
        threshold: float | None = limits.THEME_RELEVANCE_THRESHOLD,
        minimum_items: int = limits.THEME_MINIMUM_ITEMS,
    ) -> pd.DataFrame:
        """Return the themes of a theme job.

        Parameters
        ----------
        items, columns, threshold, minimum_items
            As for `Results.themes`.

        Returns
        -------
        pandas.DataFrame
            Columns `item_id`, `theme`, `rank`, `recommended_item_id`, `relevance` (0 to 1).

        Raises
        ------
        NotFoundError
            The job made no themes.
        """
        return self.results().themes(items, columns, threshold=threshold, minimum_items=minimum_items)
