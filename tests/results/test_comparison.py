"""Lists beside each other, against definitions that are slow and plain, and by hand; as users hand them over."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import personalize_nb as pnb
from personalize_nb.errors import InputError, NotFoundError


def frame(lists, owner="user_id", member="item_id"):
    """Return lists of `(rank, member)` or members by owner as a frame."""
    rows = [
        (user, *(one if isinstance(one, tuple) else (place, one)))
        for user, members in lists.items()
        for place, one in enumerate(members, 1)
    ]
    return pd.DataFrame(rows, columns=[owner, "rank", member])


BEFORE = frame({"u": "abcd", "v": "abc", "w": "xy", "alone": "a"})
AFTER = frame({"u": "abdc", "v": "dea", "w": "xy", "new": "b"})


def slow_rbo(one, other, persistence, depth=250):
    """Return rank-biased overlap by the sum that defines it; `one` and `other` are pairs of position and member.

    Past the end of the shorter list its agreement there goes on, past both ends that of the longer list's end.
    """
    one, other = sorted((one, other), key=len)
    short, long = len(one), len(other)

    def agreed(depth):
        first = {member for place, member in one if place <= depth}
        second = {member for place, member in other if place <= depth}
        if depth <= short:
            return 2 * len(first & second) / (len(first) + len(second))
        depth = min(depth, long)
        second = {member for place, member in other if place <= depth}
        return 2 * (len(first & second) + agreed(short) * (depth - short)) / (depth + len(second))

    return sum((1 - persistence) * persistence ** (place - 1) * agreed(place) for place in range(1, depth))


def positions(members):
    """Return pairs of position and member of pairs of rank and member: 1 and as many more as stand before."""
    return [(1 + sum(other < rank for other, _ in members), member) for rank, member in members]


a_list = st.lists(st.sampled_from("abcdefgh"), unique=True, min_size=1, max_size=8)
ranked = st.tuples(a_list, st.lists(st.integers(1, 6), min_size=8, max_size=8), st.booleans()).map(
    lambda drawn: [
        (rank if drawn[2] else place, member)
        for place, (member, rank) in enumerate(zip(drawn[0], drawn[1], strict=False), 1)
    ]
)


@settings(max_examples=25)
@given(st.dictionaries(st.sampled_from("uvwxyz"), st.tuples(ranked, ranked), min_size=1), st.floats(0.3, 0.9))
def test_agreement_is_that_of_the_slow_definition(pairs, persistence):
    one, other = ({user: pair[place] for user, pair in pairs.items()} for place in (0, 1))
    found = pnb.compare({"one": frame(one), "other": frame(other)}, persistence=persistence, cut_offs=[1, 3, 100])
    by_user = found.by_owner().set_index("user_id")
    for user, (first, second) in pairs.items():
        row, first, second = by_user.loc[user], positions(first), positions(second)
        assert row["rbo"] == pytest.approx(slow_rbo(first, second, persistence), abs=1e-9)
        for cut in (1, 3, 100):
            tops = [{member for place, member in each if place <= cut} for each in (first, second)]
            assert row[f"overlap_at_{cut}"] == pytest.approx(len(tops[0] & tops[1]) / max(map(len, tops)))
        before, after = ({member: place for place, member in each} for each in (first, second))
        assert row["new"] == len(after.keys() - before) and row["lost"] == len(before.keys() - after)
        assert row["moved"] == sum(before[one] != after[one] for one in before.keys() & after)
    assert found.overlap()["rbo"][0] == pytest.approx(by_user["rbo"].mean())
    turned = pnb.compare({"other": frame(other), "one": frame(one)}, persistence=persistence, cut_offs=[1, 3, 100])
    assert turned.overlap()["rbo"][0] == pytest.approx(found.overlap()["rbo"][0])
    # the sums of users, items and ranks are of the same members
    gains = found.items()
    assert gains["new"].sum() == by_user["new"].sum() and gains["lost"].sum() == by_user["lost"].sum()
    assert (gains["after"] - gains["before"]).equals(gains["gain"])
    moves = found.moves()
    assert moves.loc[moves["before"].isna(), "members"].sum() == by_user["new"].sum()
    assert moves.loc[moves["after"].isna(), "members"].sum() == by_user["lost"].sum()


@settings(max_examples=10)
@given(st.dictionaries(st.sampled_from("uvw"), ranked, min_size=1))
def test_equal_lists_agree_wholly_in_any_order_of_rows_and_spelling(lists):
    one = frame(lists)
    found = pnb.compare({"one": one, "other": one.iloc[::-1].rename(columns={"user_id": "userId"})})
    assert found.by_owner()["rbo"].tolist() == pytest.approx([1] * len(lists)) and found.overlap()["same"][0] == 1
    assert "All lists of 'other' are those of 'one'." in found.notes
    assert (found.items()["gain"] == 0).all()


def test_lists_without_anything_in_common_do_not_agree_at_all():
    found = pnb.compare({"one": frame({"u": "ab"}), "other": frame({"u": "xyz"})}).by_owner().iloc[0]
    assert (found["rbo"], found["overlap_at_5"], found["new"], found["lost"]) == (0, 0, 3, 2)


def test_one_of_published_worth():
    # Webber et al. 2010, between 0.9's weights: agreement 0, 1/2, 2/3, then on
    found = pnb.compare({"one": frame({"u": "abc"}), "other": frame({"u": "cba"})}, persistence=0.5)
    assert found.by_owner()["rbo"][0] == pytest.approx(0.5 * 0 + 0.25 * 0.5 + 0.125 * 1 + 0.125 * 1)


def test_by_hand_for_users_items_and_in_short():
    found = pnb.compare({"last week": BEFORE, "today": AFTER}, cut_offs=[2, 4], items={"d": "Dracula"})
    by_user = found.by_owner().set_index("user_id")
    assert by_user["in"].to_dict() == {
        "u": "both",
        "v": "both",
        "w": "both",
        "alone": "baseline only",
        "new": "this only",
    }
    assert by_user.loc["u", ["moved", "new", "lost"]].tolist() == [2, 0, 0]
    assert by_user.loc["v", ["moved", "new", "lost"]].tolist() == [1, 2, 2]
    assert by_user.loc[["alone", "new"], ["rbo", "moved", "overlap_at_2"]].isna().all().all()
    gains = found.items().set_index("item_id")
    assert gains["gain"].to_dict() == {"d": 1, "e": 1, "a": 0, "x": 0, "y": 0, "b": -1, "c": -1}
    assert gains.loc["d", ["title", "before", "after", "new", "rank_before", "rank_after"]].tolist() == [
        "Dracula",
        1,
        2,
        1,
        4,
        2,
    ]
    short = found.summary()
    assert short.loc["today", ["lists", "compared", "same"]].tolist() == [4, 3, pytest.approx(1 / 3)]
    assert found.most_changed(1)["user_id"].tolist() == ["v"]
    one = found.side_by_side("v").set_index("item_id")
    assert one["rank in last week"].fillna(0).to_dict() == {"a": 1, "b": 2, "c": 3, "d": 0, "e": 0}
    assert one["rank in today"].fillna(0).to_dict() == {"a": 3, "b": 0, "c": 0, "d": 1, "e": 2}
    assert found.coverage().set_index(["list", "first"])["shown"].to_dict()["today", 2] == 6


def test_who_cannot_be_compared_is_told_and_never_dropped():
    found = pnb.compare({"last week": BEFORE, "today": AFTER})
    assert any("1 user has a list in 'last week' only, not in 'today', and counts" in note for note in found.notes)
    assert any("1 user has a list in 'today' only, not in 'last week'" in note for note in found.notes)
    assert found.overlap().loc[0, ["both", "only_list", "only_other"]].tolist() == [3, 1, 1]
    none = pnb.compare({"one": frame({"u": "a"}), "other": frame({"U": "a"})})
    assert any("No user has a list in both 'one' and 'other'" in note for note in none.notes)
    assert none.items().empty and "other" in repr(none)
    longer = pnb.compare({"one": frame({"u": "ab"}), "other": frame({"u": "abcdef"})})
    assert any("have 2.0 members on average, those of 'other' 6.0" in note for note in longer.notes)


def test_ids_are_the_same_in_any_form():
    numbers = frame({7: [1, 2], 8: [2]})
    found = pnb.compare({"numbers": numbers, "texts": numbers.astype({"user_id": "str", "item_id": "str"})})
    assert found.overlap()["same"][0] == 1 and found.side_by_side(7)["item_id"].tolist() == ["1", "2"]


def test_three_sets_have_each_pair_and_any_baseline():
    lists = {"a": BEFORE, "b": AFTER, "c": BEFORE}
    found = pnb.compare(lists, baseline="b")
    assert found.names == ["b", "a", "c"]
    pairs = found.overlap().set_index(["list", "other"])["same"]
    assert pairs["a", "c"] == 1 and pairs["b", "a"] == pairs["b", "c"] < 1
    assert set(found.by_owner()["list"]) == set(found.items()["list"]) == {"a", "c"}


SEGMENTS = frame({"i": "uvw", "j": "vw"}, "item_id", "user_id")
RELATED = frame({"i": "abc", "j": "ca"}, "item_id", "recommended_item_id")
THEMES = RELATED.assign(theme=RELATED["item_id"].map({"i": "Sea voyages", "j": "Roses"}), relevance=0.5)


@pytest.mark.parametrize(
    ("lists", "kind", "owner"), [(SEGMENTS, "segments of users", "i"), (RELATED, "lists of items", "i")]
)
def test_lists_of_items_and_segments_are_compared_as_well(lists, kind, owner):
    found = pnb.compare({"one": lists, "other": lists.assign(rank=-lists["rank"])}, items={"i": "Ivanhoe", "a": "Ada"})
    assert found.kind == kind
    assert found.by_owner()["moved"].tolist() == [2, 2]
    assert len(found.side_by_side(owner)) == 3 and ("title" in found.items()) == (kind == "lists of items")
    with pytest.raises(InputError, match="truth says what was right for a user, these are"):
        pnb.compare({"one": lists, "other": lists}, truth=pd.DataFrame({"user_id": ["u"], "item_id": ["a"]}))


def test_themes_are_compared_by_their_items_and_by_their_words():
    other = THEMES.assign(theme=THEMES["theme"].str.replace("Roses", "Gardens"))
    found = pnb.compare({"one": THEMES, "other": other})
    assert found.themes().set_index("item_id")["same"].to_dict() == {"i": True, "j": False}
    assert found.overlap()["same"][0] == 1 and found.scores()["median"].tolist() == [0.5] * 6
    with pytest.raises(NotFoundError, match="Compared are lists of items, which have no themes"):
        pnb.compare({"one": RELATED, "other": RELATED}).themes()


def test_values_of_a_filter_make_several_lists_of_a_user():
    one = pd.concat([frame({"u": "ab"}).assign(GENRE="Drama"), frame({"u": "cd"}).assign(GENRE="Comedy")])
    one = one[["user_id", "GENRE", "rank", "item_id"]]
    found = pnb.compare({"one": one, "other": one[one["GENRE"] == "Drama"]})
    assert found.by_owner()[["user_id", "GENRE", "in"]].values.tolist() == [
        ["u", "Drama", "both"],
        ["u", "Comedy", "baseline only"],
    ]
    assert found.side_by_side(("u", "Drama"))["item_id"].tolist() == ["a", "b"]
    with pytest.raises(NotFoundError, match=r"'u' has 2 lists.*\('u', 'Drama'\)"):
        found.side_by_side("u")
    with pytest.raises(InputError, match="'one' has several lists of one user_id, told apart by 'GENRE', which 'two'"):
        pnb.compare({"one": one, "two": frame({"u": "ab"})})


@pytest.mark.parametrize(
    ("lists", "options", "text"),
    [
        ({"one": BEFORE}, {}, r"Two or more sets of lists are compared, 'lists' has \['one'\]"),
        ({}, {}, "Two or more"),
        ([BEFORE, AFTER], {}, "'lists' must be names with lists.*got list"),
        (BEFORE, {}, "'lists' must be names with lists.*got DataFrame"),
        ({"one": BEFORE, "two": None}, {}, "'two' has None"),
        ({"one": BEFORE, "": AFTER}, {}, "needs a name"),
        ({1: BEFORE, "1": AFTER}, {}, "must differ as texts"),
        ({"one": BEFORE, "two": BEFORE.head(0)}, {}, "'two' has no lists: it is empty"),
        ({"one": BEFORE, "two": RELATED}, {}, "'one' has lists of users, 'two' has lists of items"),
        ({"one": BEFORE, "two": BEFORE[["rank", "item_id"]]}, {}, "'two' holds no lists: it needs 'user_id'"),
        ({"one": BEFORE, "two": BEFORE.drop(columns="rank")}, {}, r"'two' has no column \['rank'\]"),
        (
            {"one": BEFORE, "two": BEFORE.assign(rank="first")},
            {},
            "Ranks of 'two' must be numbers, got 'first' in row 0",
        ),
        (
            {"one": BEFORE, "two": pd.concat([BEFORE, BEFORE])},
            {},
            "'two' must have one list.*'u' has the member twice: a",
        ),
        ({"one": BEFORE, "two": BEFORE}, {"baseline": "three"}, r"'baseline' must be one of \['one', 'two'\]"),
        ({"one": BEFORE, "two": BEFORE}, {"persistence": 1}, "'persistence' must be a number between 0 and 1"),
        ({"one": BEFORE, "two": BEFORE}, {"interval": 95}, "'interval' must be a share"),
        ({"one": BEFORE, "two": BEFORE}, {"samples": 0}, "'samples' must be a whole number from 1"),
        ({"one": BEFORE, "two": BEFORE}, {"cut_offs": [0]}, "'cut_offs' must be a list of whole numbers"),
    ],
)
def test_what_cannot_be_compared_is_told(lists, options, text):
    with pytest.raises(InputError, match=text):
        pnb.compare(lists, **options)


def test_questions_that_cannot_be_answered_are_told():
    found = pnb.compare({"one": BEFORE, "two": AFTER})
    with pytest.raises(NotFoundError, match="No set has a list of 'nobody'; there are .*'u'"):
        found.side_by_side("nobody")
    with pytest.raises(InputError, match="Popularity needs the history"):
        found.popularity()
    with pytest.raises(InputError, match="'worse' and 'better' need truth="):
        found.most_changed(by="worse")
    with pytest.raises(InputError, match="'metric' needs a truth"):
        found.by_owner("recall_at_5")
    assert found.scores().empty


HISTORY = pd.DataFrame({"user_id": list("uuvvwz"), "item_id": list("abacxd")})
TRUTH = pd.DataFrame({"user_id": ["u", "v", "w"], "item_id": ["d", "d", "y"]})


def test_plus_is_better_and_differences_are_paired():
    found = pnb.compare(
        {"last week": BEFORE, "today": AFTER}, truth=TRUTH, interactions=HISTORY, cut_offs=[2, 4], samples=200
    )
    metrics = found.metrics().set_index(["metric", "list"])
    for name, lists in (("last week", BEFORE), ("today", AFTER)):
        alone = pnb.evaluate(lists, TRUTH, interactions=HISTORY, cut_offs=[2, 4]).drop("users")
        assert metrics["value"].xs(name, level="list")[alone.index].tolist() == pytest.approx(
            alone.tolist(), nan_ok=True
        )
    value, today = metrics["value"].unstack(), metrics.xs("today", level="list")
    less = value.index.str.startswith(("gini", "popularity"))
    signs = np.where(less, -1, 1)
    assert today["difference"][value.index].tolist() == pytest.approx(
        ((value["today"] - value["last week"]) * signs).tolist()
    )
    assert set(today.loc[value.index[less], "better"]) == {"less"}
    bounded = today.dropna()
    assert (bounded["difference_low"] <= bounded["difference"]).all()
    assert (bounded["difference"] <= bounded["difference_high"]).all()
    assert metrics.xs("last week", level="list")["difference"].isna().all()
    same = pnb.compare({"a": BEFORE, "b": BEFORE}, truth=TRUTH, cut_offs=[4]).metrics().query("list == 'b'").dropna()
    assert len(same) and (same[["difference", "difference_low", "difference_high"]] == 0).all().all()
    better = found.most_changed(by="better")
    assert better["user_id"].tolist() == ["v", "u"] and found.most_changed(by="worse").empty
    assert found.side_by_side("v").set_index("item_id")["right"].to_dict()["d"]


def test_bounds_do_not_depend_on_the_order_of_lists():
    options = {"truth": TRUTH, "cut_offs": [4], "samples": 50, "seed": 3}
    one = pnb.compare({"a": BEFORE, "b": AFTER}, **options).metrics()
    two = pnb.compare({"b": AFTER, "a": BEFORE}, baseline="a", **options).metrics()
    pd.testing.assert_frame_equal(one, two)


def test_a_history_gives_popularity_by_tenths():
    shares = pnb.compare({"one": BEFORE, "two": AFTER}, interactions=HISTORY).popularity()
    assert shares.groupby("list")["share"].sum().tolist() == pytest.approx([1, 1])
    assert shares["interactions"].head(10).sum() == pytest.approx(1)


def test_a_truth_that_speaks_of_others_is_refused_and_who_is_absent_said(capsys):
    lists = {"one": BEFORE, "two": AFTER}
    with pytest.raises(InputError, match="No user of 'truth' has a list: its users are like 'nobody'"):
        pnb.compare(lists, truth=TRUTH.assign(user_id="nobody"))
    with pytest.raises(InputError, match="No item of 'truth' is among the items or interactions"):
        pnb.compare(lists, truth=TRUTH.assign(item_id="Dracula"), interactions=HISTORY)
    with pytest.raises(InputError, match="'truth' is empty"):
        pnb.compare(lists, truth=TRUTH.head(0))
    more = pd.concat([TRUTH, pd.DataFrame({"user_id": ["alone"], "item_id": ["a"]})])
    pnb.compare(lists, truth=more, cut_offs=[4]).metrics()
    assert "two: 1 of 4 users of the truth have no list; they count as without a hit" in capsys.readouterr().err


def _lists(**users):
    rows = [(user, rank, item) for user, items in users.items() for rank, item in enumerate(items, 1)]
    return pd.DataFrame(rows, columns=["user_id", "rank", "item_id"])


OLD, NEW = _lists(u="abc", v="abc"), _lists(u="acd", v="abc")


def test_a_cut_off_given_twice_counts_once():
    found = pnb.compare({"old": OLD, "new": NEW}, cut_offs=[3, 1, 3])
    assert found.cut_offs == [3, 1] and [*found.overlap().columns[-2:]] == ["overlap_at_3", "overlap_at_1"]


def test_a_terminal_is_told_what_sets_are_worth():
    truth = pd.DataFrame({"user_id": ["u"], "item_id": ["d"]})
    told = repr(pnb.compare({"old": OLD, "new": NEW}, truth=truth, cut_offs=[3], samples=20))
    assert "recall_at_3, plus is better:" in told and "1.0" in told.partition("recall_at_3")[2]
    assert "recall" not in repr(pnb.compare({"old": OLD, "new": NEW}))


@pytest.mark.parametrize("most", [0, -1, True, 1.5, None])
def test_most_changed_are_at_least_one(most):
    with pytest.raises(InputError, match="'most' must be a whole number from 1"):
        pnb.compare({"old": OLD, "new": NEW}).most_changed(most)


def test_equal_ranks_are_told():
    found = pnb.compare({"old": OLD, "new": NEW.assign(rank=1)})
    assert any("2 lists of 'new' have equal ranks" in note for note in found.notes)
    assert not any("equal ranks" in note for note in pnb.compare({"old": OLD, "new": NEW}).notes)


def test_columns_in_capitals_are_the_same_columns():
    found = pnb.compare({"old": OLD.rename(columns=str.upper), "new": OLD})
    assert found.overlap()["rbo"].tolist() == [1.0]


def test_strangers_leave_numbers_and_names_in_short():
    found = pnb.compare({"old": OLD, "new": _lists(w="ab")})
    assert {str(found.summary().dtypes[name]) for name in ("moved", "new", "lost")} == {"float64"}
    with pytest.raises(NotFoundError, match=r"there are 'u', 'v', 'w'$"):
        found.side_by_side("x")


@pytest.mark.parametrize(
    "call",
    [
        lambda truth: pnb.compare({"a": "job-a", "b": "job-b"}),
        lambda truth: pnb.evaluate("job-a", truth),
        lambda truth: pnb.worst_users("job-a", truth),
        lambda truth: pnb.plot_scores("job-a"),
        lambda truth: pnb.explore("job-a"),
        lambda truth: pnb.show_user("u", "job-a", truth),
        lambda truth: pnb.show_themes("job-a"),
    ],
)
def test_the_name_of_a_job_is_told_to_be_attached(call):
    with pytest.raises(InputError, match=r"pnb.attach\('job-a'\) is that job"):
        call(OLD)
