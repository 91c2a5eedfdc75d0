"""aws-user-personalization (v1, v2 and the HRNN names) and aws-personalized-ranking (v1, v2).

Both rank by the same learnt probabilities: the first over the catalogue, the second over the list it is given.
Users without interactions get popular items. v1 explores: items younger than the cut-off get a boost that shrinks
with the interactions and impressions they already have, times a chance of their own for each user.

v2 gives probabilities to a part of the catalogue only: the items that the user's history says anything of. When a
filter leaves fewer of them than wanted, popular items that pass the filter follow. Amazon calls those placeholders
without a score; here their score is 0, so that `scores` stays parallel to `recommendedItems` and holds numbers only.
v1 has a probability for every item and returns fewer only when fewer pass the filter. v2 explores nothing.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import asdict
from functools import cached_property
from typing import Any, Self

import numpy as np
import pyarrow as pa
from scipy import sparse

from personalize_nb.local.data.allowed import Allowed
from personalize_nb.local.data.schema import TrainingData
from personalize_nb.local.recipes.base import Model, Queries, Ranked
from personalize_nb.local.recipes.content import borrow_columns, item_features
from personalize_nb.local.recipes.history import DAY, History, Sequences
from personalize_nb.local.recipes.hyperparameter_map import settings_of, usual_users
from personalize_nb.local.recipes.ranking import Exploration, rank_rows
from personalize_nb.local.recipes.scoring import ScoredCatalogue, States, score_pairs
from personalize_nb.local.recipes.sequential import (
    MEMORIES,
    Settings,
    catalogue_of,
    popularity,
    prior_of,
    states_of,
    train,
)

# A cold item borrows this share of what its nearest items by metadata would get.
BORROWED = 0.3


class Sequential(Model):
    """What the two recipes share: the matrix, the prior, and the users' histories."""

    @classmethod
    def train(
        cls,
        history: History,
        data: TrainingData,
        hyperparameters: dict[str, Any],
        seed: int,
        progress: Callable[[int, int], None],
    ) -> Self:
        settings = settings_of(hyperparameters)
        sequences = usual_users(history.sequences, hyperparameters)
        features = item_features(data, history.item_ids)
        fitted, matrix = train(sequences, seed, settings, features)
        progress(3, 4)
        matrix = matrix * np.float32(1.0 / fitted.temperature)
        count = popularity(history.sequences)
        cold, warm = np.flatnonzero(count == 0), np.flatnonzero(count > 0)
        if len(cold):
            matrix = borrow_columns(matrix, features, cold, warm, BORROWED)
        lift = np.ones(len(count)) if history.objective is None else np.exp(history.objective.lift)
        prior, tempered = prior_of(count, 1.0) * lift, prior_of(count, fitted.prior_power) * lift
        catalogue = catalogue_of(sparse.csr_matrix(matrix), tempered / tempered.sum())
        arrays = {
            "ptr": catalogue.ptr,
            "idx": catalogue.idx,
            "val": catalogue.val,
            "prior": catalogue.prior,
            "by_prior": catalogue.by_prior,
            "popularity": prior / prior.sum(),
            "starts": history.sequences.starts,
            "items": history.sequences.items,
            "age_days": (history.now - history.born) / DAY,
            "met": history.users_per_item + history.impressions,
        }
        facts = {
            "knobs": asdict(settings),
            "temperature": fitted.temperature,
            "memory": fitted.memory,
            "prior_power": fitted.prior_power,
            "again": fitted.again,
            # the -v2 recipes are told by their hyperparameter
            "placeholders": "apply_recency_bias" in hyperparameters,
            "exploration_weight": hyperparameters.get("exploration_weight"),
            "exploration_item_age_cut_off": hyperparameters.get("exploration_item_age_cut_off", 30.0),
        }
        return cls(history.item_ids, history.user_ids, arrays, facts)

    def __init__(
        self, item_ids: pa.StringArray, user_ids: pa.StringArray, arrays: dict[str, np.ndarray], facts: dict[str, Any]
    ):
        super().__init__(item_ids, user_ids, arrays, facts)
        prior = self.arrays["prior"]
        self._catalogue = ScoredCatalogue(
            self.arrays["ptr"],
            self.arrays["idx"],
            self.arrays["val"],
            prior,
            self.arrays["by_prior"],
            float(prior.sum()),
        )
        starts, items = self.arrays["starts"], self.arrays["items"]
        self._histories = Sequences(starts, items, np.zeros(len(items), np.int64), len(item_ids))

    @cached_property
    def _for_strangers(self) -> ScoredCatalogue:
        """Nothing is known of them: popularity itself, not its tempered form, is the best guess."""
        prior = self.arrays["popularity"]
        return self._catalogue._replace(prior=prior, by_prior=np.argsort(-prior, kind="stable"))

    def given(self, users: list[str]) -> Sequences:
        """Return the histories of users by ID; an unknown user has an empty one."""
        codes = self.user_codes(users)
        known = np.flatnonzero(codes >= 0)
        histories = self._histories.of_users(codes[known])
        lengths = np.zeros(len(users), np.int64)
        lengths[known] = np.diff(histories.starts)
        items = histories.items
        recent = self.recent
        # items that nobody knew at the training are left out
        new = [(row, self.item_codes(list(recent[user]))) for row, user in enumerate(users) if user in recent]
        added = [(row, codes[codes >= 0]) for row, codes in new]
        if added:
            ends = np.cumsum(lengths)
            places = np.concatenate([np.full(len(codes), ends[row]) for row, codes in added])
            items = np.insert(items, places, np.concatenate([codes for _, codes in added]).astype(items.dtype))
            for row, codes in added:
                lengths[row] += len(codes)
        starts = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
        return Sequences(starts, items, np.zeros(len(items), np.int64), histories.n_items)

    def states(self, given: Sequences) -> States:
        again = np.full(given.n_users, self.facts["again"])
        # models of a folder from before memory was fitted still answer
        memory = self.facts.get("memory", MEMORIES[0])
        return states_of(given, again, Settings(**self.facts["knobs"]), memory)

    def rank_histories(
        self,
        given: Sequences,
        num_results: int,
        allowed: Allowed | None = None,
        exploration: Exploration | None = None,
        row_keys: np.ndarray | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Rank the catalogue for histories rather than names; return item positions, padded with -1, and scores."""
        unscored = self.facts["placeholders"]
        states = self.states(given)
        items, scores = rank_rows(self._catalogue, states, num_results, allowed, exploration, row_keys, unscored)
        cold = np.flatnonzero(np.diff(given.starts) == 0)
        if len(cold):
            states = self.states(given.of_users(cold))
            allowed = None if allowed is None else allowed.take(cold)
            row_keys = None if row_keys is None else row_keys[cold]
            items[cold], scores[cold] = rank_rows(
                self._for_strangers, states, num_results, allowed, exploration, row_keys, unscored
            )
        return items, scores


class UserPersonalization(Sequential):
    """Ranks the catalogue for users, by what they did and in which order."""

    kind = "user-personalization"

    def rank(self, queries: Queries) -> Ranked:
        users = queries.users or []
        exploration = self._exploration(queries)
        items, scores = self.rank_histories(
            self.given(users), queries.num_results, queries.allowed, exploration, _row_keys(users)
        )
        return self.lists(items, scores)

    def _exploration(self, queries: Queries) -> Exploration:
        weight = self.facts["exploration_weight"]
        if weight is None:
            return Exploration.none()
        if queries.exploration_weight is not None:
            weight = queries.exploration_weight
        if weight <= 0.0:
            return Exploration.none()
        cut_off = queries.exploration_cut_off_days or self.facts["exploration_item_age_cut_off"]
        young = np.flatnonzero(self.arrays["age_days"] <= cut_off)
        met = self.arrays["met"]
        typical = max(1.0, float(met.mean()))
        boost = weight / (1.0 + met[young] / typical)
        return Exploration(young, boost.astype(np.float32), queries.seed)


class PersonalizedRanking(Sequential):
    """Orders the items of a list for a user; scores sum to 1 over the list, unknown items come last with 0."""

    kind = "personalized-ranking"

    def rank(self, queries: Queries) -> Ranked:
        lists = queries.item_lists or []
        lengths = np.asarray([len(items) for items in lists], np.int64)
        ptr = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
        names = pa.array([item for items in lists for item in items], pa.string())
        codes = self.item_codes(names.to_pylist())
        given = self.given(queries.users or [])
        logits = score_pairs(self._catalogue, self.states(given), ptr, codes)
        rows = np.repeat(np.arange(len(lists)), lengths)
        of_strangers = (np.diff(given.starts) == 0)[rows] & (codes >= 0)
        logits[of_strangers] = np.log(self.arrays["popularity"][codes[of_strangers]])
        scores = _softmax_by_row(logits, rows, len(lists))
        kept = np.ones(len(codes), bool)
        if queries.allowed is not None:
            known = queries.allowed.at(rows, np.maximum(codes, 0))
            kept = np.where(codes < 0, queries.unknown_allowed, known)
            scores = _softmax_by_row(np.where(kept, logits, -np.inf), rows, len(lists))
        order = np.lexsort((np.arange(len(codes)), -scores, codes < 0, rows))
        order = order[kept[order]]
        offsets = pa.array(np.concatenate(([0], np.cumsum(np.bincount(rows[order], minlength=len(lists))))), pa.int32())
        return Ranked(
            pa.ListArray.from_arrays(offsets, names.take(pa.array(order))),
            pa.ListArray.from_arrays(offsets, pa.array(scores[order], pa.float64())),
        )


def _softmax_by_row(logits: np.ndarray, rows: np.ndarray, n_rows: int) -> np.ndarray:
    """Return probabilities within each row; -inf is 0, and a row of nothing else is all 0."""
    highest = np.full(n_rows, -np.inf)
    np.maximum.at(highest, rows, logits)
    powers = np.exp(logits - np.where(np.isfinite(highest), highest, 0.0)[rows])
    totals = np.bincount(rows, weights=powers, minlength=n_rows)
    shares: np.ndarray = powers / np.where(totals > 0, totals, 1.0)[rows]
    return shares


def _row_keys(users: list[str]) -> np.ndarray:
    """Return a number per user that depends on the ID alone, so that chance does not depend on block borders."""
    return np.fromiter((zlib.crc32(user.encode()) for user in users), np.uint64, len(users))
