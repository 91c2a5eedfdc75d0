"""The form says the same as `pnb.recommend`: fields, problems, code, and a job that really runs."""

import pytest

import personalize_nb as pnb
from personalize_nb import errors
from personalize_nb.jobs.recommend import recommend
from personalize_nb.notebook.form.form import JobForm
from personalize_nb.resources import filters


@pytest.fixture(scope="module")
def shelf_filter(session, readers_model):
    expression = "INCLUDE ItemID WHERE Items.SHELF IN ($SHELF)"
    return filters.create_filter("form-shelf", expression, readers_model, progress=False, session=session)


@pytest.fixture
def form(session, readers_model):
    return JobForm(["u1", "u2"], readers_model, session=session)


def test_first_state_can_start(form):
    assert form.problems() == []
    assert not form.console.start_button.disabled
    assert form.code.startswith("pnb.recommend(['u1', 'u2'], 'reading")
    assert form.widgets["job_name"].value.startswith("reading")


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("job_name", "a b", "Job name must have 1 to 63"),
        ("num_results", "many", "Number of results must be a whole number, got 'many'"),
        ("num_results", "0", "Number of results must be a whole number from 1"),
        ("exploration_weight", "2", "Exploration weight must be from 0 to 1"),
        ("output", "ftp://x", "Output folder must be s3://"),
        ("role_arn", "role", "Service role must look like"),
        ("input_kms_key_arn", "key", "Input KMS key must look like"),
        ("tags", "no equals sign", "must be lines of key=value"),
        ("tags", "aws:mine=1", "not beginning with 'aws:'"),
        ("tags", "team=x\nteam=y", "Tags must name each key once, 'team' is there twice"),
    ],
)
def test_problems_stand_in_the_form_and_disable_start(form, field, value, problem):
    form.widgets[field].value = value
    assert problem.replace("'", "&#39;") in form.console.messages.value
    assert 'role="alert"' in form.console.messages.value
    assert form.console.start_button.disabled
    form.console.start_button.click()  # ipywidgets runs callbacks of disabled buttons too
    assert form.job is None
    with pytest.raises(errors.RequestError) as raised:
        form.start()
    assert raised.value.problems


def test_started_job_runs_and_the_next_one_has_a_name_already(form):
    form.widgets["num_results"].value = "3"
    first_name = form.widgets["job_name"].value
    form.console.start_button.click()
    first = form.job
    assert first is not None, form.console.messages.value
    assert first.name == first_name
    frame = first.wait(progress=False).recommendations()
    assert frame.groupby("user_id").size().tolist() == [3, 3]
    assert f"&#39;{first_name}&#39; is started; below stands how it goes" in form.console.messages.value
    assert form.widgets["job_name"].value != first_name and not form.console.start_button.disabled
    form._clock = lambda: form._last_start + 0.3
    form.console.start_button.click()  # the second half of a double click
    assert form.job is first
    form._clock = lambda: form._last_start + 30
    form.console.start_button.click()
    assert form.job is not first and form.job.request.num_results == 3


def test_a_name_that_the_user_wrote_is_used_up(form):
    form.widgets["job_name"].value = "form-written-name"
    form.start()
    assert form.widgets["job_name"].value == "form-written-name"
    assert "Change the job name to start another" in form.console.messages.value
    assert form.console.start_button.disabled
    with pytest.raises(errors.RequestError, match="is started already"):
        form.start()


def test_an_emptied_name_is_said_to_be_made_at_the_start(form, books_model):
    form.widgets["job_name"].value = ""
    assert "Job name: empty, so one is made" in form.console.messages.value
    assert form.problems() == [] and not form.console.start_button.disabled
    form.widgets["solution_version"].value = books_model.arn
    assert form.widgets["job_name"].value == ""


def test_same_request_as_the_one_liner(form, session, readers_model):
    for name, value in {"job_name": "form-as-code", "num_results": "4", "exploration_weight": "0.1"}.items():
        form.widgets[name].value = value
    by_form = form.plan().request
    by_code = recommend(
        ["u1", "u2"], readers_model, job_name="form-as-code", num_results=4, exploration_weight=0.1, session=session
    )
    assert by_code.request == by_form.replace(input_path=by_code.request.input_path)
    assert "num_results=4" in form.code and "exploration_weight=0.1" in form.code


def test_filter_grows_a_field_for_its_placeholder(form, shelf_filter):
    form.refresh()
    form.widgets["filter"].value = "form-shelf"
    assert [">$SHELF<" in widget.description for widget in form.console.values.children] == [True]
    assert "The filter needs values for $SHELF: fill the field $SHELF." in form.console.messages.value
    form._values.fields["SHELF"].value = "crime, garden"
    assert form.problems() == []
    assert "filter='form-shelf'" in form.code and "filter_values={'SHELF': ['crime', 'garden']}" in form.code


