"""User-Personalization and Popularity-Count on data whose right answers are known."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from planted import planted

from personalize_nb.local.data.allowed import Allowed
from personalize_nb.local.data.schema import TrainingData
from personalize_nb.local.errors import WorkError
from personalize_nb.local.recipes import families
from personalize_nb.local.recipes.base import Queries

RECIPE = "aws-user-personalization"
USERS = [f"u{user:03d}" for user in range(80)]


@pytest.fixture(scope="module")
def data() -> TrainingData:
    return planted()


@pytest.fixture(scope="module")
def model(data):
    return families.train(RECIPE, data)


def last_of(data: TrainingData, user: str) -> str:
    table = data.interactions
    return table.filter(pc.equal(table["USER_ID"], user))["ITEM_ID"][-1].as_py()


def test_the_catalogue_is_sorted_and_holds_items_of_both_datasets(model):
    ids = model.item_ids.to_pylist()
    assert ids == sorted(ids)
    assert {"a90", "b90", "a00"} <= set(ids)


def test_a_model_from_before_memory_was_fitted_still_answers(model):
    facts = {name: value for name, value in model.facts.items() if name != "memory"}
    older = type(model)(model.item_ids, model.user_ids, model.arrays, facts)
    asked = Queries(users=USERS, num_results=5, exploration_weight=0.0)
    assert {len(items) for items in older.rank(asked).items.to_pylist()} == {5}


def test_lists_stay_within_the_taste(model):
    ranked = model.rank(Queries(users=USERS, num_results=5, exploration_weight=0.0))
    for user, items in zip(USERS, ranked.items.to_pylist(), strict=True):
        assert {name[0] for name in items} == {"ab"[int(user[1:]) % 2]}


def test_the_next_item_of_the_walk_comes_early(data, model):
    ranked = model.rank(Queries(users=USERS, num_results=5, exploration_weight=0.0)).items.to_pylist()
    first_two = 0
    for user, items in zip(USERS, ranked, strict=True):
        last = last_of(data, user)
        following = f"{last[0]}{int(last[1:]) % 29 + 1:02d}"
        assert following in items
        first_two += following in items[:2]
    assert first_two >= 0.8 * len(USERS)


def test_items_already_met_sink_where_nobody_comes_back_but_can_still_be_had(data, model):
    history = set(data.interactions.filter(pc.equal(data.interactions["USER_ID"], "u000"))["ITEM_ID"].to_pylist())
    ranked = model.rank(Queries(users=["u000"], num_results=62, exploration_weight=0.0)).items.to_pylist()[0]
    assert len(ranked) == len(set(ranked)) == 62
    assert not history & set(ranked[:10])
    allowed = np.isin(np.asarray(model.item_ids.to_pylist()), sorted(history))[None, :]
    only = model.rank(Queries(users=["u000"], num_results=62, allowed=Allowed.dense(allowed))).items.to_pylist()[0]
    assert set(only) == history


def test_where_people_come_back_items_are_recommended_again():
    rows = [(f"u{user}", f"i{(user * 7 + step % 3) % 40:02d}", step) for user in range(60) for step in range(24)]
    table = pa.table({name: [row[at] for row in rows] for at, name in enumerate(["USER_ID", "ITEM_ID", "TIMESTAMP"])})
    again = families.train(RECIPE, TrainingData(table, None, None)).rank(Queries(users=["u1"], num_results=3))
    assert set(again.items.to_pylist()[0]) == {"i07", "i08", "i09"}


def test_scores_are_a_softmax_over_the_catalogue(model):
    ranked = model.rank(Queries(users=[*USERS, "stranger"], num_results=1000, exploration_weight=0.0))
    for scores in ranked.scores.to_pylist():
        assert scores == sorted(scores, reverse=True)
        assert min(scores) >= 0
        assert sum(scores) == pytest.approx(1.0, abs=1e-6)


def test_a_stranger_gets_popular_items(data, model):
    popular = families.train("aws-popularity-count", data).rank(Queries(users=["stranger"], num_results=5))
    ranked = model.rank(Queries(users=["stranger"], num_results=5, exploration_weight=0.0))
    assert popular.items.to_pylist()[0][:2] == ["a00", "b00"]
    assert ranked.items.to_pylist()[0][:2] == ["a00", "b00"]
    assert popular.scores is None


def test_popularity_counts_users_not_events():
    rows = [(f"u{user}", "many", 10 * user + step) for user in range(3) for step in range(400)]
    rows += [(f"u{user}", "wide", 9_000 + user) for user in range(40)] + [(f"u{user}", "few", 99) for user in range(30)]
    table = pa.table({name: [row[at] for row in rows] for at, name in enumerate(["USER_ID", "ITEM_ID", "TIMESTAMP"])})
    ranked = families.train("aws-popularity-count", TrainingData(table, None, None)).rank(
        Queries(users=["x"], num_results=9)
    )
    assert ranked.items.to_pylist() == [["wide", "few", "many"]]


def test_filters_leave_only_allowed_items_even_few(model):
    allowed = np.zeros((2, len(model.item_ids)), bool)
    allowed[0, [3, 40]] = True
    ranked = model.rank(Queries(users=["u000", "stranger"], num_results=10, allowed=Allowed.dense(allowed)))
    ids = model.item_ids.to_pylist()
    assert sorted(ranked.items.to_pylist()[0]) == [ids[3], ids[40]]
    assert ranked.items.to_pylist()[1] == []


def test_a_cold_item_is_reached_through_its_metadata(model):
    taste = model.rank(Queries(users=["u000", "u001"], num_results=62, exploration_weight=0.0)).items.to_pylist()
    assert taste[0].index("a90") < taste[0].index("b90")
    assert taste[1].index("b90") < taste[1].index("a90")


def test_exploration_brings_new_items_up_and_zero_keeps_the_pure_order(data, model):
    def place_of_new(weight: float | None, cut_off: float | None = None) -> float:
        queries = Queries(
            users=USERS, num_results=62, exploration_weight=weight, exploration_cut_off_days=cut_off, seed=5
        )
        return float(np.mean([items.index("a90") for items in model.rank(queries).items.to_pylist()]))

    pure = families.train("aws-hrnn", data).rank(Queries(users=USERS, num_results=62))
    assert model.rank(Queries(users=USERS, num_results=62, exploration_weight=0.0)).items == pure.items
    assert place_of_new(1.0) < place_of_new(0.3) < place_of_new(0.0)
    assert place_of_new(None) == place_of_new(0.3)
    assert place_of_new(1.0, cut_off=5.0) == place_of_new(1.0)
    by_seed = [
        model.rank(Queries(users=USERS, num_results=9, exploration_weight=1.0, seed=seed)).items for seed in (1, 1, 2)
    ]
    assert by_seed[0] == by_seed[1]
    assert by_seed[0] != by_seed[2]


def test_old_items_are_not_explored(model):
    queries = {"users": USERS, "num_results": 62, "exploration_cut_off_days": 2.0}
    explored = model.rank(Queries(**queries, exploration_weight=1.0))
    assert explored.items == model.rank(Queries(**queries, exploration_weight=0.0)).items


def test_blocks_do_not_change_results_and_models_survive_the_disk(model, tmp_path):
    queries = {"num_results": 7, "exploration_weight": 0.5, "seed": 11}
    whole = model.rank(Queries(users=USERS, **queries))
    model.save(tmp_path / "model")
    again = families.load(tmp_path / "model")
    assert again.item_ids == model.item_ids
    for start in range(0, len(USERS), 33):
        part = again.rank(Queries(users=USERS[start : start + 33], **queries))
        assert part.items == whole.items[start : start + 33]
        assert part.scores == whole.scores[start : start + 33]


def test_training_twice_gives_the_same_model(data, model):
    again = families.train(RECIPE, data)
    assert all(np.array_equal(values, again.arrays[name]) for name, values in model.arrays.items())
    assert again.facts == model.facts


def test_too_little_data_ends_in_amazons_words():
    few = planted(users=80, steps=5)
    with pytest.raises(WorkError, match="fewer than 1000 interactions"):
        families.train(RECIPE, few)
    with pytest.raises(WorkError, match="fewer than 1000 interactions after filtering by event type: read"):
        families.train(RECIPE, planted(events=True), event_type="read")
    rows = {"USER_ID": ["solo"] * 1200, "ITEM_ID": [f"i{n % 50}" for n in range(1200)], "TIMESTAMP": list(range(1200))}
    with pytest.raises(WorkError, match="Dataset has fewer than 25 users with at least 2 interactions each."):
        families.train(RECIPE, TrainingData(pa.table(rows), None, None))


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({"event_type": "nope"}, "event type: nope. 0 of 1200 interactions are left"),
        (
            {"event_type": "click", "event_value_threshold": 3.5},
            "event type: click and event value: at least 3.5. 0 of 1200 interactions are left; the columns trained on "
            "do not include EVENT_VALUE",
        ),
        (
            {"events_config": {"eventParametersList": [{"eventType": "read", "weight": 0.5}]}},
            "eventsConfig (event type: read, weight 0.5). 560 of 1200 interactions are left",
        ),
    ],
)
def test_too_little_left_by_event_filters_says_which_and_what_there_was(asked, text):
    with pytest.raises(WorkError) as caught:
        families.train(RECIPE, planted(events=True), **asked)
    start = f"Dataset has fewer than 1000 interactions after filtering by {text}"
    assert caught.value.reason.startswith(start), caught.value.reason
    assert caught.value.reason.endswith("event types of the data: click (640), read (560).")


def test_too_few_users_left_by_an_event_filter_says_so_too():
    rows = {"USER_ID": ["solo"] * 1200, "ITEM_ID": [f"i{n % 50}" for n in range(1200)], "TIMESTAMP": list(range(1200))}
    table = pa.table(rows | {"EVENT_TYPE": ["read"] * 1200})
    with pytest.raises(WorkError, match="after filtering by event type: read. 1200 of 1200 interactions are left"):
        families.train(RECIPE, TrainingData(table, None, None), event_type="read")


def test_event_filters_choose_what_is_learnt():
    data = planted(users=160, events=True)
    reads = families.train("aws-popularity-count", data, event_type="read").arrays["users_per_item"]
    config = {"eventParametersList": [{"eventType": "read", "weight": 1.0}, {"eventType": "click", "weight": 0.0}]}
    assert np.array_equal(
        reads, families.train("aws-popularity-count", data, events_config=config).arrays["users_per_item"]
    )
    assert reads.sum() < families.train("aws-popularity-count", data).arrays["users_per_item"].sum()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"exploration_weight": "2"}, "exploration_weight"),
        ({"bptt": "x"}, "a whole number from 2 to 32"),
        ({"depth": "3"}, "Unknown hyperparameter 'depth'"),
    ],
)
def test_hyperparameters_are_checked(data, values, message):
    with pytest.raises(WorkError, match=message):
        families.train(RECIPE, data, hyperparameters=values)


def test_an_unknown_recipe_is_refused(data):
    with pytest.raises(WorkError, match="aws-next-best-action"):
        families.train("aws-next-best-action", data)


def test_items_older_than_the_latest_interaction_have_an_age(model):
    ages = dict(zip(model.item_ids.to_pylist(), model.arrays["age_days"], strict=True))
    assert ages["a00"] > 400
    assert 4 <= ages["a90"] < 5
