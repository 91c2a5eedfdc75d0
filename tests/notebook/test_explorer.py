"""An explorer suggests the first who match, narrows lists by title and category, and rewrites a card that stays."""

import IPython.display
import numpy as np
import pandas as pd
import pytest

from personalize_nb.errors import InputError, NotFoundError
from personalize_nb.notebook.card import show_item, show_user
from personalize_nb.notebook.explorer import explore

ITEMS = pd.DataFrame(
    {
        "item_id": ["a", "b", "c", "d"],
        "title": ["Ant <b>", "Bee", "Cat", "Bee of the sea"],
        "category": ["Small", "Small|Winged", "Furry", "Wet"],
    }
)
LISTS = pd.DataFrame(
    [("1", 1, "a"), ("1", 2, "b"), ("12", 1, "c"), ("12", 2, "d"), ("3", 1, "a"), ("3", 2, "c"), ("21", 1, "d")],
    columns=["user_id", "rank", "item_id"],
)
HISTORY = pd.DataFrame({"user_id": [1, 12], "item_id": ["c", "b"], "timestamp": [1_600_000_000, 1_700_000_000]})
NEAR = LISTS.assign(user_id=LISTS["user_id"].map({"1": "a", "12": "b", "3": "c", "21": "d"})).set_axis(
    ["item_id", "rank", "recommended_item_id"], axis=1
)


class Finished:
    """Stands for a job that has ended, and for its results."""

    has_themes = has_segments = False

    def __init__(self, frame):
        self.frame = frame

    def results(self):
        return self

    def recommendations(self):
        return self.frame


@pytest.fixture
def shown(monkeypatch):
    """What the running cell and rewritten outputs show, in order."""
    seen = []

    class Handle:
        def update(self, bundle, raw):
            seen.append(bundle["text/plain"])

    def display(thing, **options):
        seen.append(thing["text/plain"] if options else thing)
        return Handle()

    monkeypatch.setattr(IPython.display, "display", display)
    return seen


def fields(explorer):
    """The explorer's fields by label, its buttons by name, and what it tells."""
    found = {}
    todo = [explorer.box]
    while todo:
        one = todo.pop()
        todo += getattr(one, "children", [])
        label = getattr(one, "description", "")
        found[label.partition(">")[2].removesuffix("</span>") or label or "told"] = one
    return found


def labels(explorer):
    return list(fields(explorer)["User"].options)


def told(explorer):
    return explorer.box.children[-1].value


def test_the_widget_stands_beside_a_card_that_is_rewritten(shown):
    explorer = explore(Finished(LISTS), HISTORY, ITEMS)
    explorer._ipython_display_()
    box, first = shown
    assert box is explorer.box and first == show_user("1", LISTS, HISTORY, ITEMS).text
    bundle = box._repr_mimebundle_()
    assert bundle["text/plain"].startswith("<Explorer of 4 users, at '1'") and "JupyterLab" in bundle["text/html"]
    fields(explorer)["User"].value = "12"
    assert shown[-1] == show_user("12", LISTS, HISTORY, ITEMS).text == explorer.card.text
    fields(explorer)["Next"].click()
    assert explorer.owner == "3" and shown[-1].startswith("User 3")
    fields(explorer)["Previous"].click()
    assert explorer.owner == "12" == fields(explorer)["User"].value


def test_it_begins_with_whom_is_worth_showing(shown):
    explore(LISTS, HISTORY, ITEMS, first=12)._ipython_display_()
    assert shown[-1] == show_user("12", LISTS, HISTORY, ITEMS).text
    with pytest.raises(NotFoundError, match="no recommendations for user '13'"):
        explore(LISTS, first="13")


def test_half_a_name_suggests_and_keeps_the_card():
    explorer = explore(LISTS, items=ITEMS)
    fields(explorer)["User"].value = "2"
    assert explorer.owner == "1" and labels(explorer)[:2] == ["21", "12"]  # those that begin so come first
    assert "2 users match &#39;2&#39;; the card is that of user 1." in told(explorer)
    fields(explorer)["User"].value = "nobody"
    assert "No user matches" in told(explorer) and explorer.owner == "1"
    fields(explorer)["User"].value = "21"
    assert explorer.owner == "21" and "Number 4 of 4 users." in told(explorer)