def test_a_taken_name_is_found_while_typing_without_a_call_for_each_key(session, readers_model, monkeypatch):
    taken = recommend(["u1"], readers_model, session=session).name
    form = JobForm(["u1"], readers_model, session=session, job_name=taken)
    assert [problem.field for problem in form.problems()] == ["job_name"]
    assert "names of batch jobs can never be used again" in form.console.messages.value
    form.console.start_button.click()
    assert form.job is None
    asked = []
    monkeypatch.setattr(type(session), "pages", lambda self, *names, **more: asked.append(names) or iter(()))
    for end in range(1, len(taken) + 1):
        form.widgets["job_name"].value = taken[:end]
    assert form.console.start_button.disabled and asked == []


def test_bad_rows_are_told_in_the_form(session, readers_model):
    form = JobForm([1.0, 2.0], readers_model, session=session)
    assert form.console.start_button.disabled
    assert "the id is a float" in form.console.messages.value or "ids are float64" in form.console.messages.value


def test_input_in_s3_is_named_when_no_data_is_given(session, readers_model):
    form = JobForm(solution_version=readers_model, session=session)
    assert "Input must name a file or folder in S3" in form.console.messages.value
    form.widgets["data"].value = "s3://somewhere/in.jsonl"
    assert form.plan().request.input_path == "s3://somewhere/in.jsonl"


def test_missing_version(session):
    with pytest.raises(errors.NotFoundError, match="no solution 'nothing'"):
        JobForm(["u1"], "nothing", session=session)


def test_a_version_that_is_not_the_newest_is_named_in_the_call(form, readers_model):
    form._options._newest.clear()
    assert f"'{readers_model.arn.split(':solution/')[1]}'" in form.code


def test_themes_from_the_form(session, books_model):
    form = JobForm(["b1", "b2"], books_model, session=session, num_results="5")
    form.widgets["mode"].value = "THEME_GENERATION"
    assert "item_name='TITLE'" in form.code
    form.console.start_button.click()
    themes = form.job.wait(progress=False).themes(threshold=None, minimum_items=0)
    assert themes["item_id"].drop_duplicates().tolist() == ["b1", "b2"]
    assert themes["theme"].str.len().gt(0).all()


def test_many_themes_from_the_form_become_a_run(session, books_model):
    form = JobForm([f"b{number}" for number in range(101)], books_model, session=session, mode="THEME_GENERATION")
    assert form.problems() == []
    assert "101 items become a run of 2 jobs of at most 100 items each" in form.console.messages.value
    form.widgets["at_once"].value = "0"
    assert "Jobs at a time must be 1 or more" in form.console.messages.value
    form.widgets["at_once"].value = "1"
    form.console.start_button.click()
    assert isinstance(form.job, pnb.Run), form.console.messages.value
    assert form.job.describe()["waiting"] == 1
    form.receipt.close()
    assert len(form.job.wait(progress=False)) == 101
    name = form.job.name
    again = JobForm([f"b{number}" for number in range(101)], books_model, session=session, mode="THEME_GENERATION")
    again.widgets["job_name"].value = name
    assert "is taken" in again.console.messages.value


def test_access_is_checked_on_request_and_the_answer_does_not_go_stale(session, readers_model):
    form = JobForm(["r1"], readers_model, session=session)
    form.console.buttons["Check access"].click()
    assert "allow what the job does" in form.console.checks.value
    form.widgets["role_arn"].value = "arn:aws:iam::123456789012:role/NoSuchRole"
    assert "check again" in form.console.checks.value and "<table" not in form.console.checks.value
    form.console.buttons["Check access"].click()
    assert "NoSuchRole" in form.console.checks.value
    assert set(form.preflight()["level"]) >= {"error", "ok"}
    form.widgets["role_arn"].value = ""
    assert "NoSuchRole" not in form.console.checks.value
    form.console.buttons["Check access"].click()
    form.start()
    assert form.console.checks.value == ""


def test_a_check_agrees_with_what_the_form_finds(form):
    form.widgets["num_results"].value = "many"
    form.console.buttons["Check access"].click()
    told = form.console.checks.value
    assert "would fail: 1 error" in told and "✗ error" in told and "got &#39;many&#39;" in told
    assert "keeps the rules" not in told and "✓ ok" in told  # what does not depend on it is checked all the same
    form.widgets["source"].value = "stored"
    form.console.buttons["Check access"].click()
    assert "Input must name" in form.console.messages.value and "Input must name" in form.console.checks.value
    assert form.console.start_button.disabled


def test_limits_and_reuse_hold_in_the_form_as_in_the_call(session, readers_model):
    def started():
        form = JobForm(["r1", "r2", "r3"], readers_model, num_results=1, max_records=2, reuse=True, session=session)
        assert "max_records=2" in form.code and "reuse=True" in form.code
        job = form.start()
        form.receipt.close()
        return job

    run = started()
    assert isinstance(run, pnb.Run) and len(run) == 3
    assert started().name == run.name
    run.wait(progress=False)
    with pytest.raises(errors.InputError, match="'max_bytes' must be a whole number from 1, got 0"):
        JobForm(["r1"], readers_model, max_bytes=0, session=session)
