"""The hold-out metrics: Amazon's worked example by hand, and models that must beat popularity on planted tastes."""

from __future__ import annotations

import numpy as np
import pytest
from planted import planted

from personalize_nb.local.recipes.history import Sequences
from personalize_nb.local.tasks import hold_out

KEYS = {
    "coverage",
    "mean_reciprocal_rank_at_25",
    *(f"normalized_discounted_cumulative_gain_at_{cut}" for cut in (5, 10, 25)),
    *(f"precision_at_{cut}" for cut in (5, 10, 25)),
}


def truths(*rows: list[int]) -> Sequences:
    starts = np.concatenate(([0], np.cumsum([len(row) for row in rows]))).astype(np.int64)
    items = np.asarray([value for row in rows for value in row], np.int32)
    return Sequences(starts, items, np.zeros(len(items), np.int64), 100)


def test_amazons_worked_example():
    found = hold_out.scores_of(np.asarray([[7, 1, 8, 9, 2, *range(40, 60)]]), truths([1, 2, 99]))
    assert found["normalized_discounted_cumulative_gain_at_5"] == pytest.approx(0.6241, abs=5e-5)
    assert found["precision_at_5"] == pytest.approx(0.4)
    assert found["precision_at_25"] == pytest.approx(0.08)
    assert found["mean_reciprocal_rank_at_25"] == pytest.approx(0.5)


def test_a_user_without_hits_counts_as_zero():
    lists = np.asarray([[1, *range(50, 74)], [*range(50, 74), -1]])
    found = hold_out.scores_of(lists, truths([1], [3]))
    assert found["normalized_discounted_cumulative_gain_at_25"] == pytest.approx(0.5)
    assert found["mean_reciprocal_rank_at_25"] == pytest.approx(0.5)


def test_the_newest_tenth_is_the_truth():
    steps = truths(list(range(20)), [5], [6, 7])
    given, newest = hold_out.split_newest(steps, 0.1)
    assert newest.items.tolist() == [18, 19, 7]
    assert given.starts.tolist() == [0, 18, 19, 20]


@pytest.mark.parametrize(
    "recipe", ["aws-user-personalization", "aws-personalized-ranking", "aws-similar-items", "aws-sims"]
)
def test_learnt_recipes_beat_popularity(recipe):
    data = planted(users=160)
    found = hold_out.hold_out(recipe, data)
    popular = hold_out.hold_out("aws-popularity-count", data)
    assert set(found) == set(popular) == KEYS
    assert all(0 <= value <= 1 and value == round(value, 4) for value in found.values())
    assert found["mean_reciprocal_rank_at_25"] > popular["mean_reciprocal_rank_at_25"] + 0.1
    assert found["coverage"] > 0.5


def test_the_same_seed_gives_the_same_metrics():
    data = planted()
    assert hold_out.hold_out("aws-sims", data, seed=4) == hold_out.hold_out("aws-sims", data, seed=4)
