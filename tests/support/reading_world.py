"""Frames of a small world for the client: readers who keep to their shelf, so that the right answer is known."""

from __future__ import annotations

import pandas as pd

READERS, BOOKS, READ = 90, 60, 16
SHELVES = ("sea", "crime", "garden")
WORDS = {
    "sea": "A ship sails the stormy ocean, and captain and sailors look for an island with a lost treasure",
    "crime": "A detective in London solves a murder, follows a clever thief and finds the stolen jewels",
    "garden": "A gardener plants roses and herbs, waits for the spring and teaches children to grow flowers",
}


def shelf_of(number: int) -> str:
    """Return the shelf of a book, or the taste of a reader, by number."""
    return SHELVES[number % 3]


def interactions() -> pd.DataFrame:
    """Each reader reads 16 books of one shelf, one a day."""
    rows = [
        (
            f"r{reader}",
            f"b{(reader % 3 + 3 * (reader + step)) % BOOKS}",
            pd.Timestamp("2026-01-01") + pd.Timedelta(days=step),
        )
        for reader in range(READERS)
        for step in range(READ)
    ]
    return pd.DataFrame(rows, columns=["user_id", "item_id", "timestamp"]).assign(event_type="read")


def items() -> pd.DataFrame:
    """Books with a title that needs escaping, a shelf, a year and a description."""
    return pd.DataFrame(
        [
            (
                f"b{number}",
                f'The "{shelf_of(number)}" book, no. {number}',
                shelf_of(number),
                1900 + number,
                f"{WORDS[shelf_of(number)]} {number}.",
            )
            for number in range(BOOKS)
        ],
        columns=["item_id", "title", "shelf", "year", "description"],
    )
