"""What is wrong is said before the click, with the placeholder and the value: numbers, lengths, unknown categories."""

from __future__ import annotations

import pandas as pd
import pytest

from personalize_nb.notebook.form.form import JobForm
from personalize_nb.resources import filters


@pytest.fixture(scope="module")
def chosen(session, readers_model):
    expression = "INCLUDE ItemID WHERE Items.SHELF IN ($SHELF) AND Items.YEAR < $BEFORE"
    return filters.create_filter("before-both", expression, readers_model, progress=False, session=session)


@pytest.fixture
def form(session, readers_model, chosen):
    values = {"SHELF": "sea", "BEFORE": 2000.0}
    made = JobForm(["r1"], readers_model, session=session, filter=chosen, filter_values=values)
    assert made.problems() == []
    return made


@pytest.mark.parametrize(
    ("name", "value", "level", "told"),
    [
        (
            "BEFORE",
            "soon",
            "error",
            "$BEFORE must be one number, because filter 'before-both' compares with it, got 'soon'",
        ),
        ("BEFORE", "1, 2", "error", "got '1', '2'"),
        ("BEFORE", "<b>", "error", "got '<b>'"),
        ("BEFORE", "", "error", "The filter needs values for $BEFORE: fill the field $BEFORE."),
        ("SHELF", "", "error", "The filter needs values for $SHELF: fill the field $SHELF."),
        ("SHELF", "x" * 1001, "error", "$SHELF takes values of at most 1000 characters together, got 1 value of"),
        ("SHELF", "crme", "warning", "$SHELF: no SHELF of the data is 'crme'; did you mean 'crime'?"),
        ("SHELF", "sea, Garden", "warning", "is 'Garden'; did you mean 'garden'?"),
        ("SHELF", "a<img src=x>", "warning", "there are 'crime', 'garden', 'sea'"),
    ],
)
def test_a_wrong_value_is_named_once_with_its_placeholder(form, name, value, level, told):
    form._values.fields[name].value = value
    (problem,) = form.problems()
    assert problem.level == level and told in problem.text
    assert form.console.start_button.disabled == (level == "error") and "<img" not in form.console.messages.value
    report = form.preflight()
    assert (report["level"].iloc[0], told in report["found"].iloc[0]) == (level, True)
    assert "request" not in set(report["check"])


def test_values_are_suggested_after_those_that_are_there(form):
    field = form._values.fields["SHELF"]
    assert field.options == ("sea, crime", "sea, garden")
    field.value = ""
    assert field.options == ("crime", "garden", "sea")
    field.value = "garden, s"
    assert field.options == ("garden, crime", "garden, sea")
    assert form._values.fields["BEFORE"].options == ()


def test_values_of_a_frame_of_items_are_suggested(session, readers_model, chosen):
    items = pd.DataFrame({"item_id": ["1", "2"], "shelf": ['a "b", c', 'a "b", c']})
    form = JobForm(["r1"], readers_model, session=session, items=items, filter=chosen)
    assert form._values.fields["SHELF"].options == ('"a ""b"", c"',)
    form._values.fields["SHELF"].value = form._values.fields["SHELF"].options[0]
    form._values.fields["BEFORE"].value = "1"
    assert form.problems() == [] and form.parameters()[0]["filter_values"]["SHELF"] == ['a "b", c']


def test_the_lines_in_s3_bring_the_values(session, readers_model, chosen):
    session.s3.put_object(Bucket=session.bucket, Key="before/in.jsonl", Body=b'{"userId": "r1"}\n')
    form = JobForm(f"s3://{session.bucket}/before/in.jsonl", readers_model, session=session, filter=chosen)
    assert "The filter needs values for $SHELF: no line in S3 brings" in form.console.messages.value
    line = b'{"userId": "r1", "filterValues": {"shelf": "\\"sea\\"", "BEFORE": "\\"1\\""}}\n'
    session.s3.put_object(Bucket=session.bucket, Key="before/in.jsonl", Body=line)
    form.refresh()
    assert form.problems() == [] and form.console.values.children == ()
