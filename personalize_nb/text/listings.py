"""Frames that list what there is: names stand whole, so that they copy into the next call, and texts on the left.

pandas cuts texts at 50 characters and puts them on the right; a listing is a frame in all else, and so are its parts.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from personalize_nb.text import html

_MOST = 60  # rows to show, as pandas does
_WORD = 64  # the longest name


class Listing(pd.DataFrame):
    """A frame of names and facts, shown with nothing cut.

    Examples
    --------
    >>> Listing({"name": ["a-name"], "records": [12]})
      name    records
    0 a-name       12
    """

    @property
    def _constructor(self) -> type[Listing]:
        return Listing

    def __repr__(self) -> str:
        if self.empty or not self.columns.is_unique:
            return super().__repr__()
        shown = self.head(_MOST)
        texts = {name: _width(shown[name]) for name in shown.columns if _is_text(shown[name])}
        told: pd.DataFrame = pd.DataFrame(shown).rename(columns={name: f"{name:<{texts[name]}}" for name in texts})
        for name, width in texts.items():
            told[f"{name:<{width}}"] = [f"{_text(value):<{width}}" for value in shown[name]]
        with pd.option_context("display.max_colwidth", None):
            lines = told.to_string(line_width=pd.get_option("display.width") or None)
        return f"{lines}\n\n{_note(self)}" if len(self) > _MOST else lines

    def _repr_html_(self) -> str:
        shown = pd.DataFrame(self.head(_MOST))
        told = [place for place in range(self.shape[1]) if self.empty or any(map(_text, shown.iloc[:, place]))]
        rows = [[_cell(_text(row[place])) for place in told] for row in shown.itertuples(index=False, name=None)]
        numbers = [at for at, place in enumerate(told) if pd.api.types.is_numeric_dtype(self.dtypes.iloc[place])]
        names = [str(name) for name in self.columns]
        silent = [name for place, name in enumerate(names) if place not in told]
        notes = [
            *([_note(self)] if len(self) > _MOST else []),
            *([f"nothing in {', '.join(silent)}"] if silent else []),
        ]
        return html.output(html.table(rows, [names[place] for place in told], numeric=numbers, note="; ".join(notes)))


def _is_text(column: Any) -> bool:
    return bool(pd.api.types.is_object_dtype(column) or pd.api.types.is_string_dtype(column))


def _width(column: Any) -> int:
    return max(len(str(column.name)), *(len(_text(value)) for value in column))


def _text(value: Any) -> str:
    if isinstance(value, list | dict | tuple):
        return str(value)
    if pd.isna(value):
        return ""
    if isinstance(value, pd.Timedelta):
        return str(value).removeprefix("0 days ")
    return f"{value:%Y-%m-%d %H:%M:%S}" if isinstance(value, pd.Timestamp) else str(value)


def _cell(text: str) -> object:
    """Return a text for a cell; what is one word, as names are, stays on its line."""
    return (
        text
        if " " in text or len(text) > _WORD
        else html.Markup('<span style="white-space:nowrap">{}</span>').format(text)
    )


def _note(listed: pd.DataFrame) -> str:
    return f"{_MOST} of {len(listed):,} rows"
