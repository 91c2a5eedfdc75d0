"""A form's input is what code gave, a frame of the notebook, a file or S3, and is looked at before it is sent."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd
import pytest

from personalize_nb.notebook.form import sources
from personalize_nb.notebook.form.form import JobForm

HOSTILE = ['<img src=x onerror="alert(1)">', "a&b", "' \"", "‮abc", "x" * 5000]


@pytest.fixture
def put(session):
    def store(name, text):
        session.s3.put_object(Bucket=session.bucket, Key=f"sources/{name}", Body=text.encode())
        return f"s3://{session.bucket}/sources/{name}"

    return store


@pytest.fixture
def notebook(monkeypatch):
    names: dict[str, object] = {"_hidden": pd.DataFrame(), "number": 1, "kind": pd.DataFrame}
    monkeypatch.setattr("IPython.get_ipython", lambda: SimpleNamespace(user_ns=names))
    return names


def test_a_form_turns_from_code_to_a_frame_to_a_file_to_s3(session, readers_model, notebook, put, tmp_path):
    notebook |= {"readers": pd.DataFrame({"user_id": ["r1", "r2"]}), "mine": pd.DataFrame({"user_id": ["r9"]})}
    form = JobForm(notebook["mine"], readers_model, session=session)
    assert form.code.startswith("pnb.recommend(mine, ")  # as the user calls it
    form.widgets["source"].value = "frame"
    assert form.widgets["frame"].options == ("mine", "readers") and form.console.start_button.disabled
    assert "Frame must name a frame of this notebook" in form.console.messages.value
    form.widgets["frame"].value = "readers"
    assert form.code.startswith("pnb.recommend(readers, ") and len(form.plan().batch) == 2
    file = tmp_path / "ids.csv"
    file.write_text("user_id\nr1\nr2\nr3\n")
    form.widgets["source"].value = "file"
    form.widgets["file"].value = str(file)
    assert form.problems() == [] and len(form.plan().batch) == 3 and repr(str(file)) in form.code
    form.widgets["file"].value = str(tmp_path / "absent.csv")
    assert "absent.csv" in form.console.messages.value and form.console.start_button.disabled
    form.widgets["source"].value = "stored"
    form.widgets["data"].value = put("in.jsonl", '{"userId": "r1"}\n{"userId": "r2"}\n')
    assert form.problems() == [] and "1 file, 34 bytes, in S3" in form.console.input.value
    assert "Cost: not known before" in form.console.messages.value
    form._data._count.click()
    assert (
        "2 records" in form.console.input.value and "Cost: 2 records, 50 recommendations" in form.console.messages.value
    )
    job = form.start()
    form.receipt.close()
    assert job.request.input_path == form.widgets["data"].value


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ('{"itemId": "b1"}\n', "takes users"),
        ("no json\n", "Line 1 of the input is no JSON"),
        ('{"userId": "r1"}\n[1]\n', "Line 2 of the input is no JSON object"),
        ('{"userId": "r1"}\n{"itemId": "b1"}\n', "Line 2 of the input holds itemId, not userId"),
        ('{"id": "<b>r1</b>"}\n', "Line 1 of the input holds none of userId"),
    ],
)
def test_odd_lines_in_s3_are_told(session, readers_model, put, lines, told):
    form = JobForm(put("odd.jsonl", lines), readers_model, session=session)
    assert told in form.console.messages.value and "<b>" not in form.console.box.children[1].children[-1].value


def test_what_is_not_there_is_seen_before_the_start(session, readers_model):
    form = JobForm("s3://no-such-bucket-anywhere/in.jsonl", readers_model, session=session)
    assert "There is no bucket &#39;no-such-bucket-anywhere&#39;" in form.console.messages.value
    form.widgets["data"].value = f"s3://{session.bucket}/sources/nothing/"
    assert "Nothing lies at" in form.console.messages.value and form.console.start_button.disabled
    form = JobForm(["r1"], readers_model, session=session, output="s3://no-such-bucket-anywhere/out/")
    assert "Output folder: there is no bucket" in form.console.messages.value and form.console.start_button.disabled
    assert form.preflight()["level"].iloc[0] == "error"


def test_no_key_press_costs_a_call(session, readers_model, put, monkeypatch):
    form = JobForm(put("calls.jsonl", '{"userId": "r1"}\n'), readers_model, session=session)
    assert not form.widgets["data"].continuous_update and not form.widgets["output"].continuous_update
    form.widgets["job_name"].value = "first"  # names in use are asked for once
    monkeypatch.setattr(type(session), "answer", lambda *_: pytest.fail("asked"))
    monkeypatch.setattr(type(session), "call", lambda *_, **__: pytest.fail("asked"))
    form.widgets["num_results"].value = "12"
    form.widgets["job_name"].value = "another"
    assert form.plan().request.num_results == 12


def test_somebody_browses_to_the_input(session, readers_model, put):
    address = put("deep/er/in.jsonl", '{"userId": "r1"}\n')
    form = JobForm(solution_version=readers_model, session=session)
    browser = form._data._browser
    form.widgets["data"].value = "s3://"
    form._data._browse.click()
    for step in (session.bucket, "sources", "deep", "er"):
        while f"{step}/" not in browser.entries:
            browser._more.click()
        browser._buttons[browser.entries.index(f"{step}/")].click()
    assert browser.entries == ["in.jsonl (17 bytes)"]
    browser._up.click()
    assert browser.entries == ["er/"]
    browser._buttons[0].click()
    browser._use.click()
    assert form.widgets["data"].value == address.removesuffix("in.jsonl") and form.problems() == []
    assert browser.box.layout.display == "none"
    form._data._browse.click()
    browser._buttons[0].click()
    assert form.widgets["data"].value == address
    form.widgets["data"].value = "s3://no-such-bucket-anywhere/"
    form._data._browse.click()
    assert "It did not work" in form.console.messages.value


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_rows_are_shown_and_nothing_runs(session, readers_model, put, text):
    form = JobForm(pd.DataFrame({"user_id": [text, text, "r1"]}), readers_model, session=session)
    shown = form._data._shown.value
    assert "Which rows" in shown and ("as the job reads them" in shown) == (len(text) <= 256)
    assert "<img" not in shown and len(shown) < 5000
    form.widgets["source"].value = "stored"
    form.widgets["data"].value = put("hostile.jsonl", text)
    form._data._count.click()
    assert "<img" not in form._data._shown.value + form.console.input.value + form.console.messages.value
    form.widgets["source"].value = "file"
    form.widgets["file"].value = text
    form.widgets["source"].value = "frame"
    form.widgets["frame"].value = text
    assert "<img" not in form.console.messages.value and form.console.start_button.disabled


def test_rows_that_cannot_be_used_are_listed(session, readers_model):
    form = JobForm(pd.DataFrame({"user_id": ["r1", None, "<b>"] + [None] * 12}), readers_model, session=session)
    assert "Which rows: 13 findings" in form._data._shown.value and "10 of 13" in form._data._shown.value


def test_names_outside_of_a_notebook_are_none():
    assert sources.frames() == {}
