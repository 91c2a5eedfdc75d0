"""Data of any of the `forms` that are known become job input.

`ids` are checked row by row, `frames` have any spelling, data are `given` once, attributes of items
become `queries`, `records` are users, items and rankings, a `batch` is what is uploaded.
"""

__all__ = [
    "batch",
    "distinct",
    "filter_columns",
    "forms",
    "frames",
    "given",
    "ids",
    "json_lines",
    "key_columns",
    "queries",
    "records",
    "text_bytes",
]
