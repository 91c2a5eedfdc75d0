"""How quickly the recipe for users learns and ranks, beside implicit's ALS and item-item model, on synthetic users.

Users have four of two hundred tastes each, items are skewed within a taste, histories are log-normal in length.
Ranking is the best 25 of 50,000 items without those already met. Training runs in a process of its own, after a small
training has compiled everything; its peak memory includes the events themselves.
"""

from __future__ import annotations

import multiprocessing
import resource
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import numpy as np
from scipy import sparse
from threadpoolctl import threadpool_limits

from benchmarks.harness import OURS, Row, interleave, rows
from personalize_nb.local.recipes import ranking, sequential
from personalize_nb.local.recipes.compiled import workers
from personalize_nb.local.recipes.history import Sequences

TITLE = "Learning and ranking beside implicit"
ITEMS, ASKED, RESULTS, FACTORS = 50_000, 8_000, 25, 64
EVENTS = (100_000, 1_000_000, 10_000_000, 50_000_000)
RANKED = 1_000_000
LENGTHS = (20, 50)
ALS, ITEM_ITEM = "implicit ALS", "implicit item-item"
_TASTES, _PER_USER = 200, 50


def run(rounds: int, scale: float) -> list[Row]:
    events = [max(40_000, int(number * scale)) for number in EVENTS]
    found = _ranking(max(40_000, int(RANKED * scale)), max(500, int(ASKED * scale)), rounds)
    for number in events:
        task = f"{number:,} events of {ITEMS:,} items learnt"
        contenders = {OURS: partial(_apart, _learn, number), ALS: partial(_apart, _learn_als, number)}
        found += rows(task, interleave(contenders, rounds))
    return found


def make(users: int, events: int, seed: int = 0) -> Sequences:
    """Events of users with tastes."""
    rng = np.random.default_rng(seed)
    lengths = rng.lognormal(0.0, 0.9, users)
    lengths = np.maximum(2, lengths * events / lengths.sum()).astype(np.int64)
    starts = np.concatenate(([0], np.cumsum(lengths)))
    owner = np.repeat(np.arange(users), lengths)
    taste = rng.integers(0, _TASTES, (users, 4))[owner, rng.integers(0, 4, len(owner))]
    place = (ITEMS // _TASTES * rng.random(len(owner)) ** 2.5).astype(np.int64)
    items = place * _TASTES + taste
    everybody = rng.random(len(owner)) < 0.2
    items[everybody] = (ITEMS * rng.random(int(everybody.sum())) ** 6).astype(np.int64)
    return Sequences(starts, items.astype(np.int32), np.zeros(len(items), np.int64), ITEMS)


def _ranking(events: int, asked: int, rounds: int) -> list[Row]:
    learnt = make(events // _PER_USER, events)
    fitted, matrix = sequential.train(learnt, 0)
    prior = sequential.prior_of(sequential.popularity(learnt), fitted.prior_power)
    catalogue = sequential.catalogue_of(matrix * np.float32(1.0 / fitted.temperature), prior)
    peers = _peers(matrix, asked)
    found: list[Row] = []
    for length in LENGTHS:
        starts = np.arange(asked + 1, dtype=np.int64) * length
        items = np.random.default_rng(1).choice(learnt.items, asked * length)
        given = Sequences(starts, items, np.zeros(len(items), np.int64), ITEMS)
        counts = sparse.csr_matrix((np.ones(len(items)), (given.owner, items)), shape=(asked, ITEMS))

        def ours(given: Sequences = given) -> None:
            states = sequential.states_of(given, np.zeros(given.n_users))
            ranking.rank_rows(catalogue, states, RESULTS)

        contenders = {OURS: ours} | {name: partial(rank, counts) for name, rank in peers.items()}
        for rank in contenders.values():
            rank()
        timed = {name: partial(_rate, rank, asked) for name, rank in contenders.items()}
        task = f"best {RESULTS} of {ITEMS:,} items, histories of {length}"
        found += rows(task, interleave(timed, rounds), more_is_better=["users/s"])
    return found


def _peers(matrix: sparse.csr_matrix, users: int) -> dict[str, Callable[[sparse.csr_matrix], object]]:
    """implicit's two ways to rank: dense factors, and the same sparse matrix as ours."""
    from implicit.nearest_neighbours import ItemItemRecommender, NearestNeighboursScorer  # after its warnings are off

    rng = np.random.default_rng(0)
    model = als()
    model.user_factors = rng.normal(size=(users, FACTORS)).astype(np.float32)
    model.item_factors = rng.normal(size=(ITEMS, FACTORS)).astype(np.float32)
    neighbours = ItemItemRecommender(num_threads=workers())
    neighbours.similarity = abs(matrix).astype(np.float64).tocsr()
    neighbours.scorer = NearestNeighboursScorer(neighbours.similarity)
    everyone = np.arange(users)
    return {
        ALS: lambda counts: model.recommend(everyone, counts, N=RESULTS, filter_already_liked_items=True),
        ITEM_ITEM: lambda counts: neighbours.recommend(everyone, counts, N=RESULTS, filter_already_liked_items=True),
    }


def als():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # implicit looks for a GPU and says so
        from implicit.cpu.als import AlternatingLeastSquares
    return AlternatingLeastSquares(factors=FACTORS, iterations=15, num_threads=workers(), random_state=1)


def _rate(rank: Callable[[], object], users: int) -> dict[str, float]:
    begun = time.perf_counter()
    rank()
    return {"users/s": users / (time.perf_counter() - begun)}


def _apart(learn: Callable[[int], dict[str, float]], events: int) -> dict[str, float]:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        return process.submit(learn, events).result()


def _learn(events: int) -> dict[str, float]:
    sequential.train(make(4_000, 40_000), 0)
    return _spent(lambda sequences: sequential.train(sequences, 0), make(events // _PER_USER, events))


def _learn_als(events: int) -> dict[str, float]:
    learnt = make(events // _PER_USER, events)
    places = (learnt.owner, learnt.items)
    counts = sparse.csr_matrix((np.ones(len(learnt.items), np.float32), places), shape=(learnt.n_users, ITEMS))
    model = als()
    with threadpool_limits(1, "blas"):
        return _spent(lambda interactions: model.fit(interactions, show_progress=False), counts)


def _spent(learn: Callable[..., object], data: object) -> dict[str, float]:
    begun = time.perf_counter()
    learn(data)
    seconds = time.perf_counter() - begun
    return {"s": seconds, "peak MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000}
