"""Everything about a catalogue that themes need, computed once and kept on disk: words, phrases, vectors.

An index is plain arrays plus JSON, named by a hash of the catalogue, so that the next job on the same data reads it
back.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

from personalize_nb.local.themes import statistics
from personalize_nb.local.themes.catalogue import Catalogue
from personalize_nb.local.themes.occurrences import NOUN, PAIR
from personalize_nb.local.themes.phrases import SUBJECT, Phrase, mine
from personalize_nb.local.themes.text import lemmas

METHOD = "28"  # part of the name on disk: raise it whenever an index would come out differently
CATEGORY = "\x1f"  # marks a vocabulary entry as a category value
NAME_WEIGHT = 2
CATEGORY_WEIGHT = 2
CLOSEST_SHARE = 0.95
FAMILY_COSINE, FAMILY_SIZE, FAMILY_USERS, FAMILY_LIKENESS = 0.6, 8, 5, 0.06


@dataclass(frozen=True)
class Index:
    """The prepared catalogue. Rows are items in catalogue order; phrases and vocabulary are sorted."""

    catalogue: Catalogue
    phrases: tuple[Phrase, ...]
    vocabulary: tuple[str, ...]
    words: sp.csr_matrix  # items x vocabulary, weighted counts
    uses: sp.csr_matrix  # items x phrases, 0 or 1
    told: sp.csr_matrix  # items x phrases, 0 or 1: uses the phrase or one that means nearly the same
    items: np.ndarray  # items x dimensions, unit rows
    projection: np.ndarray  # vocabulary x dimensions
    centre: np.ndarray  # dimensions: mean of the items before they were centred
    directions: np.ndarray  # phrases x dimensions, unit rows
    likeness: np.ndarray  # phrases: how alike the items are that use it
    mean: np.ndarray  # phrases: mean, deviation and 95 % quantile of cosines with the catalogue
    deviation: np.ndarray
    high: np.ndarray

    @cached_property
    def columns(self) -> dict[str, int]:
        """Column of each vocabulary entry."""
        return {entry: column for column, entry in enumerate(self.vocabulary)}

    @cached_property
    def phrase_counts(self) -> np.ndarray:
        """In how many items each phrase occurs."""
        return np.bincount(self.uses.indices, minlength=len(self.phrases)).astype(np.float64)

    @cached_property
    def told_counts(self) -> np.ndarray:
        """In how many items each phrase, or one of its family, occurs."""
        return np.bincount(self.told.indices, minlength=len(self.phrases)).astype(np.float64)

    @cached_property
    def category_columns(self) -> np.ndarray:
        """Columns of the vocabulary that are category values."""
        return np.array([c for c, entry in enumerate(self.vocabulary) if entry.startswith(CATEGORY)], dtype=np.int64)

    @cached_property
    def categories(self) -> sp.csr_matrix:
        """Items x category values, 0 or 1."""
        chosen = self.words[:, self.category_columns].tocsr()
        return sp.csr_matrix((np.ones_like(chosen.data), chosen.indices, chosen.indptr), shape=chosen.shape)

    @cached_property
    def category_names(self) -> tuple[str, ...]:
        """The category values, in the order of `categories`' columns."""
        return tuple(self.vocabulary[column][len(CATEGORY) :] for column in self.category_columns)

    def rows_of(self, groups: Sequence[Sequence[str]]) -> sp.csr_matrix:
        """Return groups x items, 0 or 1; ids that the catalogue does not know are left out."""
        rows = [
            sorted({self.catalogue.rows[item] for item in group if item in self.catalogue.rows}) for group in groups
        ]
        return incidence(rows, len(self.catalogue.items))


def incidence(lists: Sequence[Sequence[int]], width: int) -> sp.csr_matrix:
    """Return a 0/1 matrix from the columns of each row."""
    pointers = np.concatenate([[0], np.cumsum([len(columns) for columns in lists], dtype=np.int64)])
    flat = np.fromiter((column for columns in lists for column in columns), dtype=np.int64, count=int(pointers[-1]))
    return sp.csr_matrix((np.ones(len(flat)), flat, pointers), shape=(len(lists), width))


