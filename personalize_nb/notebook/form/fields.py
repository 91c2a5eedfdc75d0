"""The fields of the job form, made from the table of parameters.

What they hold at first, and how values become text and text values.

Numbers are text fields on purpose: ipywidgets' bounded ones change a wrong number silently, and an empty field must
stay possible, because it means "the service's default".
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import ipywidgets as widgets

from personalize_nb import errors
from personalize_nb.contract import parameters, recipes
from personalize_nb.contract.job_kinds import INFERENCE, SEGMENTS
from personalize_nb.contract.parameters import BATCH_INFERENCE, THEME_GENERATION, THEMES, Parameter, named
from personalize_nb.errors import Problem
from personalize_nb.inputs.filter_columns import is_each
from personalize_nb.jobs import arguments
from personalize_nb.jobs.parts import LIMITS, limits_in
from personalize_nb.resources import filter_texts
from personalize_nb.resources.filters import Filter, find_filter
from personalize_nb.session.session import Session
from personalize_nb.text import html
from personalize_nb.text.elements import is_list

DATA, SOLUTION, FILTER, MODE = "data", "solution_version", "filter", "mode"
_CHOSEN = (SOLUTION, FILTER, MODE)  # from a list
_NAMED = r"(?<!got )'({})(?:'|\b)"


@dataclass(frozen=True)
class FormField:
    """A text field of the form.

    Parameters
    ----------
    row
        The parameter, or the mapping that it is a part of.
    part
        The key, where it is a part.
    """

    row: Parameter
    part: str = ""

    @property
    def name(self) -> str:
        """The name of its widget."""
        return self.part.lower() or self.row.name

    @property
    def label(self) -> str:
        """What the form calls it."""
        return self.row.parts[self.part] if self.part else self.row.label

    @property
    def title(self) -> str:
        """What stands beside it: the label, and what its numbers mean."""
        measure = self.row.kind.measure
        return f"{self.label} ({measure})" if measure else self.label

    def widget(self, value: str = "") -> Any:
        """Return a widget that edits it."""
        kind = widgets.Textarea if self.row.kind.lines else widgets.Text
        tip = f"{self.row.name} of pnb.recommend"
        if self.row.hint:
            tip += f"; {self.row.hint}"
        made = kind(value, placeholder=self.row.hint, continuous_update=not self.row.kind.place)
        return labelled(made, self.title, tip)

    def fit(self, widget: Any, facts: recipes.Recipe | None) -> None:
        """Enable a widget where a recipe takes the parameter, and disable it where not, with a word on who does."""
        need = self.row.need
        takers = need.takers if need else "recommendations"
        widget.disabled = not self.taken(facts)
        widget.placeholder = f"not for this recipe (for {takers})" if widget.disabled else self.row.hint

    def taken(self, facts: recipes.Recipe | None) -> bool:
        """Tell whether a recipe takes the parameter; one that is not known takes everything."""
        kind = SEGMENTS if facts is not None and facts.segments else INFERENCE
        return facts is None or (kind in self.row.jobs and (self.row.need is None or self.row.need.met(facts)))

    def parsed(self, text: str, problems: list[Problem]) -> Any:
        """Return the field's value; what it cannot be is added to the problems, and None returned."""
        kind = self.row.kind
        try:
            value = kind.parse(text)
            if value is not None and not self.row.member and (wrong := kind.outside(value)):
                raise ValueError(wrong)  # of what the API takes, its rules tell
        except ValueError as error:
            problems.append(Problem(self.name, f"{self.label} {error}, got {text!r}."))
            return None
        return value


def text_fields() -> dict[str, FormField]:
    """Return the fields that are texts, by name: all but the data and what is chosen from a list."""
    rows = [row for row in parameters.PARAMETERS if row.panel is not None and row.name not in (DATA, *_CHOSEN)]
    fields = [FormField(row, part) for row in rows for part in row.parts or ("",)]
    return {field.name: field for field in fields}


def labelled(widget: Any, label: str, tip: str) -> Any:
    """Give a widget its label and its tooltip, and the form's looks; every field of the form comes from here.

    ipywidgets shows the tooltip of a text field only where it has no label, so the label has it.
    """
    widget.tooltip = tip
    widget.description, widget.description_allow_html = html.tip(label, tip), True
    widget.style.description_width = "initial"  # not 80 pixels; the form's style sheet says how wide
    widget.layout.width = "auto"
    widget.add_class("pnb-field")
    return widget


