"""Data to try things on: a bundled library with simulated readers, and MovieLens from a folder.

    sample = pnb.samples.books()
    sample = pnb.samples.movielens("ml-latest-small")

Both give the same three frames.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from personalize_nb.samples.base import Sample
from personalize_nb.samples.bundled import books
from personalize_nb.samples.movielens import movielens
from personalize_nb.text.public import no_attribute

__all__ = ["Sample", "books", "movielens"]


if not TYPE_CHECKING:  # a type checker would take any name to be there

    def __getattr__(name):
        raise no_attribute("pnb.samples", name, __all__)


def __dir__() -> list[str]:
    return __all__
