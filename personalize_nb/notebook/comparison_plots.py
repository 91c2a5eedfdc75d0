"""Pictures of a comparison: how far lists agree, what they are worth, what accuracy costs, which ranks move."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from personalize_nb.contract.ranking_metrics import CUT_OFFS
from personalize_nb.errors import ArgumentError, InputError
from personalize_nb.notebook import figures
from personalize_nb.notebook.charts import Chart
from personalize_nb.notebook.metric_plots import whiskers
from personalize_nb.notebook.tables import Table, bounds, figure, metric_name
from personalize_nb.results.compared import Comparison
from personalize_nb.text.public import public
from personalize_nb.text.values import shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from personalize_nb.notebook.figures import Spell


@public
def plot_overlap(comparison: Comparison, *, ax: Axes | None = None) -> Chart:
    """Show how far lists agree with the baseline's: common members at each cut-off, and rank-biased overlap.

    Parameters
    ----------
    comparison
        What `pnb.compare` gave.
    ax
        Your axes to draw on; by default a new figure in the style of your rcParams.

    Returns
    -------
    Chart
        Shows the picture and its table; `.ax` is the axes, `.text` the same in text.

    Raises
    ------
    ArgumentError
        `comparison` is none, or `ax` is no axes.

    Examples
    --------
    >>> import pandas as pd
    >>> import personalize_nb as pnb
    >>> old = pd.DataFrame({"user_id": ["u", "u"], "rank": [1, 2], "item_id": ["a", "b"]})
    >>> new = pd.DataFrame({"user_id": ["u", "u"], "rank": [1, 2], "item_id": ["a", "c"]})
    >>> pnb.plot_overlap(pnb.compare({"old": old, "new": new}, cut_offs=[1, 2]))
    Overlap with old
                compared         first 1         first 2     rank-biased
      old, new         1  ████████ 1.000  ████     0.500  ████▍    0.550
    """
    _checked(comparison, "plot_overlap")
    found = comparison.overlap()
    columns = [name for name in found.columns if name.startswith("overlap_at_")]
    names = [f"first {name.rpartition('_')[2]}" for name in columns] + ["rank-biased"]
    columns.append("rbo")
    own = found[found["list"] == comparison.baseline]
    rows = [
        (f"{row['list']}, {row['other']}", row["both"], *(float(row[column]) for column in columns))
        for _, row in found.iterrows()
    ]
    table = Table("", ("", "compared", *names), rows, range(1, len(names) + 2), range(2, len(names) + 2))

    def draw(axes: Axes, spell: Spell) -> None:
        width = 0.8 / len(own)
        bars = []
        for place, (_, row) in enumerate(own.iterrows()):
            at = np.arange(len(columns)) + (place - (len(own) - 1) / 2) * width
            bars.append(axes.bar(at, row[columns].to_numpy(float), width * 0.92))
        axes.set_ylim(0, 1)
        figures.named_ticks(axes.xaxis, names)
        figures.percent(axes.yaxis)
        figures.label(axes, y=f"shared with\n{spell(comparison.baseline)}")
        figures.legend(axes, bars, [spell(name) for name in own["other"]])

    said = "; ".join(
        f"{row['other']} {row['rbo']:.0%} by rank-biased overlap"
        if row["both"]
        else f"{row['other']} has no list to compare"
        for _, row in own.iterrows()
    )
    return Chart(
        f"Overlap with {comparison.baseline}",
        draw,
        f"Bars of the share of members that lists share with {comparison.baseline}: {said}",
        replace(table, bars=()).html(),
        table.text(),
        ax=ax,
        notes=comparison.notes,
    )


@public
def plot_tradeoff(comparison: Comparison, metric: str | None = None, *, ax: Axes | None = None) -> Chart:
    """Show what accuracy costs: a metric, with its bounds, against the share of the catalogue that is recommended.

    Parameters
    ----------
    comparison
        What `pnb.compare` gave, with `truth=` and `items=`.
    metric
        Which metric of `comparison.metrics()`; by default NDCG at the largest cut-off.
    ax
        Your axes to draw on; by default a new figure in the style of your rcParams.

    Returns
    -------
    Chart
        Shows the picture and its table; `.ax` is the axes, `.text` the same in text.

    Raises
    ------
    InputError
        The comparison has not the metric, or no coverage.
    ArgumentError
        `comparison` is none, or `ax` is no axes.

    Examples
    --------
    >>> import pandas as pd
    >>> import personalize_nb as pnb
    >>> old = pd.DataFrame({"user_id": ["u", "v"], "rank": [1, 1], "item_id": ["a", "a"]})
    >>> new = pd.DataFrame({"user_id": ["u", "v"], "rank": [1, 1], "item_id": ["a", "b"]})
    >>> truth = pd.DataFrame({"user_id": ["u", "v"], "item_id": ["a", "b"]})
    >>> items = pd.DataFrame({"item_id": list("abcd")})
    >>> found = pnb.compare({"old": old, "new": new}, truth=truth, items=items, cut_offs=[1], samples=20)
    >>> print(pnb.plot_tradeoff(found).text.splitlines()[0])
    NDCG at 1 against coverage: new is the most accurate, new covers the most
    """
    _checked(comparison, "plot_tradeoff")
    found = comparison.metrics()
    chosen = metric or f"normalized_discounted_cumulative_gain_at_{max(comparison.cut_offs)}"
    for name, needs in ((chosen, "truth="), ("coverage", "items=")):
        if name not in set(found["metric"]):
            legal = ", ".join(dict.fromkeys(found["metric"]))
            raise InputError(
                f"The comparison has no {shown(name)}, which needs pnb.compare(lists, {needs}...); it has {legal}."
            )
    accurate = found[found["metric"] == chosen].set_index("list")
    covers = found[found["metric"] == "coverage"].set_index("list")["value"]
    names = comparison.names
    called = metric_name(chosen)
    rows = [
        (name, float(accurate["value"][name]), bounds(accurate.loc[name]), f"{float(covers[name]):.1%}")
        for name in names
    ]
    table = Table("", ("", called, f"{comparison.interval:.0%} of the draws", "coverage"), rows, (1, 2, 3))

    def draw(axes: Axes, spell: Spell) -> None:
        handles = []
        for place, name in enumerate(names):
            marker = figures.MARKERS[place % len(figures.MARKERS)]
            one = accurate.loc[[name]]
            handles.append(
                axes.errorbar(covers[[name]], one["value"], yerr=whiskers(one), fmt=marker, markersize=7, capsize=3)
            )
        axes.margins(0.12)
        figures.percent(axes.xaxis)
        figures.label(axes, "share of the catalogue that is recommended", called)
        figures.legend(axes, handles, [spell(name) for name in names])

    said = "; ".join(f"{name} {called} {figure(value)}, coverage {share}" for name, value, _, share in rows)
    best, widest = accurate["value"].astype(float).idxmax(), covers.astype(float).idxmax()
    return Chart(
        f"{called} against coverage: {best} is the most accurate, {widest} covers the most",
        draw,
        f"Points, one for each set: {said}",
        table.html(),
        table.text(),
        ax=ax,
    )


@public
def plot_moves(comparison: Comparison, name: str | None = None, *, ax: Axes | None = None) -> Chart:
    """Show which ranks members of the baseline's lists go to, which are lost, and where new ones come in.

    Parameters
    ----------
    comparison
        What `pnb.compare` gave.
    name
        Of the set to show beside the baseline; by default the first.
    ax
        Your axes to draw on; by default a new figure in the style of your rcParams.

    Returns
    -------
    Chart
        Shows the picture and its table; `.ax` is the axes, `.text` the same in text.

    Raises
    ------
    InputError
        The comparison has no other set of that name, or no owner has lists in both.
    ArgumentError
        `comparison` is none, or `ax` is no axes.

    Examples
    --------
    >>> import pandas as pd
    >>> import personalize_nb as pnb
    >>> old = pd.DataFrame({"user_id": ["u", "u"], "rank": [1, 2], "item_id": ["a", "b"]})
    >>> new = pd.DataFrame({"user_id": ["u", "u"], "rank": [1, 2], "item_id": ["a", "c"]})
    >>> pnb.plot_moves(pnb.compare({"old": old, "new": new}))
    Ranks in new beside old: 50% of members stay at their rank, 0% move, 50% are lost
      from        to 1-2  lost
      1-2              1     1
      new (none)       1     –
    """
    _checked(comparison, "plot_moves")
    others = comparison.names[1:]
    chosen = others[0] if name is None else name
    if chosen not in others:
        raise InputError(
            f"'name' must be one of {others}, sets beside the baseline {comparison.baseline!r}; got {shown(name)}"
        )
    moves = comparison.moves()
    moves = moves[moves["list"] == chosen]
    if moves.empty:
        raise InputError(f"No owner has lists in both {comparison.baseline!r} and {chosen!r}, so no rank can move.")
    deepest = int(moves[["before", "after"]].max().max())
    gone = deepest + 1  # the place of new and lost ones
    before, after = (moves[column].fillna(gone).to_numpy(int) for column in ("before", "after"))
    members = moves["members"].to_numpy(float)
    had = members[before < gone].sum()
    stay = members[(before == after) & (before < gone)].sum() / had
    lost = members[after == gone].sum() / had
    table = _bands(before, after, members, deepest)

    def draw(axes: Axes, spell: Spell) -> None:
        import matplotlib.colors

        # new and lost ones are a band, set apart by an empty one
        wide = -(-deepest // 16)
        whole = deepest + 2 * wide
        grid = np.zeros((whole, whole))
        row, column = (np.where(ranks == gone, whole - 1, ranks - 1) for ranks in (after, before))
        np.add.at(grid, (row, column), members)
        shade = np.zeros_like(grid)
        for part in np.s_[:deepest, :deepest], np.s_[-1:, :], np.s_[:, -1:]:  # each by its own greatest
            shade[part] = np.sqrt(grid[part] / max(grid[part].max(), 1.0))  # small numbers are seen as well
        shade[-wide:, :], shade[:, -wide:] = shade[-1:, :].copy(), shade[:, -1:].copy()
        pixels = np.empty((*grid.shape, 4))
        pixels[..., :3] = matplotlib.colors.to_rgb(figures.colours(1)[0])
        pixels[..., 3] = shade
        extent = (0.5, whole + 0.5, whole + 0.5, 0.5)
        axes.imshow(pixels, extent=extent, interpolation="nearest", aspect="auto")
        axes.plot([0.5, deepest + 0.5], [0.5, deepest + 0.5], linewidth=0.8, linestyle=":", color=figures.colours(2)[1])
        axes.grid(False)
        for axis, last in ((axes.xaxis, "new"), (axes.yaxis, "lost")):
            figures.rank_ticks(axis, 1, deepest, (whole - (wide - 1) / 2, last))
        figures.label(axes, f"rank in {spell(comparison.baseline)}", f"rank in {spell(chosen)}")

    title = (
        f"Ranks in {chosen} beside {comparison.baseline}: {stay:.0%} of members stay at their rank, "
        f"{max(1 - stay - lost, 0):.0%} move, {lost:.0%} are lost"
    )
    return Chart(
        title,
        draw,
        f"Heat map of ranks before, from left to right, and after, from top to bottom. {title}",
        table.html(),
        table.text(),
        ax=ax,
        size=(3.8, 3.5),
        caption="The stronger the colour, the more; new and lost ones have their own scale. On the line ranks stay.",
    )


def _bands(before: np.ndarray, after: np.ndarray, members: np.ndarray, deepest: int) -> Table:
    """Return how many members go from which band of ranks to which; bands end at the usual cut-offs."""
    ends = [cut for cut in (*CUT_OFFS, 50, 100, 250) if cut < deepest] + [deepest]
    starts = [1, *(end + 1 for end in ends[:-1])]
    labels = [f"{start}-{end}" if start < end else f"{end}" for start, end in zip(starts, ends, strict=True)]
    counts = np.zeros((len(ends) + 1, len(ends) + 1), int)
    np.add.at(counts, (np.searchsorted(ends, before), np.searchsorted(ends, after)), members.astype(int))
    rows = [[label, *counts[place].tolist()] for place, label in enumerate([*labels, "new (none)"])]
    rows[-1][-1] = None  # neither before nor after
    return Table("", ("from", f"to {labels[0]}", *labels[1:], "lost"), rows, range(1, len(labels) + 2))


def _checked(comparison: object, call: str) -> None:
    if not isinstance(comparison, Comparison):
        columns = getattr(comparison, "columns", None)
        what = shown(comparison) if columns is None else f"with columns {shown(list(columns))}"
        raise ArgumentError(
            f"'comparison' must be what pnb.compare() gave, got {type(comparison).__name__} {what}; "
            f"pnb.{call}(pnb.compare({{'last week': job, 'today': other}})) draws one."
        )
