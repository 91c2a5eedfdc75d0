"""An explorer of lists: a widget to pick whose card is shown, beside a card that stays when the widget is gone.

It is two outputs. The widget asks the kernel at each change, so that a million users need not be in the browser: it
suggests the first few that match. The card is plain HTML under a `display_id`, rewritten for each choice and saved
with the notebook as any table is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from personalize_nb.contract import columns as c
from personalize_nb.errors import InputError, NotFoundError, PersonalizeError
from personalize_nb.inputs import frames
from personalize_nb.notebook import card_data
from personalize_nb.notebook.card import card
from personalize_nb.notebook.card_data import CardData
from personalize_nb.notebook.charts import View
from personalize_nb.notebook.form import style
from personalize_nb.notebook.form.console import told_place
from personalize_nb.notebook.form.fields import labelled
from personalize_nb.notebook.receipts import displayed
from personalize_nb.results.sources import Lists
from personalize_nb.text import html
from personalize_nb.text.counts import counted, verb
from personalize_nb.text.public import public
from personalize_nb.text.values import one_line, shown

if TYPE_CHECKING:
    from personalize_nb.inputs.forms import Data

_SUGGESTED = 50
_EVERY = "every category"  # is chosen to see all again: a field with suggestions is not emptied
_HOW = "type to search, or press the down arrow for the list"


@public
def explore(
    recommendations: Lists,
    interactions: Data | None = None,
    items: Data | None = None,
    *,
    truth: Data | None = None,
    title: str | None = None,
    category: str | None = None,
    most: int = 10,
    first: str | int | None = None,
) -> Explorer:
    """Look through lists one by one: a widget to pick a user (or item), and a card that stays without it.

    Parameters
    ----------
    recommendations
        A job that has ended, its results, or a frame as `job.recommendations()` gives it. Of jobs about items the
        items and their neighbours are shown, of theme jobs (or `job.themes()`) with the theme and its relevance.
    interactions
        History, as for `show_user` and `show_item`.
    items
        Catalogue with `item_id`, names and categories, by which lists are searched.
    truth
        What was right, as for `show_user` and `show_item`.
    title, category
        Columns of the catalogue; by default usual names are looked for.
    most
        Rows to show of each table of a card, 1 or more.
    first
        Whom to begin with; by default the first of the lists.

    Returns
    -------
    Explorer
        Display it as the last line of a cell.

    Raises
    ------
    InputError
        A frame has not the columns, or nothing is in the lists.
    NotFoundError
        The lists hold nothing for the first one.

    Examples
    --------
    >>> import pandas as pd
    >>> import personalize_nb as pnb
    >>> lists = pd.DataFrame({"user_id": ["u", "v"], "rank": [1, 1], "item_id": ["a", "b"]})
    >>> explorer = pnb.explore(lists)
    >>> explorer
    <Explorer of 2 users, at 'u': display it in JupyterLab, or .show('u')>
    >>> explorer.show("v")
    User v
        recommended
      1 b
    """
    if isinstance(most, bool) or not isinstance(most, int) or most < 1:
        raise InputError(f"'most' must be a whole number from 1, got {shown(most)}")
    data = card_data.read(recommendations, interactions, items, truth, title, category)
    if not len(data.lists.owners):
        raise InputError(
            "'recommendations' is empty, so there is nothing to explore; job.errors() tells of failed lines"
        )
    explorer = Explorer(data, most)
    if first is not None:
        explorer.show(first)
    return explorer


@public
class Explorer:
    """Shows cards one after another; made by `explore`.

    Parameters
    ----------
    data
        What the cards tell.
    most
        Rows to show of each table of a card.

    Attributes
    ----------
    box
        The widgets.
    owner
        Whose card is shown.
    card
        The card that is shown.

    Examples
    --------
    >>> import pandas as pd
    >>> import personalize_nb as pnb
    >>> lists = pd.DataFrame({"user_id": ["u", "v"], "rank": [1, 1], "item_id": ["ant", "bee"]})
    >>> explorer = pnb.explore(lists)
    >>> explorer.search("bee")
    ['v']
    >>> explorer.show("v").text == explorer.card.text, explorer.owner
    (True, 'v')
    """

    def __init__(self, data: CardData, most: int):
        self._data, self._most = data, most
        self._noun = "user" if data.of_users else "item"
        self._all = data.lists.owners
        self._texts = pa.array(self._all.astype(object), pa.string())
        self._labels: dict[str, str] = {}
        self._fit = np.arange(len(self._all))  # places of those whose lists match the search
        self._only: set[str] | None = None
        self._handle: Any = None
        self.owner: str = self._all[0]
        self._pick = self._field(
            widgets.Combobox(placeholder=_HOW), self._noun.capitalize(), f"Whose card is shown; {_HOW}"
        )
        self._search = self._field(
            widgets.Text(placeholder="words of a title, or an id", continuous_update=False),
            "Search in lists",
            f"Only {self._noun}s with such an item in their list, and only such items of their cards",
        )
        self._category = self._field(
            widgets.Combobox(value=_EVERY, continuous_update=False),
            "Category",
            f"Only {self._noun}s with an item of this category in their list; {_HOW}",
        )
        self._category.options = (_EVERY, *data.items.every_category[:_SUGGESTED])
        self._category.layout.display = "" if data.items.every_category else "none"
        self._told = told_place()
        buttons = widgets.HBox([self._button("Previous", -1), self._button("Next", 1)])
        buttons.add_class("pnb-actions")
        self.box = _Box(self, [told_place(style.LIVE), self._pick, self._search, self._category, buttons, self._told])
        self._moving = False
        self._pick.observe(self._guarded(self._picked), "value")
        for field in (self._search, self._category):
            field.observe(self._guarded(self._narrowed), "value")
        self._suggest("")
        self._go(self.owner)

    @property
    def card(self) -> View:
        """The card that is shown."""
        return card(self._data, self.owner, self._most, only=self._only).view()

    def show(self, owner: str | int) -> View:
        """Show somebody's card in the explorer, and return it.

        Parameters
        ----------
        owner
            The user, or the item where the lists are items'.

        Returns
        -------
        View
            The card.

        Raises
        ------
        NotFoundError
            The lists hold nothing for it.
        """
        wanted = frames.identifier(owner, c.USER_ID if self._data.of_users else c.ITEM_ID)
        if wanted not in self._all:
            raise NotFoundError(
                f"no recommendations for {self._noun} {wanted!r}; there are {self._all[:3].tolist()} and others"
            )
        self._go(wanted)
        return self.card

    def search(self, words: str = "", category: str = "") -> list[str]:
        """Keep to lists with an item whose title or id has all words, and return the first 50 of their owners.

        Parameters
        ----------
        words
            Parts of words, in any letters; empty for all.
        category
            A category of the catalogue; empty for all.

        Returns
        -------
        list of str
            Ids of the owners, in the order of the lists.
        """
        self._moving = True
        self._search.value, self._category.value = words, category or _EVERY
        self._moving = False
        self._narrowed()
        return [self._all[place] for place in self._fit[:_SUGGESTED]]

    def _field(self, widget: Any, label: str, tip: str) -> Any:
        return labelled(widget, label, tip)

    def _button(self, label: str, step: int) -> Any:
        button = widgets.Button(description=label, tooltip=f"{label} {self._noun}", layout={"width": "auto"})
        button.on_click(self._guarded(lambda: self._step(step)))
        return button

    def _guarded(self, action: Callable[[], None]) -> Callable[[Any], None]:
        """Wrap a callback: what it raises is shown in the widget, because Jupyter would hide it."""

        def run(_event: Any) -> None:
            if self._moving:
                return
            try:
                action()
            except Exception as error:  # a callback has no caller who could see it
                text = str(error) if isinstance(error, PersonalizeError) else f"{type(error).__name__}: {error}"
                self._told.value = html.alert(text.splitlines(), "It did not work:")

        return run

    def _picked(self) -> None:
        typed = self._pick.value.strip()
        owner = self._named(typed)
        found = self._suggest(typed)
        if owner is not None:
            self._go(owner)
            return
        many = f"the first {found}" if found == _SUGGESTED else f"{found:,}"
        told = f"{many} {self._noun}s match {typed!r}" if found else f"no {self._noun} matches {typed!r}"
        self._tell(f"{told[:1].upper()}{told[1:]}; the card is that of {self._noun} {self._label(self.owner)}.")

    def _named(self, typed: str) -> str | None:
        """Return whom a text names: by a suggestion, or by its id."""
        if typed in self._labels:
            return self._labels[typed]
        return typed if typed in self._all else None

    def _narrowed(self) -> None:
        words, category = self._search.value.strip(), self._category_named()
        data = self._data
        self._only, self._fit = None, np.arange(len(self._all))
        if words or category:
            listed = set(data.lists.frame[data.member].unique())
            self._only = data.items.matching(words, category, within=listed)
            self._fit = data.lists.with_any(data.member, self._only)
        self._suggest("")
        if len(self._fit) and self._place() < 0:
            self._go(self._all[self._fit[0]])
        else:
            self._go(self.owner)

    def _category_named(self) -> str:
        """Return the category that is chosen, in the catalogue's letters.

        Raises
        ------
        InputError
            There is none of that name.
        """
        text = self._category.value.strip()
        if text == _EVERY:
            return ""
        known = {one.casefold(): one for one in self._data.items.every_category}
        if text and text.casefold() not in known:
            raise InputError(
                f"no item has the category {text!r}; the most frequent are {[*known.values()][:5]}. Choose one: {_HOW}."
            )
        return known.get(text.casefold(), "")

    def _step(self, step: int) -> None:
        if not len(self._fit):
            raise InputError(f"no {self._noun}'s list matches the search; empty the fields to see all")
        place = self._place()
        here = np.searchsorted(self._fit, np.flatnonzero(self._all == self.owner)[0])
        there = place + step if place >= 0 else (here if step > 0 else here - 1)
        self._go(self._all[self._fit[there % len(self._fit)]])

    def _place(self) -> int:
        """Return where the owner stands among those that match; -1 where it does not."""
        at = int(self._all.get_indexer([self.owner])[0])
        place = int(np.searchsorted(self._fit, at))
        return place if place < len(self._fit) and self._fit[place] == at else -1

    def _go(self, owner: str) -> None:
        """Show somebody's card."""
        self.owner = owner
        if self._named(self._pick.value.strip()) != owner:  # else it is being typed, and may go on
            self._moving = True
            self._pick.value = self._label(owner)
            self._moving = False
        self._tell()
        if self._handle is not None:
            self._handle.update(self.card._repr_mimebundle_(), raw=True)

    def _tell(self, more: str = "") -> None:
        fit, whole, place = counted(len(self._fit), self._noun), f"{len(self._all):,}", self._place()
        among = f"{fit} with a match, of {whole}" if self._only is not None else fit
        here = (
            f"Number {place + 1:,} of {among}." if place >= 0 else f"There {verb(len(self._fit), 'is', 'are')} {among}."
        )
        self._told.value = html.status([more or here])

    def _label(self, owner: str) -> str:
        return one_line(owner) if self._data.of_users else self._data.items.label(owner)

    def _suggest(self, typed: str) -> int:
        """Suggest those that begin with a text, then those that have it in them, and return how many these are.

        Others follow, for who empties the field; the browser hides them while the text stands there.
        """
        places = self._fit
        if typed:
            texts = self._texts.take(pa.array(places))
            begin = pc.starts_with(texts, typed, ignore_case=True).to_numpy(zero_copy_only=False)
            found = places[begin][:_SUGGESTED]
            if len(found) < _SUGGESTED:
                within = pc.match_substring(texts, typed, ignore_case=True).to_numpy(zero_copy_only=False) & ~begin
                if not self._data.of_users:  # people know items by their titles
                    titles = self._data.items.matching(typed, within=set(self._all))
                    within |= self._all[places].isin(titles) & ~begin
                found = np.concatenate([found, places[within][: _SUGGESTED - len(found)]])
            places = found
        shown = list(dict.fromkeys([*places[:_SUGGESTED], *self._fit[:_SUGGESTED]]))[:_SUGGESTED]
        self._labels = {self._label(self._all[place]): self._all[place] for place in shown}
        self._pick.options = tuple(self._labels)
        return min(len(places), _SUGGESTED)

    def _ipython_display_(self) -> None:
        from IPython.display import display  # loaded already wherever this is called

        display(self.box)
        self._handle = displayed(self.card._repr_mimebundle_())

    def __repr__(self) -> str:
        owner, count = self.owner, counted(len(self._all), self._noun)
        return f"<Explorer of {count}, at {owner!r}: display it in JupyterLab, or .show({self._all[0]!r})>"


class _Box(widgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """The explorer's widgets; where they cannot be shown, a line says so instead of their innards."""

    def __init__(self, explorer: Explorer, children: list[widgets.Widget]):
        super().__init__(children)
        self.add_class("pnb-form")
        self._explorer = explorer

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        bundle["text/plain"] = repr(self._explorer)
        told = "The explorer is shown here when this cell runs in JupyterLab; its last card:"
        bundle["text/html"] = html.output(html.lines(told))
        return bundle
