"""A form takes what `pnb.recommend` takes, sends only what the recipe takes, and says what it makes of its input."""

import inspect

import pandas as pd
import pytest
import reading_world

import personalize_nb as pnb
from personalize_nb import errors
from personalize_nb.notebook.form import fields
from personalize_nb.notebook.form.form import JobForm
from personalize_nb.resources import filters


@pytest.fixture(scope="module")
def shelf_filter(session, readers_model):
    expression = "INCLUDE ItemID WHERE Items.SHELF IN ($SHELF)"
    return filters.create_filter("preset-shelf", expression, readers_model, progress=False, session=session)


def test_every_parameter_of_the_one_liner_is_one_of_the_form(session, books_model):
    given = {
        "num_results": 10,
        "job_name": "preset-all",
        "mode": "THEME_GENERATION",
        "item_name": "SHELF",
        "tags": {"team": "books", "stage": "test"},
        "role_arn": "arn:aws:iam::123456789012:role/Mine",
        "output": "s3://somewhere/out/",
        "input_kms_key_arn": "arn:aws:kms:us-east-1:123456789012:key/1a",
        "output_kms_key_arn": "arn:aws:kms:us-east-1:123456789012:key/2b",
        "at_once": 2,
        "max_cost": 5.0,
    }
    form = JobForm(["b1"], books_model, session=session, **given)
    assert form.parameters() == (given, [])
    apart = {"filter", "filter_values", "exploration_weight", "exploration_item_age_cut_off", "ranking_influence"}
    without_field = {"max_bytes", "max_records", "max_files", "reuse", "session"}
    assert set(given) | apart | without_field == set(fields.legal_names())
    assert set(fields.legal_names()) == set(inspect.signature(pnb.recommend).parameters) - {"data", "solution_version"}


def test_a_filter_and_its_values_are_preset(session, readers_model, shelf_filter):
    for chosen in (shelf_filter, shelf_filter.name, shelf_filter.arn):
        form = JobForm(["r1"], readers_model, session=session, filter=chosen, filter_values={"SHELF": ["sea", "a, b"]})
        assert form._values.fields["SHELF"].value == 'sea, "a, b"'
        assert form.parameters()[0] == {
            "job_name": form.widgets["job_name"].value,
            "filter": "preset-shelf",
            "filter_values": {"SHELF": ["sea", "a, b"]},
        }
        assert [(one.level, one.text) for one in form.problems()] == [
            ("warning", "$SHELF: no SHELF of the data is 'a, b'; there are 'crime', 'garden', 'sea'.")
        ]


def test_filter_values_for_each_record_are_sent_as_they_are(session, readers_model, shelf_filter):
    values = {"SHELF": pd.Series(["sea", "crime"])}
    form = JobForm(["r1", "r2"], readers_model, session=session, filter=shelf_filter, filter_values=values)
    assert form.console.values.children == () and form.problems() == []
    assert form.plan().batch.table.column("$SHELF").to_pylist() == ['"sea"', '"crime"']
    assert "filter_values={'SHELF': ...}" in form.code


def test_values_without_their_filter_are_said_not_to_be_sent(session, readers_model):
    form = JobForm(["r1"], readers_model, session=session, filter_values={"SHELF": "sea"})
    assert [(one.level, one.text) for one in form.problems()] == [
        ("warning", "Values for $SHELF are not sent: no filter is chosen.")
    ]


@pytest.mark.parametrize(
    ("given", "error", "told"),
    [
        ({"colour": "red"}, TypeError, "no parameter 'colour'; legal are data, .*num_results"),
        ({"mode": "THEMES"}, errors.RequestError, "'mode' must be one of BATCH_INFERENCE, THEME_GENERATION"),
        ({"ranking_influence": {"AGE": 1}}, errors.RequestError, "must map POPULARITY and FRESHNESS"),
        ({"filter": "no-such-filter"}, errors.NotFoundError, "no filter 'no-such-filter'"),
        ({"filter_values": "SHELF"}, errors.InputError, "must be a mapping or a list of column names"),
    ],
)
def test_what_cannot_be_preset_is_told(session, readers_model, given, error, told):
    with pytest.raises(error, match=told):
        JobForm(["r1"], readers_model, session=session, **given)


