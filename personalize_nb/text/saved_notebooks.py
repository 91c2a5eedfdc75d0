"""A saved notebook as JSON has it: read, masked part by part, written.

The format says what is one text (a source, a stream, HTML, also where it is cut into lists), what is a tree of names
and values (metadata, JSON outputs), what is a picture, and which names must stay as they are for it to remain a
notebook.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, MutableMapping
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

from personalize_nb import errors
from personalize_nb.text.accounts import answered, asked
from personalize_nb.text.leaks import MASK
from personalize_nb.text.masking import Masker, packed, unpacked

_WIDGET = "application/vnd.jupyter.widget-view+json"
_AS_IT_IS = re.compile(r"(?:image|audio|video|font)/(?!svg)|application/(?:pdf|octet-stream|zip|vnd\.apache\.arrow)")
_PACKED = re.compile(r"(?=(?:\s*\S){12})[A-Za-z0-9+/\s]+={0,2}\s*")
_JSON = re.compile(r"application/(?:.{0,100}\+)?json")
# What nbformat prescribes the values of.
_OF_FORMAT = frozenset({"cell_type", "output_type", "execution_count", "name", "id"})


class LeakyPlace(NamedTuple):
    """A part of a notebook in which something was masked, and what kinds of things."""

    where: str
    kinds: tuple[str, ...]


class _NotebookPart(NamedTuple):
    """One member of a cell or of the notebook: where a reader finds it, what holds it, under which key."""

    where: str
    holder: MutableMapping[str, Any]
    key: str


def read_notebook(file: Path) -> dict[str, Any]:
    """Return a saved notebook as JSON has it, or say why it is none."""
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise errors.NotFoundError(
            f"There is no file {str(file)!r}; give the path of a saved notebook (.ipynb), save it first if it is new."
        ) from error
    except OSError as error:
        raise errors.InputError(f"{str(file)!r} cannot be read: {error.strerror}; give a saved notebook.") from error
    except ValueError as error:  # not UTF-8
        raise _no_notebook(str(file), error) from error
    return notebook_of(text, str(file))


def notebook_of(text: str, named: str) -> dict[str, Any]:
    """Return the notebook that a text is, or say why it is none."""
    try:
        notebook: dict[str, Any] = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _no_notebook(named, error) from error
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if not (
        isinstance(cells, list)
        and isinstance(notebook.get("metadata"), dict)
        and all(isinstance(cell, dict) and "source" in cell for cell in cells)
    ):
        raise errors.InputError(
            f"{named!r} is no notebook of nbformat 4: it needs 'metadata' and a list of 'cells' with a 'source'; "
            "open it in JupyterLab and save it, or `jupyter nbconvert --to notebook` it."
        )
    return notebook


def _no_notebook(named: str, error: Exception) -> errors.InputError:
    return errors.InputError(
        f"{named!r} is no notebook ({error}); give a saved .ipynb file, for other text there is "
        "personalize_nb.text.redact.redact(text)."
    )


def text_of(notebook: dict[str, Any]) -> str:
    """Return a notebook as Jupyter writes it."""
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def write_notebook(file: Path, notebook: dict[str, Any]) -> None:
    """Save a notebook in place of the one before: whole or not at all, so that whoever stops us finds the old one."""
    handle, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    try:
        with open(handle, "w", encoding="utf-8") as stream:
            stream.write(text_of(notebook))
        shutil.copymode(file, name)
        os.replace(name, file)
    except BaseException:
        os.unlink(name)
        raise


def mask(notebook: dict[str, Any], known: Iterable[str] = (), *, documented: bool = True) -> list[LeakyPlace]:
    """Mask a notebook in place and return where something was masked, in order; an empty list says it was clean."""
    found: dict[str, set[str]] = {}
    _drop_stale(notebook, found)
    for cell in notebook["cells"]:
        if isinstance(cell.get("outputs"), list):
            cell["outputs"] = list(_streams_joined(cell["outputs"]))
    masker, parts = Masker(known, documented=documented), list(_parts(notebook))
    changing = True
    while changing:  # what is masked may complete a pattern
        masker.forget()
        for account in _answers(notebook["cells"]):
            masker.tell(account)
        for part in parts:
            for text in _texts(part.holder[part.key], part.key):
                masker.learn(text)
        changing = False
        for part in parts:
            before, masker.found = part.holder[part.key], set()
            if part.key == "source" and part.holder.get("cell_type") == "code" and _is_text(before):
                after = _masked_text(before, masker, is_code=True)
            else:
                after = _masked(before, part.key, masker)
            if part.key == "id" and after != before:
                after = _new_id(notebook["cells"])
            if after != before:
                part.holder[part.key], changing = after, True
                found.setdefault(part.where, set()).update(masker.found or {"name"})
    order: dict[str, int] = {}
    for part in parts:
        order.setdefault(part.where, len(order))
    return [
        LeakyPlace(where, tuple(sorted(found[where]))) for where in sorted(found, key=lambda one: order.get(one, -1))
    ]


def _drop_stale(notebook: dict[str, Any], found: dict[str, set[str]]) -> None:
    """Drop what says nothing later: states and views of widgets, where another form is there, and run times."""
    if notebook["metadata"].pop("widgets", None) is not None:
        found.setdefault("the notebook's metadata", set()).add("widget state")
    for index, cell in enumerate(notebook["cells"], 1):
        metadata = cell.get("metadata")
        if isinstance(metadata, dict) and metadata.pop("execution", None) is not None:
            found.setdefault(f"cell {index}, metadata", set()).add("run time")
        for number, output in enumerate(cell.get("outputs") or (), 1):
            data = output.get("data", {})
            if _WIDGET in data and len(data) > 1:
                del data[_WIDGET]
                found.setdefault(f"cell {index}, output {number}", set()).add("widget view")


def _answers(cells: list[dict[str, Any]]) -> Iterator[str]:
    """Return the accounts that are all an output has, of cells that ask for one."""
    sources = [
        _whole(cell["source"]) if cell.get("cell_type") == "code" and _is_text(cell["source"]) else "" for cell in cells
    ]
    asks = asked(sources)
    for cell, source in zip(cells, sources, strict=True):
        for output in cell.get("outputs") or () if asks.search(source) else ():
            data = output.get("data")
            for text in (output.get("text"), data.get("text/plain") if isinstance(data, dict) else None):
                if _is_text(text):
                    yield from answered(source, _whole(text), asks)


def _streams_joined(outputs: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Join streams that Jupyter shows as one: a name may be cut where one ends."""
    last: dict[str, Any] | None = None
    for output in outputs:
        joins = output.get("output_type") == "stream"
        if joins and last is not None and last.get("name") == output.get("name"):
            last["text"] = _cut(_whole(last["text"]) + _whole(output.get("text", "")), last["text"])
            continue
        yield output
        last = output if joins else None


