"""Parameters of a notebook that runs without a browser, given as papermill takes them and put where it puts them."""

from __future__ import annotations

import ast
import keyword
from collections.abc import Mapping, Sequence
from typing import Any

import nbformat

from personalize_nb import errors

PARAMETERS, INJECTED = "parameters", "injected-parameters"
_WORDS = {"True": True, "False": False, "None": None}


def parsed(given: Sequence[str], raw: Sequence[str] = ()) -> dict[str, Any]:
    """Return parameters of a command line with their values.

    Parameters
    ----------
    given
        Each `name=value`; the words True, False and None and what reads as a number become that.
    raw
        Each `name=value`; the value is text.

    Raises
    ------
    InputError
        One is no `name=value`.

    Examples
    --------
    >>> parsed(["k=5", "share=0.2", "mine=True", "title=Dune"], ["item_id=007"])
    {'k': 5, 'share': 0.2, 'mine': True, 'title': 'Dune', 'item_id': '007'}
    """
    return {name: _typed(value) for name, value in map(_split, given)} | dict(map(_split, raw))


def _split(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier() or keyword.iskeyword(name):
        raise errors.InputError(f"A parameter is name=value, its name one of Python; got {text!r}: try -p k=5.")
    return name, value


def _typed(value: str) -> Any:
    if value in _WORDS:
        return _WORDS[value]
    for kind in (int, float):
        try:
            return kind(value)
        except ValueError:
            continue
    return value


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
        No cell has the tag, or it sets no such name: the value would change nothing.
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
            f"{errors.there_is(unknown[0], sorted(known))} Its parameters: {', '.join(sorted(known))}."
        )
    lines = [f"{name} = {_code(value)}" for name, value in values.items()]
    cell = nbformat.v4.new_code_cell("\n".join(["# Parameters", *lines]), metadata={"tags": [INJECTED]})
    if document.nbformat_minor < 5:
        cell.pop("id")  # of later formats only
    document.cells = [one for one in document.cells if INJECTED not in _tags(one)]
    place = next(place for place, one in enumerate(document.cells) if PARAMETERS in _tags(one))
    document.cells.insert(place + 1, cell)


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