def test_the_search_keeps_to_lists_and_rows_with_a_match():
    explorer = explore(LISTS, HISTORY, ITEMS)
    explorer.show("12")
    assert explorer.search("BEE") == ["1", "12", "21"] == labels(explorer)
    assert "Number 2 of 3 users with a match, of 4." in told(explorer)
    assert "Bee of the sea" in explorer.card.text and "Cat" not in explorer.card.text
    assert "recommended: 1 of 2 matches" in explorer.card.text
    assert explorer.search("sea bee") == ["12", "21"] and explorer.search("bee", "Winged") == ["1"]
    assert explorer.owner == "1"  # the one before has no match
    assert explorer.search(category="furry") == ["12", "3"]
    assert explorer.search("no such title") == [] and "There are 0 users with a match, of 4." in told(explorer)
    fields(explorer)["Next"].click()
    assert "empty the fields to see all" in told(explorer)
    assert explorer.search() == ["1", "12", "3", "21"] and "Cat" not in explorer.card.text.splitlines()[-1]


def test_a_category_that_nobody_has_is_told_in_the_widget():
    explorer = explore(LISTS, items=ITEMS)
    field = fields(explorer)["Category"]
    assert field.options == ("every category", "Small", "Furry", "Wet", "Winged")
    field.value = "Large"
    assert "no item has the category &#39;Large&#39;" in told(explorer) and 'role="alert"' in told(explorer)
    field.value = "wet"
    assert explorer.owner == "12"
    field.value = "every category"
    assert "Number 2 of 4 users." in told(explorer)
    assert fields(explore(LISTS))["Category"].layout.display == "none"


def test_items_are_picked_by_their_titles():
    explorer = explore(NEAR, HISTORY, ITEMS)
    assert explorer.card == show_item("a", NEAR, HISTORY, ITEMS)
    pick = fields(explorer)["Item"]
    assert pick.value == "Ant <b> [a]"
    pick.value = "bee"
    assert pick.options[:2] == ("Bee [b]", "Bee of the sea [d]")
    pick.value = "Bee [b]"
    assert explorer.owner == "b"
    pick.value = "d"
    assert explorer.owner == "d" and pick.value == "d"  # what is being typed stays as it is


def test_a_million_users_do_not_go_into_the_browser():
    many = pd.DataFrame({"user_id": np.arange(100_000).astype(str), "rank": 1, "item_id": "a"})
    explorer = explore(many, items=ITEMS)
    pick = fields(explorer)["User"]
    assert len(pick.options) == 50
    pick.value = "9999"
    assert explorer.owner == "9999" and pick.options[:3] == ("9999", "99990", "99991") and len(pick.options) == 50
    assert explorer.show(77_777).text.startswith("User 77777")


def test_fields_keep_their_keys_and_are_named():
    for one in fields(explore(LISTS, items=ITEMS)).values():
        assert type(one).__name__ not in ("Dropdown", "Select", "SelectMultiple", "ToggleButtons")
        assert getattr(one, "tooltip", "") is not None


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: explore(LISTS.head(0)), InputError, "nothing to explore"),
        (lambda: explore(LISTS, most=0), InputError, "'most' must be a whole number from 1, got 0"),
        (lambda: explore(ITEMS), InputError, r"no column \['rank'\]"),
        (lambda: explore(LISTS).show("x"), NotFoundError, "no recommendations for user 'x'"),
        (lambda: explore(LISTS, items=ITEMS).search(category="x"), InputError, "no item has the category 'x'"),
    ],
)
def test_what_cannot_be_explored_is_told(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_theme_jobs_show_the_theme_and_its_relevance():
    themes = pd.DataFrame({"item_id": "1", "theme": "Small animals", "rank": [1, 2], "recommended_item_id": ["2", "3"]})
    card = explore(themes.assign(relevance=[0.6, 0.3])).card
    assert "Theme: Small animals" in card.text and "Theme: Small animals" in card.html and "0.6" in card.text


@pytest.mark.parametrize("owner", ["item_id", "item_attributes"])
def test_segments_are_told_where_they_are_read(owner):
    with pytest.raises(InputError, match=r"those of a segment job; .*job.segments\(items=...\)"):
        explore(pd.DataFrame({owner: ["1"], "rank": [1], "user_id": ["u"]}))
