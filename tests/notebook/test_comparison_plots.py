"""Pictures of comparisons say what their frames say, and tell what is missing."""

import pandas as pd
import pytest

import personalize_nb as pnb
from personalize_nb.errors import ArgumentError, InputError


def lists(**users):
    rows = [(user, rank, item, 1 / rank) for user, items in users.items() for rank, item in enumerate(items, 1)]
    return pd.DataFrame(rows, columns=["user_id", "rank", "item_id", "score"])


OLD, NEW = lists(u="abcd", v="ab"), lists(u="acbe", v="ab")
TRUTH = pd.DataFrame({"user_id": ["u", "v"], "item_id": ["c", "b"]})
ITEMS = pd.DataFrame({"item_id": list("abcdefgh")})
FOUND = pnb.compare({"old": OLD, "new": NEW}, truth=TRUTH, items=ITEMS, cut_offs=[2, 4], samples=20)
PLAIN = pnb.compare({"old": OLD, "new": NEW}, cut_offs=[2, 4])


def test_overlap_is_drawn_for_each_cut_off():
    ax = pnb.plot_overlap(FOUND).ax
    row = FOUND.overlap().iloc[0]
    assert [bar.get_height() for bar in ax.patches] == [row["overlap_at_2"], row["overlap_at_4"], row["rbo"]]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["first 2", "first 4", "rank-biased"]


def test_metrics_stand_beside_their_bounds_and_differences():
    view = pnb.plot_metrics(FOUND)
    assert [line.split("  ")[1] for line in view.text.splitlines()[2:]][0] == "NDCG at 4"
    assert "difference, plus is better" in view.text and " to " in view.text
    of_two = pnb.plot_metrics(FOUND, ["precision_at_2", "coverage"])
    assert [label.get_text() for label in of_two.ax.get_yticklabels()] == ["Precision at 2", "Coverage"]
    assert "Precision at 2" in pnb.plot_metrics(FOUND, "precision_at_2").text


def test_metrics_are_drawn_of_all_that_evaluate_gives():
    bounded = {"interval": 0.9, "samples": 20}
    slices = {"by": "group"}
    truth = TRUTH.assign(group=["x", "y"])
    for options in ({}, bounded, slices, bounded | slices):
        view = pnb.plot_metrics(pnb.evaluate(OLD, truth, cut_offs=[2], **options))
        assert "NDCG at 2" in view.text and (" to " in view.text) == ("interval" in options)
        assert ("x" in view.text.splitlines()[1].split()) == ("by" in options)


def test_accuracy_stands_against_coverage():
    view = pnb.plot_tradeoff(FOUND, "precision_at_2")
    assert "50.0%" in view.text and "Precision at 2 against coverage" in view.text
    low, high = view.ax.get_xlim()
    assert low < 0.5 < high


def test_ranks_that_move_are_counted():
    view = pnb.plot_moves(FOUND, "new")
    # of six members a stays twice and b once, b and c of u change places, d is lost
    assert "50% of members stay at their rank, 33% move, 17% are lost" in view.text
    assert view.text.splitlines()[2].split() == ["1-4", "5", "1"]
    assert view.text.splitlines()[3].split()[-2:] == ["1", "–"]


def test_sets_stand_beside_each_other_in_pictures_of_lists():
    for view in (pnb.plot_coverage(FOUND), pnb.plot_scores(FOUND)):
        assert len(view.ax.lines) == 2 and "old:" in view.text and "new:" in view.text
        assert [text.get_text() for text in view.ax.get_legend().get_texts()] == ["old", "new"]
    assert "Different members" in pnb.plot_coverage(PLAIN).text
    history = pd.DataFrame({"item_id": list("aab")})
    found = pnb.compare({"old": OLD, "new": NEW}, interactions=history, samples=20)
    assert "interactions" in pnb.plot_popularity(found).html


def test_ends_without_lists_in_common_are_told():
    with pytest.raises(InputError, match="No owner has lists in both 'old' and 'new'"):
        pnb.plot_moves(pnb.compare({"old": OLD, "new": lists(w="ab")}))


@pytest.mark.parametrize(
    ("draw", "kind", "told"),
    [
        (lambda: pnb.plot_overlap(OLD), ArgumentError, r"DataFrame with columns .*pnb.plot_overlap\(pnb.compare\("),
        (lambda: pnb.plot_moves(None), ArgumentError, "got NoneType None"),
        (lambda: pnb.plot_tradeoff({"old": OLD}), ArgumentError, "got dict"),
        (lambda: pnb.plot_tradeoff(PLAIN), InputError, "needs pnb.compare.*truth="),
        (lambda: pnb.plot_tradeoff(FOUND, "nothing"), InputError, "has no 'nothing'"),
        (
            lambda: pnb.plot_moves(FOUND, "old"),
            InputError,
            r"one of \['new'\], sets beside the baseline 'old'; got 'old'",
        ),
        (lambda: pnb.plot_metrics(PLAIN), InputError, "without a truth"),
        (
            lambda: pnb.plot_metrics(FOUND, ["recall_at_3"]),
            InputError,
            r"no metric 'recall_at_3' \(did you mean 'recall_at_2'\?\); there are .*recall_at_2",
        ),
        (lambda: pnb.plot_metrics(OLD), ArgumentError, "names of metrics as its index"),
        (lambda: pnb.plot_metrics("old"), ArgumentError, "got str 'old'"),
        (lambda: pnb.plot_coverage(FOUND, ITEMS), ArgumentError, "'items' is taken from the comparison"),
        (lambda: pnb.plot_popularity(FOUND, OLD), ArgumentError, "'interactions' is taken from the comparison"),
        (
            lambda: pnb.plot_coverage(ITEMS, FOUND),
            InputError,
            r"swapped: 'items' is a comparison. Call plot_coverage\(",
        ),
        (lambda: pnb.plot_popularity(PLAIN), InputError, "needs the history"),
    ],
)
def test_what_cannot_be_drawn_is_told(draw, kind, told):
    with pytest.raises(kind, match=told):
        draw()
