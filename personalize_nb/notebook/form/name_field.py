"""A field that takes one of several names, suggests them, and says which one is nearest to a name that is none of them.

It is a text field with a list that the browser filters while people type, not a list to select from: a `<select>` with
focus hands every key to JupyterLab, where `b` inserts a cell and `d d` deletes one; text fields keep their keys.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Sequence
from typing import Any

import ipywidgets as widgets

from personalize_nb.contract.parameters import named
from personalize_nb.errors import Problem
from personalize_nb.notebook.form.fields import labelled
from personalize_nb.text.values import one_line

_HOW = "type to search, or press the down arrow for the list"


class NameField(widgets.Combobox):  # type: ignore[misc]  # ipywidgets has no types
    """A text field for one of several names; its `value` is the text, which may be a name, or what it stands for.

    Parameters
    ----------
    name
        The parameter that it is for.
    options
        Names and what they stand for.
    chosen
        What is chosen at first.
    empty
        The name of what an empty field stands for, where that is legal; what it stands for is among the options.

    Attributes
    ----------
    chosen
        What the text stands for; as long as that is nothing, what it stood for before.
    """

    def __init__(self, name: str, options: Sequence[tuple[str, str]], chosen: str, empty: str | None = None):
        # a half-typed name is no choice: it counts when the field is left, a suggestion is taken or Enter is pressed
        super().__init__(continuous_update=False, placeholder=empty or _HOW)
        self.name, self.chosen, self._empty = name, chosen, empty
        self._names: dict[str, str] = {}
        labelled(self, named(name).label, f"{name} of pnb.recommend; {_HOW}")
        self._list(options)
        self.value = self._text(chosen)
        self.observe(self._settle, "value")

    def offer(self, options: Sequence[tuple[str, str]], chosen: str | None = None) -> None:
        """Suggest other options; a text that named none of them before stays, and is a problem still.

        Parameters
        ----------
        options
            As at first.
        chosen
            What is chosen now, under whatever name the options have for it; by default the text stays.
        """
        typed = self.problem is not None
        self._list(options)
        if chosen is not None and not typed:
            self.chosen, self.value = chosen, self._text(chosen)
        self._settle()

    def _list(self, options: Sequence[tuple[str, str]]) -> None:
        printable = [(one_line(label), value) for label, value in options]
        often = Counter(label for label, _ in printable)
        self._names = {}
        for number, (label, value) in enumerate(printable, 1):
            name = label if label and often[label] == 1 else f"{label} [{value.rsplit('/', 1)[-1]}]".strip()
            self._names[f"{name} [{number}]" if name in self._names else name] = value
        self.options = tuple(self._names)

    def _settle(self, _change: Any = None) -> None:
        """Follow the text: an ARN, or a name in other letters, becomes the name as the list has it."""
        found = self._found()
        if found is not None:
            self.chosen, self.value = found, self._text(found)

    def _text(self, value: str) -> str:
        name = next((name for name, one in self._names.items() if one == value), "")
        return "" if name == self._empty else name

    def _found(self) -> str | None:
        """Return what the text stands for: a name, or the first that begins with it as a whole, or a value itself."""
        text = one_line(self.value)
        if not text:
            return None if self._empty is None else self._names.get(self._empty)
        if text in self._names:
            return self._names[text]
        if text in self._names.values():
            return text
        folded = text.casefold()
        begun = (value for name, value in self._names.items() if _short(name) == folded or name.casefold() == folded)
        return next(begun, None)

    @property
    def problem(self) -> Problem | None:
        """What is wrong with the text, if it stands for nothing."""
        if self._found() is not None:
            return None
        label, text = named(self.name).label, one_line(self.value)
        if not text:
            return Problem(self.name, f"{label} is empty: choose one of the {len(self._names)} ({_HOW}).")
        told = f"{label} {text!r} is none of the {len(self._names)} there are"
        return Problem(self.name, f"{told}; the nearest is {self._nearest(text)!r}. Choose one: {_HOW}.")

    def _nearest(self, text: str) -> str:
        folded = text.casefold()
        names = [name for name in self._names if name != self._empty] or list(self._names)
        within = [name for name in names if folded in name.casefold()]
        shorts = {_short(name): name for name in reversed(names)}
        return within[0] if within else shorts[difflib.get_close_matches(folded, shorts, n=1, cutoff=0)[0]]


def _short(name: str) -> str:
    """Return a name without what stands in brackets behind it."""
    return name.split(" (", 1)[0].casefold()
