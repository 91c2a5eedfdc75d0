"""A comparison to read: what agrees, which items gain and lose, what it is worth, whose lists changed most.

Each table is made once and shown twice, as HTML and as text, so that nothing is lost where HTML is not shown. Beside
those of agreement and of metrics stand their pictures, as images, which notebooks of others show as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from personalize_nb.contract import columns as c
from personalize_nb.errors import InputError
from personalize_nb.notebook.charts import Chart, Overview, View
from personalize_nb.notebook.comparison_plots import plot_overlap
from personalize_nb.notebook.metric_plots import plot_metrics
from personalize_nb.notebook.tables import Table, difference, figure, metric_name
from personalize_nb.text import html
from personalize_nb.text.counts import counted
from personalize_nb.text.public import public
from personalize_nb.text.values import one_line, shown

if TYPE_CHECKING:
    from personalize_nb.results.compared import Comparison


@public
def show_comparison(comparison: Comparison, owner: object = None, *, most: int = 5) -> View:
    """Show what a comparison says, or one user's (or item's) lists side by side.

    The pictures are those of `plot_overlap` and, with a truth, of `plot_metrics`; `.ax` has the axes of the first.

    Parameters
    ----------
    comparison
        What `pnb.compare` gave.
    owner
        The user, or the item in lists of items, whose lists are shown; None for all in short.
    most
        Rows to show of items and users, 1 or more.

    Raises
    ------
    NotFoundError
        No set has a list of the owner.

    Examples
    --------
    >>> import pandas as pd
    >>> import personalize_nb as pnb
    >>> old = pd.DataFrame({"user_id": ["u", "u"], "rank": [1, 2], "item_id": ["a", "b"]})
    >>> new = pd.DataFrame({"user_id": ["u", "u"], "rank": [1, 2], "item_id": ["b", "c"]})
    >>> pnb.show_comparison(pnb.compare({"old": old, "new": new}), "u")
    user 'u': old beside new
      rank  old       new
         1  a (lost)  b (up 1)
         2  b         c (new)
    """
    if isinstance(most, bool) or not isinstance(most, int) or most < 1:
        raise InputError(f"'most' must be a whole number from 1, got {shown(most)}")
    if owner is not None:
        return _view([(_one(comparison, owner), None)], ["✓ was right for the user."] if comparison.has_truth else [])
    agreement, metrics = _agreement(comparison), _metrics(comparison)
    parts: list[tuple[Table, Chart | None]] = [
        (agreement, plot_overlap(comparison) if any(row[1] for row in agreement.rows) else None),
        (_each(comparison), None),
        (metrics, plot_metrics(comparison) if metrics.rows and comparison.has_truth else None),
        *((one, None) for one in _items(comparison, most)),
        (_changed(comparison, most), None),
    ]
    title = f"{comparison.kind.capitalize()}: {', '.join(comparison.names[1:])} beside {comparison.names[0]}"
    return _view([part for part in parts if part[0].rows], comparison.notes, title)


def _view(parts: Sequence[tuple[Table, Chart | None]], notes: Sequence[str], title: str = "") -> View:
    title = one_line(title)
    heading = html.Markup("<b>{}</b>").format(title) if title else ""
    texts = [*([title] if title else []), *(one.text() for one, _ in parts), *notes]
    return Overview(html.lines(heading, *notes), parts, "\n".join(texts))


def _agreement(comparison: Comparison) -> Table:
    """Say how far each set agrees with the baseline."""
    found = comparison.overlap()
    found = found[found["list"] == comparison.baseline]
    short = comparison.summary()
    overlaps = [name for name in found.columns if name.startswith("overlap_at_")]
    rows = [
        (
            row["other"],
            row["both"],
            row["rbo"],
            *(row[name] for name in overlaps),
            _share(row["same"]),
            *(_amount(short.loc[row["other"], name]) for name in ("moved", "new", "lost")),
        )
        for _, row in found.iterrows()
    ]
    columns = ("", "compared", "rank-biased overlap", *map(metric_name, overlaps), "same", "moved", "new", "lost")
    return Table(f"Agreement with {comparison.baseline}", columns, rows, range(1, len(columns)), [2])


def _each(comparison: Comparison) -> Table:
    """Say what each set looks like by itself."""
    short, coverage = comparison.summary(), comparison.coverage().groupby("list").last()
    covered = bool(coverage["share"].notna().any())
    rows = [
        (
            name,
            short.loc[name, "lists"],
            _amount(short.loc[name, "length"]),
            short.loc[name, "distinct"],
            *([coverage.loc[name, "share"]] if covered else []),
        )
        for name in comparison.names
    ]
    columns = (
        "",
        "lists",
        "mean length",
        f"different {_noun(comparison)}s",
        *(["share of the catalogue"] if covered else []),
    )
    return Table("Each by itself", columns, rows, range(1, len(columns)), [4] if covered else [])


def _metrics(comparison: Comparison) -> Table:
    """Say what each set is worth, with the difference from the baseline and its bounds."""
    found = comparison.metrics()
    if found["low"].isna().all():  # without truth and history there is little to say
        return Table("", (), ())
    deepest = f"_at_{max(comparison.cut_offs)}"  # .metrics() has all
    found = found[found["metric"].str.endswith(deepest) | ~found["metric"].str.contains("_at_")]
    rows = []
    for metric, part in found.groupby("metric", sort=False):
        by_name = part.set_index("list")
        row = [metric_name(str(metric))]
        for name in [*comparison.names[1:], comparison.baseline]:
            one = by_name.loc[name]
            row += [*([difference(one)] if name != comparison.baseline else []), figure(one["value"])]
        rows.append(row)
    columns = [""]
    for name in comparison.names[1:]:  # what is asked for stands first, where narrow pages show it
        columns += ["difference, plus is better", name]
    columns.append(comparison.baseline)
    title = f"Metrics; in brackets where {comparison.interval:.0%} of the draws of users lie"
    return Table(title, columns, rows, range(1, len(columns)))


def _items(comparison: Comparison, most: int) -> list[Table]:
    """Say which items gain most and which lose most, for each set."""
    found = comparison.items()
    named = "title" if "title" in found.columns else found.columns[1]
    tables = []
    for name in comparison.names[1:]:
        part = found[(found["list"] == name) & (found["gain"] != 0)]
        gaining, losing = part[part["gain"] > 0].head(most), part[part["gain"] < 0].iloc[::-1].head(most)
        rows = [
            (_named(row, named), row["before"], row["after"], f"{row['gain']:+,}")
            for frame in (gaining, losing)
            for _, row in frame.iterrows()
        ]
        title = (
            f"{name}: {counted(int((part['gain'] > 0).sum()), _noun(comparison))} gain lists, "
            f"{(part['gain'] < 0).sum():,} lose"
        )
        tables.append(Table(title, ("", "lists before", "lists after", "gain"), rows, (1, 2, 3)))
    return tables


def _noun(comparison: Comparison) -> str:
    """Return what lists hold."""
    return "user" if comparison.kind.startswith("segments") else "item"


def _changed(comparison: Comparison, most: int) -> Table:
    """Say whose lists changed most."""
    found = comparison.most_changed(most)
    found = found[found["rbo"] < 1]
    keys = found.columns[: found.columns.get_loc("list")].tolist()
    several = len(comparison.names) > 2
    rows = [
        (
            ", ".join(str(row[key]) for key in keys),
            *([row["list"]] if several else []),
            row["rbo"],
            *(row[name] for name in ("moved", "new", "lost")),
        )
        for _, row in found.iterrows()
    ]
    columns = ("", *(["in"] if several else []), "rank-biased overlap", "moved", "new", "lost")
    first = 2 if several else 1
    return Table("Changed most", columns, rows, range(first, len(columns)), [first])


def _one(comparison: Comparison, owner: object) -> Table:
    """Show the lists of one owner, a row for each rank."""
    found = comparison.side_by_side(owner)
    ranks = [f"rank in {name}" for name in comparison.names]
    named = "title" if "title" in found.columns else found.columns[0]
    cells: dict[int, dict[int, list[str]]] = {}
    for _, row in found.iterrows():
        for place, column in enumerate(ranks):
            if pd.notna(row[column]):
                text = _named(row, named) + _moved(row, ranks, place) + (" ✓" if row.get("right", False) else "")
                cells.setdefault(int(row[column]), {}).setdefault(place, []).append(text)
    rows = [(rank, *("; ".join(cells[rank].get(place, [])) for place in range(len(ranks)))) for rank in sorted(cells)]
    noun = "item" if comparison.kind != "lists of users" else "user"
    title = f"{noun} {owner!r}: {comparison.baseline} beside {', '.join(comparison.names[1:])}"
    return Table(title, ("rank", *comparison.names), rows, (0,))


def _moved(row: pd.Series, ranks: list[str], place: int) -> str:
    """Say what became of a member: in other sets beside the baseline, in that beside the only other one."""
    before, after = row[ranks[0]], row[ranks[place]]
    if place == 0:
        return " (lost)" if row[ranks[1:]].isna().all() else ""
    if pd.isna(before):
        return " (new)"
    return "" if before == after else f" ({'up' if after < before else 'down'} {abs(int(before) - int(after))})"


def _named(row: pd.Series, column: str) -> str:
    """Return the title of an item, its id where it has none."""
    value = row[column]
    return str(value if pd.notna(value) else row[c.RECOMMENDED_ITEM_ID if c.RECOMMENDED_ITEM_ID in row else c.ITEM_ID])


def _amount(value: Any) -> str:
    return "–" if pd.isna(value) else f"{value:.1f}"


def _share(value: Any) -> str:
    return "–" if pd.isna(value) else f"{value:.0%}"
