"""Sets of items as shared masks with exceptions: equal to plain arrays, in algebra and in ranking."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from personalize_nb.local.data.allowed import Allowed
from personalize_nb.local.recipes.popularity import popular
from personalize_nb.local.recipes.ranking import rank_rows
from personalize_nb.local.recipes.scoring import ScoredCatalogue, States

ROWS, WIDTH = 5, 7


@st.composite
def sets(draw) -> Allowed:
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    kind = draw(st.sampled_from(["everything", "flags", "listed", "shared", "dense"]))
    if kind == "everything":
        return Allowed.everything(ROWS, WIDTH)
    if kind == "flags":
        return Allowed.by_flag(rng.random(ROWS) < 0.5, WIDTH)
    if kind == "listed":
        return Allowed.listed(rng.integers(0, ROWS, 9), rng.integers(0, WIDTH, 9), ROWS, WIDTH)
    if kind == "shared":
        return Allowed.shared(rng.random((3, WIDTH)) < 0.5, rng.integers(0, 3, ROWS))
    return Allowed.dense(rng.random((ROWS, WIDTH)) < 0.5)


@settings(max_examples=200)
@given(sets(), sets(), sets())
def test_the_algebra_is_that_of_arrays(a, b, c):
    x, y, z = a.cells(), b.cells(), c.cells()
    combined = (a & ~b) | c
    expected = (x & ~y) | z
    np.testing.assert_array_equal(combined.cells(), expected)
    rows, columns = np.divmod(np.arange(ROWS * WIDTH), WIDTH)
    np.testing.assert_array_equal(combined.at(rows, columns), expected.ravel())
    np.testing.assert_array_equal(combined.take([3, 0, 3]).cells(), expected[[3, 0, 3]])


def a_catalogue(n_items: int, rng: np.random.Generator) -> ScoredCatalogue:
    matrix = sparse.random_array((n_items, n_items), density=0.1, rng=rng, dtype=np.float32).tocsr()
    prior = rng.random(n_items)
    prior /= prior.sum()
    order = np.argsort(-prior, kind="stable")
    return ScoredCatalogue(
        matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32), 5 * matrix.data, prior, order, float(1)
    )


@pytest.mark.parametrize("unscored", [False, True])
@pytest.mark.parametrize("k", [3, 40, 60])
def test_ranking_by_shared_masks_is_ranking_by_cells(k, unscored):
    rng = np.random.default_rng(k)
    n_items, n_rows = 60, 80
    catalogue = a_catalogue(n_items, rng)
    lengths = rng.integers(0, 4, n_rows)
    ptr = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
    idx = np.concatenate([rng.choice(n_items, size, replace=False) for size in lengths]).astype(np.int32)
    val = rng.random(len(idx))
    states = States(ptr, idx, val.astype(np.float32), ptr, idx, val, np.where(lengths > 0, 0.1, 0.0))
    items = Allowed.shared(rng.random((4, n_items)) < 0.4, rng.integers(0, 4, n_rows))
    own = Allowed.listed(rng.integers(0, n_rows, 600), rng.integers(0, n_items, 600), n_rows, n_items)
    for allowed in (items & ~own, items | own, own, ~own):
        dense = Allowed.dense(allowed.cells())
        found = rank_rows(catalogue, states, k, allowed, unscored=unscored)
        expected = rank_rows(catalogue, states, k, dense, unscored=unscored)
        np.testing.assert_array_equal(found[0], expected[0])
        np.testing.assert_array_equal(found[1], expected[1])
        order = np.asarray(catalogue.by_prior)
        np.testing.assert_array_equal(popular(order, n_rows, k, allowed), popular(order, n_rows, k, dense))
        for row, got in enumerate(popular(order, n_rows, k, allowed)):
            wanted = order[dense.cells()[row, order]][:k]
            np.testing.assert_array_equal(got[got >= 0], wanted)


def test_what_rows_share_is_one_type_for_kernels_wherever_it_comes_from():
    catalogue = a_catalogue(5, np.random.default_rng(0))
    assert catalogue.prior.flags.writeable
    for shared in (catalogue.read_only(), catalogue._replace(prior=np.ones(5)).read_only().read_only()):
        arrays = (shared.ptr, shared.idx, shared.val, shared.prior, shared.by_prior)
        assert not any(array.flags.writeable for array in arrays)
    assert catalogue.prior.flags.writeable


def test_an_order_is_cut_at_the_right_place():
    catalogue = a_catalogue(50, np.random.default_rng(1))
    nothing = np.zeros(3, np.int64), np.empty(0, np.int32), np.empty(0, np.float32)
    states = States(*nothing, *nothing[:2], np.empty(0), np.zeros(2))
    items, scores = rank_rows(catalogue, states, 50)
    assert items.tolist() == [catalogue.by_prior.tolist()] * 2
    assert scores.sum(axis=1) == pytest.approx([1.0, 1.0])
    assert (np.diff(scores, axis=1) <= 0).all()
