"""What a local service is told of themes: the generator that writes them, its options, the items that a file may hold.

Given to `local.start` or by the environment variable `PERSONALIZE_NB_THEMES`, kept in the service's folder for its
owner's eyes only (options may be keys), and read by the worker at every job. Cheap to import.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from personalize_nb.contract.limits import MAX_THEME_RECORDS_PER_FILE
from personalize_nb.errors import LocalServiceError
from personalize_nb.local.state import platform

VARIABLE = "PERSONALIZE_NB_THEMES"
FILE = "themes.json"
DEFAULT = "extractive"
_GENERATOR, _ITEMS = "generator", "items_per_file"


@dataclass(frozen=True)
class ThemeSettings:
    """The settings of one service.

    Parameters
    ----------
    generator
        The name of an installed generator.
    items_per_file
        Items that an input file of a theme job may hold; AWS's limit unless it is lifted.
    options
        What the generator takes.
    """

    generator: str = DEFAULT
    items_per_file: int = MAX_THEME_RECORDS_PER_FILE
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)


def parse(given: str | Mapping[str, Any]) -> ThemeSettings:
    """Return settings from an argument or a variable.

    Parameters
    ----------
    given
        A generator's name, or `generator` with its options and `items_per_file`, as a mapping or as text:
        `generator=openai,model=llama3.2`.

    Raises
    ------
    LocalServiceError
        Something in it is not legal.

    Examples
    --------
    >>> parse("generator=openai,model=llama3.2").options
    {'model': 'llama3.2'}
    """
    values = dict(given) if isinstance(given, Mapping) else _read_text(given)
    generator = str(values.pop(_GENERATOR, DEFAULT))
    number = values.pop(_ITEMS, MAX_THEME_RECORDS_PER_FILE)
    if not str(number).isdecimal() or int(number) < 1:
        raise LocalServiceError(f"{_ITEMS!r} must be a whole number from 1, got {number!r}")
    settings = ThemeSettings(generator, int(number), values)
    if settings.generator != DEFAULT or settings.options:
        _check(settings)
    return settings


def from_environment(environment: Mapping[str, str]) -> str | None:
    """Return what the environment says of themes, or None."""
    return environment.get(VARIABLE, "").strip() or None


def keep(root: Path, settings: ThemeSettings) -> None:
    """Write the settings into the folder of a service, which takes them from its next job on."""
    target, draft = root / FILE, root / f"{FILE}.{os.getpid()}"
    values = {_GENERATOR: settings.generator, _ITEMS: settings.items_per_file, "options": dict(settings.options)}
    with platform.open_private(draft, "w", encoding="utf-8") as stream:
        json.dump(values, stream, indent=1)
    os.replace(draft, target)


def kept(root: Path) -> ThemeSettings:
    """Return the settings of a service; those of AWS where none were ever given."""
    try:
        values = json.loads((root / FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ThemeSettings()
    return ThemeSettings(values[_GENERATOR], values[_ITEMS], values["options"])


def _read_text(text: str) -> dict[str, str]:
    entries = [entry.strip() for entry in text.split(",") if entry.strip()]
    if len(entries) == 1 and "=" not in entries[0]:
        return {_GENERATOR: entries[0]}
    values: dict[str, str] = {}
    for entry in entries:
        name, equals, value = entry.partition("=")
        if not equals or not name.strip():
            raise LocalServiceError(
                f"settings of themes hold an entry without a value; legal is a generator's name, or "
                f"generator=openai,model=llama3.2 ({VARIABLE}, or themes=)"
            )
        values[name.strip()] = value.strip()
    return values


def _check(settings: ThemeSettings) -> None:
    # numpy and scipy, which a start without such settings does not need
    from personalize_nb.local.themes import plugins

    try:
        plugins.make(settings.generator, settings.options, Path(os.devnull))
    except ValueError as error:
        raise LocalServiceError(f"the settings of themes cannot be used: {error}") from error
