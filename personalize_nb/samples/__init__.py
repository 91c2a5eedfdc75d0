"""Data to try things on: a bundled library with simulated readers, and MovieLens from a folder.

    sample = pnb.samples.books()
    sample = pnb.samples.movielens("ml-latest-small")

Both give the same three frames.
"""

from __future__ import annotations

from personalize_nb.samples.base import Sample
from personalize_nb.samples.bundled import books
from personalize_nb.samples.movielens import movielens

__all__ = ["Sample", "books", "movielens"]


def __dir__() -> list[str]:
    return __all__
