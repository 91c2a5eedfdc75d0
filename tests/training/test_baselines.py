"""Lists without a model, against a definition that is slow and plain."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import personalize_nb as pnb
from personalize_nb.errors import InputError

START = 1_700_000_000
COLUMNS = ["user_id", "rank", "item_id", "score"]
pairs = st.lists(
    st.tuples(st.sampled_from("uvw"), st.sampled_from("abcdefg"), st.integers(0, 9)), min_size=1, max_size=25
)


def history(rows):
    frame = pd.DataFrame(rows, columns=["user_id", "item_id", "timestamp"])
    return frame.assign(timestamp=frame["timestamp"] + START)


def by_user(frame):
    assert frame.columns.tolist() == COLUMNS
    for _, own in frame.groupby("user_id"):
        assert own["rank"].tolist() == list(range(1, len(own) + 1))
    return frame.groupby("user_id")["item_id"].agg(list).to_dict()


@settings(max_examples=20)
@given(pairs, pairs, st.integers(1, 9))
def test_one_order_for_all_without_what_was_met(rows, met, most):
    frame, seen = history(rows), history(met)
    known = {user: set(own["item_id"]) for user, own in seen.groupby("user_id")}
    orders = {
        "popular": frame.groupby("item_id").size(),
        "recent": frame.groupby("item_id")["timestamp"].max(),
    }
    for name, scores in orders.items():
        order = sorted(scores.index, key=lambda item: (-scores[item], item))
        found = getattr(pnb.baselines, name)(frame, ["u", "v", "new"], most, seen=seen)
        slow = {user: [one for one in order if one not in known.get(user, ())][:most] for user in ("u", "v", "new")}
        assert by_user(found) == {user: own for user, own in slow.items() if own}
        assert (found["score"] == found["item_id"].map(scores)).all()


@settings(max_examples=20)
@given(pairs, pairs, st.integers(1, 9), st.integers(0, 5))
def test_by_chance_are_different_items_that_were_not_met(rows, met, most, seed):
    frame, seen = history(rows), history(met)
    items, known = set(frame["item_id"]), {user: set(own["item_id"]) for user, own in seen.groupby("user_id")}
    found = pnb.baselines.random(frame, ["u", "v", "new"], most, seen=seen, seed=seed)
    for user, own in by_user(found).items():
        assert len(set(own)) == len(own) == min(most, len(items - known.get(user, set())))
        assert set(own) <= items - known.get(user, set())
    pd.testing.assert_frame_equal(found, pnb.baselines.random(frame, ["u", "v", "new"], most, seen=seen, seed=seed))
    assert found["score"].isna().all()


def test_chance_gives_each_item_as_often():
    catalogue = pd.DataFrame({"item_id": [f"i{number:02}" for number in range(60)]})
    users = [f"u{number}" for number in range(3000)]
    for most in (5, 50):  # few of many, and most of all
        found = pnb.baselines.random(catalogue, users, most, seed=1)
        times = found["item_id"].value_counts()
        assert len(times) == 60 and abs(times / (3000 * most / 60) - 1).max() < 0.3
        first = found[found["rank"] == 1]["item_id"].value_counts()
        assert len(first) == 60 and first.max() < 100
    assert not found.equals(pnb.baselines.random(catalogue, users, 50, seed=2))


def test_own_history_is_what_was_met_most_often_of_equals_the_latest():
    frame = history([("u", "a", 1), ("u", "b", 2), ("u", "b", 3), ("u", "c", 4), ("v", "a", 1)])
    assert by_user(pnb.baselines.own_history(frame, ["u", "w"], 2)) == {"u": ["b", "c"]}
    assert by_user(pnb.baselines.own_history(frame.drop(columns="timestamp"), ["u"])) == {"u": ["b", "a", "c"]}
    assert pnb.baselines.own_history(frame, ["w"]).columns.tolist() == COLUMNS


def test_they_are_measured_and_compared_as_jobs_are():
    books = pnb.samples.books(readers=50)
    train, truth = pnb.holdout(books.interactions, newest=2, only_new_items=True)
    lists = {
        name: getattr(pnb.baselines, name)(train, books.users, 10, seen=train)
        for name in ("popular", "recent", "random")
    }
    found = pnb.compare(lists, truth=truth, items=books.items, cut_offs=[10], samples=20)
    assert found.summary()["lists"].tolist() == [50, 50, 50]
    met = train[["user_id", "item_id"]].drop_duplicates()
    assert all(frame.merge(met, on=["user_id", "item_id"]).empty for frame in lists.values())


def test_users_come_in_any_form_each_once_and_ids_in_any_spelling():
    met = pd.DataFrame({"USER_ID": [1, 1], "ITEM_ID": [7, 8]})
    found = pnb.baselines.popular(met, pd.Series([1, 2, 2], name="user_id"), 1, seen=met.head(1))
    assert found[["user_id", "item_id"]].values.tolist() == [["1", "8"], ["2", "7"]]
    assert found["rank"].dtype == "int64" and found["score"].dtype == "float64"


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda frame: pnb.baselines.popular(frame, ["u"], 0), "'num_results' must be a whole number from 1, got 0"),
        (lambda frame: pnb.baselines.popular(frame, []), "'users' is empty"),
        (lambda frame: pnb.baselines.popular(frame.head(0), ["u"]), "'interactions' is empty"),
        (lambda frame: pnb.baselines.popular(frame[["user_id"]], ["u"]), "no column .'item_id'"),
        (lambda frame: pnb.baselines.popular(frame, ["u"], seen=frame[["item_id"]]), "'seen' has no column"),
        (lambda frame: pnb.baselines.recent(frame.drop(columns="timestamp"), ["u"]), "no column .'timestamp'"),
        (lambda frame: pnb.baselines.random(frame, ["u"], seed=-1), "'seed' must be a whole number from 0, got -1"),
    ],
)
def test_what_cannot_be_recommended_is_told(call, text):
    with pytest.raises(InputError, match=text):
        call(history([("u", "a", 1)]))
