"""The temperature: chosen by a softmax over the whole catalogue, though only the items with a score are looked at."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from personalize_nb.local.recipes import sequential, sharpness
from personalize_nb.local.recipes.history import Sequences


def histories(rng: np.random.Generator, users: int, items: int, longest: int) -> Sequences:
    lengths = rng.integers(0, longest + 1, users)
    starts = np.concatenate(([0], np.cumsum(lengths)))
    steps = (items * rng.random(starts[-1]) ** 2).astype(np.int32)
    return Sequences(starts, steps, np.zeros(len(steps), np.int64), items)


def dense_likelihoods(matrix, states, truth, prior, temperature):
    """Return the mean log-probability of each user's new items, with a softmax over all that the user has not met."""
    given = sparse.csr_matrix((states.val, states.idx, states.ptr), shape=(states.rows, matrix.shape[1]))
    logits = (given @ matrix).toarray().astype(np.float64) / temperature + np.log(prior)
    found = np.zeros(states.rows)
    for user in range(states.rows):
        met = states.seen_idx[states.seen_ptr[user] : states.seen_ptr[user + 1]]
        asked = truth.items[truth.starts[user] : truth.starts[user + 1]]
        asked = asked[~np.isin(asked, met)]
        unmet = np.setdiff1d(np.arange(matrix.shape[1]), met)
        if len(asked):
            top = logits[user].max()
            found[user] = (logits[user, asked] - top - np.log(np.exp(logits[user, unmet] - top).sum())).mean()
    return found


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    users=st.integers(1, 12),
    items=st.integers(1, 40),
    density=st.sampled_from([0.0, 0.1, 0.6, 1.0]),
    spread=st.sampled_from([0.01, 1.0, 20.0]),
)
def test_the_sharpest_is_the_peak_of_a_softmax_over_every_item(seed, users, items, density, spread):
    rng = np.random.default_rng(seed)
    before, after = histories(rng, users, items, 8), histories(rng, users, items, 3)
    entries = rng.normal(size=(items, items)) * spread * (rng.random((items, items)) < density)
    matrix = sparse.csr_matrix(entries.astype(np.float32))
    count = rng.integers(0, 9, items).astype(float)

    def prior(temperature: float) -> np.ndarray:
        return sequential.prior_of(count, 1.0 / temperature)

    states = sequential.states_of(before, np.zeros(users))
    found, temperature = sharpness.sharpest(matrix, states, after, prior)
    assert np.allclose(
        found, dense_likelihoods(matrix, states, after, prior(temperature), temperature), rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize("weighted", [False, True])
def test_large_data_are_learnt_once_without_the_steps_that_are_asked_for(monkeypatch, weighted):
    rng = np.random.default_rng(5)
    sequences = histories(rng, 300, 60, 30)
    if weighted:
        sequences = replace(sequences, weights=rng.choice([0.5, 1.5], len(sequences.items)))
    twice = sequential.train(sequences, 7)
    learnt, learn = [], sequential.learn
    monkeypatch.setattr(sequential, "_MOST_STEPS_TO_LEARN_TWICE", 0)
    monkeypatch.setattr(sequential, "learn", lambda of, *rest, **more: learnt.append(of) or learn(of, *rest, **more))
    fitted, matrix = sequential.train(sequences, 7)
    assert len(learnt) == 1
    lost = np.diff(sequences.starts) - np.diff(learnt[0].starts)
    held = sequential.held_back(sequences, np.random.default_rng(7))
    assert set(np.flatnonzero(lost)) == set(held) and lost.max() <= 3
    for user in range(sequences.n_users):
        steps = sequences.items[sequences.starts[user] : sequences.starts[user + 1]]
        kept = learnt[0].items[learnt[0].starts[user] : learnt[0].starts[user + 1]]
        assert np.array_equal(kept, steps[: len(kept)])
    assert fitted.again == twice[0].again
    # nearly the same data teach nearly the same
    assert np.corrcoef(matrix.toarray().ravel(), twice[1].toarray().ravel())[0, 1] > 0.9


def test_large_data_of_too_few_long_histories_are_learnt_whole(monkeypatch):
    sequences = histories(np.random.default_rng(5), 40, 30, 7)
    wanted = sequential.train(sequences, 0)
    monkeypatch.setattr(sequential, "_MOST_STEPS_TO_LEARN_TWICE", 0)
    found = sequential.train(sequences, 0)
    assert found[0] == wanted[0] and (found[1] != wanted[1]).nnz == 0
