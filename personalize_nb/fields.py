"""The fields of the job form: which widget edits which parameter, and how its text becomes a value. Floor 3.

Numbers are text fields on purpose: ipywidgets' bounded ones change a wrong number silently, and an empty field must
stay possible, because it means "the service's default".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import ipywidgets as widgets

from personalize_nb.requests import BATCH_INFERENCE, THEME_GENERATION, Problem

# Dictionaries, from which every widget makes a style and a layout of its own: a shared one would hide all at once.
_STYLE = {"description_width": "11em"}
_WIDE = {"width": "min(60em, 98%)"}


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
    """

    name: str
    label: str
    parse: Callable[[Any], Any]
    hint: str = ""

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
    tags = {}
    for line in filter(None, map(str.strip, value.splitlines())):
        key, equals, tag = line.partition("=")
        if not equals:
            raise ValueError("must be lines of key=value")
        tags[key.strip()] = tag.strip()
    return tags


def filter_text(value: str) -> list[str] | None:
    """Return filter values from a comma-separated field, or None for an empty one."""
    return [part for part in map(str.strip, value.split(",")) if part] or None


TEXT_FIELDS: dict[str, Field] = {
    field.name: field
    for field in (
        Field("job_name", "Job name", text, "made from the solution's name and the time"),
        Field("num_results", "Number of results", whole_number, "25"),
        Field("item_name", "Item name column", text, "looked up in the schema"),
        Field("exploration_weight", "Exploration weight", number, "0.3; from 0 to 1"),
        Field("exploration_item_age_cut_off", "Exploration age cut-off", number, "30; days, at least 1"),
        Field("popularity", "Influence of popularity", number, "0; from 0 to 1"),
        Field("freshness", "Influence of freshness", number, "0; from 0 to 1"),
        Field("output", "Output folder", text, "a folder of the job's own"),
        Field("role_arn", "Service role", text, "the session's role"),
        Field("input_kms_key_arn", "Input KMS key", text, "none"),
        Field("output_kms_key_arn", "Output KMS key", text, "none"),
    )
}
TAGS = Field("tags", "Tags", tag_lines, "one key=value per line")
INPUT = Field("data", "Input", text, "s3://bucket/file.jsonl, or a folder ending in /")

PANELS: Mapping[str, tuple[str, ...]] = {
    "Exploration and ranking influence": (
        "exploration_weight",
        "exploration_item_age_cut_off",
        "popularity",
        "freshness",
    ),
    "Output, role, keys and tags": ("output", "role_arn", "input_kms_key_arn", "output_kms_key_arn", "tags"),
}


def dropdown(label: str, options: list[tuple[str, str]], value: str) -> widgets.Dropdown:
    """Return a choice of names that stand for ARNs."""
    return widgets.Dropdown(options=options, value=value, description=label, style=_STYLE, layout=_WIDE)


def mode_buttons() -> widgets.RadioButtons:
    """Return the choice between plain recommendations and themes."""
    options = [("Recommendations", BATCH_INFERENCE), ("Recommendations with themes", THEME_GENERATION)]
    return widgets.RadioButtons(options=options, description="Mode", style=_STYLE, layout=_WIDE)


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
