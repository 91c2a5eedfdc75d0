"""The frames that results come in: pandas', Arrow's or polars'."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import pandas as pd
import pyarrow as pa

from personalize_nb.results.shapes import Shape
from personalize_nb.results.titles import Titles

if TYPE_CHECKING:
    import polars as pl

Frame = TypeVar("Frame")


@dataclass(frozen=True)
class ResultForm(Generic[Frame]):
    """One kind of frame.

    Parameters
    ----------
    frame
        Makes one of a shape.
    """

    frame: Callable[[Shape, Titles], Frame]


def _pandas(shape: Shape, titles: Titles) -> pd.DataFrame:
    frame = pd.DataFrame()
    for number, part in enumerate(shape):
        if not isinstance(part, pa.Table):
            frame = titles.join(frame, part.ids, part.prefix)
        else:
            columns = part.to_pandas()
            frame = pd.concat([frame, columns], axis=1) if number else columns
    return frame


def _arrow(shape: Shape, titles: Titles) -> pa.Table:
    columns: dict[str, Any] = {}
    for part in shape:
        found = part if isinstance(part, pa.Table) else titles.columns_of(part.ids, columns, part.prefix)
        columns |= dict(zip(found.column_names, found.columns, strict=True))
    return pa.table(columns)


def _polars(shape: Shape, titles: Titles) -> pl.DataFrame:
    polars = _library()
    frame: pl.DataFrame = polars.DataFrame(polars.from_arrow(_arrow(shape, titles)))
    return frame


def _library() -> Any:
    try:
        import polars
    except ImportError as error:
        raise ImportError(
            "polars is not installed: pip install polars, or take .arrow() instead of .polars()"
        ) from error
    return polars


PANDAS: ResultForm[pd.DataFrame] = ResultForm(_pandas)
ARROW: ResultForm[pa.Table] = ResultForm(_arrow)
POLARS: ResultForm[pl.DataFrame] = ResultForm(_polars)
