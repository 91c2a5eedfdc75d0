"""How a card looks: what its owner did beside what is listed for it, with dates, scores, marks and categories.

A card is tables and headings, so it reads well with every attribute removed. Long names are cut by CSS alone and are
whole for readers and copies; the text twin puts the same beside each other in columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

from personalize_nb.notebook.charts import View
from personalize_nb.text import html

_CATEGORIES = 6  # of a table that compares them
_CUT = 44  # characters of a name in the text
_NAME, _KIND, _MARKS = "20em", "14em", "12em"
_BAR = 64


@dataclass(frozen=True)
class Entry:
    """A row of a card.

    Parameters
    ----------
    name
        What it is called.
    place
        Its rank, or its date; empty where nobody knows.
    score
        Not a number where there is none.
    categories
        Of the item.
    marks
        What else is to be known of it: a hit, seen before, ...
    """

    name: str
    place: str = ""
    score: float = float("nan")
    categories: Sequence[str] = ()
    marks: Sequence[str] = ()

    @property
    def scored(self) -> str:
        """The score as text, empty where there is none."""
        return f"{self.score:.4g}" if self.score == self.score else ""

    @property
    def marked(self) -> str:
        """The marks as text."""
        return ", ".join(self.marks)


@dataclass(frozen=True)
class CardTable:
    """A table of a card.

    Parameters
    ----------
    title
        What its rows are; the heading of their names.
    place
        What their places are.
    entries
        Its rows.
    note
        What it does not show.
    """

    title: str
    place: str
    entries: Sequence[Entry]
    note: str = ""

    def html(self) -> html.Markup:
        """Return the block as a table whose columns all hold something."""
        top = max((one.score for one in self.entries if one.score == one.score), default=0.0)
        columns: list[tuple[str, list[object], bool]] = [
            (self.place, [html.clipped(one.place, _MARKS) for one in self.entries], self.place == "rank"),
            # before the name, so that they are seen where the page is narrow
            ("marks", [html.clipped(one.marked, _MARKS) for one in self.entries], False),
            (self.title, [html.clipped(one.name, _NAME) for one in self.entries], False),
            ("category", [html.clipped(", ".join(one.categories), _KIND) for one in self.entries], False),
            ("score", [one.scored for one in self.entries], True),
            ("", [html.bar(one.score / top, _BAR) if one.scored and top > 0 else "" for one in self.entries], False),
        ]
        told = [column for column in columns if any(column[1]) or column[0] == self.title]
        rows = zip(*(cells for _, cells, _ in told), strict=True)
        numeric = [place for place, column in enumerate(told) if column[2]]
        return html.table([*rows] or [("none",)], [name for name, _, _ in told], numeric, self.note)


@dataclass(frozen=True)
class Card:
    """A user's or an item's card.

    Parameters
    ----------
    heading
        Whose it is.
    facts
        Sentences below the heading.
    past, listed
        What was done, where a history is known, and what is listed.
    categories
        Number of entries by category, of the history and of the list, and how many entries each has.
    notes
        Sentences at the end.
    about
        What a catalogue says of the owner.
    """

    heading: str
    facts: Sequence[str]
    past: CardTable | None
    listed: CardTable
    categories: Sequence[tuple[Mapping[str, int], int]] = ()
    notes: Sequence[str] = ()
    about: Sequence[tuple[str, str]] = field(default_factory=list)

    def view(self) -> View:
        """Return the card as something to look at."""
        about = html.table(self.about) if self.about else ""
        past = self.past.html() if self.past is not None else ""
        fragment = html.lines(
            html.heading(self.heading),
            *self.facts,
            html.beside(about, past, self.listed.html(), self._shares()),
            *self.notes,
        )
        return View(fragment, self._text())

    def _shares(self) -> html.Markup:
        """Return the categories of what was done beside those of what is listed."""
        counted = [(counts, whole) for counts, whole in self.categories if whole]
        names = {name for counts, _ in counted for name in counts}
        if not names:
            return html.Markup("")

        def share(name: str) -> float:
            return sum(counts.get(name, 0) / whole for counts, whole in counted)

        shown = sorted(names, key=lambda name: (-share(name), name))[:_CATEGORIES]
        rows = [
            (html.clipped(name, "12em"), *(f"{counts.get(name, 0) / whole:.0%}" for counts, whole in counted))
            for name in shown
        ]
        titles = [title for title, (_, whole) in zip(("of history", "of list"), self.categories, strict=True) if whole]
        more = f"{len(shown)} of {len(names)} categories" if len(shown) < len(names) else ""
        return html.table(rows, ("category", *titles), range(1, 1 + len(titles)), more)

    def _text(self) -> str:
        past = self.past.entries if self.past is not None else ()
        lefts = [self.past.title if self.past is not None else "", *map(_dated, past)]
        width = max(map(len, lefts))
        rights = [f"{'':>3} {self.listed.title}"]
        rights += [
            f"{one.place:>3} {_cut(one.name):<{_CUT}} {one.scored:<9} {one.marked}" for one in self.listed.entries
        ]
        rows = []
        for left, right in zip_longest(lefts, rights, fillvalue=""):
            rows.append((f"{left:<{width}} | {right}" if width else right).rstrip())
        about = [f"{name}: {value}" for name, value in self.about]
        blocks = [self.past, self.listed] if self.past is not None else [self.listed]
        ends = [f"{block.title}: {block.note}" for block in blocks if block.note]
        return "\n".join([self.heading, *rows, *about, *self.facts, *ends, *self.notes])


def _dated(entry: Entry) -> str:
    """Return an entry of the past with its date."""
    told = ", ".join(filter(None, (entry.place, entry.marked)))
    return f"{_cut(entry.name)} ({told})" if told else _cut(entry.name)


def _cut(name: str) -> str:
    return name if len(name) <= _CUT else f"{name[: _CUT - 1]}…"
