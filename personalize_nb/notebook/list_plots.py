"""Pictures of lists: how scores fall, how much of the catalogue is covered, whether hits are pushed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from personalize_nb.contract import columns as c
from personalize_nb.errors import InputError
from personalize_nb.inputs import frames
from personalize_nb.notebook import figures
from personalize_nb.notebook.charts import Chart, thinned
from personalize_nb.notebook.plotted import (
    FROM_JOB,
    alone,
    curves,
    ends,
    in_order,
    lists_of,
    no_history,
    not_empty,
    set_bars,
)
from personalize_nb.notebook.tables import figure
from personalize_nb.results.compared import Comparison
from personalize_nb.results.sources import recommendations_of
from personalize_nb.text import html
from personalize_nb.text.counts import counted, verb
from personalize_nb.text.public import public

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from personalize_nb.inputs.forms import Data
    from personalize_nb.inputs.given import Given
    from personalize_nb.notebook.figures import Spell
    from personalize_nb.results.sources import Lists


@public
def plot_scores(recommendations: Lists | Comparison, *, ax: Axes | None = None) -> Chart:
    """Show how the score falls with the rank: median and the middle 80 % of lists at each rank.

    Parameters
    ----------
    recommendations
        A job, or a frame with `rank` and `score`, as `job.recommendations()` gives it; or what `pnb.compare` gave, to
        see its sets beside each other.
    ax
        Your axes to draw on; by default a new figure in the style of your rcParams.

    Returns
    -------
    Chart
        Shows the picture and its table; `.ax` is the axes, `.text` the same in text.

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
    if isinstance(recommendations, Comparison):
        found = recommendations.scores()
        names = [name for name in recommendations.names if (found["list"] == name).any()]
        bands = {name: found[found["list"] == name].set_index(c.RANK)[["median", "low", "high"]] for name in names}
    else:
        lists = frames.plain(recommendations_of(recommendations), "recommendations", c.RANK, c.SCORE, hint=FROM_JOB)
        not_empty(lists)
        by_rank = lists[[c.RANK, c.SCORE]].dropna().groupby(c.RANK)[c.SCORE]
        levels = {"median": 0.5, "low": 0.1, "high": 0.9}
        only = pd.DataFrame({name: by_rank.quantile(level) for name, level in levels.items()})
        bands = {"": only} if len(only) else {}
    if not bands:
        raise InputError(
            "the frame has no scores to plot: related-items and popularity recipes give none; "
            "plot_coverage and plot_popularity need no scores"
        )
    medians = pd.DataFrame({name: band["median"] for name, band in bands.items()}).astype(float)
    ranks = [int(rank) for rank in medians.index]

    def draw(axes: Axes, spell: Spell) -> None:
        lines = curves(axes, medians)
        for line, band in zip(lines, bands.values(), strict=True):
            low, high = (band[name].to_numpy(float) for name in ("low", "high"))
            axes.fill_between(band.index.to_numpy(int), low, high, color=line.get_color(), alpha=0.2, linewidth=0)
        if min(float(band["low"].min()) for band in bands.values()) >= 0:
            axes.set_ylim(bottom=0)
        figures.label(axes, "rank", "score: median, middle 80 %")
        figures.legend(axes, lines, [spell(name) for name in bands])

    columns = {
        f"{name} {column}".strip(): band[column].reindex(medians.index)
        for name, band in bands.items()
        for column in ("median", "low", "high")
    }
    titles = [name.replace("low", "10 %").replace("high", "90 %") if len(bands) == 1 else name for name in columns]
    rows = thinned([(rank, *values) for rank, *values in zip(ranks, *columns.values(), strict=True)], ranks)
    return Chart(
        "Score by rank (median)",
        draw,
        "Line of the median score by rank: " + ends(medians, "{:.4g}", "rank"),
        html.table(
            [(rank, *(figure(value) for value in values)) for rank, *values in rows],
            ("rank", *titles),
            range(len(titles) + 1),
        ),
        set_bars(thinned([*medians.itertuples()], ranks), list(bands), "{}", "{:.4g}"),
        ax=ax,
    )


