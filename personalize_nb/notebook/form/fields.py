"""The fields of the job form: which widget edits which parameter, how values become text and text values.

Numbers are text fields on purpose: ipywidgets' bounded ones change a wrong number silently, and an empty field must
stay possible, because it means "the service's default".
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import ipywidgets as widgets

from personalize_nb.contract import limits, recipes
from personalize_nb.jobs.request import BATCH_INFERENCE, THEME_GENERATION, Problem
from personalize_nb.resources import filters

# Dictionaries, from which every widget makes a style and a layout of its own: a shared one would hide all at once.
_STYLE = {"description_width": "13em"}
_WIDE = {"width": "min(62em, 98%)"}


@dataclass(frozen=True)
class Field:
    """One parameter in the form.

    Parameters
    ----------
    name
        The parameter's name in `pnb.recommend`.
    label
        What the form calls it; unique, so that screen readers and tests find it.
    parse
        Turns the widget's value into the parameter's; raises ValueError with what is legal.
    hint
        What an empty field means.
    fact
        The member of `recipes.Recipe` that says whether a recipe takes the parameter; every recipe does without.
    """

    name: str
    label: str
    parse: Callable[[Any], Any]
    hint: str = ""
    fact: str = ""

    def text_widget(self, value: str = "") -> widgets.Text:
        """Return a one-line field for this parameter."""
        return widgets.Text(value, description=self.label, placeholder=self.hint, style=_STYLE, layout=_WIDE)


def text(value: str) -> str | None:
    """Return the text without space around it, or None for an empty field."""
    return value.strip() or None


def whole_number(value: str) -> int | None:
    """Return a whole number, or None for an empty field."""
    if not value.strip():
        return None
    try:
        return int(value.strip())
    except ValueError:
        raise ValueError("must be a whole number") from None


def jobs_at_once(value: str) -> int | None:
    """Return how many jobs of a run may be under way, or None for an empty field."""
    count = whole_number(value)
    if count is not None and count < 1:
        raise ValueError("must be 1 or more")
    return count


def number(value: str) -> float | None:
    """Return a number, or None for an empty field."""
    if not value.strip():
        return None
    try:
        return float(value.strip())
    except ValueError:
        raise ValueError("must be a number") from None


def tag_lines(value: str) -> dict[str, str]:
    """Return tags from lines of `key=value`."""
    tags: dict[str, str] = {}
    for line in filter(None, map(str.strip, value.splitlines())):
        key, equals, tag = map(str.strip, line.partition("="))
        if not equals:
            raise ValueError("must be lines of key=value")
        if key in tags:
            raise ValueError(f"must name each key once, {key!r} is there twice")
        tags[key] = tag
    return tags


def filter_text(value: str) -> list[str] | None:
    """Return filter values from a comma-separated field, or None for an empty one.

    Examples
    --------
    >>> filter_text('crime, "Paris, London"')
    ['crime', 'Paris, London']
    """
    cells = next(csv.reader([value], skipinitialspace=True), [])
    return [part for part in map(str.strip, cells) if part] or None


def shown(name: str, value: Any) -> str:
    """Return what a field shows for a parameter given in code.

    Examples
    --------
    >>> shown("num_results", 10), shown("tags", {"team": "books"})
    ('10', 'team=books')
    """
    if value is None:
        return ""
    if name == "tags" and isinstance(value, Mapping):
        return "\n".join(f"{key}={tag}" for key, tag in value.items())
    return str(value)


def shown_values(value: Any) -> str:
    """Return filter values given in code as the field shows them.

    Examples
    --------
    >>> shown_values(["crime", "Paris, London"]), shown_values(9.0)
    ('crime, "Paris, London"', '9')
    """
    texts = filters.unquoted(filters.quoted(value) or "").split("|")
    cells = []
    for one in texts:
        cell = io.StringIO()
        csv.writer(cell, lineterminator="").writerow([one])
        cells.append(cell.getvalue())
    return ", ".join(cells) if texts != [""] else ""


def not_taken(field: Field) -> str:
    """Return the hint of a field that a recipe does not take: which recipes do.

    Examples
    --------
    >>> not_taken(TEXT_FIELDS["exploration_weight"])
    'not for this recipe (for aws-user-personalization)'
    """
    takers = [facts.name for facts in recipes.RECIPES.values() if getattr(facts, field.fact)]
    return f"not for this recipe (for {', '.join(takers)})"


TEXT_FIELDS: dict[str, Field] = {
    field.name: field
    for field in (
        Field("job_name", "Job name", text, "empty: made from the solution's name and the time, at the start"),
        Field("num_results", "Number of results", whole_number, "25"),
        Field("item_name", "Item name column", text, "looked up in the schema"),
        Field("at_once", "Jobs at a time", jobs_at_once, f"{limits.MAX_JOBS_IN_PROGRESS}; where several are needed"),
        Field("exploration_weight", "Exploration weight", number, "0.3; from 0 to 1", "exploration"),
        Field(
            "exploration_item_age_cut_off",
            "Exploration age cut-off",
            number,
            "30; days, at least 1",
            "exploration",
        ),
        Field("popularity", "Influence of popularity", number, "0; from 0 to 1", "ranking_influence"),
        Field("freshness", "Influence of freshness", number, "0; from 0 to 1", "ranking_influence"),
        Field("output", "Output folder", text, "a folder of the job's own"),
        Field("role_arn", "Service role", text, "the session's role"),
        Field("input_kms_key_arn", "Input KMS key", text, "none"),
        Field("output_kms_key_arn", "Output KMS key", text, "none"),
    )
}
TAGS = Field("tags", "Tags", tag_lines, "one key=value per line")
INPUT = Field("data", "Input", text, "s3://bucket/file.jsonl, or a folder ending in /")
INFLUENCES = {"POPULARITY": "popularity", "FRESHNESS": "freshness"}
OF_THEMES = ("item_name", "at_once")  # shown in the mode of themes only

PANELS: Mapping[str, tuple[str, ...]] = {
    "Exploration and ranking influence": (
        "exploration_weight",
        "exploration_item_age_cut_off",
        "popularity",
        "freshness",
    ),
    "Output, role, keys and tags": ("output", "role_arn", "input_kms_key_arn", "output_kms_key_arn", "tags"),
}

# The API's names of what a request holds, and what the form calls it.
_LABELS = {
    **{field.name: field.label for field in (*TEXT_FIELDS.values(), TAGS)},
    "mode": "Mode",
    "input_path": "Input",
    "output_path": "Output folder",
    "solution_version_arn": "Solution",
    "filter_arn": "Filter",
    "filter_values": "Filter values",
    "ranking_influence": "Ranking influence",
    **{f"ranking_influence' {key}": TEXT_FIELDS[name].label for key, name in INFLUENCES.items()},
}
_NAMED = re.compile("(?<!got )'(" + "|".join(sorted(_LABELS, key=len, reverse=True)) + r")(?:'|\b)")


def spoken(told: str) -> str:
    """Return a message about a request in the form's words: labels instead of the API's names.

    Examples
    --------
    >>> spoken("'num_results' must be a whole number from 1, got 0.")
    'Number of results must be a whole number from 1, got 0.'
    >>> spoken("'ranking_influence' POPULARITY must be from 0 to 1, got 2.0.")
    'Influence of popularity must be from 0 to 1, got 2.0.'
    """
    asked = told.replace("pass item_name='...'", f"name one in {TEXT_FIELDS['item_name'].label}")
    return _NAMED.sub(lambda found: _LABELS[found[1]], asked)


def dropdown(label: str, options: list[tuple[str, str]], value: str) -> widgets.Dropdown:
    """Return a choice of names that stand for ARNs."""
    return widgets.Dropdown(options=options, value=value, description=label, style=_STYLE, layout=_WIDE)


def modes(themes: bool) -> list[tuple[str, str]]:
    """Return the modes to choose from for a recipe that makes themes, or for one that does not."""
    if themes:
        return [("Recommendations", BATCH_INFERENCE), ("Recommendations with themes", THEME_GENERATION)]
    return [("Recommendations (themes are for aws-similar-items)", BATCH_INFERENCE)]


def tags_area() -> widgets.Textarea:
    """Return the field for tags."""
    return widgets.Textarea(description=TAGS.label, placeholder=TAGS.hint, style=_STYLE, layout=_WIDE)


def parsed(field: Field, value: Any, found: list[Problem]) -> Any:
    """Return the field's value; what it cannot be is added to the problems found, and None returned."""
    try:
        return field.parse(value)
    except ValueError as error:
        found.append(Problem(field.name, f"{field.label} {error}, got {value!r}."))
        return None
