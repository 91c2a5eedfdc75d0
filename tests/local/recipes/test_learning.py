"""What the recipes learn, beside slow and obvious computations; the same bytes whatever threads and hash seeds do."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from planted import planted
from scipy import sparse
from threadpoolctl import threadpool_limits

from personalize_nb.local.data.schema import Field, Schema, TrainingData
from personalize_nb.local.recipes import compiled, counts, ease, families, heap, ridge, sequential
from personalize_nb.local.recipes.base import Queries
from personalize_nb.local.recipes.history import Sequences

TESTS = Path(__file__).parents[2]


def histories(users: int, items: int, seed: int = 1) -> Sequences:
    rng = np.random.default_rng(seed)
    lengths = rng.integers(0, 12, users)
    starts = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
    # skewed, so that some items are popular; with repeats
    places = (items * rng.random(starts[-1]) ** 2).astype(np.int32)
    return Sequences(starts, places, np.zeros(len(places), np.int64), items)


def obvious_ease(sequences: Sequences, penalty: float) -> np.ndarray:
    met = np.zeros((sequences.n_users, sequences.n_items))
    met[sequences.owner, sequences.items] = 1
    inverse = np.linalg.inv(met.T @ met + penalty * np.eye(sequences.n_items))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0)
    return weights


@pytest.mark.parametrize(("users", "items"), [(20, 45), (90, 30)])
def test_ease_is_the_closed_form_whether_users_or_items_are_fewer(users, items):
    sequences = histories(users, items)
    assert np.allclose(ease.ease(sequences, 3.0, items).toarray(), obvious_ease(sequences, 3.0), atol=1e-5)


@pytest.mark.parametrize(("users", "items"), [(20, 45), (90, 30)])
def test_features_join_the_closed_form_as_users_who_met_the_items_that_have_them(users, items):
    sequences = histories(users, items)
    features = sparse.csr_matrix((np.arange(items)[:, None] % 3 == np.arange(3)).astype(np.float32))
    alike = [np.flatnonzero(np.arange(items) % 3 == kind).astype(np.int32) for kind in range(3)]
    # the weight is squared in X'X, so that a feature counts as nine users
    starts = np.append(sequences.starts, sequences.starts[-1] + np.cumsum([len(kind) for kind in alike * 9]))
    places = np.concatenate([sequences.items, *alike * 9])
    joined = Sequences(starts, places, np.zeros(len(places), np.int64), items)
    found = ease.ease(sequences, 3.0, items, features).toarray()
    assert np.allclose(found, obvious_ease(joined, 3.0), atol=1e-5)
    assert not np.allclose(found, obvious_ease(sequences, 3.0), atol=1e-2)


def test_ease_keeps_the_largest_of_each_row():
    sequences = histories(90, 30)
    full, kept = obvious_ease(sequences, 3.0), ease.ease(sequences, 3.0, 5).toarray()
    for row, few in zip(full, kept, strict=True):
        assert set(np.flatnonzero(few)) == set(np.argsort(-np.abs(row), kind="stable")[:5])


def test_counts_are_those_of_a_loop_over_all_pairs():
    sequences, window, decay = histories(40, 25), 4, 0.7
    before, near, gram = (np.zeros((25, 25)) for _ in range(3))
    for user in range(40):
        steps = sequences.items[sequences.starts[user] : sequences.starts[user + 1]]
        for later, target in enumerate(steps):
            for earlier in range(max(0, later - window), later):
                before[target, steps[earlier]] += decay ** (later - earlier - 1)
        for p, item in enumerate(steps):
            for q, other in enumerate(steps):
                if abs(p - q) <= window:
                    gram[item, other] += sum(decay ** (2 * t - 2 - p - q) for t in range(max(p, q) + 1, len(steps)))
    near = before + before.T
    # an item does not predict itself, and has no place among its own neighbours
    np.fill_diagonal(before, 0)
    np.fill_diagonal(near, 0)
    found, states = counts.succession(sequences, window, decay, 25)
    assert np.allclose(found.toarray(), before, atol=1e-4)
    tau = -1 / np.log(decay)
    assert np.allclose(counts.count_near(sequences, window, tau, 25).toarray(), near, atol=1e-4)
    assert np.allclose(states.dense[np.ix_(states.rank, states.rank)], gram, atol=1e-3)


def test_company_is_how_many_users_met_both_and_by_weight_in_the_rows():
    plain = histories(60, 12)
    weights = np.random.default_rng(2).choice([0.5, 2.0], len(plain.items))
    weighted = replace(plain, weights=weights)
    met, weight = np.zeros((60, 12)), np.zeros((60, 12))
    for user in range(60):
        # of the newest six steps; an item met twice has its mean weight
        newest = range(max(plain.starts[user], plain.starts[user + 1] - 6), plain.starts[user + 1])
        for item in {plain.items[step] for step in newest}:
            met[user, item] = 1
            weight[user, item] = np.mean([weights[step] for step in newest if plain.items[step] == item])
    shared, by_weight = met.T @ met, weight.T @ met
    for sequences, rows in ((plain, shared), (weighted, by_weight)):
        together, gram = counts.company(sequences, 12, 6)
        assert np.allclose(together.toarray(), rows * (1 - np.eye(12)), atol=1e-4)
        assert np.allclose(gram.dense[np.ix_(gram.rank, gram.rank)], np.where(shared >= 3, shared, 0), atol=1e-4)


def test_together_is_how_many_users_met_both():
    sequences = histories(60, 12)
    met = ease.met(sequences).toarray()
    assert np.allclose(counts.count_together(sequences, 12).toarray(), met.T @ met * (1 - np.eye(12)))


def test_weighted_steps_count_by_their_weight_as_targets():
    sequences = histories(60, 12)
    weights = np.random.default_rng(2).choice([0.5, 2.0], len(sequences.items))
    wanted = np.zeros((12, 12))
    for user in range(60):
        for later in range(sequences.starts[user], sequences.starts[user + 1]):
            for earlier in range(max(sequences.starts[user], later - 3), later):
                wanted[sequences.items[later], sequences.items[earlier]] += weights[later] * 0.8 ** (
                    later - earlier - 1
                )
    np.fill_diagonal(wanted, 0)
    before, gram = counts.succession(replace(sequences, weights=weights), 3, 0.8, 12)
    assert np.allclose(before.toarray(), wanted, atol=1e-4)
    assert np.array_equal(gram.dense, counts.succession(sequences, 3, 0.8, 12)[1].dense)


def test_a_gram_matrix_in_two_parts_gives_the_same_regression(monkeypatch):
    sequences = histories(300, 40)
    before, gram = counts.succession(sequences, 5, 0.8, 40)
    steps = np.bincount(sequences.items, minlength=40)
    whole = ridge.local_ridge(before, gram, steps, 12, 2.0)
    monkeypatch.setattr(counts, "_HEAVY", 7)
    _, gram = counts.succession(sequences, 5, 0.8, 40)
    assert gram.dense.shape == (7, 7)
    assert gram.rows.nnz > 0
    assert np.allclose(ridge.local_ridge(before, gram, steps, 12, 2.0).toarray(), whole.toarray(), atol=1e-5)


def test_a_regression_is_that_of_numpy():
    sequences = histories(300, 15)
    before, gram = counts.succession(sequences, 5, 0.8, 15)
    found = ridge.local_ridge(before, gram, np.full(15, 100), 15, 2.0).toarray()
    whole = gram.dense[np.ix_(gram.rank, gram.rank)]
    for item in range(15):
        others = np.flatnonzero((before.toarray()[item] > 0) & (np.arange(15) != item))
        wanted = np.linalg.solve(
            whole[np.ix_(others, others)] + 2 * np.eye(len(others)), before[item].toarray()[0, others]
        )
        assert np.allclose(found[others, item], wanted, atol=1e-4)


def test_the_lead_is_the_largest_keys_and_on_ties_the_smaller_ids():
    rng = np.random.default_rng(3)
    for size, limit in [(0, 3), (5, 5), (40, 0), (40, 1), (40, 13), (400, 60)]:
        for keys in (rng.random(size), rng.integers(0, 4, size), np.full(size, 0.5)):
            keys, ids = keys.astype(np.float32), rng.permutation(size).astype(np.int32)
            wanted = sorted(zip(-keys, ids, strict=True))[:limit]
            kept = heap.lead(keys, ids, size, limit)
            assert sorted(zip(-keys[:kept], ids[:kept], strict=True)) == wanted


def test_the_largest_entries_are_by_magnitude():
    matrix = sparse.csr_matrix(np.array([[0.1, -3.0, 2.0, 0.0], [0.0, 0.0, 0.0, 0.0], [1.0, 1.0, 1.0, 0.5]]))
    kept = heap.largest(matrix, 2).toarray()
    assert kept.tolist() == [[0.0, -3.0, 2.0, 0.0], [0.0] * 4, [1.0, 1.0, 0.0, 0.0]]


def tasteful(lasting: bool) -> Sequences:
    """Users of four tastes among twenty, who take one of them at each step, or one after the other."""
    rng = np.random.default_rng(3)
    users, length, tastes, each = 400, 60, 20, 30
    turn = rng.integers(0, 4, (users, length)) if lasting else np.repeat(np.arange(4), length // 4)[None, :]
    taste = np.take_along_axis(rng.integers(0, tastes, (users, 4)), np.broadcast_to(turn, (users, length)), axis=1)
    items = (taste * each + rng.integers(0, each, taste.shape)).ravel().astype(np.int32)
    starts = np.arange(0, users * length + 1, length)
    return Sequences(starts, items, np.zeros(len(items), np.int64), tastes * each)


def test_memory_fades_fast_where_tastes_change_and_slowly_where_they_last():
    fast, *_, slow = sequential.MEMORIES
    assert sequential.fit(tasteful(lasting=False), 0).memory == fast
    assert sequential.fit(tasteful(lasting=True), 0).memory == slow


def test_what_came_after_an_item_once_is_suggested_though_no_regression_has_enough_of_it():
    rest = histories(60, 40)
    starts = np.append(rest.starts, rest.starts[-1] + 2)
    pair = Sequences(starts, np.append(rest.items, [40, 41]).astype(np.int32), np.zeros(starts[-1], np.int64), 42)
    row = sequential.learn(pair)[[40]].toarray()[0]
    assert row.argmax() == 41 and row[41] > 0


def test_the_parts_of_a_model_are_of_one_strength():
    sequences = histories(60, 40)
    steps = np.bincount(sequences.items, minlength=40)
    before, _ = counts.succession(sequences, 5, 0.9, 40)
    strength = sequential._strength(before, steps)
    largest = before.toarray().max(axis=1)
    assert strength == pytest.approx(largest[sequences.items].mean(), rel=1e-5)


def test_large_data_take_the_local_form_and_find_the_same_walks(monkeypatch):
    for limit in ("_MOST_STEPS_BACK", "_MOST_CELLS", "_MOST_COMPANY"):
        monkeypatch.setattr(sequential, limit, 10_000)
    monkeypatch.setattr(ease, "MOST_ITEMS", 10)
    model = families.train("aws-user-personalization", planted())
    lists = model.rank(Queries(users=[f"u{user:03d}" for user in range(80)], num_results=5, exploration_weight=0.0))
    assert all({name[0] for name in items} == {"ab"[user % 2]} for user, items in enumerate(lists.items.to_pylist()))


def test_more_data_are_learnt_with_no_more_than_a_bounded_share_of_means():
    """Work is steps x window, items x predictors squared, and users x company squared."""
    small, large = histories(2_000, 5_000), histories(40_000, 5_000)
    means = sequential.means_of(small)
    assert (means.window, means.predictors, means.newest) == (1.0, 1.0, 200)
    many = Sequences(large.starts * 100, np.tile(large.items, 100), np.zeros(100 * len(large.items)), 100_000)
    means = sequential.means_of(many)
    assert means.window == 0.4
    assert means.predictors == pytest.approx(0.316, abs=0.001)
    assert 20 <= means.newest < 200


def test_new_items_get_the_neighbours_that_their_metadata_foretell():
    """Two kinds of metadata are met together crosswise, which likeness alone would never tell."""
    rng = np.random.default_rng(5)
    kinds = ["red", "blue", "green", "grey"]
    partner = {"red": "blue", "blue": "red", "green": "grey", "grey": "green"}
    rows = []
    for user in range(120):
        kind = kinds[user % 4]
        for step in range(12):
            shown = kind if step % 2 else partner[kind]
            rows.append((f"u{user}", f"{shown}{rng.integers(0, 20):02d}", 1000 * user + step))
    # an item of a kind is met with the other kind alone
    rows = [row for place, row in enumerate(rows) if place % 12 in (0, 1)] + rows
    table = pa.table({name: [row[at] for row in rows] for at, name in enumerate(["USER_ID", "ITEM_ID", "TIMESTAMP"])})
    ids = sorted([f"{kind}{number:02d}" for kind in kinds for number in [*range(20), 90]])
    items = pa.table({"ITEM_ID": ids, "KIND": [name[:-2] for name in ids]})
    schema = Schema("ITEMS", (Field("ITEM_ID", "string"), Field("KIND", "string", categorical=True)))
    model = families.train(
        "aws-similar-items", TrainingData(table.sort_by("TIMESTAMP"), items, None, {"ITEMS": schema})
    )
    for seed, found in zip(
        kinds, model.rank(Queries(items=[f"{kind}90" for kind in kinds], num_results=30)).items.to_pylist(), strict=True
    ):
        met = {name[:-2] for name in found}
        assert met == {seed, partner[seed]}


def digest() -> str:
    """Name everything that four recipes learn from the planted data."""
    data = planted(users=60, steps=20)
    found = hashlib.sha256()
    for recipe in ("aws-user-personalization", "aws-personalized-ranking-v2", "aws-similar-items", "aws-sims"):
        model = families.train(recipe, data)
        for name in sorted(model.arrays):
            found.update(np.ascontiguousarray(model.arrays[name]).tobytes())
        found.update(repr(sorted(model.facts.items())).encode())
    return found.hexdigest()


def test_models_depend_neither_on_the_hash_seed_nor_on_threads(monkeypatch):
    found = {digest()}
    for threads in (1, 3):
        with monkeypatch.context() as patched:
            patched.setattr(compiled, "workers", lambda threads=threads: threads)
            for module in (counts, ridge, ease):
                patched.setattr(module, "_BLOCK", 16)
            found.add(digest())
    with threadpool_limits(1):
        found.add(digest())
    for seed, threads in (("0", "1"), ("1", "2"), ("4242", "4")):
        environment = {
            **os.environ,
            "PYTHONHASHSEED": seed,
            "OMP_NUM_THREADS": threads,
            "OPENBLAS_NUM_THREADS": threads,
            "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), str(TESTS / "support"), str(TESTS.parent)]),
        }
        script = "import test_learning as own; print(own.digest())"
        done = subprocess.run(
            [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
        )
        found.add(done.stdout.strip())
    assert len(found) == 1
