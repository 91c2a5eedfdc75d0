"""Views show titles, escape them, and say what they leave out."""

import pandas as pd
import pytest

from personalize_nb.errors import InputError, NotFoundError
from personalize_nb.notebook import views
from personalize_nb.notebook.card import show_user
from personalize_nb.notebook.shop import show_themes
from personalize_nb.notebook.views import show_job
from personalize_nb.text import html

ITEMS = pd.DataFrame({"item_id": ["a", "b", "c", "d"], "title": ["Ant <b>", "Bee", "Cat", "Dog"]})
RECOMMENDATIONS = pd.DataFrame({"user_id": "u", "rank": [1, 2], "item_id": ["a", "b"], "score": [0.4, 0.1]})
INTERACTIONS = pd.DataFrame({"user_id": "u", "item_id": ["c", "d"], "timestamp": [1, 2]})
THEMES = pd.DataFrame(
    {
        "item_id": ["a"] * 3 + ["b"] * 3,
        "theme": ["Small animals."] * 3 + ["Big animals"] * 3,
        "recommended_item_id": ["b", "c", "d"] * 2,
        "relevance": [0.5, 0.3, 0.2, 0.4, 0.05, 0.0],
    }
)


def test_user_card_puts_latest_history_first():
    view = show_user("u", RECOMMENDATIONS, INTERACTIONS, ITEMS)
    first, second = view.text.splitlines()[2:4]
    assert first.startswith("Dog") and "Ant <b>" in first
    assert second.startswith("Cat") and "Bee" in second
    assert "Ant &lt;b&gt;" in view.html


def test_user_card_of_unknown_user():
    with pytest.raises(NotFoundError, match="no recommendations for user 'x'"):
        show_user("x", RECOMMENDATIONS)


def test_user_card_without_scores():
    assert "Bee" in show_user("u", RECOMMENDATIONS.drop(columns="score"), items=ITEMS).text


def test_themes_need_enough_relevant_items():
    view = show_themes(THEMES, ITEMS)
    assert "Small animals (from Ant <b>)" in view.text
    assert "Big animals" not in view.text
    hidden = "1 of the 2 themes in this frame shown; 1 has fewer than 3 items of relevance 0.1 or more"
    assert view.text.endswith(hidden) and hidden in view.html
    assert "Big animals" in show_themes(THEMES, ITEMS, threshold=-1).text


def test_the_note_speaks_of_hidden_themes_only_when_there_are_some():
    assert show_themes(THEMES, threshold=-1).text.endswith("2 of the 2 themes in this frame shown")
    assert show_themes(THEMES[:3]).text.endswith("1 of 1 theme shown")
    some = show_themes(THEMES, threshold=-1, most=1).text
    assert some.endswith("1 of the 2 themes in this frame shown; most=2 shows 2")


def test_title_column_must_exist():
    with pytest.raises(InputError, match="no column 'name'"):
        show_themes(THEMES, ITEMS, title="name")


@pytest.mark.parametrize("user", ["1349", 1349])
def test_whole_numbers_are_the_ids_that_results_spell_as_text(user):
    lists = pd.DataFrame({"user_id": ["1349"], "rank": [1], "item_id": ["2"], "score": [0.5]})
    history = pd.DataFrame({"USER_ID": [1349, 1349], "ITEM_ID": [3, 4], "TIMESTAMP": [1, 2]})
    catalogue = pd.DataFrame({"itemId": [2, 3, 4], "title": ["Bee", "Cat", "Dog"]})
    first, second = show_user(user, lists, history, catalogue).text.splitlines()[2:4]
    assert first.startswith("Dog") and "Bee" in first
    assert second.startswith("Cat")


def test_without_a_user_the_first_is_shown_and_others_are_named():
    lists = pd.DataFrame({"user_id": list("uvwxyz"), "rank": 1, "item_id": "a", "score": 0.5})
    note = "The first of 6 users. Name another as show_user(user, ...): 'v', 'w', 'x' and 2 others."
    with_user = show_user("u", lists, INTERACTIONS, ITEMS)
    for view in (
        show_user(lists, INTERACTIONS, ITEMS),
        show_user(lists, INTERACTIONS, items=ITEMS),
        show_user(lists, interactions=INTERACTIONS, items=ITEMS),
        show_user(None, lists, INTERACTIONS, ITEMS),
    ):
        assert view.text == f"{with_user.text}\n{note}" and str(html.escape(note)) in view.html
    assert show_user(RECOMMENDATIONS).text == show_user("u", RECOMMENDATIONS).text


def test_the_users_there_are_are_named():
    with pytest.raises(NotFoundError, match=r"the frame has \['u'\]$"):
        show_user("x", RECOMMENDATIONS)
    many = pd.DataFrame({"user_id": list("abcde"), "rank": 1, "item_id": "a"})
    with pytest.raises(NotFoundError, match="and 2 others"):
        show_user("x", many)
    with pytest.raises(NotFoundError, match="and 1 other$"):
        show_user("x", many.head(4))


@pytest.mark.parametrize(
    ("show", "told"),
    [
        (lambda: show_user("a", THEMES), r"no column \['user_id', 'rank'\].* a job about users"),
        (lambda: show_user(1.5, RECOMMENDATIONS), "'user_id' must be text or a whole number"),
        (lambda: show_user(RECOMMENDATIONS.head(0)), "no user to show"),
        (lambda: show_user("u"), "'recommendations' must be a DataFrame, got NoneType"),
        (lambda: show_user("u", RECOMMENDATIONS, most=0), "'most' must be a whole number from 1, got 0"),
        (lambda: show_user("u", RECOMMENDATIONS, items="films"), "'items' must be a DataFrame"),
        (lambda: show_themes(THEMES, most=0), "'most' must be a whole number from 1, got 0"),
        (lambda: show_themes(None), "'themes' must be a DataFrame, got NoneType"),
    ],
)
def test_what_cannot_be_shown_is_told(show, told):
    with pytest.raises(InputError, match=told):
        show()


def test_an_item_without_a_title_is_shown_by_its_id():
    untitled = ITEMS.assign(title=["Ant", None, None, "Dog"])
    text = show_user("u", RECOMMENDATIONS, INTERACTIONS, untitled).text
    assert "2 b" in text and "\nc " in text


@pytest.mark.parametrize("column", ["title", "name"])
def test_themes_show_the_names_their_frame_brings(column):
    names = dict(zip(ITEMS["item_id"], ITEMS["title"], strict=True))
    brought = THEMES.assign(
        **{f"item_{column}": THEMES["item_id"].map(names), column: THEMES["recommended_item_id"].map(names)}
    )
    assert show_themes(brought).text == show_themes(THEMES, ITEMS).text


def test_a_job_is_shown_by_its_name(monkeypatch):
    class Job:
        def describe(self):
            return {"jobName": "weekly", "status": "ACTIVE"}

    monkeypatch.setattr(views, "attach", lambda name, session: {"weekly": Job()}[name])
    assert show_job("weekly").text == show_job(Job()).text == "jobName  weekly\nstatus   ACTIVE"
