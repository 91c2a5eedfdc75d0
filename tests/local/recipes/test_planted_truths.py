"""Data made so that the right answer is known: event weights, objectives, exploration, impressions, filters."""

from __future__ import annotations

import dataclasses

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from planted import DAY, planted

from personalize_nb.local.data.allowed import Allowed
from personalize_nb.local.data.schema import Field, Schema, TrainingData
from personalize_nb.local.filters.binding import bind
from personalize_nb.local.filters.expression import parse
from personalize_nb.local.recipes import families
from personalize_nb.local.recipes.base import Queries
from personalize_nb.local.recipes.history import Sequences
from personalize_nb.local.tasks import hold_out

V1, V2 = "aws-user-personalization", "aws-user-personalization-v2"
USERS = [f"u{number:03d}" for number in range(80)]


def interactions(rows: list[tuple], names: tuple[str, ...]) -> pa.Table:
    return pa.table({name: [row[at] for row in rows] for at, name in enumerate(names)}).sort_by("TIMESTAMP")


@pytest.fixture(scope="module")
def forked() -> TrainingData:
    """After `start` each reader clicks `clicked` or buys `bought`, equally often; the rest is noise of all."""
    rng = np.random.default_rng(1)
    rows = []
    for user in range(240):
        name = f"u{user:03d}"
        for step, item in enumerate(rng.choice(25, 6, replace=False)):
            rows.append((name, f"n{item:02d}", step, "click" if step % 2 else "buy", 0.2))
        rows.append((name, "start", 6, "click", 0.2))
        rows.append((name, "bought", 7, "buy", 0.9) if user % 2 else (name, "clicked", 7, "click", 0.4))
    # who is asked has come to the fork only
    rows += [(f"v{user}", item, step, "click", 0.2) for user in range(9) for step, item in enumerate(["n00", "start"])]
    return TrainingData(
        interactions(rows, ("USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE", "EVENT_VALUE")), None, None
    )


def weights(**by_type: float) -> dict:
    return {"eventParametersList": [{"eventType": name, "weight": weight} for name, weight in by_type.items()]}


def place(model, item: str, users: list[str], **more) -> float:
    lists = model.rank(Queries(users=users, num_results=1000, exploration_weight=0.0, **more)).items.to_pylist()
    return float(np.mean([found.index(item) for found in lists]))


def test_the_weightier_event_is_recommended_first(forked):
    users = [f"v{user}" for user in range(9)]
    buys = families.train(V2, forked, events_config=weights(buy=1.0, click=0.2))
    clicks = families.train(V2, forked, events_config=weights(buy=0.2, click=1.0))
    assert place(buys, "bought", users) == 0
    assert place(clicks, "clicked", users) == 0
    scores = [
        model.rank(Queries(users=["v1"], num_results=2)).scores.to_pylist()[0]
        for model in (buys, families.train(V2, forked, events_config=weights(buy=1.0, click=1.0)))
    ]
    assert scores[0][0] / scores[0][1] > scores[1][0] / scores[1][1]


def test_thresholds_and_types_choose_the_events(forked):
    for config, gone in (
        ({"event_type": "buy"}, "clicked"),
        ({"event_value_threshold": 0.4}, "start"),
        ({"events_config": {"eventParametersList": [{"eventType": "click", "eventValueThreshold": 0.3}]}}, "bought"),
    ):
        few = dict(config)
        data = dataclasses.replace(forked, interactions=pa.concat_tables([forked.interactions] * 12))
        # the same events many times over: enough for a training
        again = np.arange(len(data.interactions)) // len(forked.interactions)
        times = pa.array(data.interactions["TIMESTAMP"].to_numpy() + 10 * again)
        data = dataclasses.replace(data, interactions=data.interactions.set_column(2, "TIMESTAMP", times))
        model = families.train("aws-popularity-count", data, **few)
        count = dict(zip(model.item_ids.to_pylist(), model.arrays["users_per_item"], strict=True))
        assert count.get(gone, 0) == 0


def test_metrics_know_event_weights(forked):
    found = hold_out.hold_out(V2, forked, events_config=weights(buy=1.0, click=0.2))
    assert 0 < found[hold_out.WEIGHTED] <= 1
    same = hold_out.hold_out(V2, forked, events_config=weights(buy=0.5, click=0.5))
    assert same[hold_out.WEIGHTED] == same["normalized_discounted_cumulative_gain_at_25"]
    assert hold_out.WEIGHTED not in hold_out.hold_out(V2, forked)


