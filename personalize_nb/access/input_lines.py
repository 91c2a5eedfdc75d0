"""The first lines of a job's input, judged as Personalize will read them: form, keys, values of a filter."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from personalize_nb.contract import limits
from personalize_nb.contract.recipes import Recipe
from personalize_nb.jobs.request import KIND_OF_KEYS
from personalize_nb.resources import filter_texts
from personalize_nb.session import compression

MOST_LINES = 100
ITEM_LIST, FILTER_VALUES, ITEM_ATTRIBUTES = "itemList", "filterValues", "itemAttributes"
_EXAMPLES = {
    "userId": '{"userId": "4638"}',
    "itemId": '{"itemId": "b0433"}',
    ITEM_LIST: '{"userId": "4638", "itemList": ["b0433", "b0328"]}',
    ITEM_ATTRIBUTES: '{"itemAttributes": "ITEMS.genres = \\"Comedy\\""}',
}
# the widest first: what ranks lists holds users as well
_KINDS = sorted(KIND_OF_KEYS.items(), key=lambda row: -len(row[0]))
# how files begin that are no text, though they hold what could be one
_BINARY = {
    b"PK\x03\x04": "an archive (zip, or a workbook of Excel)",
    b"7z\xbc\xaf\x27\x1c": "an archive (7z)",
    b"Rar!\x1a\x07": "an archive (rar)",
    b"PAR1": "a Parquet file",
    b"ORC": "an ORC file",
    b"Obj\x01": "an Avro file",
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
}
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# quoted values with commas between; plain numbers may stand without quotes
_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_VALUE = rf'(?:"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|{_NUMBER})'
_VALUES = re.compile(rf"\s*{_VALUE}(?:\s*,\s*{_VALUE})*\s*", re.DOTALL)


@dataclass(frozen=True)
class WantedKeys:
    """What a line has to hold.

    Parameters
    ----------
    recipe
        The recipe's name.
    keys
        The keys that it reads; empty where the recipe is not known.
    expression
        The filter's expression; None without a filter.
    """

    recipe: str
    keys: tuple[str, ...]
    expression: str | None = None

    @classmethod
    def of(cls, facts: Recipe | None, expression: str | None) -> WantedKeys:
        """Return what the lines of a recipe and filter hold."""
        return cls("", (), expression) if facts is None else cls(facts.name, facts.input_keys, expression)

    @property
    def example(self) -> str:
        """A line that is right."""
        return _EXAMPLES[self.keys[-1]] if self.keys else _EXAMPLES["userId"]

    @property
    def placeholders(self) -> tuple[str, ...]:
        """The filter's placeholders."""
        return filter_texts.placeholders(self.expression) if self.expression else ()


@dataclass
class LinesFound:
    """What the beginning of a file holds.

    Parameters
    ----------
    count
        Its lines that are not blank, as far as it was read.
    read
        How many of them were judged.
    size
        Their bytes.
    form
        Why none of them can be read: the file is no JSON lines at all.
    problems
        What is wrong, and in which lines.
    notes
        What is worth a look, and in which lines.
    kinds
        What the lines hold that the recipe cannot read: `users`, `items`, `rankings`; by the lines.
    """

    count: int = 0
    read: int = 0
    size: int = 0
    form: str = ""
    problems: dict[str, list[int]] = field(default_factory=dict)
    notes: dict[str, list[int]] = field(default_factory=dict)
    kinds: dict[str, list[int]] = field(default_factory=dict)

    @property
    def other_kind(self) -> str:
        """The kind that all lines are of, where it is one that the recipe does not take."""
        return next((kind for kind, lines in self.kinds.items() if len(lines) == self.read), "")


