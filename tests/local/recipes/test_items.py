"""Personalized-Ranking, Similar-Items and SIMS on data whose right answers are known."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from planted import planted

from personalize_nb.local.data.allowed import Allowed
from personalize_nb.local.data.schema import TrainingData
from personalize_nb.local.recipes import families
from personalize_nb.local.recipes.base import Queries


@pytest.fixture(scope="module")
def data() -> TrainingData:
    return planted()


@pytest.fixture(scope="module")
def ranking(data):
    return families.train("aws-personalized-ranking", data)


@pytest.fixture(scope="module")
def similar(data):
    return families.train("aws-similar-items", data)


@pytest.fixture(scope="module")
def sims(data):
    return families.train("aws-sims", data)


def test_ranking_orders_by_taste_and_sums_to_one(ranking):
    lists = [["b05", "nowhere", "a05"], ["b05", "nowhere", "a05"], ["nowhere"], []]
    ranked = ranking.rank(Queries(users=["u000", "u001", "u000", "u000"], item_lists=lists, num_results=1))
    assert ranked.items.to_pylist() == [["a05", "b05", "nowhere"], ["b05", "a05", "nowhere"], ["nowhere"], []]
    scores = ranked.scores.to_pylist()
    assert sum(scores[0]) == pytest.approx(1.0)
    assert scores[0][2] == 0.0
    assert scores[2] == [0.0]


def test_ranking_for_a_stranger_goes_by_popularity(ranking):
    ranked = ranking.rank(Queries(users=["stranger"], item_lists=[["b90", "a07", "a00"]]))
    assert ranked.items.to_pylist() == [["a00", "a07", "b90"]]


def test_ranking_leaves_out_what_a_filter_removes(ranking):
    allowed = np.ones((1, len(ranking.item_ids)), bool)
    allowed[0, ranking.item_ids.to_pylist().index("b05")] = False
    ranked = ranking.rank(Queries(users=["u000"], item_lists=[["b05", "a06", "a05"]], allowed=Allowed.dense(allowed)))
    assert sorted(ranked.items.to_pylist()[0]) == ["a05", "a06"]
    assert sum(ranked.scores.to_pylist()[0]) == pytest.approx(1.0)


@pytest.mark.parametrize("recipe", ["similar", "sims"])
def test_related_items_share_the_taste_and_leave_out_the_seed(recipe, request):
    model = request.getfixturevalue(recipe)
    seeds = ["a05", "b20"]
    ranked = model.rank(Queries(items=seeds, num_results=8))
    assert ranked.scores is None
    for seed, items in zip(seeds, ranked.items.to_pylist(), strict=True):
        assert {name[0] for name in items} == {seed[0]}
        assert seed not in items
        assert len(items) == 8


@pytest.mark.parametrize("recipe", ["similar", "sims"])
def test_an_unknown_seed_gets_popular_items(recipe, request):
    items = request.getfixturevalue(recipe).rank(Queries(items=["nowhere"], num_results=4)).items.to_pylist()[0]
    assert items[:2] == ["a00", "b00"]


def test_a_cold_seed_is_answered_through_metadata_by_similar_items_only(similar, sims):
    seeds = ["a90", "b90"]
    found = similar.rank(Queries(items=seeds, num_results=8)).items.to_pylist()
    assert [{name[0] for name in items} for items in found] == [{"a"}, {"b"}]
    assert sims.rank(Queries(items=seeds, num_results=2)).items.to_pylist() == [["a00", "b00"], ["a00", "b00"]]


@pytest.mark.parametrize("recipe", ["aws-similar-items", "aws-sims"])
def test_the_discount_factor_moves_popular_items_down(data, recipe):
    def place(factor: str) -> float:
        model = families.train(recipe, data, hyperparameters={"popularity_discount_factor": factor})
        seeds = [f"a{number:02d}" for number in range(1, 30)]
        ranked = model.rank(Queries(items=seeds, num_results=62)).items.to_pylist()
        return float(np.mean([items.index("a00") for items in ranked]))

    assert place("0.0") < place("1.0")


def test_sims_asks_for_enough_shared_users():
    rows = [(f"u{user}", f"i{item}", item) for user in range(30) for item in range(user % 2, 80, 2)]
    rows += [("u0", "rare", 200), ("u2", "rare", 200)]
    table = pa.table({name: [row[at] for row in rows] for at, name in enumerate(["USER_ID", "ITEM_ID", "TIMESTAMP"])})
    data = TrainingData(table, None, None)

    def place(count: str) -> int:
        values = {"min_cointeraction_count": count, "popularity_discount_factor": "1.0"}
        values["max_user_history_length_percentile"] = "1.0"
        model = families.train("aws-sims", data, hyperparameters=values)
        return model.rank(Queries(items=["i10"], num_results=81)).items.to_pylist()[0].index("rare")

    assert place("0") < place("10")


@pytest.mark.parametrize(
    "recipe", ["aws-similar-items", "aws-sims", "aws-personalized-ranking", "aws-popularity-count"]
)
def test_models_survive_the_disk(data, recipe, tmp_path):
    queries = Queries(
        users=["u000", "u001"], items=["a05", "nowhere"], item_lists=[["a05", "b05"], ["b07"]], num_results=6
    )
    model = families.train(recipe, data)
    model.save(tmp_path / "model")
    assert families.load(tmp_path / "model").rank(queries).items == model.rank(queries).items


def test_training_reports_progress(data):
    seen: list[tuple[int, int]] = []
    families.train("aws-similar-items", data, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (4, 4)
    assert seen == sorted(seen)