def priced(data: TrainingData) -> TrainingData:
    """The planted items with a price: their number."""
    items = data.items.append_column("PRICE", pa.array([float(name[1:]) for name in data.items["ITEM_ID"].to_pylist()]))
    fields = (*data.schemas["ITEMS"].fields, Field("PRICE", "double"))
    return dataclasses.replace(data, items=items, schemas=data.schemas | {"ITEMS": Schema("ITEMS", fields)})


def test_an_objective_raises_what_lists_are_worth():
    data = priced(planted())
    worth, keys = [], []
    for sensitivity in ("OFF", "LOW", "MEDIUM", "HIGH"):
        objective = {"itemAttribute": "PRICE", "objectiveSensitivity": sensitivity}
        model = families.train(V1, data, objective=objective)
        lists = model.rank(Queries(users=USERS, num_results=5, exploration_weight=0.0))
        worth.append(np.mean([float(name[1:]) for name in lists.items.flatten().to_pylist()]))
        keys.append(hold_out.hold_out(V1, data, objective=objective)[hold_out.REWARDS])
        assert all(scores == sorted(scores, reverse=True) for scores in lists.scores.to_pylist())
    assert worth == sorted(worth)
    assert worth[-1] > worth[0] + 3
    assert all(0 < key <= 1 for key in keys)


def test_average_rewards_by_hand():
    starts, items = np.array([0, 2, 3]), np.array([1, 90, 50], np.int32)
    truth = Sequences(starts, items, np.zeros(3, np.int64), 100)
    # user 1 meets items 1 and 90 of all 100, of which only 90 is among the 25 dearest; user 2 meets nothing offered
    lists = np.stack([np.arange(100), np.where(np.arange(100) == 50, -1, np.arange(100))])
    assert hold_out.average_rewards(lists, truth, np.arange(100.0)) == pytest.approx(90 / 91)


@pytest.fixture(scope="module")
def model():
    return families.train(V1, planted())


def first_places(model, item: str, weight: float, users: int = 2000) -> float:
    """The share of strangers who get the item first; chance is each user's own."""
    names = [f"stranger {number}" for number in range(users)]
    lists = model.rank(Queries(users=names, num_results=1, exploration_weight=weight, seed=7)).items
    return float(np.mean([name == item for name in lists.flatten().to_pylist()]))


def test_a_new_item_is_explored_at_the_rate_of_its_weight(model):
    """Two new items, equal in everything, for strangers.

    A new item at distance d from the first place gains w d (0.5 + chance): it passes when chance > 1 / w - 0.5, and
    of two that do so the luckier one is first. So the rates are known, and rise with the weight from 0.
    """
    rates = []
    for weight in (0.0, 0.6, 0.75, 0.9, 1.0):
        rates.append([first_places(model, item, weight) for item in ("a90", "b90")])
        passing = np.clip(1.5 - 1 / max(weight, 1e-9), 0.0, 1.0)
        assert rates[-1] == pytest.approx([0.5 * (1 - (1 - passing) ** 2)] * 2, abs=0.04)
    assert rates == sorted(rates)
    assert rates[:2] == [[0.0, 0.0]] * 2


def test_impressions_and_interactions_lower_an_items_chance():
    data = planted()
    shown = ["a90|a01" if row % 2 else None for row in range(len(data.interactions))]
    seen = dataclasses.replace(
        data, interactions=data.interactions.append_column("IMPRESSION", pa.array(shown, pa.string()))
    )
    model = families.train(V1, seen)
    assert first_places(model, "a90", 1.0) < 0.5 * first_places(model, "b90", 1.0)
    pure = [
        families.train(V1, each).rank(Queries(users=USERS, num_results=9, exploration_weight=0.0))
        for each in (data, seen)
    ]
    assert pure[0].items == pure[1].items


def test_a_filters_answer_countable_by_hand(model):
    """Of 62 items 31 are alpha; a user who met m of them can still have 31 - m."""
    data = planted()
    text = 'INCLUDE ItemID WHERE Items.GENRE IN ("alpha") | EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN (*)'
    events = data.interactions.append_column("EVENT_TYPE", pa.repeat(pa.scalar("read"), len(data.interactions)))
    fields = (*data.schemas["INTERACTIONS"].fields, Field("EVENT_TYPE", "string"))
    typed = dataclasses.replace(
        data, interactions=events, schemas=data.schemas | {"INTERACTIONS": Schema("INTERACTIONS", fields)}
    )
    allowed, errors = bind(parse(text), typed, model.item_ids).allowed(USERS, None, [None] * len(USERS))
    assert not errors
    lists = model.rank(Queries(users=USERS, num_results=100, allowed=allowed)).items.to_pylist()
    for user, items in zip(USERS, lists, strict=True):
        met = set(events.filter(pc.equal(events["USER_ID"], user))["ITEM_ID"].to_pylist())
        assert len(items) == 31 - len({name for name in met if name[0] == "a"})
        assert not met & set(items)


