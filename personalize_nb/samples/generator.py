"""A seeded simulation of readers in a library; nothing in it was recorded from people.

Each reader has four tastes over subjects and a favourite author; both drift toward what was just read. Visits come
in sessions over eighteen months. Within a session the next book tends to lie near the last one (see `library`);
otherwise a taste, the author or plain popularity decides. Nobody visits a book twice, nor before it was added.
The same seed gives the same bytes on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from personalize_nb.samples import library as libraries
from personalize_nb.samples import readers as people
from personalize_nb.samples.draws import Dice, Urns

EVENTS = ("view", "read", "favorite")

_SESSION_GAP = 10_800  # three hours without a visit begin a new session
_NEAR = 0.55  # chance that the next book is taken near the last one, within a session
_NEAR_AFTER_BREAK = 0.3  # the same for the first book of a session
_BY_TASTE, _BY_AUTHOR = 0.70, 0.18  # of the other visits; the rest follows popularity
_TASTE_DRIFT, _AUTHOR_DRIFT = 0.02, 0.06  # chance per visit that a taste, or the author, becomes the book's
_CANDIDATES = 3  # books on a subject that a reader compares
_TRIES = 6  # books a reader looks at before giving up a visit


def simulate(
    catalogue: pd.DataFrame, famous: np.ndarray, readers: int = 2_400, seed: int = 1
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return interactions, items and users of a simulated library.

    Parameters
    ----------
    catalogue
        The books, with `item_id`, `author`, `year` and `subjects` (separated by `|`).
    famous
        For each book, whether most people know it; such books tend to be the popular ones.
    readers
        How many readers; each plans 7 visits or more, 31 on average.
    seed
        Another seed gives other readers, other popular books and other newcomers.
    """
    dice = Dice(seed)
    library = libraries.build(catalogue, famous, dice)
    crowd = people.build(library, readers, dice)
    visits = _walk(library, crowd, dice)

    user_ids = np.array([f"r{number:05d}" for number in range(1, readers + 1)], dtype=object)
    kind, share = _events(visits.matches, dice)
    order = np.lexsort((visits.reader, visits.timestamp))
    interactions = pd.DataFrame(
        {
            "user_id": pd.Series(user_ids[visits.reader], dtype="str"),
            "item_id": pd.Series(catalogue["item_id"].to_numpy(dtype=object)[visits.item], dtype="str"),
            "timestamp": visits.timestamp,
            "event_type": pd.Series(np.array(EVENTS, dtype=object)[kind], dtype="str"),
            "event_value": share,
        }
    )
    items = catalogue.assign(creation_timestamp=library.created)
    users = pd.DataFrame(
        {
            "user_id": pd.Series(user_ids, dtype="str"),
            "age_group": pd.Series(np.array(tuple(people.AGES), dtype=object)[crowd.age], dtype="str"),
            "favorite_form": pd.Series(crowd.form, dtype="str"),
        }
    )
    return interactions.iloc[order].reset_index(drop=True), items, users


@dataclass(frozen=True)
class _Visits:
    reader: np.ndarray
    item: np.ndarray
    timestamp: np.ndarray
    matches: np.ndarray  # how many of the book's subjects were among the reader's tastes at that time


def _walk(library: libraries.Library, crowd: people.Readers, dice: Dice) -> _Visits:
    """Let all readers take their visits, step by step, and return the visits that found a book."""
    count = len(crowd.tastes)
    begins = np.searchsorted(crowd.reader, np.arange(count))
    lengths = np.bincount(crowd.reader, minlength=count)
    busiest_first = np.argsort(-lengths, kind="stable")
    chooser = _Chooser(library, crowd, dice)
    item = np.full(len(crowd.reader), -1)
    matches = np.zeros(len(crowd.reader), dtype=np.int64)
    for step in range(lengths.max()):
        who = busiest_first[: np.count_nonzero(lengths > step)]
        now = begins[who] + step
        rested = crowd.timestamp[now] - crowd.timestamp[now - (step > 0)] > _SESSION_GAP
        item[now] = chooser.choose(who, crowd.timestamp[now], rested)
        matches[now] = chooser.settle(who, item[now])
    taken = item >= 0
    return _Visits(crowd.reader[taken], item[taken], crowd.timestamp[taken], matches[taken])


