"""A comparison reads as HTML and as text, with the same content, and whatever names and titles hold is escaped."""

import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell

import personalize_nb as pnb
from personalize_nb.errors import InputError, MissingAttributeError, NotFoundError
from personalize_nb.notebook import formatters

HOSTILE = '<img src=x onerror="alert(1)">'


def lists(**users):
    rows = [(user, rank, item) for user, items in users.items() for rank, item in enumerate(items, 1)]
    return pd.DataFrame(rows, columns=["user_id", "rank", "item_id"])


BEFORE = lists(u="abcd", v="ab", gone="a")
AFTER = lists(u="acbe", v="ab")
TRUTH = pd.DataFrame({"user_id": ["u", "v"], "item_id": ["c", "b"]})


def test_all_of_it_is_there_in_html_and_in_text():
    found = pnb.compare({"old": BEFORE, "new": AFTER}, truth=TRUTH, cut_offs=[2, 4], items={"e": "Emma"}, samples=20)
    view = pnb.show_comparison(found)
    for shown in (view.text, str(view.html)):
        for part in ("Agreement with old", "Overlap at 4", "NDCG at 4", "plus is better", "Emma", "Changed most"):
            assert part in shown, part
        assert "1 user has a list in" in shown and "+1" in shown
    history = pd.DataFrame({"user_id": ["u", "v"], "item_id": ["a", "a"]})
    without = pnb.show_comparison(
        pnb.compare({"old": BEFORE, "new": AFTER}, interactions=history, interval=0.8, samples=20)
    )
    assert "80% of the draws" in without.text and "Novelty at 25" in without.text
    assert "Metrics" not in pnb.show_comparison(pnb.compare({"old": BEFORE, "new": AFTER})).text
    assert "<script" not in view.html and "<style" not in view.html and 'alt=""' in view.html


def test_pictures_stand_beside_the_tables_that_they_are_of():
    measured = pnb.show_comparison(pnb.compare({"old": BEFORE, "new": AFTER}, truth=TRUTH, cut_offs=[2, 4], samples=20))
    agreement, metrics = (measured.html.index(f'alt="{alt}') for alt in ("Bars of the share", "Points of each metric"))
    titles = [measured.html.index(title) for title in ("Agreement with old", "Each by itself", "Metrics; in")]
    assert titles[0] < agreement < titles[1] < titles[2] < metrics  # what it is stands above it
    assert (
        measured.html.count("data:image/svg+xml") == measured.html.count("<img") and "NDCG" in measured.html[metrics:]
    )
    measured.ax.set_ylabel("changed by the user")
    assert measured.html != pnb.show_comparison(pnb.compare({"old": BEFORE, "new": AFTER})).html
    found = pnb.compare({"old": BEFORE, "new": AFTER})
    assert pnb.show_comparison(found).html == pnb.show_comparison(found).html  # saved notebooks are steady
    strangers = pnb.compare({"old": BEFORE, "new": AFTER, "else": lists(w="ab")})
    assert "else has no list to compare" in pnb.show_comparison(strangers).html


def test_where_nothing_can_be_compared_there_is_no_picture():
    apart = pnb.show_comparison(pnb.compare({"old": BEFORE, "new": lists(w="ab")}))
    assert 'alt="Bars' not in apart.html and "Agreement with old" in apart.text
    for view in (apart, pnb.show_comparison(pnb.compare({"old": BEFORE, "new": AFTER}), "u")):
        with pytest.raises(MissingAttributeError, match="no picture"):
            _ = view.ax


def test_one_user_side_by_side_says_what_moved_came_went_and_was_right():
    found = pnb.compare({"old": BEFORE, "new": AFTER}, truth=TRUTH)
    text = pnb.show_comparison(found, "u").text.splitlines()
    assert [line.split() for line in text[2:6]] == [
        ["1", "a", "a"],
        ["2", "b", "c", "(up", "1)", "✓"],
        ["3", "c", "✓", "b", "(down", "1)"],
        ["4", "d", "(lost)", "e", "(new)"],
    ]
    assert "✓ was right" in text[-1]
    alone = pnb.show_comparison(found, "gone").text
    assert "a (lost)" in alone


