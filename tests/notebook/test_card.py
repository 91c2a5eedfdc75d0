"""Cards show what was done beside what is listed, with dates, hits, categories; whatever the frames hold."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personalize_nb.errors import InputError, NotFoundError
from personalize_nb.notebook.card import show_item, show_user
from personalize_nb.notebook.shop import show_themes
from personalize_nb.text import html

ITEMS = pd.DataFrame(
    {
        "ITEM_ID": [1, 2, 3, 4, 5],
        "Title": ["Ant", "Bee", "Cat", "Dog", None],
        "GENRES": ["Crime|Drama", "Drama", "War", None, "Crime"],
        "year": [1990, 1991, None, 1993, 1994],
    }
)
LISTS = pd.DataFrame({"user_id": "7", "rank": [2, 1, 3], "item_id": ["2", "1", "5"], "score": [0.1, 0.4, None]})
HISTORY = pd.DataFrame(
    {
        "USER_ID": [7, 7, 7, 8, 8],
        "ITEM_ID": [3, 1, 3, 1, 2],
        "TIMESTAMP": [1_600_000_000, 1_650_000_000, 1_700_000_000, 1_600_000_000, 1_500_000_000],
    }
)
TRUTH = pd.DataFrame({"user_id": [7, 7], "item_id": [2, 4]})
NEAR = pd.DataFrame({"item_id": "1", "rank": [1, 2], "recommended_item_id": ["2", "3"], "score": [0.9, 0.3]})
HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "</td></table><script>alert(1)</script>",
    "$x_1$ and \\(y\\)",
    '" onmouseover="alert(1)',
    "two\nlines\r\x00\x1b[31m",
    "\u202ekcab",
    "A" * 500,
    "half \ud83d",
)


def test_a_users_card_has_dates_scores_categories_hits_and_what_was_seen():
    view = show_user(7, LISTS, HISTORY, ITEMS, truth=TRUTH)
    lines = view.text.splitlines()
    assert lines[0] == "User 7"
    assert lines[2].startswith("Cat (2023-11-14, 2 times)") and "1 Ant" in lines[2] and "0.4" in lines[2]
    assert lines[2].endswith("seen before")
    assert lines[3].startswith("Ant (2022-04-15, recommended)") and lines[3].endswith("✓ hit")
    assert "3 5" in lines[4]  # an item without a title
    for told in (
        "3 interactions with 2 items, 2020-09-13 to 2023-11-14",
        "1 of the 2 items of the truth is among the 3 recommended; missing: Dog",
        "1 of the 3 recommended was seen before",
    ):
        assert told in lines and told in view.html
    for column in ("date", "latest history", "rank", "recommended", "score", "marks", "category", "of history"):
        assert f">{column}</th>" in view.html
    assert "Crime, Drama" in view.html and ">67%<" in view.html  # two of three are of each


def test_columns_that_hold_nothing_are_left_out():
    view = show_user(7, LISTS.drop(columns="score"))
    for column in ("score", "marks", "category", "date", "latest history"):
        assert column not in view.html
    assert "interactions" not in view.text


def test_an_items_card_has_its_facts_its_neighbours_and_who_chose_it():
    view = show_item(1, NEAR, HISTORY, ITEMS, truth=pd.DataFrame({"item_id": ["1"], "recommended_item_id": ["3"]}))
    lines = view.text.splitlines()
    assert lines[0] == "Item Ant [1]"
    assert lines[2].startswith("7 (2022-04-15)") and "Bee" in lines[2] and lines[2].endswith("1 user chose both")
    assert lines[3].startswith("8 (2020-09-13)") and "✓ hit, 1 user chose both" in lines[3]
    assert "category: Crime, Drama" in lines and "year: 1990.0" in lines
    assert "2 interactions with 2 users, 2020-09-13 to 2022-04-15" in lines


@pytest.mark.parametrize(
    "times",
    [
        HISTORY["TIMESTAMP"],
        HISTORY["TIMESTAMP"] * 1000,
        pd.to_datetime(HISTORY["TIMESTAMP"], unit="s"),
        pd.to_datetime(HISTORY["TIMESTAMP"], unit="s", utc=True).astype(str),
    ],
)
def test_dates_of_every_kind_are_the_same_days(times):
    expected = show_user(7, LISTS, HISTORY, ITEMS)
    assert show_user(7, LISTS, HISTORY.assign(TIMESTAMP=times), ITEMS) == expected


def test_times_that_are_none_are_shown_as_they_are():
    text = show_user(7, LISTS, HISTORY.assign(TIMESTAMP=list("abcde")), ITEMS).text
    assert "Cat (c, 2 times)" in text and "Ant (b" in text
    assert "Cat (2 times)" in show_user(7, LISTS, HISTORY.drop(columns="TIMESTAMP"), ITEMS).text


def test_kinds_of_events_are_told_where_there_are_several():
    text = show_user(7, LISTS, HISTORY.assign(EVENT_TYPE=["like", "buy", "like", "x", "y"]), ITEMS).text
    assert "Ant (2022-04-15, buy, recommended)" in text
    assert "like" not in show_user(7, LISTS, HISTORY.assign(EVENT_TYPE="like"), ITEMS).text


def test_what_has_no_history_and_no_truth_says_so():
    text = show_user("9", LISTS.assign(user_id="9"), HISTORY, truth=TRUTH).text
    assert "Nothing in the history of this user" in text and "The truth has nothing for this user" in text


def test_what_is_not_shown_is_counted():
    view = show_user(7, LISTS, HISTORY, ITEMS, most=1)
    assert "recommended: 1 of 3 shown" in view.text and "latest history: 1 of 2 shown" in view.text
    assert "<i>1 of 3 shown</i>" in view.html


def test_lists_may_bring_their_titles_and_categories_may_be_lists():
    brought = LISTS.assign(title=["Bee", "Ant", None])
    assert "1 Ant" in show_user(7, brought).text
    listed = ITEMS.assign(GENRES=[["Crime", "Drama"], ["Drama"], ["War"], [], ["Crime"]])
    assert show_user(7, LISTS, HISTORY, listed) == show_user(7, LISTS, HISTORY, ITEMS)


@pytest.mark.parametrize(
    ("show", "error", "told"),
    [
        (lambda: show_item(1, LISTS), InputError, r"no column \['recommended_item_id'\].* a job about items"),
        (lambda: show_item(9, NEAR), NotFoundError, r"no recommendations for item '9'; the frame has \['1'\]"),
        (lambda: show_item(NEAR.head(0)), InputError, "no item to show"),
        (lambda: show_item(1, NEAR, most=True), InputError, "'most' must be a whole number from 1, got True"),
        (lambda: show_user(7, LISTS, items=ITEMS, category="kind"), InputError, "no column 'kind'.*category="),
        (lambda: show_user(7, LISTS, truth=ITEMS), InputError, r"'truth' has no column \['user_id'\]"),
    ],
)
def test_what_no_card_can_show_is_told(show, error, told):
    with pytest.raises(error, match=told):
        show()


def test_an_item_is_the_first_where_none_is_named():
    two = pd.concat([NEAR, NEAR.assign(item_id="4")])
    text = show_item(two, HISTORY, ITEMS).text
    assert text.startswith("Item Ant [1]")
    assert text.endswith("The first of 2 items. Name another as show_item(item, ...): '4'.")


@settings(max_examples=15)
@given(st.lists(st.sampled_from(HOSTILE) | st.text(max_size=30), min_size=5, max_size=5))
def test_no_title_breaks_out_of_a_view(titles):
    items = ITEMS.assign(Title=pd.Series(titles, dtype=object), GENRES=pd.Series(titles[::-1], dtype=object))
    themes = pd.DataFrame(
        {
            "item_id": "1",
            "theme": titles[0].replace("\ud83d", ""),
            "recommended_item_id": ["2", "3", "4"],
            "relevance": [0.5, 0.4, 0.3],
        }
    )
    plain = ITEMS.assign(Title=[f"plain {n}" for n in range(5)], GENRES=None)
    for show in (
        lambda catalogue: show_user(7, LISTS, HISTORY, catalogue, truth=TRUTH),
        lambda catalogue: show_item(1, NEAR, HISTORY, catalogue),
        lambda catalogue: show_themes(themes, catalogue),
    ):
        view, usual = show(items), show(plain)
        assert view._repr_mimebundle_()["text/html"].startswith('<div class="mathjax_ignore tex2jax_ignore"')
        assert view.html.count("<img") <= usual.html.count("<img") and "<script" not in view.html
        assert 'onmouseover="' not in view.html
        assert view.html.encode() and view.text.encode()  # can be saved
        assert not {"\u202e", "\x1b", "\x00", "\r"} & {*view.text, *view.html}


def test_a_theme_is_a_heading_above_a_list_of_its_items():
    themes = pd.DataFrame(
        {
            "item_id": ["1"] * 3,
            "GENRE": ["War"] * 3,
            "theme": ["Small animals."] * 3,
            "recommended_item_id": ["2", "3", "4"],
            "relevance": [0.6, 0.3, 0.2],
        }
    )
    view = show_themes(themes, ITEMS)
    assert "Small animals</h4>" in view.html and view.html.count("<li") == 3
    assert "from Ant, GENRE War" in view.html
    bare = html.Markup(view.html).striptags()
    assert bare.index("Small animals") < bare.index("from Ant") < bare.index("Bee") < bare.index("relevance 0.60")
