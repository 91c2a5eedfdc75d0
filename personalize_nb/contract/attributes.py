"""Whether a column of items tells them apart: what Item-Attribute-Affinity needs one of.

Amazon's words name the cases that fail: all values the same, all of them distinct, or no attribute at all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable

SEPARATOR = "|"
NO_ATTRIBUTE = (
    "Did not find any attribute to train on. There may not be any attribute in the items dataset, or all attribute "
    "values either have same or all distinct values."
)


def tells_apart(cells: Iterable[Hashable | None]) -> bool:
    """Tell whether some value is that of several items and not of all; items without a value do not count.

    Parameters
    ----------
    cells
        The column's value for each item: a number, or a text in which `|` separates several categories.

    Examples
    --------
    >>> tells_apart(["red", "red", "blue"]), tells_apart(["red", "red", None]), tells_apart(["red", "blue", "green"])
    (True, False, False)
    >>> tells_apart(["Drama|War", "War|Comedy", "Comedy"]), tells_apart(["Film|A", "Film|B", "Film|C"])
    (True, False)
    """
    counts: Counter[Hashable] = Counter()
    items = 0
    for cell in cells:
        values = set(cell.split(SEPARATOR)) - {""} if isinstance(cell, str) else {cell} - {None}
        counts.update(values)
        items += bool(values)
    return any(1 < count < items for count in counts.values())
