"""The simulated library: how much read each book is, when it came in, and which books lie near it.

Nearness has four sources. Authors, subjects and years can be read from the catalogue; the hidden shelves, drawn by
the seed, cannot, so that behaviour tells a recommender more than metadata do. Nearness is directed: the next book
by the same author, and one or two hidden successors, count most, so that order tells more than co-occurrence.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from personalize_nb.samples.draws import Dice, Urns

DAY = 86_400
START = 1_735_689_600  # 2025-01-01T00:00:00Z, the first day of the simulation
DAYS = 546  # eighteen months
END = START + DAYS * DAY

NEWCOMERS = 40  # books added during the last five months
UNOPENED = 14  # books added in the last two hours: the cold items
FAMOUS = 120  # books too well known to be newcomers

_NEIGHBOURS = 30


@dataclass(frozen=True)
class Library:
    """The catalogue as numbers; rows follow the catalogue's order."""

    subjects: tuple[str, ...]
    has_subject: np.ndarray  # items x subjects, int64 of 0 and 1
    author: np.ndarray  # author number of each item
    popularity: np.ndarray  # integer weights, Zipf-like
    created: np.ndarray  # epoch seconds
    neighbours: np.ndarray  # items x items, integer weights, few of them positive


def build(catalogue: pd.DataFrame, famous: np.ndarray, dice: Dice) -> Library:
    """Return the library of a catalogue with `author`, `year` and `subjects`; `famous` marks its best known books."""
    lists = [text.split("|") for text in catalogue["subjects"]]
    subjects = tuple(sorted({subject for row in lists for subject in row}))
    has_subject = np.array([[subject in row for subject in subjects] for row in lists], dtype=np.int64)
    _, author = np.unique(catalogue["author"].to_numpy(dtype=object).astype(str), return_inverse=True)
    year = catalogue["year"].to_numpy(dtype=np.int64)
    rank = _fame(author, famous, dice)
    popularity = 1_000_000 // (rank + 25)
    return Library(
        subjects=subjects,
        has_subject=has_subject,
        author=author,
        popularity=popularity,
        created=_arrivals(rank, dice),
        neighbours=_nearness(has_subject, author, year, popularity, dice),
    )


def _fame(author: np.ndarray, famous: np.ndarray, dice: Dice) -> np.ndarray:
    """Return a popularity rank for each book: chance, in favour of famous books and authors with many works."""
    luck = dice.uniform(len(author)) / np.sqrt(np.bincount(author)[author]) / np.where(famous, 12, 1)
    rank = np.empty(len(author), dtype=np.int64)
    rank[np.argsort(luck, kind="stable")] = np.arange(len(author))
    return rank


def _arrivals(rank: np.ndarray, dice: Dice) -> np.ndarray:
    """Return when each book was added: most before the simulation starts, newcomers near its end."""
    created = START - DAY - dice.below(np.full(len(rank), 300 * DAY))
    late = dice.shuffled(len(rank))
    late = late[rank[late] >= FAMOUS]
    newcomers, unopened = late[:NEWCOMERS], late[NEWCOMERS : NEWCOMERS + UNOPENED]
    created[newcomers] = END - 2 * DAY - dice.below(np.full(len(newcomers), 150 * DAY))
    created[unopened] = END - dice.below(np.full(len(unopened), 7_200))
    return created


def _nearness(
    has_subject: np.ndarray, author: np.ndarray, year: np.ndarray, popularity: np.ndarray, dice: Dice
) -> np.ndarray:
    """Return for each book the weights of the books that a reader may turn to next; rows keep the largest."""
    count = len(author)
    rarity = 12_000 // (has_subject.sum(axis=0) + 20)
    near = has_subject @ (has_subject * rarity).T
    near += 250 * (author[:, None] == author[None, :])
    near += 120 * (np.abs(year[:, None] - year[None, :]) < 30)

    shelf = dice.below(np.full(count, max(1, count // 9)))
    near += 450 * (shelf[:, None] == shelf[None, :])

    order = np.lexsort((np.arange(count), year, author))
    here, following = order[:-1], order[1:]
    same = author[here] == author[following]
    near[here[same], following[same]] += 450

    popular = Urns(popularity[None, :])
    for bonus in (500, 300):  # hidden successors: what readers of this library turn to next
        near[np.arange(count), popular.draw(np.zeros(count, dtype=np.int64), dice)] += bonus

    weights = near * near // 1_000 * np.sqrt(popularity).astype(np.int64)
    np.fill_diagonal(weights, 0)
    smallest_kept = np.sort(weights, axis=1)[:, -_NEIGHBOURS]
    return np.where(weights >= smallest_kept[:, None], weights, 0)