@public
def plot_coverage(recommendations: Lists | Comparison, items: Data | None = None, *, ax: Axes | None = None) -> Chart:
    """Show how much of the catalogue is recommended to anyone, by list length.

    Parameters
    ----------
    recommendations
        A job, or a frame with `rank` and `item_id`, or `recommended_item_id` for jobs about items; or what
        `pnb.compare` gave, to see its sets beside each other.
    items
        The catalogue: a frame with `item_id`, or the ids. A comparison has its own.
    ax
        Your axes to draw on; by default a new figure in the style of your rcParams.

    Returns
    -------
    Chart
        Shows the picture and its table; `.ax` is the axes, `.text` the same in text.

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
    if isinstance(recommendations, Comparison):
        alone("items", items)
        found = recommendations.coverage()
        known = bool(found["share"].notna().any())
        share = found.pivot(index="first", columns="list", values="share" if known else "shown")
        share = share[recommendations.names].astype(float)
        what = "Catalogue coverage" if known else "Different members"
        title = f"{what} by length of the lists"
        size = 0
    else:
        known = True
        given_lists, given_items = in_order("plot_coverage", recommendations, items, "items", "the catalogue")
        no_history("plot_coverage", given_items)
        lists, recommended = lists_of(given_lists, c.RANK)
        catalogue = frames.catalogue(given_items, "items")
        if not catalogue:
            raise InputError(
                "'items' is empty, so there is nothing to cover; give the catalogue the model was trained on"
            )
        size = len(catalogue)
        first = lists.groupby(recommended)[c.RANK].min()
        first = first[first.index.isin(catalogue)]
        lengths = range(1, int(lists[c.RANK].max()) + 1)
        share = pd.DataFrame({"": [(first <= k).sum() / size for k in lengths]}, index=lengths)
        items_are = f"{counted(size, 'item')} {verb(len(first), 'is', 'are')}"
        title = f"Catalogue coverage: {len(first):,} of {items_are} recommended to somebody"
    ks = [int(k) for k in share.index]
    names = [str(name) for name in share.columns]
    form = "{:.1%}" if known else "{:,.0f}"

    def draw(axes: Axes, spell: Spell) -> None:
        lines = curves(axes, share)
        axes.set_ylim(bottom=0)
        if known:
            figures.percent(axes.yaxis)
        figures.label(axes, "length of the lists", "share of the catalogue" if known else "different members")
        figures.legend(axes, lines, [spell(name) for name in names])

    rows = thinned([*share.itertuples()], ks)
    cells = [
        (
            k,
            *([f"{values[0] * size:,.0f}"] if size else []),
            *(form.format(value) if value == value else "–" for value in values),
        )
        for k, *values in rows
    ]
    columns = ("first k", "items", "share") if size else ("first k", *names)
    return Chart(
        title,
        draw,
        f"Line of the {'share of the catalogue' if known else 'different members'} by list length: "
        + ends(share, form, "length"),
        html.table(cells, columns, range(len(columns))),
        set_bars(rows, names, "first {}", form),
        ax=ax,
    )


@public
def plot_popularity(
    recommendations: Lists | Comparison, interactions: Data | None = None, *, ax: Axes | None = None
) -> Chart:
    """Show whether the lists push hits: share of recommendations and of interactions by popularity tenth.

    Items are ranked by interactions and cut into ten groups of equal size, the most popular first.

    Parameters
    ----------
    recommendations
        A job, or a frame with `item_id`, or `recommended_item_id` for jobs about items; or what `pnb.compare` gave
        with `interactions=`, to see its sets beside each other.
    interactions
        What was done: a frame with `item_id`, a row for each interaction. A comparison has its own.
    ax
        Your axes to draw on; by default a new figure in the style of your rcParams.

    Returns
    -------
    Chart
        Shows the picture and its table; `.ax` is the axes, `.text` the same in text.

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
    if isinstance(recommendations, Comparison):
        alone("interactions", interactions)
        found = recommendations.popularity()
        share = found.pivot(index="tenth", columns="list", values="share")[recommendations.names]
        met = found.drop_duplicates("tenth")["interactions"].to_numpy(float)
        title = "Popularity: shares of the most popular tenth of items, and so on"
    else:
        own, met = _tenths(*in_order("plot_popularity", recommendations, interactions, "interactions", "what was done"))
        share = pd.DataFrame({"recommendations": own})
        title = f"Popularity: {own[0]:.0%} of recommendations are of the most popular tenth of items"
    labels = [f"{10 * i}-{10 * i + 10} %" for i in range(10)]
    names = [str(name) for name in share.columns]

    def draw(axes: Axes, spell: Spell) -> None:
        width = 0.8 / len(names)
        places = np.arange(10) - (len(names) - 1) / 2 * width
        bars = [axes.bar(places + at * width, share[name], width * 0.92) for at, name in enumerate(names)]
        colour = figures.colours(len(names) + 1)[-1]
        (line,) = axes.plot(np.arange(10), met, marker="D", markersize=5, linestyle="none", color=colour)
        figures.named_ticks(axes.xaxis, [str(tenth) for tenth in range(1, 11)])
        figures.percent(axes.yaxis)
        figures.label(axes, "tenth of items, the most popular first", "share")
        figures.legend(axes, [*bars, line], [*(spell(name) for name in names), "interactions"])

    first = ", ".join(f"{share[name].iloc[0]:.1%} of {name}" for name in names)
    rows = list(zip(labels, *(share[name] for name in names), strict=True))
    return Chart(
        title,
        draw,
        f"Bars of shares by tenth of items: the most popular tenth has {first}, and {met[0]:.1%} of interactions",
        html.table(
            [
                (label, *(f"{value:.1%}" for value in values), f"{of_met:.1%}")
                for (label, *values), of_met in zip(rows, met, strict=True)
            ],
            ("items by popularity", *names, "interactions"),
            numeric=range(1, len(names) + 2),
        ),
        set_bars(rows, names, "{}", "{:.1%}"),
        ax=ax,
    )


def _tenths(recommendations: Given, history: Given) -> tuple[np.ndarray, np.ndarray]:
    """Return which share of recommendations, and of interactions, is of which tenth of items, most popular first."""
    lists, column = lists_of(recommendations)
    if frames.TIMESTAMP in lists.columns and c.RANK not in lists.columns:
        raise InputError(
            "'recommendations' holds interactions: it has a timestamp and no rank, columns "
            f"{list(lists.columns)}. Call plot_popularity(recommendations, interactions); {FROM_JOB}."
        )
    interactions = frames.plain(history, "interactions", c.ITEM_ID)
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
    of_recommended = lists[column].map(places).fillna(9).astype(int)
    recommended = np.bincount(of_recommended, minlength=10) / len(lists)
    return recommended, np.bincount(tenth, weights=seen.to_numpy(), minlength=10) / seen.sum()