def build(catalogue: Catalogue) -> Index:
    """Read every text of a catalogue and compute its index."""
    vocabulary, counts = _count_words(catalogue)
    words = statistics.weigh(counts)
    items, projection, centre = statistics.latent_space(words)
    mined = mine(catalogue)
    uses = incidence([rows for _, rows in mined], len(catalogue.items))
    means, likeness = statistics.means_of(uses, items)
    directions = statistics.unit(means).round(statistics.ROUND)
    mean, deviation, high = statistics.spread_of(directions, items, CLOSEST_SHARE)
    phrases = tuple(phrase for phrase, _ in mined)
    told = (_families(phrases, uses, directions, likeness) @ uses).sign().T.tocsr()
    return Index(
        catalogue, phrases, tuple(vocabulary), words, uses.T.tocsr(), told, items, projection, centre,
        directions, likeness, mean, deviation, high,
    )  # fmt: skip


def _families(
    phrases: Sequence[Phrase], uses: sp.csr_matrix, directions: np.ndarray, likeness: np.ndarray
) -> sp.csr_matrix:
    """Return phrases x phrases, 1 where the second says nearly what the first says: of one kind, used by like items."""
    person = np.array([phrase.person for phrase in phrases], dtype=bool)
    common = np.array([phrase.slot in (NOUN, PAIR, SUBJECT) for phrase in phrases], dtype=bool)
    spread = (np.diff(uses.indptr) >= FAMILY_USERS) & (likeness >= FAMILY_LIKENESS) & common
    members: list[list[int]] = []
    for row, direction in enumerate(directions):
        family = [row]
        if spread[row]:
            near = np.flatnonzero(spread & (person == person[row]) & (directions @ direction >= FAMILY_COSINE))
            closest = near[np.argsort(-(directions[near] @ direction).round(statistics.ROUND), kind="stable")]
            family = sorted({row, *closest[:FAMILY_SIZE].tolist()})
        members.append(family)
    return incidence(members, len(phrases))


def _count_words(catalogue: Catalogue) -> tuple[list[str], sp.csr_matrix]:
    """Count the content words of names and descriptions; category values are words of their own."""
    counted: list[Counter[str]] = []
    for item in catalogue.items:
        words: Counter[str] = Counter(lemmas(item.description))
        for lemma in lemmas(item.name):
            words[lemma] += NAME_WEIGHT
        for value in item.categories:
            words[CATEGORY + value] += CATEGORY_WEIGHT
        counted.append(words)
    present = Counter(word for words in counted for word in words)
    vocabulary = sorted(word for word, count in present.items() if count > 1)
    columns = {word: column for column, word in enumerate(vocabulary)}
    pointers = [0]
    flat: list[int] = []
    data: list[int] = []
    for words in counted:
        kept = sorted((columns[word], count) for word, count in words.items() if word in columns)
        flat.extend(column for column, _ in kept)
        data.extend(count for _, count in kept)
        pointers.append(len(flat))
    shape = (len(counted), len(vocabulary))
    return vocabulary, sp.csr_matrix(
        (np.array(data, dtype=np.float64), np.array(flat, dtype=np.int64), pointers), shape=shape
    )


ARRAYS = ("items", "projection", "centre", "directions", "likeness", "mean", "deviation", "high")
MATRICES = ("words", "uses", "told")


def load_or_build(catalogue: Catalogue, cache: Path) -> Index:
    """Return the index of a catalogue, from `cache` where an equal catalogue was indexed before."""
    folder = Path(cache) / f"themes-{METHOD}-{catalogue.fingerprint[:24]}"
    if folder.is_dir():
        return _load(catalogue, folder)
    index = build(catalogue)
    _save(index, folder)
    return index


def _save(index: Index, folder: Path) -> None:
    """Write the index beside its place and move it in; another process that was faster wins."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=folder.parent))
    try:
        for name in ARRAYS:
            np.save(draft / f"{name}.npy", getattr(index, name))
        for name in MATRICES:
            sp.save_npz(draft / f"{name}.npz", getattr(index, name), compressed=False)
        words = {"phrases": [asdict(phrase) for phrase in index.phrases], "vocabulary": index.vocabulary}
        (draft / "words.json").write_text(json.dumps(words), encoding="utf-8")
        os.rename(draft, folder)
    except OSError:
        if not folder.is_dir():
            raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _load(catalogue: Catalogue, folder: Path) -> Index:
    words = json.loads((folder / "words.json").read_text(encoding="utf-8"))
    arrays: dict[str, Any] = {name: np.load(folder / f"{name}.npy") for name in ARRAYS}
    matrices: dict[str, Any] = {name: sp.load_npz(folder / f"{name}.npz") for name in MATRICES}
    return Index(
        catalogue=catalogue,
        phrases=tuple(Phrase(**phrase) for phrase in words["phrases"]),
        vocabulary=tuple(words["vocabulary"]),
        **arrays,
        **matrices,
    )
