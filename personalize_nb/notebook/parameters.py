"""Parameters of a notebook that runs without a browser, given as papermill takes them and put where it puts them."""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import nbformat

from personalize_nb import errors

PARAMETERS, INJECTED = "parameters", "injected-parameters"
# as Python writes them, and as YAML and JSON do
_WORDS = {"True": True, "False": False, "None": None, "true": True, "false": False, "null": None}
_WHOLE = re.compile(r"[+-]?(?:0|[1-9]\d*)")  # 007 is no number, and 2026_01_31 none either
_DECIMAL = re.compile(r"[+-]?(?:\d+\.\d*|\.\d+|\d+(?=[eE]))(?:[eE][+-]?\d+)?")


class Parameters(dict[str, Any]):
    """Parameters with their values.

    Attributes
    ----------
    texts
        What stood in the command line, by name; a parameter whose default is text takes that.
    """

    def __init__(self, values: Mapping[str, Any], texts: Mapping[str, str]):
        super().__init__(values)
        self.texts = texts


def parsed(given: Sequence[str], raw: Sequence[str] = ()) -> Parameters:
    """Return parameters of a command line with their values.

    Parameters
    ----------
    given
        Each `name=value`; the words True, False and None (also true, false, null) and what is written as a number
        become that.
    raw
        Each `name=value`; the value is text.

    Raises
    ------
    InputError
        One is no `name=value`, or a name is given twice.

    Examples
    --------
    >>> parsed(["k=5", "share=0.2", "mine=True", "title=Dune"], ["item_id=007"])
    {'k': 5, 'share': 0.2, 'mine': True, 'title': 'Dune', 'item_id': '007'}
    """
    texts = [_split(one) for one in given]
    names = [name for name, _ in [*texts, *map(_split, raw)]]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise errors.InputError(f"The parameter {twice!r} is given {names.count(twice)} times; give each once.")
    return Parameters({name: _typed(value) for name, value in texts} | dict(map(_split, raw)), dict(texts))


def _split(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier() or keyword.iskeyword(name):
        raise errors.InputError(f"A parameter is name=value, its name one of Python; got {text!r}: try -p k=5.")
    return name, value


def _typed(value: str) -> Any:
    if value in _WORDS:
        return _WORDS[value]
    if _WHOLE.fullmatch(value):
        return int(value)
    return float(value) if _DECIMAL.fullmatch(value) else value


def put(document: Any, values: Mapping[str, Any]) -> None:
    """Put a cell that sets parameters behind the cell tagged `parameters`; one of an earlier run is replaced.

    Parameters
    ----------
    document
        A notebook as nbformat reads it; it is changed.
    values
        The parameters.

    Raises
    ------
    InputError
        No cell has the tag, or it sets no such name: the value would change nothing. Or a text is given where the
        cell sets True or False.
    """
    if not values:
        return
    places = [place for place, cell in enumerate(document.cells) if PARAMETERS in _tags(cell)]
    if not places:
        raise errors.InputError(
            f"The notebook has no cell with the tag {PARAMETERS!r}, so {', '.join(values)} would change nothing: tag "
            "the cell that sets them (in JupyterLab: Property Inspector, Cell Tags)."
        )
    known = _set_in(document.cells[places[0]].source)
    unknown = [name for name in values if known and name not in known]
    if unknown:
        raise errors.InputError(
            f"The cell {places[0] + 1}, tagged {PARAMETERS!r}, sets no {unknown[0]!r}"
            f"{errors.there_is(unknown[0], sorted(known))}"
        )
    values = _like_defaults(values, document.cells[places[0]].source)
    lines = [f"{name} = {_code(value)}" for name, value in values.items()]
    cell = nbformat.v4.new_code_cell("\n".join(["# Parameters", *lines]), metadata={"tags": [INJECTED]})
    if document.nbformat_minor < 5:
        cell.pop("id")  # of later formats only
    document.cells = [one for one in document.cells if INJECTED not in _tags(one)]
    place = next(place for place, one in enumerate(document.cells) if PARAMETERS in _tags(one))
    document.cells.insert(place + 1, cell)


def _like_defaults(values: Mapping[str, Any], source: str) -> dict[str, Any]:
    """Return values of the kinds that the cell sets: ids that are texts there stay texts, however they look."""
    defaults, found = _defaults(source), dict(values)
    for name, text in getattr(values, "texts", {}).items():
        default = defaults.get(name)
        if isinstance(default, str):
            found[name] = text
        elif isinstance(default, bool) and not isinstance(found[name], bool | int | None):
            raise errors.InputError(
                f"{name!r} is True or False in the cell tagged {PARAMETERS!r}, got {text!r}, which would always "
                f"be true: try -p {name}=false."
            )
        elif isinstance(default, float) and isinstance(found[name], str):
            with suppress(ValueError):  # nan and inf
                found[name] = float(text)
    return found


def _defaults(source: str) -> dict[str, Any]:
    """Return what a cell sets that is written there as a value: numbers, texts, True and False."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return {}
    found = {}
    for node in ast.walk(tree):
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        value = getattr(node, "value", None)
        for target in targets:
            pairs = [(target, value)]
            if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
                pairs = list(zip(target.elts, value.elts, strict=True))
            found.update(
                {
                    one.id: set_to.value
                    for one, set_to in pairs
                    if isinstance(one, ast.Name) and isinstance(set_to, ast.Constant)
                }
            )
    return found


def _code(value: Any) -> str:
    return f"float({str(value)!r})" if isinstance(value, float) and value - value != 0 else repr(value)


def _tags(cell: Any) -> Sequence[str]:
    tags: Sequence[str] = cell.metadata.get("tags", ())
    return tags


def _set_in(source: str) -> set[str]:
    """Return the names that a cell sets; none where it is no Python, so that nothing can be said."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return set()
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
