"""Items as people know them: titles, categories and what else a catalogue says, looked up by id and searched."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from personalize_nb.contract import columns as c
from personalize_nb.errors import InputError
from personalize_nb.inputs import frames
from personalize_nb.results.titles import tell_doubled
from personalize_nb.text.elements import elements, is_list
from personalize_nb.text.values import missing, one_line

if TYPE_CHECKING:
    from personalize_nb.inputs.forms import Data

# Columns of an items frame that hold categories, in the order they are looked for.
_CATEGORIES = ("category", "categories", "genre", "genres", "category_l1", "product_category", "department", "topic")
_SEPARATOR = "|"


class NamedItems:
    """A catalogue by id.

    Parameters
    ----------
    items
        A frame with `item_id`; None knows no item, and shows ids.
    title, category
        Columns of names and of categories separated by `|`; None looks for a usual name of such a column, and does
        without categories where there is none.

    Raises
    ------
    InputError
        It is no such frame, or has not the columns.
    """

    def __init__(self, items: Data | None, title: str | None = None, category: str | None = None):
        self._names: dict[str, str] = {}
        self.frame: pd.DataFrame | None = None
        self.category: str | None = None
        if items is None:
            return
        given = frames.table(items, "'items' must be a DataFrame")
        self._title = title = title or _found(given, c.NAME_COLUMNS) or "title"
        self.category = category or _found(given, _CATEGORIES)
        for name, argument in ((title, "title"), (self.category, "category")):
            if name is not None and name not in given.columns:
                raise InputError(
                    f"the items frame has no column {name!r}; name one of {list(given.columns)} with {argument}="
                )
        plain = frames.plain(given, "items", c.ITEM_ID)
        tell_doubled(plain[c.ITEM_ID])
        self.frame = plain.drop_duplicates(c.ITEM_ID).set_index(c.ITEM_ID, drop=False)
        self._names = titled(plain, c.ITEM_ID, c.ITEM_ID if c.canonical(title) == c.ITEM_ID else title)

    def also(self, names: dict[str, str]) -> NamedItems:
        """Know these names of items as well, where the catalogue has none."""
        self._names = names | self._names
        return self

    def name(self, item: str) -> str:
        """Return an item's title, or its id where it has none."""
        return self._names.get(item) or one_line(item)

    def label(self, item: str) -> str:
        """Return an item's title and its id, to tell items of one title from each other."""
        name = self.name(item)
        return f"{name} [{one_line(item)}]" if name != one_line(item) else name

    def categories(self, item: str) -> tuple[str, ...]:
        """Return an item's categories, none where nobody knows."""
        return self._by_item.get(item, ())

    def facts(self, item: str) -> list[tuple[str, str]]:
        """Return what else the catalogue says of an item: names of columns and values, none that are missing."""
        if self.frame is None or item not in self.frame.index:
            return []
        row = self.frame.loc[item]
        shown = {c.ITEM_ID, self._title, self.category}
        return [
            (one_line(name), _fact(name, row[name])) for name in row.index if name not in shown and _told(row[name])
        ]

    def counted(self, items: Iterable[str]) -> dict[str, int]:
        """Return how many of the items have each category, the most frequent first."""
        counts: dict[str, int] = {}
        for item in items:
            for one in self.categories(item):
                counts[one] = counts.get(one, 0) + 1
        return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))

    @cached_property
    def every_category(self) -> list[str]:
        """The categories there are, the most frequent first."""
        return list(self.counted(self._by_item))

    def matching(self, words: str = "", category: str = "", within: Collection[str] = ()) -> set[str]:
        """Return the items whose title or id has all words, in any letters, and that are of the category.

        Parameters
        ----------
        words
            Parts of words, separated by spaces; none takes every item.
        category
            One of `every_category`; empty takes every item.
        within
            Items to look at beside those of the catalogue.
        """
        wanted = words.casefold().split()
        known = {*within, *self._names, *self._by_item}
        return {
            item
            for item in known
            if (not category or category in self.categories(item))
            and (not wanted or _has_all(f"{self.name(item)} {item}", wanted))
        }

    @cached_property
    def _by_item(self) -> dict[str, tuple[str, ...]]:
        if self.frame is None or self.category is None:
            return {}
        return {
            item: tuple(dict.fromkeys(filter(None, map(one_line, _parts(value)))))
            for item, value in zip(self.frame[c.ITEM_ID], self.frame[self.category], strict=True)
            if _told(value)
        }


def _parts(value: object) -> list[object]:
    """Return the categories of a cell: of a list each element, of a text what stands between separators."""
    return elements(value) if is_list(value) else [*str(value).split(_SEPARATOR)]


def titled(frame: pd.DataFrame, ids: str, title: str) -> dict[str, str]:
    """Return names by id; an item without one is left out, so that its id is shown."""
    named = frame[[ids]].assign(name=frame[title]).dropna().drop_duplicates(ids)
    return {item: name for item, name in zip(named[ids], map(one_line, named["name"]), strict=True) if name}


def own_names(lists: pd.DataFrame, ids: str, title: str | None = None) -> dict[str, str]:
    """Return the names that a frame of lists brings for its items, as `job.recommendations(items=...)` joins them.

    Parameters
    ----------
    lists
        The frame.
    ids
        Its column of listed items; where it is about items, their own names stand in a column with `item_` before it.
    title
        The column of names; None looks for a usual one.
    """
    name = next((one for one in (title, *c.NAME_COLUMNS) if one in lists.columns), None)
    if name is None:
        return {}
    own = f"item_{name}"
    seeds = titled(lists, c.ITEM_ID, own) if ids != c.ITEM_ID and own in lists.columns else {}
    return seeds | titled(lists, ids, name)


def _found(frame: pd.DataFrame, usual: Iterable[str]) -> str | None:
    """Return the column of a usual name, in any letters."""
    spelled = {str(name).lower(): name for name in reversed(frame.columns)}
    return next((spelled[name] for name in usual if name in spelled), None)


def _has_all(text: str, wanted: list[str]) -> bool:
    folded = text.casefold()
    return all(word in folded for word in wanted)


def _told(value: object) -> bool:
    return not missing(value) and bool(one_line(value))


def _fact(name: object, value: object) -> str:
    """Return a value as a reader wants it: the date of a time that is counted in seconds, as Amazon has it."""
    if "timestamp" in str(name).lower() and isinstance(value, int | float | np.integer) and 1e8 < float(value) < 1e11:
        return f"{pd.Timestamp(int(value), unit='s'):%Y-%m-%d}"
    return one_line(value)
