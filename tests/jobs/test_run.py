"""A run is several jobs as one: it keeps the queue, goes on in another kernel, and comes back as one frame."""

import dataclasses

import pandas as pd
import pytest
import reading_world

import personalize_nb as pnb
from personalize_nb.errors import AlreadyExistsError, FailedError, NotFoundError, QuotaError, RequestError, ServiceError
from personalize_nb.jobs.job import new_job_name
from personalize_nb.jobs.manifests import next_job_name
from personalize_nb.jobs.run import Run
from personalize_nb.session import s3
from personalize_nb.session.session import Session

ITEMS = reading_world.items()
ALL = ITEMS["item_id"].tolist()
EVERYTHING = {"threshold": None, "minimum_items": 0}


def small_run(model, session, size=20, at_once=5, ids=ALL, **parameters):
    """Start a run of small parts, as `pnb.themes` does of parts of 100."""
    given = {"num_results": 5, **parameters}
    return pnb.themes(ids, model, max_records=size, at_once=at_once, session=session, **given)


@pytest.fixture(scope="module")
def run(books_model):
    """Give a finished run over 130 items, of which the model knows 60."""
    ids = [f"b{number}" for number in range(129, -1, -1)]
    return pnb.themes(ids, books_model, num_results=5).wait(progress=False)


def test_more_items_than_a_job_takes_become_one_frame(run):
    found = run.themes(items=ITEMS, **EVERYTHING)
    assert found["item_id"].unique().tolist() == [f"b{number}" for number in range(129, -1, -1)]
    assert [len(job.results()) for job in run.jobs] == [100, 30]
    assert run.errors().empty
    assert run.request.mode == "THEME_GENERATION" and run.request.num_results == 5
    assert repr(run).endswith("of 130 records in 2 jobs, 2 done, 0 failed: .themes(items=...) to read>")


def test_another_kernel_attaches_by_the_name_of_the_run(run, session):
    again = pnb.attach(run.name, Session.local(session._service.path))
    assert again.status == "ACTIVE" and len(again) == 130
    pd.testing.assert_frame_equal(again.themes(), run.themes())
    assert repr(Run(run._manifest, session)).endswith("jobs: .status tells how it stands, .wait() starts what waits>")
    assert isinstance(pnb.attach(run.jobs[0].name, session), pnb.BatchInferenceJob)
    with pytest.raises(NotFoundError, match="no job 'no-such-run'"):
        pnb.attach("no-such-run", session)


def test_runs_are_listed(run, session):
    listed = pnb.list_runs(session).set_index("name")
    assert listed.loc[run.name, ["mode", "records", "jobs"]].tolist() == ["THEME_GENERATION", 130, 2]


def test_a_few_items_stay_one_job(books_model):
    assert isinstance(pnb.themes(ALL, books_model), pnb.BatchInferenceJob)


def test_a_run_keeps_its_tags_and_its_folder(books_model, session):
    output = session.location("mine") + "/"
    run = pnb.themes([f"b{number}" for number in range(101)], books_model, tags={"team": "shelf"}, output=output)
    again = pnb.attach(run.name, session)
    assert again.request.tags == {"team": "shelf"}
    assert again.request.output_path == f"{output}{run.name}/output/"
    again.wait(progress=False)
    assert len(again.results()) == 101


def test_waiting_jobs_are_started_by_another_kernel(books_model, session):
    run = small_run(books_model, session, at_once=1)
    facts = run.describe()
    assert (facts["jobs"], facts["running"], facts["waiting"]) == (3, 1, 2)
    with pytest.raises(NotFoundError, match=r"0 of 3 jobs are done; .*run.wait\(\)"):
        run.themes()
    again = pnb.attach(run.name, Session.local(session._service.path))
    assert again.wait(progress=False).themes(**EVERYTHING)["item_id"].unique().tolist() == ALL
    # the first kernel finds the others' jobs in place of starting its own
    assert [job.name for job in run.wait(progress=False).jobs] == [job.name for job in again.jobs]


def test_a_run_that_no_kernel_waits_for_is_paused(books_model, session):
    run = small_run(books_model, session, at_once=1)
    assert "2 jobs wait and start only while .wait() runs" in repr(run)
    run.jobs[0].wait(progress=False)
    assert run.status == "PAUSED: 2 of 3 jobs wait for .wait()"
    assert run.wait(progress=False).status == "ACTIVE"


def test_two_kernels_may_start_jobs_at_the_same_time(books_model, session):
    run = small_run(books_model, session, at_once=1)
    other = Run(run._manifest, session)
    assert other.status.startswith(("CREATE IN_PROGRESS", "PAUSED"))
    run._manifest = other._manifest = dataclasses.replace(run._manifest, at_once=3)
    run.advance()
    other.advance()
    assert len(run.wait(progress=False).jobs) == len(other.wait(progress=False).jobs) == 3


