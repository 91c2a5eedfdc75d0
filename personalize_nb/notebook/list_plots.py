"""Pictures of lists: how scores fall, how much of the catalogue is covered, whether hits are pushed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from personalize_nb.contract import columns as c
from personalize_nb.errors import InputError
from personalize_nb.inputs import frames
from personalize_nb.inputs.forms import given
from personalize_nb.inputs.given import Given
from personalize_nb.notebook import figures
from personalize_nb.notebook.charts import Chart, text_bars, thinned
from personalize_nb.text import html
from personalize_nb.text.counts import counted, verb
from personalize_nb.text.public import public

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from personalize_nb.inputs.forms import Data
    from personalize_nb.notebook.figures import Spell

_FROM_JOB = "job.recommendations() gives such a frame"


@public
def plot_scores(recommendations: Data, *, ax: Axes | None = None) -> Chart:
    """Show how the score falls with the rank: median and the middle 80 % of lists at each rank.

    Parameters
    ----------
    recommendations
        A frame with `rank` and `score`, as `job.recommendations()` gives it.
    ax
        Your axes to draw on; by default a new figure in the style of your rcParams.

    Raises
    ------
    InputError
        The frame is empty, or has no scores (related-items and popularity recipes give none).
    ArgumentError
        `ax` is no axes.

    Examples
    --------
    >>> import pandas as pd
    >>> lists = pd.DataFrame({"user_id": ["u", "u"], "rank": [1, 2], "item_id": ["a", "b"], "score": [0.5, 0.25]})
    >>> plot_scores(lists)
    Score by rank (median)
    1 ████████████████████ 0.5
    2 ██████████           0.25
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
    low, median, high = (bands[q].to_numpy(float) for q in (0.1, 0.5, 0.9))
    ranks = [int(rank) for rank in bands.index]
    rows = thinned(list(zip(ranks, median, low, high, strict=True)), ranks)

    def draw(axes: Axes, spell: Spell) -> None:
        (line,) = axes.plot(ranks, median, marker="o", markersize=3)
        axes.fill_between(ranks, low, high, color=line.get_color(), alpha=0.2, linewidth=0)
        if low.min() >= 0:
            axes.set_ylim(bottom=0)
        figures.rank_ticks(axes.xaxis, ranks[0], ranks[-1])
        figures.label(axes, "rank", "score: median, middle 80 %")

    return Chart(
        "Score by rank (median)",
        draw,
        f"Line of the median score by rank: {median[0]:.4g} at rank {ranks[0]}, {median[-1]:.4g} at rank {ranks[-1]}",
        html.table(
            [(rank, *(f"{value:.4g}" for value in values)) for rank, *values in rows],
            ("rank", "median", "10 %", "90 %"),
            numeric=range(4),
        ),
        text_bars([str(row[0]) for row in rows], [row[1] for row in rows]),
        ax=ax,
    )


@public
def plot_coverage(recommendations: Data, items: Data, *, ax: Axes | None = None) -> Chart:
    """Show how much of the catalogue is recommended to anyone, by list length.

    Parameters
    ----------
    recommendations
        A frame with `rank` and `item_id`, or `recommended_item_id` for jobs about items.
    items
        The catalogue: a frame with `item_id`, or the ids.
    ax
        Your axes to draw on; by default a new figure in the style of your rcParams.

    Raises
    ------
    InputError
        A frame is empty, lacks a column, or stands in the place of the other.
    ArgumentError
        `ax` is no axes.

    Examples
    --------
    >>> import pandas as pd
    >>> lists = pd.DataFrame({"user_id": ["u", "u"], "rank": [1, 2], "item_id": ["a", "b"]})
    >>> plot_coverage(lists, ["a", "b", "c", "d"])
    Catalogue coverage: 2 of 4 items are recommended to somebody
    first 1 ██████████           25.0%
    first 2 ████████████████████ 50.0%
    """
    recommendations, items = _in_order("plot_coverage", recommendations, items, "items", "the catalogue")
    recommendations, recommended = _lists(recommendations, c.RANK)
    catalogue = frames.catalogue(items, "items")
    if not catalogue:
        raise InputError("'items' is empty, so there is nothing to cover; give the catalogue the model was trained on")
    first_rank = recommendations.groupby(recommended)[c.RANK].min()
    known = first_rank[first_rank.index.isin(catalogue)]
    ks = list(range(1, int(recommendations[c.RANK].max()) + 1))
    share = np.array([(known <= k).sum() for k in ks]) / len(catalogue)
    rows = thinned(list(zip(ks, share, strict=True)), ks)
    items_are = f"{counted(len(catalogue), 'item')} {verb(len(known), 'is', 'are')}"

    def draw(axes: Axes, spell: Spell) -> None:
        axes.plot(ks, share, marker="o", markersize=3)
        axes.set_ylim(bottom=0)
        figures.percent(axes.yaxis)
        figures.rank_ticks(axes.xaxis, ks[0], ks[-1])
        figures.label(axes, "length of the lists", "share of the catalogue")

    return Chart(
        f"Catalogue coverage: {len(known):,} of {items_are} recommended to somebody",
        draw,
        f"Line of the share of the catalogue by list length: {share[0]:.1%} at 1, {share[-1]:.1%} at {ks[-1]}",
        html.table(
            [(k, f"{s * len(catalogue):,.0f}", f"{s:.1%}") for k, s in rows],
            ("first k", "items", "share"),
            numeric=range(3),
        ),
        text_bars([f"first {k}" for k, _ in rows], [s for _, s in rows], "{:.1%}"),
        ax=ax,
    )


