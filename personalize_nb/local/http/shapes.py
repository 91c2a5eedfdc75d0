"""Walks botocore's shapes: what is wrong with a request, and which members an answer may have.

botocore's own client check leaves lengths, patterns, enums, list sizes and maxima to the service, so they are
checked here, all at once and worded as AWS words them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape

from personalize_nb.contract.limits import python_pattern
from personalize_nb.local.errors import ApiError
from personalize_nb.local.http import numbers

SHOWN_CHARACTERS = 200

_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "structure": (dict,),
    "map": (dict,),
    "list": (list,),
    "string": (str,),
    "blob": (str,),  # as base64
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "timestamp": (int, float),
}

_BITS = {"integer": 31, "long": 63}


def checked(params: dict[str, Any], shape: Shape | None) -> dict[str, Any]:
    """Return the request without its nulls.

    Parameters
    ----------
    params
        The request as it came, parsed from JSON.
    shape
        The operation's input shape; None for one without parameters.

    Raises
    ------
    ApiError
        `SerializationException` for wrong JSON types, `InvalidInputException` for everything else, naming every
        member that is wrong.
    """
    if shape is None:
        return {}
    params = _without_nulls(params)
    _check_types(params, shape, "")
    problems = list(_problems(params, shape, ""))
    if problems:
        count = f"{len(problems)} validation error{'s' if len(problems) > 1 else ''} detected: "
        raise ApiError("InvalidInputException", count + "; ".join(problems))
    return params


def projected(value: Any, shape: Shape | None) -> Any:
    """Return `value` with the members that the shape has, and no others."""
    if isinstance(shape, StructureShape):
        return {
            name: projected(value[name], member)
            for name, member in shape.members.items()
            if value.get(name) is not None
        }
    if isinstance(shape, ListShape):
        return [projected(entry, shape.member) for entry in value]
    return value


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(entry) for key, entry in value.items() if entry is not None}
    return value


def _check_types(value: Any, shape: Shape, path: str) -> None:
    legal = _PYTHON_TYPES[shape.type_name]
    if not isinstance(value, legal) or (isinstance(value, bool) and bool not in legal):
        at = path or "the request"
        raise ApiError("SerializationException", f"{at} must be a JSON {shape.type_name}, got {_shown(value, shape)}.")
    if shape.type_name in _BITS and not -(2 ** _BITS[shape.type_name]) <= value < 2 ** _BITS[shape.type_name]:
        raise ApiError(
            "SerializationException", f"{path} is too large for a JSON {shape.type_name}: {_shown(value, shape)}."
        )
    # whole numbers of any length are JSON, too
    if isinstance(value, int | float) and not abs(value) <= sys.float_info.max:
        raise ApiError("SerializationException", f"{path} is too large for a JSON {shape.type_name}.")
    if shape.type_name == "timestamp" and isinstance(value, int | float) and not numbers.is_date(value):
        raise ApiError(
            "SerializationException", f"{path} must be a date of the years 1 to 9999, got {_shown(value, shape)}."
        )
    for name, entry, member in _children(value, shape):
        _check_types(entry, member, _join(path, name))


def _children(value: Any, shape: Shape) -> Iterator[tuple[str, Any, Shape]]:
    """Yield the name, value and shape of each part of a container that the model knows."""
    if isinstance(shape, StructureShape):
        for name, entry in value.items():
            if name in shape.members:
                yield name, entry, shape.members[name]
    elif isinstance(shape, MapShape):
        for key, entry in value.items():
            yield f"{key}.member", entry, shape.value
    elif isinstance(shape, ListShape):
        for number, entry in enumerate(value, start=1):
            yield f"{number}.member", entry, shape.member


def _problems(value: Any, shape: Shape, path: str) -> Iterator[str]:
    if isinstance(shape, StructureShape):
        for name in shape.required_members:
            if name not in value:
                yield f"Value null at '{_join(path, name)}' failed to satisfy constraint: Member must not be null"
        for name in [name for name in value if name not in shape.members]:
            legal = ", ".join(shape.members)
            yield f"Unknown parameter '{_join(path, name)}'; legal parameters: {legal}"
    elif isinstance(shape, MapShape):
        for key in value:
            yield from _problems(key, shape.key, path)
    for constraint in _broken(value, shape):
        yield f"Value {_shown(value, shape)} at '{path}' failed to satisfy constraint: Member must {constraint}"
    for name, entry, member in _children(value, shape):
        yield from _problems(entry, member, _join(path, name))


def _broken(value: Any, shape: Shape) -> Iterator[str]:
    """Yield the constraints of one shape that its value breaks."""
    meta = shape.metadata
    low, high = meta.get("min"), meta.get("max")
    if shape.type_name in ("string", "list", "map"):
        size, noun = len(value), "length"
    elif shape.type_name in ("integer", "long", "float", "double"):
        size, noun = value, "value"
    else:
        return
    if low is not None and size < low:
        yield f"have {noun} greater than or equal to {low}"
    if high is not None and size > high:
        yield f"have {noun} less than or equal to {high}"
    if isinstance(shape, StringShape):
        if shape.enum and value not in shape.enum:
            yield f"satisfy enum value set: [{', '.join(shape.enum)}]"
        pattern = meta.get("pattern")
        if pattern and not python_pattern(pattern).fullmatch(value):
            yield f"satisfy regular expression pattern: {pattern}"


def _shown(value: Any, shape: Shape) -> str:
    if shape.metadata.get("sensitive"):
        return "(hidden)"
    text = str(value)
    return f"'{text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + '...'}'"


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
