"""Views show titles, escape them, and say what they leave out."""

import pandas as pd
import pytest

from personalize_nb.errors import InputError, NotFoundError
from personalize_nb.views import show_themes, show_user

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