class _Chooser:
    """Chooses the next book of many readers at once and remembers what they have seen."""

    def __init__(self, library: libraries.Library, crowd: people.Readers, dice: Dice):
        self._library, self._dice = library, dice
        self._tastes, self._author = crowd.tastes.copy(), crowd.author.copy()
        self._slots = Urns(np.array([people.SLOTS]))
        self._near = Urns(library.neighbours)
        self._by_subject = Urns(library.has_subject.T * library.popularity)
        authors = np.arange(library.author.max() + 1)
        self._by_author = Urns((authors[:, None] == library.author[None, :]) * library.popularity)
        self._popular = Urns(library.popularity[None, :])
        self._some_subject = Urns(library.has_subject)
        self._last = np.full(len(crowd.tastes), -1)
        self._seen = np.zeros((len(crowd.tastes), len(library.author)), dtype=bool)

    def choose(self, who: np.ndarray, timestamp: np.ndarray, rested: np.ndarray) -> np.ndarray:
        """Return one book per reader, unseen and already added; -1 where several tries found none."""
        chosen = np.full(len(who), -1)
        open_rows = np.arange(len(who))
        for _ in range(_TRIES):
            reader = who[open_rows]
            book = self._propose(reader, rested[open_rows])
            fits = ~self._seen[reader, book] & (self._library.created[book] <= timestamp[open_rows])
            chosen[open_rows[fits]] = book[fits]
            open_rows = open_rows[~fits]
        return chosen

    def settle(self, who: np.ndarray, book: np.ndarray) -> np.ndarray:
        """Remember the choices, let tastes drift, and return how well each book met the reader's tastes."""
        found = book >= 0
        reader, book = who[found], book[found]
        matches = np.zeros(len(who), dtype=np.int64)
        matches[found] = self._matches(reader, book)
        self._seen[reader, book] = True
        self._last[reader] = book
        moved = self._dice.chance(np.full(len(reader), _TASTE_DRIFT))
        slot = self._slots.draw(np.zeros(len(reader), dtype=np.int64), self._dice)
        self._tastes[reader[moved], slot[moved]] = self._some_subject.draw(book, self._dice)[moved]
        moved = self._dice.chance(np.full(len(reader), _AUTHOR_DRIFT))
        self._author[reader[moved]] = self._library.author[book[moved]]
        return matches

    def _propose(self, reader: np.ndarray, rested: np.ndarray) -> np.ndarray:
        dice, zeros = self._dice, np.zeros(len(reader), dtype=np.int64)
        taste = self._tastes[reader, self._slots.draw(zeros, dice)]
        way = dice.uniform(len(reader))
        book = np.where(
            way < _BY_TASTE,
            self._of_taste(reader, taste),
            np.where(
                way < _BY_TASTE + _BY_AUTHOR,
                self._by_author.draw(self._author[reader], dice),
                self._popular.draw(zeros, dice),
            ),
        )
        last = self._last[reader]
        near = dice.chance(np.where(rested, _NEAR_AFTER_BREAK, _NEAR)) & (last >= 0)
        book[near] = self._near.draw(last[near], dice)
        return book

    def _of_taste(self, reader: np.ndarray, taste: np.ndarray) -> np.ndarray:
        """Return of several books on the subject the one that meets most of the reader's tastes."""
        best = self._by_subject.draw(taste, self._dice)
        for _ in range(_CANDIDATES - 1):
            other = self._by_subject.draw(taste, self._dice)
            best = np.where(self._matches(reader, other) > self._matches(reader, best), other, best)
        return best

    def _matches(self, reader: np.ndarray, book: np.ndarray) -> np.ndarray:
        matches: np.ndarray = self._library.has_subject[book[:, None], self._tastes[reader]].sum(axis=1)
        return matches


def _events(matches: np.ndarray, dice: Dice) -> tuple[np.ndarray, np.ndarray]:
    """Return event types and the share of the book that was read; books to the reader's taste get further."""
    fit = np.minimum(matches, 3)
    luck = dice.uniform(len(matches))
    favorite = luck < 0.05 + 0.06 * fit
    read = luck < 0.35 + 0.16 * fit
    kind = np.where(favorite, 2, np.where(read, 1, 0))
    twentieths = np.array([1, 7, 16])[kind] + dice.below(np.array([6, 14, 5])[kind])
    return kind, twentieths / 20
