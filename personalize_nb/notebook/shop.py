"""Themes as a shop would show them: a heading and below it a row of items that scrolls sideways.

A row is a list, so it reads well with every attribute removed: heading, where it comes from, items, each with its
relevance. Titles are whole, and scroll where they are very long; the text twin has a line for each item.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from personalize_nb.contract import columns as c
from personalize_nb.contract import limits
from personalize_nb.errors import InputError
from personalize_nb.inputs import frames
from personalize_nb.notebook.charts import View, text_bar
from personalize_nb.notebook.named_items import NamedItems, own_names
from personalize_nb.results.sources import Lists, recommendations_of, results_of
from personalize_nb.text import html
from personalize_nb.text.counts import verb
from personalize_nb.text.public import public
from personalize_nb.text.values import one_line, shown

if TYPE_CHECKING:
    from personalize_nb.inputs.forms import Data

_FULL = 0.6  # relevance that fills a bar: Amazon's are seldom higher


@public
def show_themes(
    themes: Lists,
    items: Data | None = None,
    title: str | None = None,
    threshold: float = limits.THEME_RELEVANCE_THRESHOLD,
    minimum_items: int = limits.THEME_MINIMUM_ITEMS,
    most: int = 10,
    *,
    category: str | None = None,
) -> View:
    """Show themes as a shop would: each a heading above a row of its items, with their relevance.

    It shows what AWS advises: items of at least `threshold`, themes of at least `minimum_items`.

    Parameters
    ----------
    themes
        A theme job that has ended, its results, or a frame with `item_id`, `theme`, `recommended_item_id` and
        `relevance`, as `job.themes()` gives it; that leaves out by itself what is below its own `threshold` and
        `minimum_items`. Columns between `item_id` and `theme` are filter values, and an item has a theme for each of
        them.
    items
        Catalogue with `item_id`, names and categories; by default the titles that `job.themes(items=...)` put in the
        frame, and ids where it has none.
    title
        The column of names; by default `title`, or another usual one.
    threshold
        Least relevance of an item to be shown; AWS advises 0.1.
    minimum_items
        Least number of such items for a theme to be shown; AWS's sample uses 3.
    most
        Themes to show, 1 or more; the note below says how many there are.
    category
        The column of categories, separated by `|`; by default `category`, `genres` or another usual one.

    Returns
    -------
    View
        Shows shelves in a notebook; printed, the same in text.

    Raises
    ------
    InputError
        A frame has not the columns, or an option is not legal.

    References
    ----------
    Amazon's sample of batch inference with Content Generator, whose threshold and number of items are the defaults.

    Examples
    --------
    >>> import pandas as pd
    >>> import personalize_nb as pnb
    >>> themes = pd.DataFrame({"item_id": "a", "theme": "Small animals", "recommended_item_id": ["b", "c"]})
    >>> pnb.show_themes(themes.assign(relevance=[0.6, 0.3]), minimum_items=2)
    Small animals (from a)
      ██████████ 0.60 b
      █████      0.30 c
    1 of 1 theme shown
    """
    if isinstance(most, bool) or not isinstance(most, int) or most < 1:
        raise InputError(f"'most' must be a whole number from 1, got {shown(most)}")
    results = results_of(themes)
    given = recommendations_of(themes) if results is None else results.themes(threshold=None, minimum_items=0)
    needed = (c.ITEM_ID, c.THEME, c.RECOMMENDED_ITEM_ID, c.RELEVANCE)
    frame = frames.plain(given, "themes", *needed, hint="job.themes() of a theme job gives such a frame")
    named = NamedItems(items, title, category).also(own_names(frame, c.RECOMMENDED_ITEM_ID, title))
    values = frames.filter_columns(frame)
    keys = [c.ITEM_ID, c.THEME, *values]
    kept = frame[(frame[c.RELEVANCE] >= threshold) & frame[c.THEME].notna()]
    groups = [group for _, group in kept.groupby(keys, sort=False, dropna=False) if len(group) >= minimum_items]
    rows = [_row(group, values, named) for group in groups[:most]]
    whole = len(frame[keys].drop_duplicates())
    note = _told(len(rows), len(groups), whole, threshold, minimum_items)
    fragment = html.lines(*(row.html() for row in rows), note)
    return View(fragment, "\n".join([*(row.text() for row in rows), note]))


@dataclass(frozen=True)
class _Tile:
    name: str
    categories: str
    relevance: float

    def html(self) -> html.Markup:
        """Return what stands on the tile: three lines for its title, up to six where it is longer, then it scrolls.

        An ellipsis takes a style that sanitizers drop, and without one nobody sees that something is cut.
        """
        return html.join(
            [
                html.Markup(
                    '<div title="{0}" style="min-height:3.9em;max-height:7.8em;line-height:1.3;overflow-y:auto;'
                    'overflow-wrap:break-word"><b>{0}</b></div>'
                ).format(self.name),
                html.clipped(self.categories, "100%") if self.categories else "",
                html.Markup('<div style="margin-top:.4em">{} relevance {}</div>').format(
                    html.bar(self.relevance / _FULL, width=100, height=6), f"{self.relevance:.2f}"
                ),
            ]
        )


@dataclass(frozen=True)
class _Row:
    theme: str
    origin: str
    tiles: list[_Tile]

    def html(self) -> html.Markup:
        """Return the row under its heading."""
        return html.lines(
            html.heading(self.theme),
            html.clipped(f"from {self.origin}", "100%"),
            html.shelf([tile.html() for tile in self.tiles], self.theme),
        )

    def text(self) -> str:
        """Return a line for the row and one for each item."""
        lines = [f"  {text_bar(one.relevance / _FULL, 10)} {one.relevance:.2f} {one.name}" for one in self.tiles]
        return "\n".join([f"{self.theme} (from {self.origin})", *lines])


def _row(group: pd.DataFrame, values: list[str], named: NamedItems) -> _Row:
    seed, theme = group[c.ITEM_ID].iloc[0], one_line(group[c.THEME].iloc[0]).rstrip(".")
    given = [f"{name} {one_line(group[name].iloc[0])}" for name in values if pd.notna(group[name].iloc[0])]
    tiles = [
        _Tile(named.name(item), ", ".join(named.categories(item)), float(relevance))
        for item, relevance in zip(group[c.RECOMMENDED_ITEM_ID], group[c.RELEVANCE], strict=True)
    ]
    return _Row(theme, ", ".join([named.name(seed), *given]), tiles)


def _told(listed: int, fit: int, whole: int, threshold: float, minimum_items: int) -> str:
    """Say how many of a frame's themes are shown, and why not the others, where there are others."""
    note = f"{listed} of the {whole} themes in this frame shown" if whole != 1 else f"{listed} of 1 theme shown"
    if listed < fit:
        note += f"; most={fit} shows {fit}"
    if fit < whole:
        have = verb(whole - fit, "has", "have")
        note += f"; {whole - fit} {have} fewer than {minimum_items} items of relevance {threshold} or more"
    return note
