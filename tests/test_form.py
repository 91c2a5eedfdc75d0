"""The form says the same as `pnb.recommend`: fields, problems, code, and a job that really runs."""

import pytest

from personalize_nb import errors, filters
from personalize_nb.form import JobForm
from personalize_nb.launch import recommend


@pytest.fixture(scope="module")
def shelf_filter(session, readers_model):
    expression = "INCLUDE ItemID WHERE Items.SHELF IN ($SHELF)"
    return filters.create_filter("form-shelf", expression, readers_model, progress=False, session=session)


@pytest.fixture
def form(session, readers_model):
    return JobForm(["u1", "u2"], readers_model, session=session)


def test_first_state_can_start(form):
    assert form.problems() == []
    assert not form._start_button.disabled
    assert form.code.startswith("pnb.recommend(data, 'reading")
    assert form.widgets["job_name"].value.startswith("reading")


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("job_name", "a b", "'job_name' must have 1 to 63"),
        ("num_results", "many", "Number of results must be a whole number, got 'many'"),
        ("num_results", "0", "'num_results' must be a whole number from 1"),
        ("exploration_weight", "2", "'exploration_weight' must be from 0 to 1"),
        ("output", "ftp://x", "'output_path' must be s3://"),
        ("role_arn", "role", "'role_arn' must look like"),
        ("input_kms_key_arn", "key", "'input_kms_key_arn' must look like"),
        ("tags", "no equals sign", "must be lines of key=value"),
        ("tags", "aws:mine=1", "not beginning with 'aws:'"),
    ],
)
def test_problems_stand_in_the_form_and_disable_start(form, field, value, problem):
    form.widgets[field].value = value
    assert problem.replace("'", "&#39;") in form._messages.value
    assert 'role="alert"' in form._messages.value
    assert form._start_button.disabled
    form._start_button.click()  # ipywidgets runs callbacks of disabled buttons too
    assert form.job is None
    with pytest.raises(errors.RequestError) as raised:
        form.start()
    assert raised.value.problems


def test_themes_need_a_related_items_recipe(form):
    assert form.widgets["item_name"].layout.display == "none"
    assert form.widgets["job_name"].layout.display != "none"
    form.widgets["mode"].value = "THEME_GENERATION"
    assert form.widgets["item_name"].layout.display == ""
    assert "Themes need a solution version of aws-similar-items" in form._messages.value


def test_started_job_runs_and_its_name_is_used_up(form):
    form.widgets["num_results"].value = "3"
    form._start_button.click()
    assert form.job is not None, form._messages.value
    frame = form.job.wait(progress=False).recommendations()
    assert frame.groupby("user_id").size().tolist() == [3, 3]
    assert "Change the job name to start another" in form._messages.value
    assert form._start_button.disabled
    first = form.job
    form._start_button.click()
    assert form.job is first
    with pytest.raises(errors.RequestError, match="is started already"):
        form.start()


def test_same_request_as_the_one_liner(form, session, readers_model):
    for name, value in {"job_name": "form-as-code", "num_results": "4", "exploration_weight": "0.1"}.items():
        form.widgets[name].value = value
    by_form, *_ = form.plan()
    by_code = recommend(
        ["u1", "u2"], readers_model, job_name="form-as-code", num_results=4, exploration_weight=0.1, session=session
    )
    assert by_code.request == by_form.replace(input_path=by_code.request.input_path)
    assert "num_results=4" in form.code and "exploration_weight=0.1" in form.code


def test_filter_grows_a_field_for_its_placeholder(form, shelf_filter):
    form.refresh()
    form.widgets["filter"].value = "form-shelf"
    assert [widget.description for widget in form._values_box.children] == ["$SHELF"]
    assert "The filter needs values for $SHELF" in form._messages.value
    form._values["SHELF"].value = "crime, garden"
    assert form.problems() == []
    assert "filter='form-shelf'" in form.code and "filter_values={'SHELF': ['crime', 'garden']}" in form.code


def test_taken_name_is_told_in_the_form(session, readers_model):
    taken = recommend(["u1"], readers_model, session=session).name
    form = JobForm(["u1"], readers_model, session=session, job_name=taken)
    form._start_button.click()
    assert "names of batch jobs can never be used again" in form._messages.value
    assert form.job is None


def test_bad_rows_are_told_in_the_form(session, readers_model):
    form = JobForm([1.0, 2.0], readers_model, session=session)
    assert form._start_button.disabled
    assert "the id is a float" in form._messages.value or "ids are float64" in form._messages.value


def test_input_in_s3_is_named_when_no_data_is_given(session, readers_model):
    form = JobForm(solution_version=readers_model, session=session)
    assert "Input must name a file or folder in S3" in form._messages.value
    form.widgets["data"].value = "s3://somewhere/in.jsonl"
    assert form.plan()[0].input_path == "s3://somewhere/in.jsonl"


def test_unknown_field_and_missing_version(session, readers_model):
    with pytest.raises(TypeError, match="no field"):
        JobForm(["u1"], readers_model, session=session, colour="red")
    with pytest.raises(errors.NotFoundError, match="no solution 'nothing'"):
        JobForm(["u1"], "nothing", session=session)


def test_shared_notebook_shows_the_call_instead_of_the_widget(form):
    bundle = form.box._repr_mimebundle_()
    assert "pnb.recommend(data" in bundle["text/html"]
    assert "arn:" not in bundle["text/plain"]


def test_themes_from_the_form(session, books_model):
    form = JobForm(["b1", "b2"], books_model, session=session, num_results="5")
    form.widgets["mode"].value = "THEME_GENERATION"
    assert "item_name='TITLE'" in form.code
    form._start_button.click()
    themes = form.job.wait(progress=False).themes(threshold=None, minimum_items=0)
    assert themes["item_id"].drop_duplicates().tolist() == ["b1", "b2"]
    assert themes["theme"].str.len().gt(0).all()


def test_access_is_checked_on_request(session, readers_model):
    form = JobForm(["r1"], readers_model, session=session)
    form._check_button.click()
    assert "allow what the job does" in form._checks.value
    form.widgets["role_arn"].value = "arn:aws:iam::123456789012:role/NoSuchRole"
    form._check_button.click()
    assert "NoSuchRole" in form._checks.value
    assert set(form.preflight()["level"]) >= {"error", "ok"}