def panel(title: str) -> list[str]:
    """Return the names of the widgets of a panel, from its top."""
    texts: dict[str, list[str]] = {}
    for field in text_fields().values():
        texts.setdefault(field.row.name, []).append(field.name)
    rows = sorted((row for row in parameters.PARAMETERS if row.panel == title), key=lambda row: row.place)
    return [name for row in rows for name in texts.get(row.name, [row.name])]


def named_problem(problem: Problem) -> Problem:
    """Return a problem that names its field as the form does."""
    labels = {row.name: row.label for row in parameters.PARAMETERS}
    labels |= {row.attribute: row.label for row in parameters.PARAMETERS}
    labels |= {name: field.label for name, field in text_fields().items()}
    return replace(problem, field=labels.get(problem.field) or problem.field)


def hide_other_modes(widgets: Mapping[str, Any]) -> None:
    """Hide the fields of parameters that mean nothing in the mode that is chosen, and of those put away."""
    hidden = [row.name for row in parameters.PARAMETERS if row.mode not in (None, widgets[MODE].value)]
    for name, field in text_fields().items():
        away = field.row.name in hidden or widgets[name].disabled
        widgets[name].layout.display = "none" if away else ""


def filter_text(value: str) -> list[str] | None:
    """Return filter values from a comma-separated field, or None for an empty one.

    Examples
    --------
    >>> filter_text('crime, "Paris, London"')
    ['crime', 'Paris, London']
    """
    cells = next(csv.reader([value], skipinitialspace=True), [])
    return [part for part in map(str.strip, cells) if part] or None


def shown_values(value: Any) -> str:
    """Return filter values given in code as the field shows them.

    Examples
    --------
    >>> shown_values(["crime", "Paris, London"]), shown_values(9.0)
    ('crime, "Paris, London"', '9')
    """
    texts = filter_texts.values(filter_texts.quoted(value) or "")
    cells = []
    for text in texts:
        cell = io.StringIO()
        csv.writer(cell, lineterminator="").writerow([text])
        cells.append(cell.getvalue())
    return ", ".join(cells)


def spoken(message: str) -> str:
    """Return a message about a request in the form's words: labels instead of the API's names.

    Examples
    --------
    >>> spoken("'num_results' must be a whole number from 1, got 0.")
    'Number of results must be a whole number from 1, got 0.'
    >>> spoken("'ranking_influence' POPULARITY must be from 0 to 1, got 2.0.")
    'Influence of popularity must be from 0 to 1, got 2.0.'
    """
    labels = {}
    for row in parameters.PARAMETERS:
        if row.label:
            labels[row.attribute] = row.label
            labels |= {f"{row.attribute}' {part}": label for part, label in row.parts.items()}
    asked = message.replace("pass item_name='...'", f"name one in {labels['item_name']}")
    names = "|".join(sorted(labels, key=len, reverse=True))
    return re.sub(_NAMED.format(names), lambda match: labels[match[1]], asked)


def mode_widget(mode: str) -> Any:
    """Return a field that shows all modes at once."""
    return labelled(
        widgets.RadioButtons(options=modes(themes=True), value=mode), named(MODE).label, "mode of pnb.recommend"
    )


def modes(themes: bool, segments: bool = False) -> list[tuple[str, str]]:
    """Return the modes to choose from for a recipe that makes themes or segments, or for one that does not."""
    if segments:
        return [("Segments of users", BATCH_INFERENCE)]
    if themes:
        return [("Recommendations", BATCH_INFERENCE), ("Recommendations with themes", THEME_GENERATION)]
    return [(f"Recommendations (themes are for {THEMES.takers})", BATCH_INFERENCE)]


@dataclass(frozen=True)
class Presets:
    """Values for a form's widgets: texts by field, the mode, a filter, filter values, and what has no field.

    Presetting is the main use of a form in a shared notebook, so the form takes what the one-liner takes. Filter values
    are texts of fields, or series with a value for each record, which no field can show.
    """

    texts: dict[str, str]
    mode: str
    filter: Filter | None
    filter_values: dict[str, Any]
    without_field: dict[str, Any]


