"""A field for names takes those it suggests, in any letters, and says which one is nearest to anything else."""

import ipywidgets
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import personalize_nb as pnb
from personalize_nb.notebook.form.name_field import NameField
from personalize_nb.text.values import one_line

HOSTILE = [
    "\u202e",
    '"><img src=x onerror=alert(1)>',
    "two\nlines",
    "right\u202eleft",
    "</datalist>",
    "$x$",
    "'",
    "long-" * 40,
]
BOOKS = ("books (aws-user-personalization, 2026-01-02 10:00)", "arn:1/a")
FILMS = ("films (aws-similar-items, 2026-01-02 10:00)", "arn:2/b")


@pytest.fixture
def field():
    return NameField("solution_version", [BOOKS, FILMS], BOOKS[1])


@pytest.mark.parametrize("text", [FILMS[0], FILMS[1], "films", "FILMS", f"  {FILMS[0].upper()} "])
def test_a_name_counts_however_it_is_written_and_is_shown_as_the_list_has_it(field, text):
    field.value = text
    assert (field.chosen, field.value, field.problem) == (FILMS[1], FILMS[0], None)


@pytest.mark.parametrize(("text", "near"), [("bokos", BOOKS[0]), ("similar", FILMS[0]), ("filmz (aws", FILMS[0])])
def test_a_text_that_is_no_name_tells_the_nearest_and_changes_nothing(field, text, near):
    field.value = text
    assert (field.chosen, field.value) == (BOOKS[1], text)
    assert field.problem.text.startswith(f"Solution {text!r} is none of the 2 there are; the nearest is {near!r}.")


def test_an_empty_text_stands_for_something_only_where_that_has_a_name(field):
    field.value = ""
    assert field.problem.text.startswith("Solution is empty: choose one of the 2 (type to search")
    chosen = NameField("filter", [("no filter", ""), ("unread", "unread")], "unread", "no filter")
    assert (chosen.value, chosen.placeholder) == ("unread", "no filter")
    for none in ("", "no filter", "No Filter"):
        chosen.value = "unread"
        chosen.value = none
        assert (chosen.chosen, chosen.value, chosen.problem) == ("", "", None)


def test_two_of_one_name_stay_apart_and_a_name_that_is_gone_is_told(field):
    same = [("books", "arn:1/v1"), ("books", "arn:1/v2"), ("films", "arn:2/v3")]
    field.offer(same)
    assert field.options == ("books [v1]", "books [v2]", "films") and "none of the 3" in field.problem.text
    field.value = "arn:1/v2"
    assert field.value == "books [v2]" and field.problem is None
    field.offer(same[:1])
    assert field.problem is not None and field.chosen == "arn:1/v2"
    field.offer(same)
    assert field.problem is None


names = st.lists(st.sampled_from(HOSTILE) | st.text(min_size=1, max_size=12), min_size=1, max_size=6)


@settings(max_examples=40)
@given(names, st.text(max_size=12))
def test_whatever_the_names_each_can_be_chosen_by_what_the_list_shows(labels, typed):
    options = [(label, f"arn:{number}") for number, label in enumerate(labels)]
    field = NameField("solution_version", options, "arn:0")
    assert len(set(field.options)) == len(options)
    for shown, (_, value) in zip(field.options, options, strict=True):
        assert shown == one_line(shown) and shown
        field.value = shown
        assert field.chosen == value and field.problem is None
    field.value = typed
    assert field.problem is None or "the nearest is" in field.problem.text or "is empty" in field.problem.text


def test_the_form_tells_of_texts_that_name_nothing_and_does_not_start(session, readers_model):
    form = pnb.JobForm(["r1"], readers_model, session=session)
    for name in ("solution_version", "filter"):
        shown = form.widgets[name].value
        for hostile in HOSTILE[1:]:  # the first is empty
            form.widgets[name].value = hostile
            assert form.console.start_button.disabled and "is none of the" in form.console.messages.value
            assert "<img src" not in form.console.messages.value and "\u202e" not in form.console.messages.value
            with pytest.raises(pnb.errors.RequestError, match="the nearest is"):
                form.start()
        form.widgets[name].value = shown
        assert form.problems() == []
    assert form.widgets["solution_version"].chosen == readers_model.arn


def test_every_field_has_a_label_a_tooltip_and_its_unit_and_no_list_hands_keys_on(session, readers_model):
    form = pnb.JobForm(None, readers_model, session=session)
    leaky = (ipywidgets.Dropdown, ipywidgets.Select, ipywidgets.Accordion, ipywidgets.BoundedIntText)
    inside, texts = [form.box], []
    while inside:
        widget = inside.pop()
        inside += getattr(widget, "children", ())
        assert not isinstance(widget, leaky)
        if hasattr(widget, "tooltip") and hasattr(widget, "value"):
            assert widget.tooltip is not None, widget
        if isinstance(widget, (ipywidgets.Text, ipywidgets.Textarea, ipywidgets.RadioButtons)):
            texts.append(widget.description)
            assert widget.description.startswith('<span title="') and not widget.description.endswith("></span>")
    for told in (
        ">Exploration age cut-off (days)<",
        ">Exploration weight (0 to 1)<",
        ">Influence of freshness (0 to 1)<",
    ):
        assert any(told in text for text in texts)


def test_nothing_chosen_is_near_to_no_name():
    field = NameField("filter", [("no filter", ""), ("unread", "arn:unread")], "", empty="no filter")
    field.value = "nofilter2"
    assert "the nearest is 'unread'" in field.problem.text
