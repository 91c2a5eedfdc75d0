"""Recommendations beside AWS's published figures and tuned peers, on MovieLens ml-latest-small.

Amazon's own hold-out (ten folds of users; of each tested user the newest tenth is the truth), related items by the
same truth, and a temporal leave-last-out. Items already met are left out for everybody. The folds are of a seed that
no constant of the recipes was chosen on, and peers are tuned on users of the first fold's training part.

AWS's figures are of one split each, and of few users: the precisions at 5, 10 and 25 that its workshop prints are
whole hits of 56 users (User-Personalization), 53 (Personalized-Ranking) and 68 (SIMS), and of no other number below a
hundred. With so few, a standard error of NDCG@25 is about 0.04, of MRR@25 about 0.05. SIMS, too, was thus asked one
question for each user; which one, AWS does not say ("the internal equivalent of a GetRecommendations call"). Measured
here are the newest item given, the newest few items given (each the less the older), and each item given as a query of
its own.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from scipy import sparse

from benchmarks.harness import MEANS, OURS, Row
from benchmarks.quality import films, peers
from benchmarks.quality.lists import figures_of
from personalize_nb.local.data.allowed import Allowed
from personalize_nb.local.recipes.families import train_on
from personalize_nb.local.recipes.history import Sequences
from personalize_nb.local.recipes.hyperparameters import resolve
from personalize_nb.local.recipes.related import Related
from personalize_nb.local.tasks import hold_out

TITLE = "Recommendations on MovieLens ml-latest-small beside AWS's published figures and tuned peers"
LAYOUT = MEANS
FOLDS, SEED = 10, 2026
AWS_2020, TESTED = "AWS, published 2020", "coverage, tested users"
# AWS does not say whose lists its coverage counts.
PUBLISHED = {"NDCG@25": 0.3321, "MRR@25": 0.269, "P@25": 0.0379, "coverage": 0.0791, TESTED: 0.0791}
PUBLISHED_RANKING = {"NDCG@25": 0.0956, "MRR@25": 0.0537, "P@25": 0.0113}
PUBLISHED_SIMS = {"NDCG@25": 0.2895, "MRR@25": 0.1669, "P@25": 0.0418}
USERS, RANKING, LAST = "aws-user-personalization", "aws-personalized-ranking", "newest item left out"
RELATED = {OURS: "aws-similar-items", f"{OURS}, SIMS": "aws-sims"}
NEWEST, EACH = "the newest few items as the query", "each item given as a query"
# The memory of that query, in steps: the best of 1 to 6 on everyone's oldest nine tenths, which holds no truth.
MEMORY = 2.0
Found = dict[str, list[Mapping[str, float]]]


def run(rounds: int, scale: float) -> list[Row]:
    """Measure; `scale` is the share of the folds. The rounds are the folds: nothing here is random."""
    if not (films.folder() / "ratings.csv").is_file():
        print(f"left out: there is no MovieLens in {films.folder()}; set MOVIELENS to its folder", file=sys.stderr)
        return []
    world = films.read(films.folder())
    sequences = world.history.sequences
    parts = np.array_split(np.random.default_rng(SEED).permutation(sequences.n_users), FOLDS)
    tuned = peers.tune(sequences.of_users(np.setdiff1d(np.arange(sequences.n_users), parts[0])), SEED)
    print(f"tuned on the first fold's training part: {tuned.chosen}", file=sys.stderr, flush=True)
    by_user: Found = {OURS: [], AWS_2020: [PUBLISHED]}
    by_item: Found = {}
    for number, testing in enumerate(parts[: max(1, round(FOLDS * scale))]):
        print(f"fold {number} ...", file=sys.stderr, flush=True)
        _fold(world, np.sort(testing), tuned, by_user, by_item)
    by_item["AWS SIMS, published 2020, of a query that it does not name"] = [PUBLISHED_SIMS]
    ranking: Found = {OURS: by_user[OURS], AWS_2020: [PUBLISHED_RANKING]}
    return [
        *_rows(f"{USERS}: Amazon's hold-out", by_user),
        *_rows(f"{RANKING}: the same lists", ranking),
        *_rows("aws-similar-items, aws-sims: what follows the last item given", by_item),
        *_rows(LAST, _left_out(world, tuned)),
    ]


def _fold(world: films.FilmWorld, testing: np.ndarray, tuned: peers.Tuned, by_user: Found, by_item: Found) -> None:
    history = world.history
    everyone = history.sequences
    training = np.setdiff1d(np.arange(everyone.n_users), testing)
    kept = hold_out.only_users(history, training)
    given, truth = hold_out.split_newest(everyone.of_users(testing), 0.1)
    model = train_on(USERS, kept, world.data, resolve(USERS, None))
    _note(by_user, OURS, hold_out.top_lists(model, given, 25), truth, hold_out.top_lists(model, everyone, 25))
    for name, peer in tuned.fitted(kept.sequences).items():
        _note(by_user, name, peer(given, 25), truth, peer(everyone, 25))
    last = Sequences(np.arange(given.n_users + 1), given.items[given.starts[1:] - 1], given.times, given.n_items)
    for name, recipe in RELATED.items():
        model = train_on(recipe, kept, world.data, resolve(recipe, None))
        _note(by_item, name, hold_out.top_lists(model, given, 25), truth)
        _note(by_item, f"{name}: {NEWEST}", peers.summed(_likeness(model), MEMORY)(given, 25), truth)
        new = ~Allowed.listed(given.owner, given.items, given.n_users, given.n_items).take(given.owner)
        _note(by_item, f"{name}: {EACH}", model.rank_codes(given.items, 25, new), truth.of_users(given.owner))
    for name, peer in tuned.fitted(kept.sequences, items_only=True).items():
        _note(by_item, name, peer(last, 25, given), truth)


def _likeness(model: Related) -> sparse.csr_matrix:
    """How alike items are: the matrix of a model, without what it takes out of it for the prior of popularity."""
    prior = model.arrays["prior"]
    values = model.arrays["val"] - np.log(prior.max() / prior)[model.arrays["idx"]]
    return sparse.csr_matrix((values, model.arrays["idx"], model.arrays["ptr"]), shape=(len(prior), len(prior)))


def _left_out(world: films.FilmWorld, tuned: peers.Tuned) -> Found:
    """Train on all but the newest item of every user; ten groups of users stand for folds."""
    sequences = world.history.sequences
    newest = np.zeros(len(sequences.items), bool)
    newest[sequences.starts[1:] - 1] = True
    given, truth = sequences.where(~newest), sequences.where(newest)
    known = replace(world.history, sequences=given, users_per_item=given.users_per_item())
    model = train_on(USERS, known, world.data, resolve(USERS, None))
    lists = {OURS: hold_out.top_lists(model, given, 25)}
    lists |= {name: peer(given, 25) for name, peer in tuned.fitted(given).items()}
    found: Found = {}
    for users in np.array_split(np.random.default_rng(SEED).permutation(sequences.n_users), FOLDS):
        for name, items in lists.items():
            _note(found, name, items[users], truth.of_users(users), cuts=(10, 25))
    return found


def _note(
    found: Found,
    name: str,
    lists: np.ndarray,
    truth: Sequences,
    everyone: np.ndarray | None = None,
    cuts: Sequence[int] = (25,),
) -> None:
    figures = figures_of(lists, truth, cuts)
    if everyone is not None:
        figures["coverage"] = (np.unique(everyone) >= 0).sum() / truth.n_items
        figures[TESTED] = (np.unique(lists) >= 0).sum() / truth.n_items
    found.setdefault(name, []).append(figures)


def _rows(task: str, found: Found) -> list[Row]:
    names = list(dict.fromkeys(figure for values in found.values() for figure in values[0]))
    return [
        Row(
            task,
            figure,
            True,
            {name: tuple(part[figure] for part in parts) for name, parts in found.items() if figure in parts[0]},
        )
        for figure in names
    ]
