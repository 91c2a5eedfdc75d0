"""EASE in closed form (Steck 2019): every item from all others at once, for catalogues up to some thousands.

B = -P / diag(P) with P = (X'X + lambda I)^-1. With fewer users than items the inverse is taken over users instead:
by Woodbury's identity B = S / (1 - diag(S)) with S = X'(XX' + lambda I)^-1 X, which gives the same numbers. Only the
largest entries of each row are kept, so that the dense matrix never exists as a whole.

Item metadata join as further users (collective EASE): each feature is somebody who met the items that have it, a few
times over. Where little is known of two items, being alike then counts as company.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import linalg, sparse
from threadpoolctl import threadpool_limits

from personalize_nb.local.recipes.compiled import over_ranges
from personalize_nb.local.recipes.history import Sequences

# The inverse is over at most this many users or items, whichever are fewer: a second or two, 130 MB.
MOST_INVERTED, MOST_ITEMS = 4000, 20_000
_BLOCK = 256
# Items of the same metadata count as met together by the square of this. The most common features are enough, but
# one that most items have says nothing.
_LIKENESS, _FEATURES = 3.0, 1000


def affordable(sequences: Sequences) -> bool:
    """Tell whether the closed form is quick here; where it is not, its local form is."""
    users = int((np.diff(sequences.starts) > 0).sum())
    return min(users, sequences.n_items) <= MOST_INVERTED and sequences.n_items <= MOST_ITEMS


def ease(
    sequences: Sequences, penalty: float, kept: int, features: sparse.csr_matrix | None = None
) -> sparse.csr_matrix:
    """Return the `kept` largest entries of each row of B, by magnitude; a row per source item, a column per target.

    `features` is what metadata say of each item, rows of length 1.
    """
    x = met(sequences)
    if features is not None:
        found = np.bincount(features.indices, minlength=features.shape[1])
        telling = np.flatnonzero(2 * found <= sequences.n_items)
        common = np.sort(telling[np.argsort(-found[telling], kind="stable")[:_FEATURES]])
        x = sparse.csr_matrix(sparse.vstack([x, np.float32(_LIKENESS) * features[:, common].T]))
    # One thread: BLAS adds up in another order when it has more, and a model must not depend on the machine's cores.
    with threadpool_limits(1, user_api="blas"):
        block, diagonal = _solved(x, penalty)
    n_items = sequences.n_items
    width = min(kept, n_items)
    columns = np.empty((n_items, width), np.int32)
    values = np.empty((n_items, width), np.float32)

    def work(first: int, last: int) -> None:
        rows = block(first, last) * diagonal
        rows[np.arange(last - first), np.arange(first, last)] = 0.0
        best = np.sort(np.argpartition(-np.abs(rows), width - 1, axis=1)[:, :width], axis=1)
        columns[first:last] = best
        values[first:last] = np.take_along_axis(rows, best, axis=1)

    over_ranges(work, n_items, _BLOCK)
    pointers = np.arange(n_items + 1, dtype=np.int64) * width
    matrix = sparse.csr_matrix((values.ravel(), columns.ravel(), pointers), shape=(n_items, n_items))
    matrix.eliminate_zeros()
    return matrix


def met(sequences: Sequences) -> sparse.csr_matrix:
    """Return who met what, a row per user with a history; each pair counts once."""
    users = np.flatnonzero(np.diff(sequences.starts))
    owner = np.searchsorted(users, sequences.owner)
    shape = (len(users), sequences.n_items)
    matrix = sparse.csr_matrix((np.ones(len(owner), np.float32), (owner, sequences.items)), shape=shape)
    matrix.sum_duplicates()
    matrix.data[:] = 1.0
    return matrix


def _solved(x: sparse.csr_matrix, penalty: float) -> tuple[Callable[[int, int], np.ndarray], np.ndarray]:
    """Return a function that gives rows of the unscaled matrix, and what each column is multiplied by."""
    n_users, n_items = x.shape
    by_users = n_users <= n_items
    gram = (x @ x.T if by_users else x.T @ x).toarray().astype(np.float64)
    gram[np.diag_indices_from(gram)] += penalty
    inverse = linalg.inv(gram, overwrite_a=True, check_finite=False).astype(np.float32)
    if not by_users:
        return (lambda first, last: inverse[first:last]), -1.0 / np.diag(inverse)
    # The users' part of every item: a sparse product, so that its cost is that of the interactions.
    right = np.ascontiguousarray((x.T @ inverse).T)
    transposed = x.T.tocsr()
    own = np.asarray(x.multiply(right).sum(axis=0), np.float64).ravel()
    return (lambda first, last: transposed[first:last] @ right), (1.0 / np.maximum(1.0 - own, 1e-6)).astype(np.float32)
