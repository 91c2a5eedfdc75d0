"""Frames that our calls give, as notebooks show them: by pandas, in its options, with columns of text on the left.

They are frames of pandas and nothing else, because a class of our own would meet every library that asks for exactly
that. What came from a call is known by a mark among its `attrs`, which pandas hands on to its parts; frames without it
are shown as ever. JupyterLab puts every cell on the right, so that the beginnings of texts do not stand below each
other.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from personalize_nb.text.public import OURS

if TYPE_CHECKING:
    import pandas as pd

_ROW = re.compile(r"<tr[ >].*?</tr>", re.DOTALL)
_OPENED = re.compile(r"<t[dh]( [^>]*)?>")  # values are escaped, so this is pandas' own
_LEFT = ' style="text-align:left"'


def shown(frame: pd.DataFrame) -> str | None:
    """Return a frame as HTML: as pandas writes it, and of a call of ours with its texts on the left."""
    own: Any = frame
    text: str | None = own._repr_html_()
    if text is None or OURS not in frame.attrs:
        return text
    index = [_is_text(frame.index.get_level_values(place).dtype) for place in range(frame.index.nlevels)]
    columns = [_is_text(dtype) for dtype in frame.dtypes]
    return _ROW.sub(lambda row: _aligned(row.group(), index, columns), text)


def _aligned(row: str, index: list[bool], columns: list[bool]) -> str:
    """Return a row of pandas' HTML with its texts on the left; as it is where it is not known what it holds."""
    cells = len(_OPENED.findall(row))
    numbers = row.count("<td")
    if numbers:
        # of equal values of an index the first stands for all
        keys = index[len(index) - (cells - numbers) :] if cells > numbers else []
    else:  # of the head, which has a cell above each level of the index
        numbers, keys = cells - len(index), index
    left = keys + (columns if numbers == len(columns) else _cut(columns, numbers))
    if len(left) != cells:
        return row
    places = iter(left)
    return _OPENED.sub(lambda cell: cell.group()[:-1] + (_LEFT if next(places) else "") + ">", row)


def _cut(columns: list[bool], number: int) -> list[bool]:
    """Return which of the cells hold texts where pandas leaves out the columns in the middle."""
    half = number // 2
    return [*columns[:half], True, *columns[-half:]] if number % 2 and 0 < half < len(columns) / 2 else []


def _is_text(dtype: Any) -> bool:
    import pandas as pd  # loaded already: it is a frame's

    held = dtype.categories.dtype if isinstance(dtype, pd.CategoricalDtype) else dtype
    return bool(pd.api.types.is_object_dtype(held) or pd.api.types.is_string_dtype(held))