def judged(head: bytes, wanted: WantedKeys, *, cut: bool) -> LinesFound:
    """Judge the first bytes of a file.

    Parameters
    ----------
    head
        The bytes.
    wanted
        What its lines have to hold.
    cut
        Whether the file goes on after them.
    """
    found = LinesFound()
    if compression.is_compressed(head):
        found.form = "it is compressed; legal is plain text"
        return found
    binary = next((name for mark, name in _BINARY.items() if head.startswith(mark)), "")
    if binary or b"\x00" in head[:1024]:
        found.form = f"it is {binary or 'no text'}; legal is UTF-8 text"
        return found
    if head.startswith(_BYTE_ORDER_MARK):
        _add(found.notes, "the file begins with a byte order mark, which AWS's pages do not mention", 1)
        head = head.removeprefix(_BYTE_ORDER_MARK)
    lines = head.split(b"\n")
    if cut and len(lines) > 1:
        del lines[-1]
    full = [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
    found.count, found.size = len(full), sum(len(line) + 1 for _, line in full)
    if full and (form := _no_lines(head, full[0][1], cut=cut)):
        found.form = form
        return found
    for number, line in full[:MOST_LINES]:
        found.read += 1
        for text in _problems(line, wanted, found, number):
            _add(found.problems, text, number)
    return found


def _add(kept: dict[str, list[int]], text: str, line: int) -> None:
    kept.setdefault(text, []).append(line)


def _no_lines(head: bytes, first: bytes, *, cut: bool) -> str:
    """Tell what a file is whose first line is no JSON object, where that shows."""
    start = first.strip()
    if start.startswith(b"["):
        return "it is one JSON list; legal is one object on each line, without brackets and commas around them"
    if start.startswith(b"{"):
        try:
            json.loads(start)
        except ValueError:
            several = start == b"{" or (not cut and _is_json(head))
            return "its JSON is spread over several lines; legal is one object on each line" if several else ""
        return ""
    return f"its first line is {_shown(start)}, which is no JSON object" + _table(start)


def _table(line: bytes) -> str:
    return "; it looks like a table (CSV)" if any(mark in line for mark in (b",", b"\t", b";")) else ""


def _is_json(text: bytes) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _shown(line: bytes | str) -> str:
    text = line.decode("utf-8", "replace") if isinstance(line, bytes) else line
    return repr(text if len(text) <= 60 else text[:57] + "...")


def _problems(line: bytes, wanted: WantedKeys, found: LinesFound, number: int) -> Iterator[str]:
    try:
        record = json.loads(line.decode())
    except UnicodeDecodeError:
        yield "the line is not UTF-8"
        return
    except (ValueError, RecursionError):
        yield "the line is no JSON"
        return
    if not isinstance(record, dict):
        yield f"the line is no JSON object such as {wanted.example}"
        return
    if any(key not in record for key in wanted.keys):
        held = next((kind for keys, kind in _KINDS if all(key in record for key in keys)), "")
        if held:
            _add(found.kinds, held, number)
    for key in wanted.keys:
        yield from _of_key(key, record, wanted)
    yield from _of_filter(record, wanted, found, number)


def _of_key(key: str, record: Mapping[str, Any], wanted: WantedKeys) -> Iterator[str]:
    if key not in record:
        yield f"{key!r} is missing, which {wanted.recipe} reads{_instead(key, record)}, as in {wanted.example}"
        return
    value = record[key]
    if key == ITEM_LIST:
        if not isinstance(value, list) or not value or not all(isinstance(one, str) for one in value):
            yield f"{key!r} must be a list of texts that is not empty"
        elif any(not 0 < len(one) <= limits.MAX_ID_CHARACTERS for one in value):
            yield f"{key!r} has ids that are not 1 to {limits.MAX_ID_CHARACTERS} characters long"
    elif not isinstance(value, str):
        yield f"{key!r} must be a text in quotes, got {json.dumps(value)[:40]}"
    elif not value or (key != ITEM_ATTRIBUTES and len(value) > limits.MAX_ID_CHARACTERS):
        yield f"{key!r} must have 1 to {limits.MAX_ID_CHARACTERS} characters, got {len(value)}"


def _instead(key: str, record: Mapping[str, Any]) -> str:
    """Return what a line has in place of a key: the same in other letters, or a key of other recipes."""
    for name in record:
        if _plain(name) == _plain(key):
            return f" (it has {name!r}, which is another key)"
    others = [name for name in record if name in _EXAMPLES]
    return f" (it has {', '.join(map(repr, others))})" if others else ""


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]", "", name).lower()


def _of_filter(record: Mapping[str, Any], wanted: WantedKeys, found: LinesFound, number: int) -> Iterator[str]:
    given = record.get(FILTER_VALUES)
    near = [name for name in record if name != FILTER_VALUES and _plain(name) == _plain(FILTER_VALUES)]
    if near:
        _add(found.notes, f"{near[0]!r} is no key of a line; values of a filter are in {FILTER_VALUES!r}", number)
    if given is not None and wanted.expression is None:
        _add(found.notes, f"{FILTER_VALUES!r} has no effect: the job has no filter", number)
        return
    if wanted.expression is None:
        return
    if given is not None and not isinstance(given, dict):
        yield f"{FILTER_VALUES!r} must be an object with a text for each placeholder"
        return
    values: Mapping[str, Any] = given or {}
    for name in filter_texts.required_placeholders(wanted.expression):
        if values.get(name) in (None, ""):
            yield f"the filter's ${name} has no value in {FILTER_VALUES!r}{_near_value(name, values)}"
    unknown = [name for name in values if name not in wanted.placeholders]
    if unknown:
        has = ", ".join(f"${name}" for name in wanted.placeholders) or "none"
        _add(found.notes, f"{FILTER_VALUES!r} names {_listed(unknown)}; the filter's placeholders are {has}", number)
    numbers = filter_texts.number_placeholders(wanted.expression)
    for name in wanted.placeholders:
        if (value := values.get(name)) not in (None, ""):
            yield from _of_value(name, value, is_number=name in numbers)


def _near_value(name: str, values: Mapping[str, Any]) -> str:
    near = [one for one in values if _plain(one.lstrip("$")) == _plain(name)]
    return f" (it names {near[0]!r}; write {name!r})" if near else ""


def _of_value(name: str, value: Any, *, is_number: bool) -> Iterator[str]:
    example = json.dumps(filter_texts.quoted(["a", "b"]))
    if not isinstance(value, str):
        yield f"the value of ${name} must be a text such as {example}"
        return
    if len(value) > limits.MAX_FILTER_VALUE_CHARACTERS:
        yield f"the value of ${name} has more than {limits.MAX_FILTER_VALUE_CHARACTERS} characters"
    if not _VALUES.fullmatch(value):
        yield f"the value of ${name} is {_shown(value)}; legal are values in escaped double quotes, as in {example}"
    elif is_number and not re.fullmatch(rf"\s*[\"']?\s*{_NUMBER}\s*[\"']?\s*", value):
        yield f"the value of ${name} is {_shown(value)}; the filter compares it, so legal is one number"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(repr, names))