def test_hostile_names_ids_and_titles_are_texts():
    one = BEFORE.replace({"a": HOSTILE, "u": HOSTILE})
    found = pnb.compare({HOSTILE: one, "new": AFTER}, items={HOSTILE: HOSTILE, "b": HOSTILE}, baseline="new")
    for view in (pnb.show_comparison(found), pnb.show_comparison(found, HOSTILE)):
        assert "<img src=x" not in view.html and "&lt;img" in view.html


def test_a_notebook_shows_a_comparison_by_itself():
    shell = InteractiveShell.instance()
    try:
        assert formatters.register()
        found = pnb.compare({"old": BEFORE, "new": AFTER})
        html = shell.display_formatter.format(found)[0]["text/html"]
    finally:
        InteractiveShell.clear_instance()
    assert "Agreement with old" in html and ".side_by_side(id)" in html and "<table" in html
    assert "baseline 'old'" in repr(found) and "overlap_at_25" in repr(found)


def test_segments_themes_and_items_are_shown_as_well():
    related = pd.DataFrame({"item_id": "i", "rank": [1, 2], "recommended_item_id": ["a", "b"]})
    segments = pd.DataFrame({"item_id": "i", "rank": [1, 2], "user_id": ["u", "v"]})
    for one in (related, related.assign(theme="Sea", relevance=0.5), segments):
        found = pnb.compare({"old": one, "new": one.assign(rank=[2, 1])}, items={"a": None})
        assert "(up 1)" in pnb.show_comparison(found, "i").text and "Changed most" in pnb.show_comparison(found).text


def test_what_cannot_be_shown_is_told():
    found = pnb.compare({"old": BEFORE, "new": AFTER})
    with pytest.raises(InputError, match="'most' must be a whole number from 1, got 0"):
        pnb.show_comparison(found, most=0)
    with pytest.raises(NotFoundError, match="No set has a list of 'x'"):
        pnb.show_comparison(found, "x")


def test_long_titles_are_clipped_and_marks_that_turn_text_are_left_out():
    titles = {"a": "A" * 100, "b": "\u202eturned\nin two", "e": "Emma"}
    found = pnb.compare({"old\u202e": BEFORE, "new": AFTER}, items=titles)
    for view in (pnb.show_comparison(found), pnb.show_comparison(found, "u"), pnb.plot_overlap(found)):
        assert "\u202e" not in view.text and "\u202e" not in view.html
    one = pnb.show_comparison(found, "u")
    assert f'title="{"A" * 100}"' in one.html and "text-overflow:ellipsis" in one.html
    assert f"{'A' * 59}…" in one.text and "turned in two" in one.text
    assert all(line.startswith("  ") for line in one.text.splitlines()[1:])  # no title breaks a row


def test_what_sets_differ_by_stands_first_and_is_not_broken():
    found = pnb.compare({"old": BEFORE, "new": AFTER}, truth=TRUTH, cut_offs=[2], samples=20)
    head = pnb.show_comparison(found).html.partition("Metrics;")[2]
    assert head.index("difference, plus is better") < head.index(">new<") < head.index(">old<")
    assert 'white-space:nowrap;text-align:right">+' in head


def test_a_catalogue_with_doubled_items_is_told(capsys):
    items = pd.DataFrame({"item_id": ["a", "a", "b"], "title": ["A", "Again", "B"], "genres": "x"})
    history = pd.DataFrame({"user_id": ["u"], "item_id": ["a"]})
    for call in (
        lambda: pnb.compare({"old": BEFORE, "new": AFTER}, items=items),
        lambda: pnb.show_user("u", BEFORE, history, items),
        lambda: pnb.evaluate(BEFORE, TRUTH, items=items, category="genres"),
    ):
        call()
        assert "1 item has more than one row in 'items' ('a')" in capsys.readouterr().err


def test_interactions_are_no_catalogue():
    history = pd.DataFrame({"user_id": ["u", "v"], "item_id": ["a", "a"], "timestamp": 1})
    with pytest.raises(InputError, match="'items' holds interactions.*plot_popularity takes"):
        pnb.plot_coverage(BEFORE, history)