@public
def plot_popularity(recommendations: Data, interactions: Data, *, ax: Axes | None = None) -> Chart:
    """Show whether the lists push hits: share of recommendations and of interactions by popularity tenth.

    Items are ranked by interactions and cut into ten groups of equal size, the most popular first.

    Parameters
    ----------
    recommendations
        A frame with `item_id`, or `recommended_item_id` for jobs about items.
    interactions
        What was done: a frame with `item_id`, a row for each interaction.
    ax
        Your axes to draw on; by default a new figure in the style of your rcParams.

    Raises
    ------
    InputError
        A frame is empty, lacks a column, stands in the place of the other, or is a catalogue where interactions are
        wanted.
    ArgumentError
        `ax` is no axes.

    Examples
    --------
    >>> import pandas as pd
    >>> lists = pd.DataFrame({"user_id": ["u", "u"], "rank": [1, 2], "item_id": ["a", "b"]})
    >>> print(plot_popularity(lists, pd.DataFrame({"item_id": ["a", "a", "b"]})).text.splitlines()[0])
    Popularity: 50% of recommendations are of the most popular tenth of items
    """
    recommendations, interactions = _in_order(
        "plot_popularity", recommendations, interactions, "interactions", "what was done"
    )
    recommendations, column = _lists(recommendations)
    if frames.TIMESTAMP in recommendations.columns and c.RANK not in recommendations.columns:
        raise InputError(
            "'recommendations' holds interactions: it has a timestamp and no rank, columns "
            f"{list(recommendations.columns)}. Call plot_popularity(recommendations, interactions); {_FROM_JOB}."
        )
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

    def draw(axes: Axes, spell: Spell) -> None:
        bars = axes.bar(np.arange(10), recommended, width=0.7)
        (line,) = axes.plot(np.arange(10), interacted, marker="D", linestyle="none", color=_second())
        figures.named_ticks(axes.xaxis, [label.removesuffix(" %") for label in labels])
        figures.percent(axes.yaxis)
        figures.label(axes, "percent of items, the most popular first", "share")
        figures.legend(axes, [bars, line], ["recommendations", "interactions"])

    return Chart(
        f"Popularity: {recommended[0]:.0%} of recommendations are of the most popular tenth of items",
        draw,
        f"Bars of the share of recommendations by tenth of items: the most popular tenth has {recommended[0]:.1%} of "
        f"recommendations and {interacted[0]:.1%} of interactions",
        html.table(
            [(label, f"{r:.1%}", f"{i:.1%}") for label, r, i in zip(labels, recommended, interacted, strict=True)],
            ("items by popularity", "recommendations", "interactions"),
            numeric=(1, 2),
        ),
        text_bars(labels, recommended, "{:.1%}"),
        ax=ax,
    )


def _second() -> str:
    """Return the second colour of the style, for what is drawn over the first."""
    import matplotlib

    colours = matplotlib.rcParams["axes.prop_cycle"].by_key().get("color", ["C1"])
    return str(colours[1 % len(colours)])


def _in_order(call: str, recommendations: Data, other: Data, noun: str, meant: str) -> tuple[Given, Given]:
    """Return both arguments, read once, if neither stands in the place of the other."""
    first = given(recommendations, "'recommendations' must be a DataFrame")
    second = given(other, f"{noun!r} must be a DataFrame")
    if _are_lists(second):
        swapped = not _are_lists(first)
        what = "the two arguments are swapped: " if swapped else ""
        raise InputError(
            f"{what}{noun!r} holds recommendations, columns {_columns(second)}. Call {call}(recommendations, {noun}), "
            f"where {noun!r} is {meant}."
        )
    return first, second


def _are_lists(read: Given) -> bool:
    names = _columns(read)
    return c.RANK in names and bool({c.USER_ID, c.RECOMMENDED_ITEM_ID} & {*names})


def _columns(read: Given) -> list[str]:
    return [c.canonical(name) for name in getattr(read.values, "columns", [])]


def _lists(frame: Data | Given, *needed: str) -> tuple[pd.DataFrame, str]:
    """Return the frame and its column of recommended items: in jobs about items, `item_id` is what was asked about."""
    named = frames.plain(frame, "recommendations", *needed, hint=_FROM_JOB)
    column = c.RECOMMENDED_ITEM_ID if c.RECOMMENDED_ITEM_ID in named.columns else c.ITEM_ID
    named = frames.plain(named, "recommendations", column, hint=_FROM_JOB)
    _not_empty(named)
    return named, column


def _not_empty(recommendations: pd.DataFrame) -> None:
    if recommendations.empty:
        raise InputError("'recommendations' is empty, so there is nothing to show; job.errors() tells of failed lines")
