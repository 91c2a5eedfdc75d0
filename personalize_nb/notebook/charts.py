"""Pictures of job results: SVG in an image, the numbers in a table beside it, block characters as the text twin.

Each `plot_` function takes frames and answers a `View`, which notebooks show as HTML and terminals as text. The
same numbers stand in both, so nothing is lost where images are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import escape

from personalize_nb.contract import columns as c
from personalize_nb.errors import InputError
from personalize_nb.inputs import frames
from personalize_nb.text import html
from personalize_nb.text.counts import counted, verb
from personalize_nb.text.html import Markup
from personalize_nb.text.public import public

if TYPE_CHECKING:
    import pandas as pd

    from personalize_nb.inputs.forms import Data

_TEXT = "#767676"  # 4.5 on white, 4.1 on #111: pictures cannot inherit the page's text colour
_BLOCKS = " ▏▎▍▌▋▊▉█"
_FROM_JOB = "job.recommendations() gives such a frame"


@dataclass(frozen=True, repr=False)
class View:
    """Something to look at: `html` for notebooks, `text` for terminals and saved notebooks without HTML."""

    html: Markup
    text: str

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/html": str(self.html), "text/plain": self.text}


@public
def plot_scores(recommendations: Data) -> View:
    """Show how the score falls with the rank: median and the middle 80 % of lists at each rank.

    Parameters
    ----------
    recommendations
        A frame with `rank` and `score`, as `job.recommendations()` gives it.

    Raises
    ------
    InputError
        The frame is empty, or has no scores (related-items and popularity recipes give none).
    """
    recommendations = frames.plain(recommendations, "recommendations", c.RANK, c.SCORE, hint=_FROM_JOB)
    _not_empty(recommendations)
    scored = recommendations[[c.RANK, c.SCORE]].dropna()
    if scored.empty:
        raise InputError(
            "the frame has no scores to plot: related-items and popularity recipes give none; "
            "plot_coverage and plot_popularity need no scores"
        )
    bands = scored.groupby(c.RANK)[c.SCORE].quantile(np.array([0.1, 0.5, 0.9])).unstack()
    low, median, high = (bands[q].to_numpy() for q in (0.1, 0.5, 0.9))
    rows = [
        (rank, f"{b:.4g}", f"{a:.4g}", f"{d:.4g}") for rank, a, b, d in zip(bands.index, low, median, high, strict=True)
    ]
    return View(
        html.lines(
            html.Markup("<b>Score by rank</b>"),
            html.image(
                _curve_svg(bands.index.to_numpy(), median, low, high, axes=("rank", "score: median, middle 80 %")),
                "median score by rank",
            ),
            html.table(_thinned(rows), ("rank", "median", "10 %", "90 %"), numeric=range(4)),
        ),
        _text_bars("Score by rank (median)", [str(rank) for rank in bands.index], median),
    )


@public
def plot_coverage(recommendations: Data, items: Data) -> View:
    """Show how much of the catalogue is recommended to anyone, by list length.

    Parameters
    ----------
    recommendations
        A frame with `rank` and `item_id`, or `recommended_item_id` for jobs about items.
    items
        The catalogue: a frame with `item_id`, or the ids.
    """
    recommendations, recommended = _lists(recommendations, c.RANK)
    catalogue = frames.catalogue(items, "items")
    if not catalogue:
        raise InputError("'items' is empty, so there is nothing to cover; give the catalogue the model was trained on")
    first_rank = recommendations.groupby(recommended)[c.RANK].min()
    known = first_rank[first_rank.index.isin(catalogue)]
    ks = np.arange(1, int(recommendations[c.RANK].max()) + 1)
    share = np.array([(known <= k).sum() for k in ks]) / len(catalogue)
    rows = [(k, f"{s * len(catalogue):.0f}", f"{s:.1%}") for k, s in zip(ks, share, strict=True)]
    items_are = f"{counted(len(catalogue), 'item')} {verb(len(known), 'is', 'are')}"
    title = f"Catalogue coverage: {len(known):,} of {items_are} recommended to somebody"
    return View(
        html.lines(
            html.Markup("<b>{}</b>").format(title),
            html.image(
                _curve_svg(ks, share, axes=("length of the lists", "share of the catalogue")),
                "share of the catalogue by list length",
            ),
            html.table(_thinned(rows), ("first k", "items", "share"), numeric=range(3)),
        ),
        _text_bars(title, [f"first {k}" for k in ks], share, "{:.1%}"),
    )


@public
def plot_popularity(recommendations: Data, interactions: Data) -> View:
    """Show whether the lists push hits: share of recommendations and of interactions by popularity tenth.

    Items are ranked by interactions and cut into ten groups of equal size, the most popular first.

    Parameters
    ----------
    recommendations
        A frame with `item_id`, or `recommended_item_id` for jobs about items.
    interactions
        What was done: a frame with `item_id`, a row for each interaction.

    Raises
    ------
    InputError
        A frame is empty, lacks a column, or holds a catalogue where interactions are wanted.
    """
    recommendations, column = _lists(recommendations)
    interactions = frames.plain(interactions, "interactions", c.ITEM_ID)
    if interactions.empty:
        raise InputError("'interactions' is empty, so no item is more popular than another; give the training data")
    seen = interactions[c.ITEM_ID].value_counts()
    if 1 < len(seen) == len(interactions) and c.USER_ID not in interactions.columns:
        raise InputError(
            f"'interactions' names each of its {len(seen):,} items once and no user, so it looks like a catalogue, in "
            f"which no item is more popular than another: columns {list(interactions.columns)}. Give the frame of "
            "interactions that the model was trained on."
        )
    tenth = np.minimum(np.arange(len(seen)) * 10 // len(seen), 9)
    places = dict(zip(seen.index, tenth, strict=True))
    of_recommended = recommendations[column].map(places).fillna(9).astype(int)
    recommended = np.bincount(of_recommended, minlength=10) / len(recommendations)
    interacted = np.bincount(tenth, weights=seen.to_numpy(), minlength=10) / seen.sum()
    labels = [f"{10 * i}-{10 * i + 10} %" for i in range(10)]
    title = f"Popularity: {recommended[0]:.0%} of recommendations are of the most popular tenth of items"
    rows = [
        (label, f"{r:.1%}", html.bar(r), f"{i:.1%}")
        for label, r, i in zip(labels, recommended, interacted, strict=True)
    ]
    return View(
        html.lines(
            html.Markup("<b>{}</b>").format(title),
            html.table(rows, ("items by popularity", "recommendations", "", "interactions"), numeric=(1, 3)),
        ),
        _text_bars(title, labels, recommended, "{:.1%}"),
    )


def _lists(frame: Data, *needed: str) -> tuple[pd.DataFrame, str]:
    """Return the frame and its column of recommended items: in jobs about items, `item_id` is what was asked about."""
    named = frames.plain(frame, "recommendations", *needed, hint=_FROM_JOB)
    column = c.RECOMMENDED_ITEM_ID if c.RECOMMENDED_ITEM_ID in named.columns else c.ITEM_ID
    named = frames.plain(named, "recommendations", column, hint=_FROM_JOB)
    _not_empty(named)
    return named, column


def _not_empty(recommendations: pd.DataFrame) -> None:
    if recommendations.empty:
        raise InputError("'recommendations' is empty, so there is nothing to show; job.errors() tells of failed lines")


def _thinned(rows: list[tuple[Any, ...]], most: int = 10) -> list[tuple[Any, ...]]:
    """Rows enough to read: all of a few, else evenly spaced ones with the first and the last."""
    if len(rows) <= most:
        return rows
    return [rows[i] for i in np.unique(np.linspace(0, len(rows) - 1, most).round().astype(int))]


def _text_bars(title: str, labels: Sequence[str], values: np.ndarray, form: str = "{:.4g}") -> str:
    pairs = _thinned(list(zip(labels, values, strict=True)), 12)
    top = max((float(value) for _, value in pairs), default=0.0) or 1.0
    width = max((len(label) for label, _ in pairs), default=0)
    return "\n".join(
        [title] + [f"{label:>{width}} {text_bar(value / top)} {form.format(value)}" for label, value in pairs]
    )


def text_bar(share: float, width: int = 20) -> str:
    """Return a bar of block characters, `share` of `width` characters long."""
    eighths = round(max(0.0, min(1.0, float(share))) * width * 8)
    return ("█" * (eighths // 8) + _BLOCKS[eighths % 8]).strip().ljust(width)


def _curve_svg(
    x: np.ndarray,
    y: np.ndarray,
    low: np.ndarray | None = None,
    high: np.ndarray | None = None,
    *,
    axes: tuple[str, str],
) -> str:
    width, height, left, bottom = 480, 196, 72, 40
    down = height - bottom
    span = float(x[-1] - x[0]) or 1.0
    top = float(np.max(y if high is None else high)) or 1.0

    def point(a: float, b: float) -> str:
        across = left + (a - x[0]) / span * (width - left - 8)
        return f"{across:.1f},{down - b / top * (down - 10):.1f}"

    band = ""
    if low is not None and high is not None:
        edge = [point(a, b) for a, b in zip(x, high, strict=True)] + [
            point(a, b) for a, b in zip(x[::-1], low[::-1], strict=True)
        ]
        band = f'<polygon points="{" ".join(edge)}" fill="{html.BLUE}" fill-opacity=".2"/>'
    line = " ".join(point(a, b) for a, b in zip(x, y, strict=True))
    label = f'font-family="sans-serif" font-size="11" fill="{_TEXT}"'
    middle = left + (width - 8 - left) / 2
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
        f'<path d="M{left} 10V{down}H{width - 8}" stroke="{_TEXT}" fill="none"/>{band}'
        f'<polyline points="{line}" fill="none" stroke="{html.BLUE}" stroke-width="2"/>'
        f'<text x="{left - 4}" y="16" text-anchor="end" {label}>{escape(f"{top:.3g}")}</text>'
        f'<text x="{left - 4}" y="{down}" text-anchor="end" {label}>0</text>'
        f'<text x="{left}" y="{down + 15}" {label}>{escape(str(x[0]))}</text>'
        f'<text x="{width - 8}" y="{down + 15}" text-anchor="end" {label}>{escape(str(x[-1]))}</text>'
        f'<text x="{middle}" y="{height - 8}" text-anchor="middle" {label}>{escape(axes[0])}</text>'
        f'<text transform="translate(14 {down / 2 + 5}) rotate(-90)" text-anchor="middle" {label}>'
        f"{escape(axes[1])}</text></svg>"
    )