def test_v2_adds_popular_items_without_a_score_where_a_filter_leaves_too_few():
    data = planted()
    model, first = families.train(V2, data), families.train(V1, data)
    ids = np.asarray(model.item_ids.to_pylist())
    # for a reader of `a`, whom no history connects with the other taste
    other = Allowed.dense(np.char.startswith(ids, "b")[None, :] | (ids == "a05"))
    asked = Queries(users=["u000"], num_results=10, allowed=other, exploration_weight=0.0)
    ranked = model.rank(asked)
    items, scores = ranked.items.to_pylist()[0], ranked.scores.to_pylist()[0]
    assert items[0] == "a05"
    assert scores[0] > 0
    assert scores[1:] == [0.0] * 9
    popular = families.train("aws-popularity-count", data).rank(dataclasses.replace(asked, num_results=4))
    assert items[1] == popular.items.to_pylist()[0][0] == "b00"
    assert min(first.rank(asked).scores.to_pylist()[0]) > 0
    whole = model.rank(Queries(users=["u000", "stranger"], num_results=100)).scores.to_pylist()
    assert [sum(scores) for scores in whole] == pytest.approx([1.0, 1.0])
    assert min(whole[0]) == 0 < min(whole[1])


def test_an_include_filter_drops_items_that_nobody_knows_from_rankings():
    model = families.train("aws-personalized-ranking", planted())
    asked = [["a05", "unheard of", "b05", "a90"]]
    allowed = Allowed.dense((np.asarray(model.item_ids.to_pylist()) != "b05")[None, :])

    def ranked(**more) -> list[str]:
        return model.rank(Queries(users=["u000"], item_lists=asked, **more)).items.to_pylist()[0]

    assert ranked()[-1] == "unheard of"
    assert set(ranked(allowed=allowed)) == {"a05", "a90", "unheard of"}
    assert set(ranked(allowed=allowed, unknown_allowed=False)) == {"a05", "a90"}
    kinds = [parse(f"{kind} ItemID WHERE Items.GENRE IN ('x')").includes for kind in ("INCLUDE", "EXCLUDE")]
    assert kinds == [True, False]


@pytest.mark.parametrize(
    ("recipe", "given"),
    [
        (V1, {"hidden_dimension": "32"}),
        (V1, {"bptt": "2"}),
        (V1, {"recency_mask": "false"}),
        (V1, {"min_user_history_length_percentile": "0.5"}),
        (V1, {"max_user_history_length_percentile": "0.5"}),
        (V2, {"apply_recency_bias": "false"}),
        ("aws-personalized-ranking-v2", {"apply_recency_bias": "false"}),
        ("aws-item-affinity", {"hidden_dimension": "32"}),
        ("aws-sims", {"popularity_discount_factor": "1.0"}),
        ("aws-sims", {"min_cointeraction_count": "10"}),
        ("aws-sims", {"min_user_history_length_percentile": "0.5"}),
        ("aws-sims", {"max_item_interaction_count_percentile": "0.5"}),
        ("aws-similar-items", {"popularity_discount_factor": "1.0"}),
        ("aws-similar-items", {"item_id_hidden_dim": "30"}),
        ("aws-similar-items", {"item_metadata_hidden_dim": "30"}),
    ],
)
def test_every_hyperparameter_changes_what_is_learnt(recipe, given):
    data = crowded()
    learnt, usual = families.train(recipe, data, hyperparameters=given), families.train(recipe, data)
    assert not np.array_equal(learnt.arrays["val"], usual.arrays["val"])


def crowded() -> TrainingData:
    """Histories of 20 to 60 steps over 250 items of 10 genres, in which most items meet."""
    rng = np.random.default_rng(2)
    rows = [
        (f"u{user}", f"i{item:03d}", step)
        for user in range(150)
        for step, item in enumerate(np.minimum(249, rng.exponential(70, 20 + user % 41).astype(int)))
    ]
    ids = [f"i{number:03d}" for number in range(250)]
    items = pa.table({"ITEM_ID": ids, "GENRE": [f"g{number % 10}" for number in range(250)]})
    schema = Schema("ITEMS", (Field("ITEM_ID", "string"), Field("GENRE", "string", categorical=True)))
    return TrainingData(interactions(rows, ("USER_ID", "ITEM_ID", "TIMESTAMP")), items, None, {"ITEMS": schema})


def test_days_are_counted_from_the_latest_interaction(model):
    ages = dict(zip(model.item_ids.to_pylist(), model.arrays["age_days"], strict=True))
    assert ages["a90"] * DAY == pytest.approx(4 * DAY, abs=DAY)