def test_a_used_up_quota_makes_jobs_wait(books_model, session, monkeypatch):
    run = small_run(books_model, session, at_once=1)
    run._manifest = dataclasses.replace(run._manifest, at_once=3)
    call = session.call

    def full(operation, **parameters):
        if operation.startswith("create"):
            raise QuotaError("More than 5 resources with PENDING or IN_PROGRESS status.")
        return call(operation, **parameters)

    with monkeypatch.context() as patch:
        patch.setattr(session, "call", full)
        assert run.advance().describe()["waiting"] == 2
    assert run.wait(progress=False).describe()["done"] == 3


class Shown:
    def __init__(self):
        self.lines = []

    def update(self, what, state, done=None, total=None):
        self.lines.append((state.split(" after")[0], done, total))

    def say(self, text):
        self.lines.append(text)


def test_waiting_shows_how_many_jobs_are_done(books_model, session):
    shown = Shown()
    run = small_run(books_model, session).wait(progress=shown)
    assert shown.lines[0][2] == 3 and shown.lines[-1] == ("ACTIVE", 3, 3)
    assert run.status == "ACTIVE"


def test_a_job_that_fails_costs_its_part_only_and_can_be_tried_again(books_model, session):
    run = small_run(books_model, session, at_once=1)
    second = run._manifest.part(1).input_path
    kept = b"".join(s3.line_blocks(session, second))
    bucket, key = s3.split(second)
    session.s3.put_object(Bucket=bucket, Key=key, Body=kept * 6)
    told = "1 of 3 jobs failed, .*-002' first: .* has 120 records; with themes it can have 100.*run.retry"
    with pytest.raises(FailedError, match=told):
        run.wait(progress=False)
    assert run.status == "CREATE FAILED" and repr(run).endswith(".errors() says why>")
    session.s3.put_object(Bucket=bucket, Key=key, Body=kept)
    run = pnb.attach(run.name, session)
    assert run.themes(**EVERYTHING)["item_id"].unique().tolist() == ALL[:20] + ALL[40:]
    failed = run.errors()
    assert failed["item_id"].tolist() == ALL[20:40]
    assert failed["error"].str.contains("-002' failed: The input file").all()
    run.retry().wait(progress=False)
    assert run.themes(**EVERYTHING)["item_id"].unique().tolist() == ALL
    assert pnb.attach(run.name, session).jobs[1].name.endswith("-002-r2")
    assert run.retry().status == "ACTIVE"


def test_a_run_whose_jobs_all_failed_has_no_results(books_model, session):
    manifest = small_run(books_model, session, size=30).wait(progress=False)._manifest
    for part in (0, 1):
        bucket, key = s3.split(manifest.part(part).input_path)
        session.s3.put_object(Bucket=bucket, Key=key, Body=b"")
    parts = tuple(dataclasses.replace(one, job_name=f"{one.job_name}-x") for one in manifest.parts)
    run = Run(dataclasses.replace(manifest, parts=parts), session)
    with pytest.raises(FailedError, match="2 of 2 jobs failed"):
        run.wait(progress=False)
    with pytest.raises(FailedError, match="no records"):
        run.results()


def stored(session):
    return {one.address for one in s3.stored(session, session.location("runs"))}


def test_a_refused_run_leaves_nothing_behind(books_model, session):
    before = stored(session)
    many = [f"b{number}" for number in range(101)]
    with pytest.raises(RequestError, match="'job_name' must have"):
        pnb.themes(many, books_model, job_name="a b")
    with pytest.raises(ValueError, match="'at_once' must be a whole number from 1"):
        pnb.themes(many, books_model, at_once=0)
    with pytest.raises(ServiceError, match="role/nobody does not exist"):
        pnb.themes(many, books_model, role_arn="arn:aws:iam::123456789012:role/nobody")
    assert stored(session) == before


def test_the_name_of_a_run_is_taken_once(run, books_model, session):
    many = [f"b{number}" for number in range(101)]
    for name in (run.name, run.jobs[0].name):
        with pytest.raises(AlreadyExistsError, match=f"named '{name}' exists"):
            pnb.themes(many, books_model, job_name=name)


def test_names_of_jobs_stay_legal_however_long_the_name_of_the_run(books_model, session):
    name = ("long-" * 20)[:40] + new_job_name("x")[:22]
    run = small_run(books_model, session, job_name=name, ids=ALL[:2], size=1)
    assert run.name == name and all(len(job.name) <= 63 for job in run.jobs)
    assert next_job_name("x-ab12-001-r2") == "x-ab12-001-r3"
