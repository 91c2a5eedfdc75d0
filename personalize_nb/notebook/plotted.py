"""What pictures of lists share: arguments in their right places, lines by rank, and text twins of several sets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from personalize_nb.contract import columns as c
from personalize_nb.errors import ArgumentError, InputError
from personalize_nb.inputs import frames
from personalize_nb.inputs.forms import given
from personalize_nb.inputs.given import Given
from personalize_nb.notebook import figures
from personalize_nb.notebook.charts import text_bars
from personalize_nb.results.compared import Comparison
from personalize_nb.results.sources import recommendations_of, results_of
from personalize_nb.text.values import one_line, shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

    from personalize_nb.inputs.forms import Data
    from personalize_nb.results.sources import Lists

FROM_JOB = "job.recommendations() gives such a frame"


def in_order(call: str, recommendations: Lists, other: Data | None, noun: str, meant: str) -> tuple[Given, Given]:
    """Return both arguments, read once, if neither stands in the place of the other.

    Parameters
    ----------
    call
        What was called, for messages.
    recommendations, other
        The arguments.
    noun, meant
        The name of the other one, and what it should be.

    Raises
    ------
    InputError
        The other one holds recommendations.
    """
    results = results_of(other) if other is not None else None
    second = other if results is None else results.recommendations()
    right = f"Call {call}(recommendations, {noun}), where {noun!r} is {meant}."
    if isinstance(other, Comparison):
        raise InputError(f"the two arguments are swapped: {noun!r} is a comparison. Call {call}(comparison).")
    if second is None:
        raise InputError(f"{noun!r} must be a DataFrame, and none is given. {right}")
    first_read = given(recommendations_of(recommendations), "'recommendations' must be a DataFrame")
    read = given(second, f"{noun!r} must be a DataFrame")
    if second is not other or _are_lists(read):
        swapped = "" if _are_lists(first_read) else "the two arguments are swapped: "
        raise InputError(f"{swapped}{noun!r} holds recommendations, columns {_columns(read)}. {right}")
    return first_read, read


def no_history(call: str, items: Given) -> None:
    """Refuse interactions where a catalogue is wanted: what nobody has met is not in them."""
    frame = items.values if isinstance(items.values, pd.DataFrame) else None
    names = {c.canonical(name).lower(): name for name in (() if frame is None else frame.columns)}
    if frame is not None and c.USER_ID in names and c.ITEM_ID in names and frame[names[c.ITEM_ID]].duplicated().any():
        raise InputError(
            f"'items' holds interactions, columns {list(frame.columns)}, and what nobody has met would be missing. "
            f"Call {call}(recommendations, items) with a row for each item; pnb.plot_popularity takes interactions."
        )


def alone(noun: str, value: object) -> None:
    """Refuse what a comparison has already."""
    if value is not None:
        raise ArgumentError(
            f"{noun!r} is taken from the comparison, which is made by pnb.compare(lists, {noun}=...); got "
            f"{type(value).__name__} {shown(value)}"
        )


def lists_of(frame: Data | Given, *needed: str) -> tuple[pd.DataFrame, str]:
    """Return the frame and its column of recommended items: in jobs about items, `item_id` is what was asked about."""
    named = frames.plain(frame, "recommendations", *needed, hint=FROM_JOB)
    column = c.RECOMMENDED_ITEM_ID if c.RECOMMENDED_ITEM_ID in named.columns else c.ITEM_ID
    named = frames.plain(named, "recommendations", column, hint=FROM_JOB)
    not_empty(named)
    return named, column


def not_empty(recommendations: pd.DataFrame) -> None:
    """Refuse lists without rows."""
    if recommendations.empty:
        raise InputError("'recommendations' is empty, so there is nothing to show; job.errors() tells of failed lines")


def curves(axes: Axes, values: pd.DataFrame) -> list[Line2D]:
    """Draw a line for each column, over ranks, with ticks at the usual cut-offs."""
    lines = []
    for place, name in enumerate(values.columns):
        known = values[name].dropna()
        marker = figures.MARKERS[place % len(figures.MARKERS)]
        style = figures.LINES[place % len(figures.LINES)]
        ranks, amounts = known.index.to_numpy(int), known.to_numpy(float)
        lines += axes.plot(ranks, amounts, marker=marker, markersize=3, linestyle=style)
    figures.rank_ticks(axes.xaxis, int(values.index.min()), int(values.index.max()))
    return lines


def ends(values: pd.DataFrame, form: str, noun: str) -> str:
    """Say where the lines begin and end."""
    said = []
    for name in values.columns:
        known = values[name].dropna()
        called = f"{name} " if len(values.columns) > 1 else ""
        first, last = (form.format(float(known.iloc[place])) for place in (0, -1))
        said.append(f"{called}{first} at {noun} {known.index[0]}, {last} at {noun} {known.index[-1]}")
    return "; ".join(said)


def set_bars(rows: Sequence[tuple[Any, ...]], names: Sequence[str], label: str, form: str) -> str:
    """Return bars of block characters for each set, under its name where there are several."""
    labels = [label.format(row[0]) for row in rows]
    values = [[float(row[place]) for row in rows] for place in range(1, 1 + len(names))]
    # one scale for all, so that bars of several sets are compared too
    full = max((value for own in values for value in own if value == value), default=0.0)
    parts = []
    for name, own in zip(names, values, strict=True):
        parts += [f"{one_line(name)}:"] if len(names) > 1 else []
        parts.append(text_bars(labels, own, form, full))
    return "\n".join(parts)


def _are_lists(read: Given) -> bool:
    names = _columns(read)
    return c.RANK in names and bool({c.USER_ID, c.RECOMMENDED_ITEM_ID} & {*names})


def _columns(read: Given) -> list[str]:
    return [c.canonical(name) for name in getattr(read.values, "columns", [])]
