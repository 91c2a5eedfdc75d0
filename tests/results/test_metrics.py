"""Novelty, serendipity, personalization and the like against slow definitions; bounds, slices and the worst users."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import personalize_nb as pnb
from personalize_nb.errors import InputError
from personalize_nb.results import resampling

CUT_OFFS = (2, 4)
some = st.lists(st.sampled_from("abcdef"), unique=True, min_size=1, max_size=5)
worlds = st.tuples(
    st.dictionaries(st.sampled_from("uvwx"), some, min_size=1),
    st.dictionaries(st.sampled_from("uvwxy"), some, min_size=1),
    st.lists(st.tuples(st.sampled_from("uvwxy"), st.sampled_from("abcdefgh")), min_size=1, max_size=30),
).filter(lambda world: set(world[0]) & set(world[1]))


def frames(world):
    lists, wanted, met = world
    return (
        pd.DataFrame(
            [(user, rank, item) for user, items in lists.items() for rank, item in enumerate(items, 1)],
            columns=["user_id", "rank", "item_id"],
        ),
        pd.DataFrame(
            [(user, item) for user, items in wanted.items() for item in items], columns=["user_id", "item_id"]
        ),
        pd.DataFrame(met, columns=["user_id", "item_id"]),
    )


CATALOGUE = pd.DataFrame({"item_id": list("abcdefghi"), "genre": list("xyxyxyxyz"), "year": range(1990, 1999)})


def slow(world, cut):
    lists, wanted, met = world
    tops = {user: items[:cut] for user, items in lists.items()}
    shown = [item for items in tops.values() for item in items]
    times = {item: sum(one == item for _, one in met) for item in "abcdefghi"}
    order = sorted((item for item in times if times[item]), key=lambda item: (-times[item], item))
    head = [item for place, item in enumerate(order) if sum(times[one] for one in order[:place]) < 0.8 * len(met)]
    hits = {user: set(tops.get(user, [])) & set(items) for user, items in wanted.items()}
    pairs = list(itertools.combinations(tops.values(), 2))
    counts = [sum(one == item for one in shown) for item in times]
    differences = sum(abs(one - other) for one in counts for other in counts)
    return {
        "hit_rate": sum(map(bool, hits.values())) / len(hits),
        "recall": sum(len(found) / len(wanted[user]) for user, found in hits.items()) / len(hits),
        "serendipity": sum(len(found - set(order[:cut])) / cut for found in hits.values()) / len(hits),
        "novelty": sum(-math.log2(max(times[item], 1) / len(met)) for item in shown) / len(shown),
        "popularity": sum(times[item] for item in shown) / len(shown),
        "long_tail_share": sum(item not in head for item in shown) / len(shown),
        "gini": differences / (2 * len(counts) * sum(counts)),
        "personalization": 1
        - sum(len(set(one) & set(other)) / math.sqrt(len(one) * len(other)) for one, other in pairs) / len(pairs)
        if pairs
        else math.nan,
    }


@settings(max_examples=25)
@given(worlds)
def test_each_is_that_of_the_slow_definition(world):
    lists, truth, history = frames(world)
    found = pnb.evaluate(lists, truth, interactions=history, items=CATALOGUE, cut_offs=CUT_OFFS)
    for cut in CUT_OFFS:
        for name, value in slow(world, cut).items():
            assert found[f"{name}_at_{cut}"] == pytest.approx(value, nan_ok=True), name


@settings(max_examples=8)
@given(worlds, st.integers(1, 3))
def test_parts_taken_together_are_the_whole(world, parts):
    from personalize_nb.results import evaluation, measures

    lists, truth, history = frames(world)
    whole = pnb.evaluate(lists, truth, interactions=history, items=CATALOGUE, category="genre", cut_offs=CUT_OFFS)
    against = evaluation.truth_of(truth, history, CATALOGUE, "genre", CUT_OFFS, "found")
    owner = pd.factorize(lists["user_id"])[0] % parts
    measured = [evaluation.measured(lists[owner == part], against) for part in range(parts)]
    pd.testing.assert_series_equal(measures.together(measured, against), whole)


@settings(max_examples=8)
@given(worlds)
def test_slices_are_measured_as_if_there_were_nothing_else(world):
    lists, truth, history = frames(world)
    users = pd.DataFrame({"user_id": list("uvwx"), "plan": ["free", "paid", "free", None]})
    options = {"interactions": history, "items": CATALOGUE, "cut_offs": CUT_OFFS}
    found = pnb.evaluate(lists, truth, users=users, by="plan", **options)
    pd.testing.assert_series_equal(found["all"], pnb.evaluate(lists, truth, **options), check_names=False)
    plan = {"u": "free", "v": "paid", "w": "free"}
    for name in found.columns.drop("all"):
        own, right = (frame[frame["user_id"].map(plan).fillna("(missing)") == name] for frame in (lists, truth))
        if right["user_id"].isin(own["user_id"]).any() and right["item_id"].isin(CATALOGUE["item_id"]).any():
            pd.testing.assert_series_equal(found[name], pnb.evaluate(own, right, **options), check_names=False)
        assert found[name]["users"] == right["user_id"].nunique()
    assert found.loc["users"].drop("all").sum() == found["all"]["users"]


LISTS, TRUTH, HISTORY = frames(
    (
        {"u": list("abcd"), "v": list("badc"), "w": list("efab")},
        {"u": list("b"), "v": list("dg"), "w": list("a"), "y": list("i")},
        [*zip("uuuuvvvww", "aabbabcac", strict=True)],
    )
)


def test_slices_by_activity_popularity_and_any_column(capsys):
    options = {"interactions": HISTORY, "items": CATALOGUE, "cut_offs": [4]}
    active = pnb.evaluate(LISTS, TRUTH, by="activity", **options)
    assert active.columns.tolist() == ["all", "new", "light", "medium", "heavy"]
    assert active.loc["users"].tolist() == [4, 1, 1, 1, 1]
    assert "light users have up to 2 interactions, medium ones up to 3, heavy ones more" in capsys.readouterr().err
    popular = pnb.evaluate(LISTS, TRUTH, by="popularity", **options)
    assert popular.loc["users"].to_dict() == {"all": 4, "new": 2, "head": 2}
    assert popular.loc["recall_at_4"].to_dict() == {"all": 0.625, "new": 0.25, "head": 1}
    genres = pnb.evaluate(LISTS, TRUTH, by="genre", **options)
    assert genres.loc["users"].to_dict() == {"all": 4, "x": 2, "y": 2, "z": 1}
    both = CATALOGUE.assign(genre="x|y")
    assert pnb.evaluate(LISTS, TRUTH, by="genre", cut_offs=[4], items=both).loc["users"].tolist() == [4, 4, 4]
    channel = pnb.evaluate(
        LISTS, TRUTH.assign(channel=["mail", "web", "mail", "web", None]), by="channel", cut_offs=[4]
    )
    assert channel.loc["users"].to_dict() == {"all": 4, "mail": 2, "web": 2, "(missing)": 1}
    bands = pnb.evaluate(
        LISTS,
        TRUTH,
        by="year",
        cut_offs=[4],
        items=pd.DataFrame({"item_id": [*"abcdefghi", *"jklm"], "year": range(13)}),
    )
    assert len(bands.columns) <= 5 and bands.loc["users"].drop("all").sum() == 5


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"by": "shoe_size"}, r"'by' must be a column of the truth.*got 'shoe_size'.*users=, items= would bring"),
        ({"by": "activity"}, "with interactions=, 'activity'"),
        ({"interval": 95}, "'interval' must be a share of the draws between 0 and 1"),
        ({"interval": 0.9, "samples": 0}, "'samples' must be a whole number from 1"),
        ({"interval": 0.9, "seed": -1}, "'seed' must be a whole number from 0"),
        ({"by": "item_id", "items": CATALOGUE}, "'by' must be a column"),
    ],
)
def test_options_that_are_not_legal_are_told(options, text):
    with pytest.raises(InputError, match=text):
        pnb.evaluate(LISTS, TRUTH, **options)


def test_too_many_slices_are_told():
    many = pd.DataFrame({"user_id": [f"u{number}" for number in range(200)], "item_id": "a"})
    with pytest.raises(InputError, match=r"'by' makes 200 slices, at most 100.*'name' has"):
        pnb.evaluate(many.assign(rank=1), many.assign(name=many["user_id"]), by="name")


def test_bounds_hold_the_figure_and_are_the_same_again():
    options = {"interactions": HISTORY, "items": CATALOGUE, "cut_offs": [4], "samples": 200}
    found = pnb.evaluate(LISTS, TRUTH, interval=0.9, **options)
    assert found["value"].equals(pnb.evaluate(LISTS, TRUTH, **options).rename("value"))
    bounded = found.dropna()
    assert {"recall_at_4", "novelty_at_4", "hit_rate_at_4"} <= set(bounded.index)
    assert (bounded["low"] <= bounded["value"] + 1e-12).all() and (bounded["value"] <= bounded["high"] + 1e-12).all()
    assert found.loc[["coverage", "gini_at_4", "personalization_at_4", "users"], "low"].isna().all()
    pd.testing.assert_frame_equal(found, pnb.evaluate(LISTS, TRUTH, interval=0.9, **options))
    narrower = pnb.evaluate(LISTS, TRUTH, interval=0.5, **options)
    assert (narrower["high"] - narrower["low"] <= found["high"] - found["low"] + 1e-12)[bounded.index].all()
    sliced = pnb.evaluate(LISTS, TRUTH, interval=0.9, by="genre", **options)
    assert sliced["x"].columns.tolist() == ["value", "low", "high"]


def test_draws_are_those_of_the_slow_definition():
    amounts, numbers = np.random.default_rng(0).random((2, 30, 3))
    found = resampling.drawn(amounts, numbers, 7, 5)
    random = np.random.default_rng(5)
    for row in found:
        chosen = random.integers(0, 30, 30)
        assert row == pytest.approx(amounts[chosen].sum(axis=0) / numbers[chosen].sum(axis=0))


def test_bounds_are_as_wide_as_statistics_say():
    values = np.random.default_rng(1).normal(0, 1, (400, 1))
    low, high = resampling.bounds(resampling.drawn(values, np.ones_like(values), 2000, 0), 0.95)
    assert high[0] - low[0] == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.1)


def test_the_worst_users_come_first_and_those_who_missed_most():
    found = pnb.worst_users(LISTS, TRUTH, most=None, cut_offs=[4])
    assert found["user_id"].tolist() == ["y", "v", "w", "u"]
    assert found[["relevant", "found", "length"]].values.tolist() == [[1, 0, 0], [2, 1, 4], [1, 1, 4], [1, 1, 4]]
    by_recall = pnb.worst_users(LISTS, TRUTH, most=2, metric="recall_at_4", cut_offs=[4])
    assert by_recall["user_id"].tolist() == ["y", "v"] and by_recall["recall_at_4"].tolist() == [0, 0.5]
    best = pnb.best_users(LISTS, TRUTH, most=2, metric="recall_at_4", cut_offs=[4])
    assert best["user_id"].tolist() == ["u", "w"] and best["recall_at_4"].tolist() == [1, 1]
    with pytest.raises(InputError, match="'metric' must be one of normalized.*got 'luck'"):
        pnb.worst_users(LISTS, TRUTH, metric="luck")
    with pytest.raises(InputError, match="'most' must be a whole number from 1"):
        pnb.worst_users(LISTS, TRUTH, most=0)
