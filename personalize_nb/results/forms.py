"""The frames that results come in: pandas', Arrow's or polars'."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
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
    stacked
        Puts frames below each other whose columns may differ.
    labelled
        Puts columns in front of a frame, each of one text or missing.
    """

    frame: Callable[[Shape, Titles], Frame]
    stacked: Callable[[Sequence[Frame]], Frame]
    labelled: Callable[[Frame, Mapping[str, str | None]], Frame]


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


def _pandas_labelled(frame: pd.DataFrame, labels: Mapping[str, str | None]) -> pd.DataFrame:
    own = _arrow_labelled(pa.table({"": pa.nulls(len(frame))}), labels).drop_columns([""]).to_pandas()
    own.columns = [_free(name, list(frame.columns)) for name in own.columns]
    found: pd.DataFrame = pd.concat([own, frame], axis=1)
    return found


def _arrow_labelled(frame: pa.Table, labels: Mapping[str, str | None]) -> pa.Table:
    own = {
        _free(name, frame.column_names): pa.repeat(pa.scalar(text, pa.string()), len(frame))
        for name, text in labels.items()
    }
    return pa.table({**own, **dict(zip(frame.column_names, frame.columns, strict=True))})


def _polars_labelled(frame: pl.DataFrame, labels: Mapping[str, str | None]) -> pl.DataFrame:
    polars = _library()
    own = [polars.lit(text, polars.String).alias(_free(name, frame.columns)) for name, text in labels.items()]
    found: pl.DataFrame = frame.select(*own, polars.all())
    return found


def _free(name: str, taken: Collection[str]) -> str:
    """Return the name of a label; a column that has it already keeps it."""
    return f"{name}_of_run" if name in taken else name


def _arrow_stacked(frames: Sequence[pa.Table]) -> pa.Table:
    return pa.concat_tables(frames, promote_options="default")


PANDAS: ResultForm[pd.DataFrame] = ResultForm(
    _pandas,
    lambda frames: pd.concat(frames, ignore_index=True),
    _pandas_labelled,
)
ARROW: ResultForm[pa.Table] = ResultForm(_arrow, _arrow_stacked, _arrow_labelled)
POLARS: ResultForm[pl.DataFrame] = ResultForm(
    _polars,
    lambda frames: _library().concat(frames, how="diagonal_relaxed"),
    _polars_labelled,
)
