"""A user's card and an item's: what was done beside what is listed, with dates, scores, hits and categories.

Both are made of `card_data` and look as `card_view` says; the explorer shows the same cards one after another.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from personalize_nb.contract import columns as c
from personalize_nb.errors import InputError, NotFoundError
from personalize_nb.inputs import frames
from personalize_nb.inputs.forms import is_data
from personalize_nb.notebook import card_data
from personalize_nb.notebook.card_data import CardData
from personalize_nb.notebook.card_view import Card, CardTable, Entry
from personalize_nb.notebook.charts import View
from personalize_nb.results.sources import Lists, results_of
from personalize_nb.text.counts import counted, verb
from personalize_nb.text.public import public
from personalize_nb.text.values import one_line, shown

if TYPE_CHECKING:
    from personalize_nb.inputs.forms import Data

_NAMED = 5  # items of the truth that are missing


@public
def show_user(
    user_id: str | int | Lists | None,
    recommendations: Lists | None = None,
    interactions: Data | None = None,
    items: Data | None = None,
    title: str | None = None,
    most: int = 10,
    *,
    truth: Data | None = None,
    category: str | None = None,
) -> View:
    """Show one user's latest history beside what is recommended: dates, titles, scores, categories, hits.

    Parameters
    ----------
    user_id
        The user; 1349 and `"1349"` are the same one. None, or left out (`show_user(recommendations, ...)`), for the
        first one of the recommendations; a note names others.
    recommendations
        A job that has ended, its results, or a frame with `user_id`, `rank`, `item_id` and, if the recipe gives
        them, `score`.
    interactions
        History with `user_id`, `item_id` and, to put the latest first, `timestamp`. What is recommended and was
        seen before is marked.
    items
        Catalogue with `item_id`, names and categories.
    title
        The column of names; by default `title`, or another usual one.
    most
        Rows to show of each, 1 or more.
    truth
        What the user really chose: `user_id`, `item_id`, as `pnb.holdout(interactions).truth` is. Hits are marked.
    category
        The column of categories, separated by `|`; by default `category`, `genres` or another usual one.

    Returns
    -------
    View
        Shows a card in a notebook; printed, the same in text.

    Raises
    ------
    NotFoundError
        The recommendations hold nothing for this user.
    InputError
        A frame has not the columns, or ids that are none.

    Examples
    --------
    >>> import pandas as pd
    >>> import personalize_nb as pnb
    >>> lists = pd.DataFrame({"user_id": ["u", "u"], "rank": [1, 2], "item_id": ["a", "b"]})
    >>> pnb.show_user("u", lists, truth=pd.DataFrame({"user_id": ["u"], "item_id": ["b"]}))
    User u
        recommended
      1 a
      2 b                                                      ✓ hit
    1 of the 1 item of the truth is among the 2 recommended
    """
    _at_least_one(most)
    # no user is named: the frames stand one place further left
    if is_data(user_id) or results_of(user_id) is not None:
        if recommendations is not None:
            interactions, items = recommendations, interactions if items is None else items
        user_id, recommendations = None, user_id
    data = card_data.read(recommendations, interactions, items, truth, title, category, of_users=True)
    user, note = _owner(data, user_id, c.USER_ID, "user")
    return card(data, user, most, notes=[note] if note else []).view()


@public
def show_item(
    item_id: str | int | Lists | None,
    recommendations: Lists | None = None,
    interactions: Data | None = None,
    items: Data | None = None,
    title: str | None = None,
    most: int = 10,
    *,
    truth: Data | None = None,
    category: str | None = None,
) -> View:
    """Show one item and its neighbours: what the catalogue says, who chose it last, titles, scores, categories.

    Parameters
    ----------
    item_id
        The item; None, or left out, for the first one of the recommendations.
    recommendations
        A job about items that has ended, its results, or a frame with `item_id`, `rank`, `recommended_item_id` and,
        if the recipe gives them, `score`.
    interactions
        History with `item_id` and, where known, `user_id` and `timestamp`. How many users chose both is told of each
        neighbour.
    items
        Catalogue with `item_id`, names and categories.
    title
        The column of names; by default `title`, or another usual one.
    most
        Rows to show of each, 1 or more.
    truth
        Which neighbours are right: `item_id`, `recommended_item_id`. Hits are marked.
    category
        The column of categories, separated by `|`; by default `category`, `genres` or another usual one.

    Returns
    -------
    View
        Shows a card in a notebook; printed, the same in text.

    Raises
    ------
    NotFoundError
        The recommendations hold nothing for this item.
    InputError
        A frame has not the columns, or ids that are none.

    Examples
    --------
    >>> import pandas as pd
    >>> import personalize_nb as pnb
    >>> lists = pd.DataFrame({"item_id": ["a", "a"], "rank": [1, 2], "recommended_item_id": ["b", "c"]})
    >>> pnb.show_item("a", lists, items=pd.DataFrame({"item_id": list("abc"), "title": ["Ant", "Bee", "Cat"]}))
    Item Ant [a]
        neighbours
      1 Bee
      2 Cat
    """
    _at_least_one(most)
    if is_data(item_id) or results_of(item_id) is not None:
        if recommendations is not None:
            interactions, items = recommendations, interactions if items is None else items
        item_id, recommendations = None, item_id
    data = card_data.read(recommendations, interactions, items, truth, title, category, of_users=False)
    item, note = _owner(data, item_id, c.ITEM_ID, "item")
    return card(data, item, most, notes=[note] if note else []).view()


def card(
    data: CardData, owner: str, most: int = 10, *, only: set[str] | None = None, notes: Sequence[str] = ()
) -> Card:
    """Return the card of a user or an item.

    Parameters
    ----------
    data
        What cards show.
    owner
        Whose card.
    most
        Rows of each of its tables.
    only
        The items to show; None for all.
    notes
        Sentences at its end.
    """
    mine = data.lists.of(owner).sort_values(c.RANK, kind="stable")
    members = mine[data.member].tolist()
    past, dates = card_data.latest_first(data.history.of(owner) if data.history is not None else mine.iloc[:0])
    seen = past[c.ITEM_ID].tolist() if data.of_users and data.history is not None else []
    right = None if data.truth is None else set(data.truth.of(owner)[data.member])
    facts = [f"Theme: {theme}" for theme in _themes(mine)]
    facts += [_did(data, past, dates)] if data.history is not None else []
    if right is not None:
        facts.append(_hit(data, members, right))
    again = sorted(set(seen) & set(members))
    if again and data.of_users:
        facts.append(f"{len(again)} of the {len(members)} recommended {verb(len(again), 'was', 'were')} seen before")
    listed = _listed(data, owner, mine, set(seen), right)
    before = _seen(data, past, dates, set(members)) if data.of_users else _chosen_by(past, dates)
    counts = [data.items.counted(dict.fromkeys(seen)), data.items.counted(members)]
    return Card(
        f"User {one_line(owner)}" if data.of_users else f"Item {data.items.label(owner)}",
        facts,
        _block(
            data.history is not None, "latest history" if data.of_users else "latest users", "date", before, most, only
        ),
        _some("recommended" if data.of_users else "neighbours", "rank", listed, most, only),
        [(counts[0], len(set(seen))), (counts[1], len(members))],
        notes,
        [] if data.of_users else _about(data, owner),
    )


def _themes(mine: pd.DataFrame) -> list[str]:
    """Return the themes of an item: one, but for lists that differ by a filter's values."""
    if c.THEME not in mine.columns:
        return []
    return [one_line(text) for text in mine[c.THEME].dropna().unique()]


