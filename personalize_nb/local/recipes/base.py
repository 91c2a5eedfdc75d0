"""What every recipe's model is: queries in, ranked lists out, a folder of plain arrays on disk.

A `Queries` is one block of input lines, already parsed, with a mask of allowed items when a filter applies. A
`Ranked` is one list per query, best first. Memory is bounded by the caller's block: a model never holds more than
a few values per query and item of the block.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd
import pyarrow as pa

from personalize_nb.contract import limits
from personalize_nb.local.data.allowed import Allowed
from personalize_nb.local.recipes.disk import read_arrays, write_arrays

if TYPE_CHECKING:
    from personalize_nb.local.data.schema import TrainingData
    from personalize_nb.local.recipes.history import History


@dataclass(frozen=True)
class Queries:
    """One block of batch input.

    Parameters
    ----------
    users, items, item_lists
        The keys of the lines, whichever the recipe reads; one entry per line.
    num_results
        Items wanted per line. Ranking recipes return the whole list whatever it says.
    allowed
        What a filter lets through of each line, in the order of `Model.item_ids`; None allows all.
    unknown_allowed
        Whether a list to be ranked keeps items that no dataset knows; a filter with INCLUDE drops them.
    exploration_weight, exploration_cut_off_days
        itemExplorationConfig of the job; None takes what the solution was trained with.
    ranking_influence
        rankingInfluence of the job, by recipes that read it.
    seed
        Makes exploration repeatable; the job's name decides it.
    """

    users: list[str] | None = None
    items: list[str] | None = None
    item_lists: list[list[str]] | None = None
    num_results: int = limits.DEFAULT_NUM_RESULTS
    allowed: Allowed | None = None
    unknown_allowed: bool = True
    exploration_weight: float | None = None
    exploration_cut_off_days: float | None = None
    ranking_influence: dict[str, float] | None = None
    seed: int = 0


@dataclass(frozen=True)
class Ranked:
    """One list per query, best first; `scores` is None for recipes that give none."""

    items: pa.ListArray
    scores: pa.ListArray | None


class Model(ABC):
    """A trained recipe.

    Subclasses name themselves in `kind`, keep every learnt value in `arrays` (plain NumPy arrays) and small facts
    in `facts` (JSON), and are rebuilt from just these two: what is saved is all there is.
    """

    kind: ClassVar[str]

    def __init__(
        self, item_ids: pa.StringArray, user_ids: pa.StringArray, arrays: dict[str, np.ndarray], facts: dict[str, Any]
    ):
        self.item_ids = item_ids
        self.user_ids = user_ids
        # Read-only, as they are when mapped from disk: one compiled kernel serves a new model and a loaded one.
        self.arrays = {name: values.view(np.ndarray) for name, values in arrays.items()}
        for values in self.arrays.values():
            values.flags.writeable = False
        self.facts = facts
        self._items = Codes(item_ids)
        self._users = Codes(user_ids)
        self.recent: Mapping[str, Sequence[str]] = {}

    @classmethod
    @abstractmethod
    def train(
        cls,
        history: History,
        data: TrainingData,
        hyperparameters: dict[str, Any],
        seed: int,
        progress: Callable[[int, int], None],
    ) -> Model:
        """Learn from a history, and from the datasets where metadata say more than behaviour.

        Parameters
        ----------
        history
            The interactions that count.
        data
            The imported datasets.
        hyperparameters
            A value of each that the recipe has.
        seed
            Decides which users are held back while parameters are fitted.
        progress
            Called with (steps done, steps in all).
        """

    @abstractmethod
    def rank(self, queries: Queries) -> Ranked:
        """Rank the catalogue, or the query's own list, for each query of the block."""

    def remember(self, recent: Mapping[str, Sequence[str]]) -> None:
        """Note the items that users met since the training, oldest first, for recipes that rank by histories."""
        self.recent = recent

    def save(self, folder: Path) -> None:
        """Write the model to a folder that appears whole or not at all."""
        ids = {"item_ids": self.item_ids, "user_ids": self.user_ids}
        write_arrays(folder, self.arrays, ids, {**self.facts, "kind": self.kind})

    @classmethod
    def restore(cls, folder: Path) -> Model:
        """Read a model that `save` wrote."""
        arrays, ids, facts = read_arrays(folder)
        return cls(ids["item_ids"], ids["user_ids"], arrays, facts)

    def item_codes(self, ids: list[str]) -> np.ndarray:
        """Return positions in `item_ids`, -1 for unknown items."""
        return self._items.of(ids)

    def user_codes(self, ids: list[str]) -> np.ndarray:
        """Return positions of users seen in training, -1 for new users."""
        return self._users.of(ids)

    def lists(self, codes: np.ndarray, scores: np.ndarray | None = None) -> Ranked:
        """Turn a matrix of item positions, padded with -1 at the right end, into a `Ranked`."""
        kept = codes >= 0
        offsets = pa.array(np.concatenate(([0], np.cumsum(kept.sum(axis=1)))), pa.int32())
        items = pa.ListArray.from_arrays(offsets, self.item_ids.take(pa.array(codes[kept])))
        if scores is None:
            return Ranked(items, None)
        return Ranked(items, pa.ListArray.from_arrays(offsets, pa.array(scores[kept], pa.float64())))


class Codes:
    """Positions of IDs in a sorted array; the hash table is built once, on first use."""

    def __init__(self, ids: pa.StringArray):
        self._ids = ids
        self._index: pd.Index | None = None

    def of(self, ids: list[str]) -> np.ndarray:
        if self._index is None:
            self._index = pd.Index(np.asarray(self._ids.to_pylist(), dtype=object), dtype=object)
        return self._index.get_indexer(pd.Index(np.asarray(ids, dtype=object), dtype=object)).astype(np.int64)