def test_an_s3_address_is_input_as_for_the_one_liner(session, readers_model):
    form = JobForm("s3://somewhere/in.jsonl", readers_model, session=session)
    assert form.plan().request.input_path == "s3://somewhere/in.jsonl"
    assert form.code.startswith("pnb.recommend('s3://somewhere/in.jsonl', ")


def test_what_the_recipe_does_not_take_is_disabled_and_not_sent(session, readers_model, books_model):
    form = JobForm(["b1"], readers_model, session=session, exploration_weight=0.5, ranking_influence={"FRESHNESS": 1})
    weight, freshness = form.widgets["exploration_weight"], form.widgets["freshness"]
    assert weight.value == "0.5" and not weight.disabled
    assert freshness.disabled and freshness.value == ""
    assert freshness.placeholder == "not for this recipe (for aws-semantic-similarity)"
    assert (
        "Influence of freshness 1 is not sent: aws-user-personalization does not take it."
        in form.console.messages.value
    )

    form.widgets["solution_version"].value = books_model.arn
    assert weight.disabled and weight.placeholder == "not for this recipe (for aws-user-personalization)"
    assert "Exploration weight 0.5 is not sent: aws-similar-items does not take it." in form.console.messages.value
    assert form.plan().request.exploration_weight is None and "exploration" not in form.code

    form.widgets["solution_version"].value = readers_model.arn
    assert weight.value == "0.5" and not weight.disabled and weight.placeholder == "0.3; from 0 to 1"
    assert form.plan().request.exploration_weight == 0.5


def test_themes_are_offered_for_a_recipe_that_makes_them(session, readers_model, books_model):
    form = JobForm(["b1"], books_model, session=session, mode="THEME_GENERATION")
    assert form.widgets["item_name"].layout.display == ""
    form.widgets["item_name"].value = "NAME"
    assert any(one.field == "item_name" and "got 'NAME'" in one.text for one in form.problems())
    form.widgets["item_name"].value = ""
    form.widgets["solution_version"].value = readers_model.arn
    assert [value for _, value in form.widgets["mode"].options] == ["BATCH_INFERENCE"]
    assert form.widgets["item_name"].layout.display == "none" and form.widgets["job_name"].layout.display != "none"
    assert "Themes are not asked for: aws-user-personalization makes none." in form.console.messages.value
    assert form.plan().request.mode == "BATCH_INFERENCE"
    form.widgets["solution_version"].value = books_model.arn
    assert form.widgets["mode"].value == "THEME_GENERATION"
    assert form.plan().request.mode == "THEME_GENERATION"


def test_users_for_a_recipe_that_takes_items_are_told_plainly(session, readers_model, books_model):
    frame = pd.DataFrame({"user_id": ["r1"], "age": [7]})
    form = JobForm(frame, readers_model, session=session)
    form.widgets["solution_version"].value = books_model.arn
    (problem,) = form.problems()
    assert problem.text.startswith("The solution's recipe aws-similar-items takes items, the input holds users: ")
    assert "a column 'item_id', the input has ['user_id', 'age']" in problem.text
    batch = JobForm(pnb.users(["r1"]), books_model, session=session)
    assert "pnb.items(...) makes such input" in batch.problems()[0].text
    assert JobForm(reading_world.interactions(), books_model, session=session).problems() == []


def test_bare_ids_say_what_they_are_taken_for(session, readers_model, books_model):
    form = JobForm(["b1", "b2", "b1"], readers_model, session=session)
    assert "Input: 2 users" in form.console.input.value
    assert "1 row: the same record occurs earlier" in form.console.input.value
    form.widgets["solution_version"].value = books_model.arn
    assert "Input: 2 items" in form.console.input.value
    assert "taken as items now; the solution chosen at first took users" in form.console.messages.value


def test_a_column_without_the_name_of_ids_is_told(session, readers_model):
    form = JobForm(pd.DataFrame({"user": ["a"]}), readers_model, session=session)
    assert "Column &#39;user&#39; is taken as &#39;user_id&#39;." in form.console.input.value
    assert (
        "is taken as"
        not in JobForm(pd.DataFrame({"userId": ["a"]}), readers_model, session=session).console.input.value
    )


def test_labels_stand_for_the_names_of_the_api():
    told = "'output_path' must differ from 'input_path', both are 's3://x'."
    assert fields.spoken(told) == "Output folder must differ from Input, both are 's3://x'."
    assert fields.spoken("'mode' must be one of A, B, got 'mode'.") == "Mode must be one of A, B, got 'mode'."