_Entries = list[tuple[str, Entry]]  # with the item that each is about


def _block(
    known: bool, title: str, place: str, entries: _Entries, most: int, only: set[str] | None
) -> CardTable | None:
    return _some(title, place, entries, most, only) if known else None


def _some(title: str, place: str, entries: _Entries, most: int, only: set[str] | None) -> CardTable:
    """Return the first entries that are asked for, and a note on the others."""
    fit = [entry for item, entry in entries if only is None or not item or item in only]
    told = [f"{min(most, len(fit)):,} of {len(fit):,} shown"] if len(fit) > most else []
    if len(fit) < len(entries):
        told.append(f"{len(fit):,} of {len(entries):,} {verb(len(fit), 'matches', 'match')}")
    return CardTable(title, place, fit[:most], "; ".join(told))


def _listed(data: CardData, owner: str, mine: pd.DataFrame, seen: set[str], right: set[str] | None) -> _Entries:
    scored = next((name for name in (c.SCORE, c.RELEVANCE) if name in mine.columns), None)
    scores = [float("nan")] * len(mine) if scored is None else mine[scored].tolist()
    together = _together(data, owner, mine)
    entries = []
    for rank, item, score in zip(mine[c.RANK], mine[data.member], scores, strict=True):
        marks = ["✓ hit"] if right is not None and item in right else []
        marks += ["seen before"] if item in seen else []
        marks += [f"{counted(together[item], 'user')} chose both"] if together.get(item) else []
        known = float("nan") if score is None or pd.isna(score) else float(score)
        entry = Entry(data.items.name(item), str(rank), known, data.items.categories(item), marks)
        entries.append((item, entry))
    return entries


