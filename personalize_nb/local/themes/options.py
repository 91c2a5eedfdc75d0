"""Options of a generator, given as numbers or as text, become a dataclass; what is not legal is named."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, get_type_hints

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")

TRUE, FALSE = frozenset({"1", "true", "yes", "on"}), frozenset({"0", "false", "no", "off"})


def read(kind: type[T], given: Mapping[str, Any], generator: str) -> T:
    """Return the options of a generator.

    Parameters
    ----------
    kind
        A dataclass whose fields are `str`, `int`, `float` or `bool`; fields without a default are required.
    given
        The options, as they came from an argument or from an environment variable.
    generator
        Its name, for messages.

    Raises
    ------
    ValueError
        An option is unknown, missing, or not of its type.
    """
    fields = {field.name: field for field in dataclasses.fields(kind)}
    hints = get_type_hints(kind)
    unknown = [name for name in given if name not in fields]
    if unknown:
        raise ValueError(f"the generator {generator!r} has no option {unknown[0]!r}; legal are {', '.join(fields)}")
    missing = [
        name for name, field in fields.items() if field.default is dataclasses.MISSING and not str(given.get(name, ""))
    ]
    if missing:
        raise ValueError(f"the generator {generator!r} needs the option {missing[0]!r}")
    return kind(**{name: _value(name, value, hints[name]) for name, value in given.items()})


def positive(**values: float) -> None:
    """Raise ValueError for the first of these options that is not above zero."""
    for name, value in values.items():
        if value <= 0:
            raise ValueError(f"the option {name!r} must be above 0, got {value}")


def _value(name: str, value: Any, wanted: type) -> Any:
    if wanted is bool:
        text = str(value).lower()
        if text not in TRUE | FALSE:
            raise ValueError(f"the option {name!r} must be true or false, got {value!r}")
        return text in TRUE
    if wanted is str:
        return str(value)
    try:
        return wanted(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"the option {name!r} must be a number, got {value!r}") from error
