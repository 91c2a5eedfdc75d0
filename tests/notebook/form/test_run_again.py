"""Any job begins a form with everything that it was asked, and the code of its receipt repeats it with nothing else."""

from __future__ import annotations

import pandas as pd
import pytest

import personalize_nb as pnb
from personalize_nb.jobs.job import AnyJob, job_of
from personalize_nb.jobs.run import Run
from personalize_nb.notebook import receipt_facts
from personalize_nb.notebook.form.form import JobForm
from personalize_nb.notebook.receipts import Receipt
from personalize_nb.resources import filters
from personalize_nb.session import s3

OWN = {"job_name": "", "input_path": "", "output_path": "", "tags": {}}


def asked(job: AnyJob | Run) -> list[object]:
    """Return what is asked, and the lines of the input, without what each job has of its own."""
    if isinstance(job, Run):
        return [one.replace(**OWN) for one, _ in job.asked()]
    return [job.request.replace(**OWN), b"".join(s3.line_blocks(job.session, job.request.input_path))]


def executed(code: str) -> AnyJob | Run:
    """Run a cell as Jupyter does, in a namespace that knows nothing, and return what its last line gives."""
    own: dict[str, object] = {}
    *before, last = code.splitlines()
    exec("\n".join(before), own)
    return eval(last, own)  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def shelf(session, readers_model):
    expression = "INCLUDE ItemID WHERE Items.SHELF IN ($SHELF)"
    return filters.create_filter("again-shelf", expression, readers_model, progress=False, session=session)


def by_boto3(session, model, filter_arn):
    address = f"s3://{session.bucket}/elsewhere/in.jsonl"
    lines = b'{"userId": "r1", "filterValues": {"SHELF": "\\"sea\\",\\"crime\\""}}\n'
    session.s3.put_object(Bucket=session.bucket, Key="elsewhere/in.jsonl", Body=lines)
    answer = session.personalize.create_batch_inference_job(
        jobName=f"other-tool-{model.arn[-8:]}",
        solutionVersionArn=model.arn,
        filterArn=filter_arn,
        numResults=7,
        roleArn=session.role_arn,
        jobInput={"s3DataSource": {"path": address}},
        jobOutput={"s3DataDestination": {"path": f"s3://{session.bucket}/elsewhere/out/"}},
        batchInferenceJobConfig={"itemExplorationConfig": {"explorationWeight": "0.1"}},
        tags=[{"tagKey": "team", "tagValue": "a b"}],
    )
    return job_of(answer["batchInferenceJobArn"], session)


@pytest.fixture(scope="module")
def jobs(session, readers_model, books_model, affinity_model, attributes_model, shelf):
    """Give jobs of every kind, by what they are."""
    names = pd.DataFrame({"user_id": ["r1", "r2"]})
    formed = JobForm(names, readers_model, session=session, filter=shelf, filter_values={"SHELF": "sea, crime"})
    formed.start()
    formed.receipt.close()
    given = {"num_results": 3, "exploration_weight": 0.2, "exploration_item_age_cut_off": 9.0, "tags": {"a": "b"}}
    found = {
        "form": formed.job,
        "code": pnb.recommend(names, readers_model, session=session, **given),
        "boto3": by_boto3(session, readers_model, shelf.arn),
        "items": pnb.segments(["b1"], affinity_model, num_results=4, session=session),
        "attributes": pnb.segments({"shelf": "sea"}, attributes_model, session=session),
        "themes": pnb.themes(["b1"], books_model, num_results=2, session=session),
        "run": pnb.recommend(["r1", "r2", "r3"], readers_model, num_results=2, max_records=2, session=session),
        "side by side": pnb.recommend(names, readers_model, filter=[None, shelf], filter_values={"SHELF": "sea"}),
    }
    for job in found.values():
        job.wait(progress=False)
    return found


KINDS = ("form", "code", "boto3", "items", "attributes", "themes", "run", "side by side")


@pytest.mark.parametrize("kind", KINDS)
def test_the_code_of_a_receipt_repeats_the_job_with_nothing_else(jobs, session, kind, monkeypatch):
    job = jobs[kind]
    code = receipt_facts.looked_up(job)["Repeat it"]
    monkeypatch.setattr("personalize_nb.session.connection._current", None)
    again = executed(code)
    assert asked(again) == asked(job) and again.name != job.name
    shown = Receipt(job).bundle()
    assert "import personalize_nb as pnb\n" in shown["text/html"] and "; pnb.attach(" in shown["text/plain"].replace(
        "session = ", ""
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_form_begins_as_the_job_and_starts_it_again(jobs, kind):
    job = jobs[kind]
    form = JobForm(job)
    assert [one.text for one in form.problems() if one.level == "error"] == []
    assert form.solution_version.arn == job.request.solution_version_arn
    if isinstance(job, Run):
        first = next(job.asked())[0]
        assert form.plan().request.replace(**OWN) == first.replace(**OWN)
        assert ("asks 2 questions" in form.console.messages.value) == (kind == "side by side")
        return
    again = form.start()
    form.receipt.close()
    assert asked(again) == asked(job)
    changed = JobForm(job.arn if kind == "boto3" else job, num_results=5, session=job.session)
    assert changed.plan().request.num_results == 5
    assert changed.plan().request.replace(**OWN, num_results=None) == job.request.replace(**OWN, num_results=None)


def test_tags_of_another_tools_job_are_there_and_the_output_is_a_folder_of_its_own(jobs, session):
    form = JobForm(jobs["boto3"])
    assert form.widgets["tags"].value == "team=a b" and form.widgets["output"].value == ""
    assert form.plan().request.output_path.startswith(session.location("jobs"))


def test_what_is_gone_is_told(jobs, session, readers_model, monkeypatch):
    request = jobs["boto3"].request.replace(
        filter_arn=session.arn("filter", "gone"), solution_version_arn=f"{readers_model.arn}0"
    )
    monkeypatch.setattr(type(jobs["boto3"]), "request", property(lambda job: request))
    form = JobForm(jobs["boto3"])
    assert "filter &#39;gone&#39; is gone" in form.console.messages.value
    assert "is gone; the newest one of its solution is chosen" in form.console.messages.value
    assert form.solution_version.arn == readers_model.arn


def test_a_run_on_aws_is_found_through_its_first_job(jobs, session, monkeypatch):
    from personalize_nb.notebook import code

    run = jobs["run"]
    monkeypatch.setattr(type(session), "is_local", property(lambda _: False))
    monkeypatch.setattr(session, "bucket", session.bucket)
    lines = code.again_run(run).splitlines()
    assert lines[1].startswith("session = pnb.connect(") and session.bucket not in code.again_run(run)
    monkeypatch.setattr("personalize_nb.session.connection._current", session)
    bucket, session.bucket = session.bucket, None
    exec(lines[2], {"pnb": pnb, "session": session})
    assert session.bucket == bucket