def _parts(notebook: dict[str, Any]) -> Iterator[_NotebookPart]:
    """Every part of a notebook that may tell something, with its place as a reader counts: from 1."""
    for index, cell in enumerate(notebook["cells"], 1):
        yield _NotebookPart(f"cell {index}", cell, "source")
        outputs = cell.get("outputs")
        for number, output in enumerate(outputs if isinstance(outputs, list) else (), 1):
            for key in output:
                if key not in _OF_FORMAT:
                    yield _NotebookPart(f"cell {index}, output {number}", output, key)
        for key in cell:
            if key not in _OF_FORMAT and key not in ("source", "outputs"):
                yield _NotebookPart(f"cell {index}, {key}", cell, key)
        if isinstance(cell.get("id"), str):
            yield _NotebookPart(f"cell {index}, id", cell, "id")
    yield from (
        _NotebookPart("the notebook's metadata" if key == "metadata" else f"the notebook's {key!r}", notebook, key)
        for key in notebook
        if key not in ("cells", "nbformat", "nbformat_minor")
    )


def _is_text(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(one, str) for one in value))


def _whole(value: Any) -> str:
    return value if isinstance(value, str) else "".join(value)


def _cut(text: str, like: Any) -> Any:
    return text if isinstance(like, str) else text.splitlines(keepends=True)