def legal_names() -> list[str]:
    """Return what a form may be given: every parameter of `pnb.recommend`."""
    return parameters.names(DATA, SOLUTION)


def check_names(given: Mapping[str, Any]) -> None:
    """Refuse parameters that `pnb.recommend` does not have."""
    arguments.check_names(
        given, "JobForm", [DATA, SOLUTION, "session", "items", *(one for one in legal_names() if one != "session")]
    )
    limits_in(given)


def check_one(solution_version: Any, chosen: Any) -> None:
    """Refuse several models or filters, of which a form asks one."""
    for name, value in ((SOLUTION, solution_version), (FILTER, chosen)):
        if is_list(value):
            raise errors.ArgumentError(
                f"a form takes one {name!r}, got a list: choose one. Several side by side are one run of "
                f"pnb.recommend(data, {'[model, other]' if name == SOLUTION else 'model, filter=[None, other]'})."
            )


def presets(given: Mapping[str, Any], session: Session) -> Presets:
    """Return parameters of `pnb.recommend` as a form's widgets take them."""
    mode, wanted = given.get(MODE) or BATCH_INFERENCE, given.get(FILTER)
    for text in named(MODE).kind.problems(MODE, mode):
        raise errors.RequestError([Problem(MODE, text)])
    texts = {}
    for field in text_fields().values():
        value = given.get(field.row.name)
        if field.part:
            value = _parts(field.row, value).get(field.part)
        if value is not None:
            texts[field.name] = field.row.kind.shown(value)
    return Presets(
        texts,
        mode,
        find_filter(wanted, session) if wanted is not None else None,
        _filter_values(given.get("filter_values")),
        {name: given[name] for name in (*LIMITS, "reuse") if given.get(name)},
    )


def _parts(row: Parameter, value: Any) -> Mapping[str, Any]:
    if not isinstance(value or {}, Mapping) or set(value or {}) - set(row.parts):
        text = f"{row.name!r} must map {' and '.join(row.parts)} to numbers from 0 to 1, got {value!r}."
        raise errors.RequestError([Problem(row.name, text)])
    return value or {}


def _filter_values(given: Any) -> dict[str, Any]:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        if not isinstance(given, list | tuple) or not all(isinstance(name, str) for name in given):
            told = f"'filter_values' must be a mapping or a list of column names, got {errors.received(given)}."
            raise errors.InputError(told)
        return {}  # columns of the filter's placeholders are taken from the frame anyway
    return {name: value if is_each(value) else shown_values(value) for name, value in given.items()}


def fit(form_widgets: Mapping[str, Any], recipe: str, put_away: dict[str, str]) -> None:
    """Enable the fields that a recipe takes and disable the others.

    Parameters
    ----------
    form_widgets
        The form's widgets by name.
    recipe
        The recipe's name; one that is not known takes everything.
    put_away
        Values of disabled fields by name: changed here, and given back to fields that are enabled again.
    """
    facts = recipes.recipe_of(recipe)
    for name, field in text_fields().items():
        if field.row.need is None and SEGMENTS in field.row.jobs:
            continue
        widget, taken = form_widgets[name], field.taken(facts)
        if not taken and widget.value:
            put_away[name], widget.value = widget.value, ""
        elif taken and name in put_away:
            widget.value = put_away.pop(name)
        field.fit(widget, facts)
    mode, themes = form_widgets[MODE], facts is None or facts.themes
    wanted = put_away.pop(MODE, mode.value) if themes else mode.value
    mode.options = modes(themes, facts is not None and facts.segments)
    if not themes and wanted != BATCH_INFERENCE:
        put_away[MODE] = wanted
    mode.value = wanted if themes else BATCH_INFERENCE


def idle(put_away: Mapping[str, str], recipe: str) -> list[str]:
    """Say which values are kept but not sent, because the recipe does not take them."""
    fields = text_fields()
    told = [
        f"{fields[name].label} {value} is not sent: {recipe} does not take it."
        for name, value in put_away.items()
        if name in fields
    ]
    if away := put_away.get(FILTER):
        told.append(f"Filter {away} is not sent: it is not of the data of this solution, or not of what its jobs make.")
    return told + ([f"Themes are not asked for: {recipe} makes none."] if MODE in put_away else [])