def _together(data: CardData, owner: str, mine: pd.DataFrame) -> dict[str, int]:
    """Return how many users chose an item and each of its neighbours, where the history names users."""
    if data.of_users or data.history is None or data.by_user is None:
        return {}
    users = set(data.history.of(owner)[c.USER_ID])
    counts = {}
    for item in mine[data.member]:
        counts[item] = len(users & set(data.history.of(item)[c.USER_ID]))
    return counts


def _seen(data: CardData, past: pd.DataFrame, dates: list[str], listed: set[str]) -> _Entries:
    """Return what a user did, each item once, when it was last."""
    if data.history is None:
        return []
    times = past[c.ITEM_ID].value_counts()
    entries: dict[str, Entry] = {}
    for item, date, event in zip(past[c.ITEM_ID], dates, card_data.events(past), strict=True):
        if item in entries:
            continue
        marks = [event] if event else []
        marks += [f"{times[item]} times"] if times[item] > 1 else []
        marks += ["recommended"] if item in listed else []
        entries[item] = Entry(data.items.name(item), date, float("nan"), data.items.categories(item), marks)
    return list(entries.items())


def _chosen_by(past: pd.DataFrame, dates: list[str]) -> _Entries:
    """Return who chose an item, the latest first."""
    if c.USER_ID not in past.columns:
        return []
    told = zip(past[c.USER_ID], dates, card_data.events(past), strict=True)
    return [("", Entry(one_line(user), date, marks=[event] if event else [])) for user, date, event in told]


def _about(data: CardData, item: str) -> list[tuple[str, str]]:
    categories = data.items.categories(item)
    return [*([("category", ", ".join(categories))] if categories else []), *data.items.facts(item)]


def _did(data: CardData, past: pd.DataFrame, dates: list[str]) -> str:
    """Say how much was done, and when."""
    if past.empty:
        return f"Nothing in the history of this {'user' if data.of_users else 'item'}"
    other = c.ITEM_ID if data.of_users else c.USER_ID
    noun = "item" if data.of_users else "user"
    distinct = f" with {counted(past[other].nunique(), noun)}" if other in past.columns else ""
    known = [date for date in dates if date]
    when = f", {known[-1]} to {known[0]}" if known and known[-1] != known[0] else f", {known[0]}" if known else ""
    return f"{counted(len(past), 'interaction')}{distinct}{when}"


def _hit(data: CardData, members: list[str], right: set[str]) -> str:
    """Say how much of the truth is listed, and what is not."""
    if not right:
        return f"The truth has nothing for this {'user' if data.of_users else 'item'}"
    hits = len(right & set(members))
    noun = "recommended" if data.of_users else "neighbours"
    wanted = counted(len(right), "item")
    told = f"{hits} of the {wanted} of the truth {verb(hits, 'is', 'are')} among the {len(members)} {noun}"
    missed = [data.items.name(item) for item in sorted(right - set(members))]
    if not missed:
        return told
    more = f" and {counted(len(missed) - _NAMED, 'other')}" if len(missed) > _NAMED else ""
    return f"{told}; missing: {', '.join(missed[:_NAMED])}{more}"


def _owner(data: CardData, given: object, column: str, noun: str) -> tuple[str, str]:
    """Return whose card is asked for, and a note that names others where nobody was."""
    owners = data.lists.owners
    if given is None:
        if not len(owners):
            raise InputError(
                f"'recommendations' is empty, so there is no {noun} to show; job.errors() tells of failed lines"
            )
        named = ", ".join(map(repr, owners[1:4]))
        more = f" and {counted(len(owners) - 4, 'other')}" if len(owners) > 4 else ""
        note = f"The first of {len(owners):,} {noun}s. Name another as show_{noun}({noun}, ...): {named}{more}."
        return owners[0], note if named else ""
    wanted = frames.identifier(given, column)
    if wanted not in owners:
        others = f" and {counted(len(owners) - 3, 'other')}" if len(owners) > 3 else ""
        raise NotFoundError(f"no recommendations for {noun} {wanted!r}; the frame has {owners[:3].tolist()}{others}")
    return wanted, ""


def _at_least_one(most: int) -> None:
    if isinstance(most, bool) or not isinstance(most, int) or most < 1:
        raise InputError(f"'most' must be a whole number from 1, got {shown(most)}")
