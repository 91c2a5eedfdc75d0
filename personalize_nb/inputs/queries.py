"""Items' attributes as a segment job asks for them: `ITEMS.GENRE = "Comedy" AND ITEMS.YEAR = 1990`, a text a line.

They are written from frames, from mappings, or given as such texts. The schema of the items says how: which fields
there are and how they are spelled, which are numbers, which hold several values at once. Amazon's pages know `=` and
AND alone, and no textual field; what they do not say, how a quotation mark is written within a value, is as in filters.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from personalize_nb.contract import columns as c
from personalize_nb.errors import InputError
from personalize_nb.inputs.forms import Data, given
from personalize_nb.inputs.given import Given
from personalize_nb.inputs.ids import Findings
from personalize_nb.resources import item_schema
from personalize_nb.resources.value_texts import texts
from personalize_nb.text.elements import elements, is_list, plain
from personalize_nb.text.values import is_unicode, missing, shown

EXAMPLE = 'ITEMS.GENRE = "Comedy" AND ITEMS.YEAR = 1990'
_WANTED = (
    "Attributes of items are a frame with a column for each, a mapping such as {'GENRE': 'Comedy', 'YEAR': 1990}, a "
    f"text such as {EXAMPLE!r}, or a list of these"
)
_BEGIN = re.compile(r"\s*ITEMS\s*\.", re.IGNORECASE)
_TERM = re.compile(
    r"""\s*ITEMS\s*\.\s*(?P<field>[A-Za-z_]\w*)\s*=\s*
    (?P<value>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*""",
    re.IGNORECASE | re.VERBOSE,
)
_AND = re.compile(r"AND\b", re.IGNORECASE)
_NUMBERS = frozenset({"int", "long", "float", "double"})
_WHOLE = frozenset({"int", "long"})


def is_query(data: Any) -> bool:
    """Tell one query, a text or a mapping of single values, from what holds several."""
    return isinstance(data, Mapping) or (isinstance(data, str) and _BEGIN.match(data) is not None)


def read(data: Data | Given | Mapping[str, Any]) -> Given:
    """Return data of any form, read once; one query alone is a list of it."""
    return given([data] if is_query(data) else data, _WANTED)


def query_frame(data: Given, fields: Sequence[Mapping[str, Any]], apart: Collection[str] = ()) -> pd.DataFrame:
    """Return queries as a frame with the column `item_attributes`, beside the other columns.

    Parameters
    ----------
    data
        What `read` returned.
    fields
        The fields of the items' schema.
    apart
        Columns that are no attributes, as those of a filter's values are: placeholders, in any case.

    Raises
    ------
    InputError
        Rows ask for what cannot be asked; nothing was sent.
    """
    schema, findings = _Schema(fields), Findings()
    values = data.values
    if not isinstance(values, pd.DataFrame):
        name = values.name
        frame, named = pd.DataFrame({c.ITEM_ATTRIBUTES: pd.Series(values).array}), schema.field(name)
        rows = elements(frame[c.ITEM_ATTRIBUTES].array)
        if named is not None and not any(is_query(row) for row in rows):
            frame, rows = frame.assign(**{c.ITEM_ATTRIBUTES: None}), [{name: row} for row in rows]
        queries = _written(rows, c.ITEM_ATTRIBUTES, schema, findings)
    else:
        frame = values.rename(columns=lambda name: c.canonical(name) if schema.field(name) is None else name)
        if (frame.columns == c.ITEM_ATTRIBUTES).sum() > 1:
            raise InputError(f"{c.ITEM_ATTRIBUTES!r} is there twice among {list(values.columns)}; keep one.")
        if c.ITEM_ATTRIBUTES in frame.columns:
            queries = _written(elements(frame[c.ITEM_ATTRIBUTES].array), c.ITEM_ATTRIBUTES, schema, findings)
        else:
            asked = _attributes(frame, schema, {name.lower() for name in apart})
            cells = [elements(frame.iloc[:, place].array) for place in asked]
            names = [frame.columns[place] for place in asked]
            rows = [dict(zip(names, row, strict=True)) for row in zip(*cells, strict=True)]
            queries = _written(rows, c.ITEM_ATTRIBUTES, schema, findings)
    findings.raise_errors(len(frame), "queries")
    return frame.assign(**{c.ITEM_ATTRIBUTES: pd.Series(queries, index=frame.index, dtype="str")})


def _attributes(frame: pd.DataFrame, schema: _Schema, apart: Collection[str]) -> list[int]:
    """Return the places of the columns that are attributes; every other one must be known for something else."""
    names = list(frame.columns)
    asked = [place for place, name in enumerate(names) if schema.field(name) is not None]
    unknown = [name for name in names if schema.field(name) is None and str(name).lower() not in apart]
    both = [name for name in names if schema.field(name) is not None and str(name).lower() in apart]
    if both:
        raise InputError(
            f"Columns {both} may be attributes of items or values of the filter; give those of the filter as "
            "filter_values={...}, or rename the columns."
        )
    if unknown or not asked:
        wrong = f"{unknown} are none" if unknown else "there is no column"
        ids = ". Ids are for the recipe aws-item-affinity" if {c.ITEM_ID, c.USER_ID} & set(names) else ""
        raise InputError(
            f"Columns are taken for attributes of items, and {wrong}: the items have {schema.told}{ids}. Pass the "
            f"columns that are, frame[[...]], or texts such as {EXAMPLE!r} in a column {c.ITEM_ATTRIBUTES!r}."
        )
    twice = [name for name in names if sum(schema.field(name) is schema.field(one) for one in names) > 1]
    if twice:
        raise InputError(f"Columns {twice} are one attribute; keep one of them, or give lists of values.")
    return asked


def _written(rows: Sequence[Any], column: str, schema: _Schema, findings: Findings) -> list[str | None]:
    """Return a text for each row; what is wrong is found by row."""
    queries: list[str | None] = []
    wrong: dict[str, list[int]] = {}
    for number, row in enumerate(map(plain, rows)):
        try:
            queries.append(_query(row, schema))
        except InputError as error:
            queries.append(None)
            wrong.setdefault(str(error).rstrip("."), []).append(number)
    for problem, found in wrong.items():
        mask = np.zeros(len(rows), bool)
        mask[found] = True
        findings.error(pa.array(mask), column, list(rows), problem)
    return queries


def _query(row: Any, schema: _Schema) -> str:
    if isinstance(row, str):
        return _checked(row, schema)
    if not isinstance(row, Mapping):
        raise InputError(f"a query is a text such as {EXAMPLE!r}, or a mapping of attributes to values")
    terms = [term for name, value in row.items() for term in schema.terms(name, value)]
    if not terms:
        raise InputError("the query has no attribute with a value")
    return " AND ".join(dict.fromkeys(terms))


def _checked(text: str, schema: _Schema) -> str:
    """Return a query that was given as text as it is, where it is one."""
    if not is_unicode(text):
        raise InputError("the text is not valid Unicode")
    position, joined = 0, True
    while joined:
        term = _TERM.match(text, position)
        if term is None:
            break
        schema.known(term["field"])
        position = term.end()
        more = _AND.match(text, position)
        joined = more is not None
        position = more.end() if more else position
    if joined or position != len(text):
        raise InputError(f"legal are equalities of items' fields joined with AND, such as {EXAMPLE}, nothing else")
    return text


@dataclass(frozen=True)
class _Schema:
    """The fields of the items, found in any spelling."""

    fields: Sequence[Mapping[str, Any]]

    @cached_property
    def _askable(self) -> dict[str, Mapping[str, Any]]:
        return {one["name"].lower(): one for one in self.fields if one["name"] != "ITEM_ID"}

    @property
    def told(self) -> str:
        names = [one["name"] for one in self._askable.values() if not one.get("textual")]
        return ", ".join(names) or "no attributes"

    def field(self, name: Any) -> Mapping[str, Any] | None:
        """Return the field of a column's name: `Release Year` is RELEASE_YEAR."""
        folded = str(name).lower()
        return self._askable.get(folded) or self._askable.get(re.sub(r"\W+", "_", folded))

    def known(self, name: Any) -> Mapping[str, Any]:
        """Return a field that can be asked for."""
        field = self.field(name)
        if field is None:
            near = difflib.get_close_matches(str(name).lower(), self._askable, n=1)
            meant = f" (did you mean {self._askable[near[0]]['name']}?)" if near else ""
            raise InputError(f"the items have no field {name!r}{meant}; they have {self.told}")
        if field.get("textual"):
            raise InputError(f"{field['name']} is a textual field, which cannot be asked for; others are {self.told}")
        return field

    def terms(self, name: Any, value: Any) -> Iterator[str]:
        """Yield an equality for each value of an attribute; a missing value asks for nothing."""
        if not isinstance(value, str) and not is_list(value) and missing(value):
            return
        field = self.known(name)
        several = field.get("categorical") and isinstance(value, str) and "|" in value  # as in Amazon's data
        for text in [part.strip() for part in value.split("|")] if several else texts(value):
            if text:
                yield f"ITEMS.{field['name']} = {_literal(text, field)}"


def _literal(text: str, field: Mapping[str, Any]) -> str:
    kinds = item_schema.kinds(field)
    if not kinds & _NUMBERS:
        if not is_unicode(text):
            raise InputError("the text is not valid Unicode")
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    try:
        number = float(text)
    except ValueError:
        raise InputError(f"{field['name']} is a number, got {shown(text)}") from None
    if number in (float("inf"), float("-inf")) or number != number:
        raise InputError(f"{field['name']} is a finite number, got {shown(text)}")
    if kinds <= _WHOLE:
        if not number.is_integer():
            raise InputError(f"{field['name']} is a whole number, got {shown(text)}")
        return str(int(text)) if re.fullmatch(r"[+-]?\d+", text.strip()) else str(int(number))
    return text.strip()
