"""What a form begins with: the parameters of `pnb.recommend` as texts of fields, and which fields a recipe takes.

Presetting is the main use of a form in a shared notebook, so the form takes what the one-liner takes.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from personalize_nb import errors
from personalize_nb.contract import recipes
from personalize_nb.jobs import recommend
from personalize_nb.jobs.request import BATCH_INFERENCE, Problem
from personalize_nb.notebook.form import fields
from personalize_nb.notebook.form.fields import INFLUENCES, TEXT_FIELDS
from personalize_nb.resources.filters import Filter, find_filter
from personalize_nb.resources.solutions import SolutionVersion, find_solution_version
from personalize_nb.session.session import Session


@dataclass(frozen=True)
class Presets:
    """Values for a form's widgets: texts by field, the mode, a filter, and filter values.

    Filter values are texts of fields, or series with a value for each record, which no field can show.
    """

    texts: dict[str, str]
    mode: str
    filter: Filter | None
    filter_values: dict[str, Any]


def legal_names() -> list[str]:
    """Return what a form may be given: every parameter of `pnb.recommend`."""
    return [
        name for name in inspect.signature(recommend.recommend).parameters if name not in ("data", "solution_version")
    ]


def check_names(given: Iterable[str]) -> None:
    """Refuse parameters that `pnb.recommend` does not have."""
    unknown = [name for name in given if name not in legal_names()]
    if unknown:
        raise TypeError(f"a form has no parameter {unknown}; it takes those of pnb.recommend: {legal_names()}")


def texts(given: Mapping[str, Any], session: Session) -> Presets:
    """Return parameters of `pnb.recommend` as a form's widgets take them."""
    rest = dict(given)
    mode, wanted = rest.pop("mode", None) or BATCH_INFERENCE, rest.pop("filter", None)
    legal = [value for _, value in fields.modes(themes=True)]
    if mode not in legal:
        raise errors.RequestError([Problem("mode", f"'mode' must be one of {', '.join(legal)}, got {mode!r}.")])
    values = _values(rest.pop("filter_values", None) or {})
    influence = rest.pop("ranking_influence", None) or {}
    if not isinstance(influence, Mapping) or set(influence) - set(INFLUENCES):
        text = f"'ranking_influence' must map {' and '.join(INFLUENCES)} to numbers from 0 to 1, got {influence!r}."
        raise errors.RequestError([Problem("ranking_influence", text)])
    rest |= {INFLUENCES[key]: value for key, value in influence.items()}
    return Presets(
        {name: fields.shown(name, value) for name, value in rest.items()},
        mode,
        find_filter(wanted, session) if wanted is not None else None,
        values,
    )


def _values(given: Any) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        if isinstance(given, str) or not all(isinstance(name, str) for name in given):
            raise errors.InputError(f"'filter_values' must be a mapping or a list of column names, got {given!r}.")
        return {}  # columns of the filter's placeholders are taken from the frame anyway
    return {name: value if _per_record(value) else fields.shown_values(value) for name, value in given.items()}


def _per_record(value: Any) -> bool:
    return hasattr(value, "dtype") and getattr(value, "ndim", 0) == 1


def solution(wanted: SolutionVersion | str | None, options: list[tuple[str, str]], session: Session) -> str:
    """Return the ARN of the solution version to choose at first."""
    if wanted is None:
        return options[0][1]
    arn = find_solution_version(wanted, session).arn
    if arn not in dict(options).values():
        raise errors.NotFoundError(f"Solution version {arn!r} is not ACTIVE yet; wait for it, then make the form.")
    return arn


def filter_name(wanted: Filter | None, options: list[tuple[str, str]]) -> str:
    """Return the name of the filter to choose at first, empty for none."""
    if wanted is not None and wanted.name not in dict(options):
        raise errors.NotFoundError(f"Filter {wanted.name!r} is {wanted.status}; wait until it is ACTIVE.")
    return wanted.name if wanted is not None else ""


def fit(widgets: Mapping[str, Any], recipe: str, put_away: dict[str, str]) -> None:
    """Enable the fields that a recipe takes and disable the others.

    Parameters
    ----------
    widgets
        The form's widgets by name.
    recipe
        The recipe's name; one that is not known takes everything.
    put_away
        Values of disabled fields by name: changed here, and given back to fields that are enabled again.
    """
    facts = recipes.recipe_of(recipe)
    for name, field in TEXT_FIELDS.items():
        if not field.fact:
            continue
        widget, taken = widgets[name], facts is None or getattr(facts, field.fact)
        if not taken and widget.value:
            put_away[name], widget.value = widget.value, ""
        elif taken and name in put_away:
            widget.value = put_away.pop(name)
        widget.disabled = not taken
        widget.placeholder = field.hint if taken else fields.not_taken(field)
    mode, themes = widgets["mode"], facts is None or facts.themes
    wanted = put_away.pop("mode", mode.value) if themes else mode.value
    mode.options = fields.modes(themes)
    if not themes and wanted != BATCH_INFERENCE:
        put_away["mode"] = wanted
    mode.value = wanted if themes else BATCH_INFERENCE


def idle(put_away: Mapping[str, str], recipe: str) -> list[str]:
    """Say which values are kept but not sent, because the recipe does not take them."""
    told = [
        f"{TEXT_FIELDS[name].label} {value} is not sent: {recipe} does not take it."
        for name, value in put_away.items()
        if name != "mode"
    ]
    return told + ([f"Themes are not asked for: {recipe} makes none."] if "mode" in put_away else [])
