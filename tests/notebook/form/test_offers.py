"""The form offers what can work: solutions that fit the input first, filters of their data, fields of their recipe."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

import personalize_nb as pnb
from personalize_nb import errors
from personalize_nb.contract.recipes import RECIPES
from personalize_nb.notebook.form.form import JobForm
from personalize_nb.notebook.form.offers import Version, offered
from personalize_nb.resources import filters

USERS, ITEMS, RANKINGS = "aws-user-personalization", "aws-similar-items", "aws-personalized-ranking"
SEGMENTS, QUERIES = "aws-item-affinity", "aws-item-attribute-affinity"
NOW = datetime(2026, 11, 30, tzinfo=UTC)


def version(recipe, days, newest=True, name="s"):
    arn = f"arn:aws:personalize:us-east-1:123456789012:solution/{name}-{recipe[4:]}/{days:08x}"
    return Version(f"{name}-{recipe[4:]}", recipe, NOW - timedelta(days=days), arn, newest)


ALL = [version(recipe, days) for days, recipe in enumerate([QUERIES, USERS, ITEMS, SEGMENTS, RANKINGS])]


@pytest.mark.parametrize(
    ("kinds", "first", "last"),
    [
        (("users",), [USERS], 4),
        (("items",), [ITEMS, SEGMENTS], 3),
        (("rankings", "users", "items"), [RANKINGS, USERS, ITEMS, SEGMENTS], 1),
        (("rankings",), [RANKINGS], 4),
        (("queries",), [QUERIES], 4),
        (("users", "items"), [USERS, ITEMS, SEGMENTS], 2),  # ids without a name
        ((), [QUERIES, USERS, ITEMS, SEGMENTS, RANKINGS], 0),  # nobody knows: by date alone
    ],
)
def test_what_fits_comes_first_and_what_does_not_is_marked(kinds, first, last):
    labels = [label for label, _ in offered(ALL, kinds)]
    assert [label.split("(")[1].split(",")[0] for label in labels[: len(first)]] == first
    assert sum(": takes " in label for label in labels) == last


def test_older_versions_come_after_the_newest_of_each_solution():
    versions = [version(USERS, 3, newest=False), version(USERS, 1), version(USERS, 2, name="t"), version(ITEMS, 0)]
    labels = [label for label, _ in offered(versions, ("users",))]
    assert labels == [
        "s-user-personalization (aws-user-personalization, 2026-11-29 00:00)",
        "t-user-personalization (aws-user-personalization, 2026-11-28 00:00)",
        "s-user-personalization/00000003 (aws-user-personalization, 2026-11-27 00:00, older)",
        "s-similar-items (aws-similar-items, 2026-11-30 00:00): takes items",
    ]


@pytest.mark.parametrize("column", ["user_id", "item_id"])
def test_the_newest_that_fits_is_chosen(session, readers_model, books_model, affinity_model, column):
    form = JobForm(pd.DataFrame({column: ["1"]}), session=session)
    facts = form.problems()
    # the newest one may be that of another test
    assert RECIPES[form.solution_version.recipe].input_keys == (("userId",) if column == "user_id" else ("itemId",))
    assert facts == [] and not form.console.start_button.disabled


def test_another_input_chooses_another_solution_and_one_that_fits_stays(session, readers_model, books_model):
    form = JobForm(pd.DataFrame({"user_id": ["1"]}), readers_model, session=session)
    address = f"s3://{session.bucket}/offers/items.jsonl"
    session.s3.put_object(Bucket=session.bucket, Key="offers/items.jsonl", Body=b'{"itemId": "b1"}\n')
    form.widgets["data"].value = address
    assert form.solution_version.arn == readers_model.arn  # what is typed there does not count yet
    form.widgets["source"].value = "stored"
    assert RECIPES[form.solution_version.recipe].input_keys == ("itemId",) and form.problems() == []
    form.widgets["solution_version"].value = books_model.arn
    form.widgets["source"].value = "given"
    assert RECIPES[form.solution_version.recipe].input_keys == ("userId",)
    wrong = JobForm(pd.DataFrame({"user_id": ["1"]}), books_model, session=session)
    assert wrong.solution_version.arn == books_model.arn  # code has the last word, and is told
    assert "takes items, the input holds users" in wrong.console.messages.value


def test_filters_are_those_of_the_data_and_of_what_jobs_make(session, readers_model, affinity_model):
    made = [
        filters.create_filter("offers-items", "EXCLUDE ItemID WHERE Items.SHELF IN ($S)", readers_model),
        filters.create_filter("offers-others", "EXCLUDE ItemID WHERE Items.SHELF IN ($S)", affinity_model),
    ]
    form = JobForm(pd.DataFrame({"user_id": ["1"]}), readers_model, session=session, filter="offers-items")
    names = form.widgets["filter"].options
    assert "offers-items" in names and "offers-others" not in names
    form.widgets["solution_version"].value = affinity_model.arn  # whose jobs make users
    assert form.filter is None and "offers-items" not in form.widgets["filter"].options
    assert "Filter offers-items is not sent" in form.console.messages.value
    form.widgets["solution_version"].value = readers_model.arn
    assert form.filter == made[0]
    with pytest.raises(errors.RequestError, match="is of dataset group 'segments.*'offers-items'"):
        JobForm(["1"], readers_model, session=session, filter="offers-others")
    with pytest.raises(errors.RequestError, match="is on items, so that jobs of solution"):
        JobForm(["1"], affinity_model, session=session, filter="offers-others")


def test_only_fields_of_the_recipe_are_shown(session, readers_model, books_model, affinity_model):
    form = JobForm(["1"], readers_model, session=session)
    shown = {name for name, widget in form.widgets.items() if widget.layout.display != "none"}
    assert {"exploration_weight", "num_results"} <= shown and not {"popularity", "item_name"} & shown
    form.widgets["solution_version"].value = books_model.arn
    assert form.widgets["exploration_weight"].layout.display == "none"
    form.widgets["solution_version"].value = readers_model.arn
    assert form.widgets["exploration_weight"].layout.display != "none"


@pytest.mark.parametrize("limit", ["max_records", "max_bytes", "max_files"])
def test_a_limit_that_would_not_be_kept_is_refused(session, affinity_model, books_model, limit):
    form = pnb.JobForm(["b0", "b1"], affinity_model, session=session, **{limit: 2})
    assert f"&#39;{limit}&#39; is for jobs that recommend" in form.console.messages.value
    with pytest.raises(errors.RequestError, match=limit):
        form.start()
    form.widgets["solution_version"].value = books_model.arn
    assert limit not in form.console.messages.value
