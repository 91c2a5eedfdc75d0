"""Frames, lists and `files` of ids become job input.

`ids` are checked row by row, `frames` are read in any spelling, a `batch` is what is uploaded.
"""

__all__ = ["batch", "frames", "ids"]
