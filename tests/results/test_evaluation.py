"""Metrics against Amazon's worked example, a slow definition, and lists whose measure can be counted by hand."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import personalize_nb as pnb
from personalize_nb.contract.ranking_metrics import ranking_metrics
from personalize_nb.errors import InputError

LISTS = pd.DataFrame(
    {
        "user_id": ["u"] * 5 + ["v"] * 2,
        "rank": [1, 2, 3, 4, 5, 1, 2],
        "item_id": ["a", "b", "c", "d", "e", "a", "c"],
    }
)
TRUTH = pd.DataFrame({"user_id": ["u", "u", "v", "w"], "item_id": ["b", "e", "z", "a"]})
ITEMS = pd.DataFrame({"item_id": list("abcdez"), "genre": ["x", "x", "y", "x|y", None, "y"]})


def test_amazons_worked_example():
    metrics = ranking_metrics(np.array([[0, 1, 0, 0, 1]], bool), np.array([2]), [5])
    assert metrics["normalized_discounted_cumulative_gain_at_5"] == pytest.approx(0.6241, abs=5e-5)


def test_lists_shorter_than_the_cut_off_are_told(capsys):
    lists = pd.DataFrame({"user_id": ["u"] * 2, "rank": [1, 2], "item_id": ["a", "b"]})
    truth = pd.DataFrame({"user_id": ["u"], "item_id": ["b"]})
    pnb.evaluate(lists, truth, cut_offs=[2])
    assert not capsys.readouterr().err
    pnb.evaluate(lists, truth, cut_offs=[5])
    assert "no list is longer than 2: figures at 5" in capsys.readouterr().err


def test_every_user_of_the_truth_counts():
    metrics = pnb.evaluate(LISTS, TRUTH, cut_offs=[5])
    assert metrics["users"] == 3
    assert metrics["mean_reciprocal_rank_at_5"] == pytest.approx(0.5 / 3)
    assert metrics["precision_at_5"] == pytest.approx(2 / 5 / 3)
    assert metrics["recall_at_5"] == pytest.approx(1 / 3)


def test_coverage_popularity_diversity_by_hand():
    interactions = pd.DataFrame({"item_id": ["a"] * 4 + ["b"] * 2})
    metrics = pnb.evaluate(LISTS, TRUTH, items=ITEMS, interactions=interactions, category="genre", cut_offs=[2])
    assert metrics["coverage"] == pytest.approx(3 / 6)
    assert metrics["popularity_at_2"] == pytest.approx((4 + 2 + 4 + 0) / 4)
    assert metrics["diversity_at_2"] == pytest.approx(1 - (1 + 0) / 2)


@given(
    st.lists(st.lists(st.booleans(), min_size=1, max_size=8), min_size=1, max_size=6).map(
        lambda rows: [(row + [False] * 8)[:8] for row in rows]
    ),
    st.sampled_from(["found", "relevant"]),
)
def test_equal_to_the_slow_definition(rows, ideal):
    relevant = [sum(row) + 1 for row in rows]
    slow = []
    for row, wanted in zip(rows, relevant, strict=True):
        top = row[:5]
        gain = sum(1 / math.log2(place + 2) for place, hit in enumerate(top) if hit)
        longest = sum(top) if ideal == "found" else min(wanted, 5)
        best = sum(1 / math.log2(place + 2) for place in range(longest))
        slow.append(gain / best if best else 0.0)
    fast = ranking_metrics(np.array(rows), np.array(relevant), [5], ideal)
    assert fast["normalized_discounted_cumulative_gain_at_5"] == pytest.approx(sum(slow) / len(slow))


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"truth": TRUTH.head(0)}, "'truth' is empty"),
        ({"truth": TRUTH[["user_id"]]}, r"'truth' has no column \['item_id'\]"),
        ({"recommendations": LISTS[["user_id"]]}, "'recommendations' has no column"),
        ({"cut_offs": [0]}, "'cut_offs' must be a list of whole numbers from 1"),
        ({"cut_offs": 5}, "'cut_offs' must be a list of whole numbers from 1, got 5"),
        ({"recommendations": LISTS.assign(rank=LISTS["rank"] - 1)}, "whole numbers from 1, got 0 in row 0; add 1"),
        ({"recommendations": LISTS.assign(rank=1.5)}, "whole numbers from 1, got 1.5"),
        ({"recommendations": LISTS.assign(rank=1)}, "one list for a user; 'u' has two items of rank 1"),
        ({"recommendations": LISTS.assign(item_id="a")}, "one list for a user; 'u' has the item twice: a"),
        ({"truth": TRUTH.assign(user_id="x")}, "No user of 'truth' has a list: its users are like 'x'"),
        ({"truth": TRUTH.assign(item_id="Dracula"), "items": ITEMS}, "No item of 'truth' is among.*'Dracula'"),
        ({"ideal": "best"}, "'ideal' must be 'found' or 'relevant', got 'best'"),
        ({"category": "genre"}, "no items frame was given"),
        ({"category": "kind", "items": ITEMS}, "'category' must be a column of items"),
    ],
)
def test_bad_input_is_told(change, text):
    with pytest.raises(InputError, match=text):
        pnb.evaluate(**{"recommendations": LISTS, "truth": TRUTH, **change})


def test_ranks_may_be_whole_floats_and_cut_offs_numpys():
    found = pnb.evaluate(LISTS.assign(rank=LISTS["rank"].astype(float)), TRUTH, cut_offs=list(np.array([5])))
    assert found.equals(pnb.evaluate(LISTS, TRUTH, cut_offs=[5]))


def test_users_without_a_list_are_told(capsys):
    pnb.evaluate(LISTS, TRUTH, cut_offs=[5])
    assert "1 of 3 users of the truth have no list" in capsys.readouterr().err


def test_ids_of_any_spelling_are_the_same_ids():
    lists = pd.DataFrame({"user_id": ["7", "7", "8"], "rank": [1, 2, 1], "item_id": ["1", "2", "1"]})
    truth = pd.DataFrame({"USER_ID": [7, 8], "itemId": [2, 1]})
    catalogue = pd.DataFrame({"ITEM_ID": [1, 2, 3, 4], "genre": ["x", "y", "x", "y"]})
    history = pd.DataFrame({"userId": [7, 7], "itemId": [1, 1]})
    found = pnb.evaluate(lists, truth, interactions=history, items=catalogue, category="genre", cut_offs=[2])
    assert found["recall_at_2"] == 1
    assert found["coverage"] == 0.5
    assert found["popularity_at_2"] == pytest.approx(4 / 3)
    assert found["diversity_at_2"] == 1


@pytest.mark.parametrize("ids", [[7.0, 8.0], [None, "8"]])
def test_ids_that_are_none_are_refused(ids):
    with pytest.raises(InputError, match="user_id"):
        pnb.evaluate(LISTS, pd.DataFrame({"user_id": ids, "item_id": ["a", "b"]}))


def test_two_columns_for_one_id_are_refused():
    with pytest.raises(InputError, match="'truth' has several columns for"):
        pnb.evaluate(LISTS, TRUTH.assign(USER_ID="u"))


def test_equal_lists_are_not_personal_at_all_and_figures_stay_readable():
    equal = pd.DataFrame([(user, rank, item) for user in "uvwxyz" for rank, item in enumerate("abcdefg", 1)])
    equal.columns = ["user_id", "rank", "item_id"]
    truth = pd.DataFrame({"user_id": ["u"], "item_id": ["a"]})
    found = pnb.evaluate(equal, truth, items=pd.DataFrame({"item_id": list("abcdefg")}), cut_offs=[2, 3, 7, 7])
    assert (found.filter(like="personalization") == 0).all() and (found.filter(like="gini") >= 0).all()
    assert "e-" not in str(found)


def test_lists_of_items_are_told_what_measures_them():
    truth = pd.DataFrame({"user_id": ["u"], "item_id": ["a"]})
    with pytest.raises(InputError, match=r"lists of users.*got lists of items.*pnb.theme_quality"):
        pnb.evaluate(pd.DataFrame({"item_id": ["i"], "rank": [1], "recommended_item_id": ["a"]}), truth)
