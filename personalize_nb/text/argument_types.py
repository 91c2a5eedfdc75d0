"""Which arguments of a call are of a type that it does not take, by its annotations; told once the call has failed.

A call that works is never judged: what quacks is taken. Only where something raw came out of one (a `TypeError` of some
depth of the package or of a library) its arguments are held against what its signature says, and what does not fit is
told as a message. Where all of them fit, the error is no mistake of the user's.
"""

from __future__ import annotations

import ast
import builtins
import importlib
import inspect
import numbers
import os
import sys
import types
import typing
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Literal

from personalize_nb.errors import received
from personalize_nb.text import values as texts

# What annotations are called for people.
_WORDS = {
    str: "text",
    bytes: "bytes",
    int: "a whole number",
    float: "a number",
    bool: "True or False",
    type(None): "None",
    os.PathLike: "a path",
    Mapping: "a mapping",
}
_NUMBERS = {int: numbers.Integral, float: numbers.Real}
_LARGEST = 2**63
_LISTS = (list, tuple, set, frozenset)


def strangers(function: Callable[..., Any], args: Sequence[Any], given: Mapping[str, Any], call: str) -> str:
    """Say which arguments of a call are of a type that it does not take; empty where all are.

    Parameters
    ----------
    function
        What was called.
    args, given
        What it got, by position and by name.
    call
        What it is called.

    Examples
    --------
    >>> def add(left: int, right: int | None = None): ...
    >>> strangers(add, [1], {"right": "x"}, "add")
    "add() takes a whole number or None as 'right', got 'x'."
    """
    signature = inspect.signature(function)
    bound = signature.bind(*args, **given).arguments
    names = _Names(_modules(function))
    wrong = []
    for row in signature.parameters.values():
        if row.name not in bound or row.name in ("self", "cls") or row.annotation is row.empty:
            continue
        wanted, value = _meaning(row.annotation, names), bound[row.name]
        values = value if row.kind is row.VAR_POSITIONAL else [] if row.kind is row.VAR_KEYWORD else [value]
        for one in values:
            if not _fits(one, wanted):
                wrong.append(f"{_words(wanted)} as {row.name!r}, got {received(one)}")
            elif legal := _within(one):
                wrong.append(f"{legal} as {row.name!r}, got {received(one)}")
    return f"{call}() takes {'; '.join(wrong)}." if wrong else ""


class _Names(dict[str, Any]):
    """The names that annotations of a module use, those among them that are imported for type checkers alone."""

    def __init__(self, modules: Sequence[str]) -> None:
        super().__init__()
        self._modules = [sys.modules[one] for one in modules]

    def __missing__(self, name: str) -> Any:
        for place in (*map(vars, self._modules), vars(builtins)):
            if name in place:
                return place[name]
        for own in self._modules:
            for statement in _for_checkers(own):
                for module, alias in _imported(statement, own):
                    if (alias.asname or alias.name) == name:
                        loaded = importlib.import_module(module or alias.name)
                        return _of_module(loaded, alias.name) if module else loaded
                if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == name:
                    return _meaning(ast.unparse(statement.value), self)
        raise KeyError(name)


def _modules(function: Any) -> list[str]:
    """Return where the names of a function's annotations are known: where it and what stands around it are written."""
    found = []
    while function is not None:
        found.append(function.__globals__["__name__"])
        function = getattr(function, "__wrapped__", None)
    return list(dict.fromkeys(reversed(found)))


def _of_module(module: Any, name: str) -> Any:
    """Return what a module calls by a name, also if for type checkers alone."""
    return getattr(module, name) if hasattr(module, name) else _Names([module.__name__])[name]


def _imported(statement: ast.stmt, module: Any) -> Iterable[tuple[str, ast.alias]]:
    if isinstance(statement, ast.ImportFrom):
        return [(statement.module or module.__package__, alias) for alias in statement.names]
    return [("", alias) for alias in statement.names] if isinstance(statement, ast.Import) else []


@cache
def _for_checkers(module: Any) -> Sequence[ast.stmt]:
    """Return what a module says below `if TYPE_CHECKING:`."""
    tests = [one for one in ast.parse(inspect.getsource(module)).body if isinstance(one, ast.If)]
    return [inner for one in tests if ast.unparse(one.test) == "TYPE_CHECKING" for inner in one.body]


def _meaning(annotation: Any, names: _Names) -> Any:
    """Return the type that an annotation means; `Any` where a name of it is not to be found on this machine."""
    if not isinstance(annotation, str):
        return annotation
    holder = types.SimpleNamespace(__annotations__={"it": annotation})
    try:
        return typing.get_type_hints(holder, {}, names)["it"]
    except (NameError, AttributeError, ImportError, TypeError, OSError, KeyError):
        return Any  # an extra that is not installed: what it would be cannot be judged


def _parts(wanted: Any) -> list[Any]:
    """Return the types of a union, one of a union alone."""
    if typing.get_origin(wanted) in (typing.Union, types.UnionType):
        return [inner for one in typing.get_args(wanted) for inner in _parts(one)]
    return [wanted]


def _fits(value: Any, wanted: Any) -> bool:
    return any(_is(value, one) for one in _parts(wanted))


def _is(value: Any, wanted: Any) -> bool:
    """Tell whether a value is of a type; also where nobody can tell."""
    if wanted in _NUMBERS:
        return isinstance(value, _NUMBERS[wanted]) and not isinstance(value, bool)
    origin, inner = typing.get_origin(wanted), typing.get_args(wanted)
    if origin is Literal:
        return value in inner
    kind = origin or wanted
    if not isinstance(kind, type) or kind is typing.Any:  # `Any`, type variables, `Self`
        return True
    try:
        if not isinstance(value, kind):
            return False
    except TypeError:  # a protocol, which is no class at run time
        return not isinstance(value, type) and all(callable(getattr(value, name, None)) for name in _members(kind))
    if issubclass(kind, Mapping) or not issubclass(kind, Iterable) or not inner:
        return True
    return not isinstance(value, _LISTS) or all(_fits(one, inner[0]) for one in value)


def _members(protocol: type) -> list[str]:
    return [name for name, member in vars(protocol).items() if inspect.isfunction(member) and name[0] != "_"]


def _within(value: Any) -> str:
    """Say what a value must be that is of the right type and that no machine or file can hold."""
    if isinstance(value, str) and not texts.is_unicode(value):
        return "text that can be written as UTF-8"
    if isinstance(value, str) and "\0" in value:
        return "text without null characters"
    if isinstance(value, int) and abs(value) > _LARGEST:
        return "a number that a machine can hold"
    return next(filter(None, map(_within, value)), "") if isinstance(value, _LISTS) else ""


def _words(wanted: Any) -> str:
    """Return what is legal, for people."""
    words = list(dict.fromkeys(_word(one) for one in _parts(wanted)))
    return " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _word(wanted: Any) -> str:
    origin, inner = typing.get_origin(wanted), typing.get_args(wanted)
    if origin is Literal:
        return " or ".join(map(repr, inner))
    kind = origin or wanted
    if kind in _WORDS:
        return _WORDS[kind]
    if kind is Callable:
        return "a function"
    if isinstance(kind, type) and issubclass(kind, Collection | Iterable) and kind.__module__ == "collections.abc":
        return f"a list of {_words(inner[0])}" if inner and _words(inner[0]) else "a list"
    name = getattr(kind, "__name__", str(kind))
    return f"{'an' if name[0] in 'AEIO' else 'a'} {name}"
