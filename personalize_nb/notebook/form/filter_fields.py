"""Fields for the values of a filter's placeholders: what the data hold is suggested, and values are judged as typed.

A value that the data do not have is asked about and sent all the same: data change, and only their beginning is known.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

import ipywidgets as widgets

from personalize_nb.contract import limits
from personalize_nb.errors import WARNING, Problem
from personalize_nb.inputs.filter_columns import is_number
from personalize_nb.notebook.form import fields
from personalize_nb.resources.filters import Filter
from personalize_nb.resources.known_values import ColumnValues
from personalize_nb.text.counts import counted

_SUGGESTED = 200


class FilterFields:
    """The fields for what a filter asks for, which come and go with it.

    Parameters
    ----------
    given
        What code gave: texts of fields, or series with a value for each record, which no field can show.
    changed
        What is to be done when a value changes.

    Attributes
    ----------
    fields
        The fields by placeholder.
    box
        All of them, to display.
    """

    def __init__(self, given: Mapping[str, Any], changed: Callable[[Any], None]):
        self.given, self._changed = given, changed
        self.fields: dict[str, Any] = {}
        self.box = widgets.VBox()
        self._filter: Filter | None = None

    def follow(self, chosen: Filter | None, columns: Collection[str] | None, known: Mapping[str, ColumnValues]) -> None:
        """Have the fields of another filter, or of other data; what was typed stays where it is asked for again.

        Parameters
        ----------
        chosen
            The filter.
        columns
            Those of the data, which bring values of their own; None of input in S3, whose lines bring all of them.
        known
            What the data of the training hold, by placeholder.
        """
        brought = {name.lower() for name in columns or ()}
        wanted = chosen.placeholders if chosen is not None and columns is not None else ()
        asked = [name for name in wanted if name.lower() not in brought or name in self.given]
        before, same = self.fields, chosen == self._filter
        self.fields, self._filter = {}, chosen
        for name in asked:
            if chosen is None or not isinstance(text := self.given.get(name, ""), str):
                continue
            if name in before:
                text = before[name].value
            self.fields[name] = before[name] if same and name in before else self._field(name, text, chosen, known)
        self.box.children = tuple(self.fields.values())

    def texts(self, chosen: Filter | None) -> dict[str, Any]:
        """Return what is to be sent by placeholder: texts of fields, and series that code gave."""
        wanted = chosen.placeholders if chosen else ()
        fixed = {name: one for name, one in self.given.items() if name in wanted and not isinstance(one, str)}
        return fixed | {name: one.value for name, one in self.fields.items()}

    def _field(self, name: str, text: str, chosen: Filter, known: Mapping[str, ColumnValues]) -> Any:
        number = name in chosen.numbers
        hint = "one number for every line" if number else "values for every line, comma separated"
        label = f"${name} (number)" if number else f"${name}"
        made = widgets.Combobox(value=text, placeholder=hint, ensure_option=False)
        made = fields.labelled(made, label, f"{name} of the filter: {hint}")  # two dollar signs would be a formula
        made.add_class("pnb-grows")  # its text stays while it has the focus: another value may follow
        suggest(made, known.get(name))

        def changed(change: Any) -> None:
            suggest(made, known.get(name))
            self._changed(change)

        made.observe(changed, "value")
        return made


def suggest(made: Any, known: ColumnValues | None) -> None:
    """Suggest what may come next: the values that are there already stay before it."""
    if known is None:
        return
    before, _, begun = made.value.rpartition(",")
    there = set(fields.filter_text(made.value) or ())
    if begun.strip() in known.values:  # it is whole: another one may follow
        before = made.value
    lead = f"{before.rstrip()}, " if before.strip() else ""
    left = [one for one in known.values if one not in there]
    made.options = [f"{lead}{fields.shown_values([one])}" for one in left[:_SUGGESTED]]


def problems(values: Mapping[str, Any], chosen: Filter | None, known: Mapping[str, ColumnValues]) -> list[Problem]:
    """Return what is wrong with values that are typed for every line, and what is strange about them.

    Parameters
    ----------
    values
        Lists of texts by placeholder; what has a value for each line is judged with the data.
    chosen
        The filter.
    known
        What the data hold, by placeholder.
    """
    found = []
    for name, texts in values.items():
        if chosen is None or name not in chosen.placeholders or not isinstance(texts, list):
            continue
        if name in chosen.numbers and (len(texts) != 1 or not is_number(texts[0])):
            got = ", ".join(map(repr, texts))
            text = f"${name} must be one number, because filter {chosen.name!r} compares with it, got {got}."
            found.append(Problem("filter_values", text))
            continue
        most = limits.MAX_FILTER_VALUE_CHARACTERS
        size = sum(len(one) + 3 for one in texts) - 1
        if size > most:
            got = f"{counted(len(texts), 'value')} of {size:,} characters, {texts[0][:40]!r}, ..."
            text = f"${name} takes values of at most {most} characters together, got {got}."
            found.append(Problem("filter_values", text))
            continue
        asked = known.get(name)
        questions = [asked.question(name, one) for one in texts] if asked is not None else []
        found += [Problem("filter_values", question, WARNING) for question in questions if question]
    return found


def usable(values: Mapping[str, Any], found: list[Problem]) -> dict[str, Any]:
    """Return the values of which no error is told: the others would be told of a second time, in other words."""
    wrong = [problem.text.partition(" ")[0].removeprefix("$") for problem in found if problem.level != WARNING]
    return {name: value for name, value in values.items() if name not in wrong}
