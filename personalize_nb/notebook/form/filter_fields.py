"""Fields for the values of a filter's placeholders: what the data hold is suggested, and values are judged as typed.

A value that the data do not have is asked about and sent all the same: data change, and only their beginning is known.
"""

from __future__ import annotations

from collections.abc import Mapping
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


def widget(name: str, text: str, chosen: Filter, known: Mapping[str, ColumnValues]) -> Any:
    """Return a field for the values of a placeholder.

    Parameters
    ----------
    name
        The placeholder.
    text
        What it holds at first.
    chosen
        The filter.
    known
        What the data hold, by placeholder.
    """
    number = name in chosen.numbers
    hint = "one number for every line" if number else "values for every line, comma separated"
    tip = f"${name} of {chosen.expression}"
    made = fields.labelled(
        widgets.Combobox(value=text, placeholder=hint, ensure_option=False),
        f"${name}{' (number)' if number else ''}",
        tip,
    )
    suggest(made, known.get(name))
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