def _texts(value: Any, key: str) -> Iterator[str]:
    """Every text of a part that may tell something: one that is cut into a list is whole, lines stand below another."""
    if key in ("source", "text", "evalue", "ename") and _is_text(value):
        yield _whole(value)
    elif key == "traceback" and _is_text(value):
        yield from value
        yield "\n".join(value)
    elif key in ("data", "attachments") and isinstance(value, dict):
        for mime, inner in value.items():
            yield mime
            if isinstance(inner, dict) and key == "attachments":
                yield from _texts(inner, "data")
            elif _is_text(inner) and not _JSON.fullmatch(mime):
                yield from () if _AS_IT_IS.match(mime) else (_opened(inner),)
            else:
                yield from _tree_texts(inner, mime)
    else:
        yield from _tree_texts(value, key)


def _tree_texts(value: Any, key: str) -> Iterator[str]:
    if isinstance(value, str) or _is_number(value):
        yield from (_named(key, value), str(value))
    elif isinstance(value, list):
        if value and _is_text(value):
            yield "\n".join(value)
        for one in value:
            yield from _tree_texts(one, key)
    elif isinstance(value, dict):
        for name, one in value.items():
            yield name
            yield from _tree_texts(one, name)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 10**11


def _named(key: str, value: Any) -> str:
    """Return a value with its name, as code would write it: the name may say what the value is."""
    return f"{key}': '{value}'" if isinstance(value, str) else f"{key}': {value:.0f}"


def _opened(value: Any) -> str:
    """Return a text, or the one that is packed in it, as attachments hold theirs."""
    whole = _whole(value)
    return (unpacked(whole) if _PACKED.fullmatch(whole) else None) or whole


def _masked(value: Any, key: str, masker: Masker) -> Any:
    """Return a part masked, in the form it had."""
    if key in ("source", "text", "evalue", "ename") and _is_text(value):
        return _masked_text(value, masker)
    if key == "traceback" and _is_text(value):
        return [masker.masked(one) for one in value]
    if key in ("data", "attachments") and isinstance(value, dict):
        return {
            masker.masked(mime) if key == "attachments" else mime: _masked(inner, "data", masker)
            if isinstance(inner, dict) and key == "attachments"
            else _masked_data(inner, mime, masker)
            for mime, inner in value.items()
        }
    return _masked_tree(value, key, masker)


def _masked_text(value: Any, masker: Masker, *, is_code: bool = False) -> Any:
    whole = _whole(value)
    masked = masker.masked(whole, is_code=is_code)
    return value if masked == whole else _cut(masked, value)


def _masked_data(value: Any, mime: str, masker: Masker) -> Any:
    if not _is_text(value) or _JSON.fullmatch(mime):
        return _masked_tree(value, mime, masker)
    if _AS_IT_IS.match(mime):
        return value
    opened = _opened(value)
    if opened != _whole(value):
        masked = masker.masked(opened)
        return value if masked == opened else _cut(packed(masked), value)
    return _masked_text(value, masker)


def _masked_tree(value: Any, key: str, masker: Masker) -> Any:
    if isinstance(value, str) or _is_number(value):
        named = _named(key, value)
        masked, head = masker.masked(named), named[: -len(f"{value}'")] if isinstance(value, str) else ""
        if isinstance(value, str):
            if masked.startswith(head) and masked.endswith("'"):
                masked = masked[len(head) : -1]
                return masked if masked != value else masker.masked(value)
            return masker.masked(value)
        return value if masked == named and masker.masked(str(value)) == str(value) else MASK
    if isinstance(value, list):
        return [_masked_tree(one, key, masker) for one in value]
    if isinstance(value, dict):
        kept: dict[str, Any] = {}
        for name, one in value.items():
            masked, number = masker.masked(name), 2
            while masked in kept:  # two names that are masked are still two
                masked, number = f"{masker.masked(name)} {number}", number + 1
            kept[masked] = _masked_tree(one, name, masker)
        return kept
    return value


def _new_id(cells: list[dict[str, Any]]) -> str:
    """Return an id for a cell whose own tells something: masks are of no letters that ids are made of."""
    taken = {cell.get("id") for cell in cells}
    return next(one for one in map("cell-{}".format, count(1)) if one not in taken)
