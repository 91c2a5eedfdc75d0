"""From ids to a job to frames on the real local service, and every way it can be refused."""

import dataclasses
import warnings
from datetime import datetime
from functools import partial

import botocore.exceptions
import pandas as pd
import pytest
import reading_world
import wire_faults
from installed_boto3 import needs_boto3

import personalize_nb as pnb
from personalize_nb.contract import limits
from personalize_nb.errors import (
    AccessError,
    AlreadyExistsError,
    FailedError,
    InputError,
    NotFoundError,
    RequestError,
    ServiceError,
    WaitTimeoutError,
)
from personalize_nb.jobs import beginning
from personalize_nb.jobs.job import new_job_name
from personalize_nb.session import creating, s3

ITEMS = reading_world.items()
SHELF = "INCLUDE ItemID WHERE Items.SHELF IN ($SHELF)"


def stored(session, prefix="jobs"):
    return {one.address for one in s3.stored(session, session.location(prefix))}


@pytest.fixture(scope="module")
def job(readers_model):
    return pnb.recommend([f"r{number}" for number in (5, 3, 1)], readers_model, num_results=4).wait(progress=False)


def test_ids_to_frame(job):
    found = job.recommendations(items=ITEMS)
    assert found.columns.tolist() == ["user_id", "rank", "item_id", "score", "title"]
    assert found["user_id"].tolist() == ["r5"] * 4 + ["r3"] * 4 + ["r1"] * 4
    assert found["rank"].tolist() == [1, 2, 3, 4] * 3
    assert found.loc[found["user_id"] == "r3", "title"].str.contains('"sea" book').all()
    assert found["score"].between(0, 1).all()
    assert job.errors().empty


def test_a_job_has_a_folder_and_a_name_of_its_own(job, readers_model):
    request = job.request
    assert request.output_path == f"s3://{job.session.bucket}/personalize_nb/jobs/{job.name}/output/"
    assert request.num_results == 4
    assert limits.string_rule("Name").allows(job.name)
    assert job.name.startswith("reading-user-personalization-2")


def test_reprs_name_the_next_step(job):
    assert repr(job) == f"<BatchInferenceJob {job.name} ACTIVE: .recommendations(items=...) to read>"
    assert repr(pnb.BatchInferenceJob(job.arn, job.session)).endswith(
        ": .status tells how it stands, .wait() waits for its end>"
    )
    assert repr(job.results()).endswith(".recommendations(items=...), .errors()>")


def test_another_kernel_attaches_by_name_or_arn(job, session):
    for known in (job.name, job.arn):
        again = pnb.attach(known, session)
        assert again.status == "ACTIVE"
        pd.testing.assert_frame_equal(again.recommendations(), job.recommendations())
    with pytest.raises(NotFoundError, match=f"no job '{job.name[:-1]}'; there is .*{job.name}"):
        pnb.attach(job.name[:-1], session)


def test_jobs_are_listed(job, readers_model, books_model):
    listed = pnb.list_jobs(readers_model)
    asked = ["mode", "solution", "recipe", "filter", "results"]
    assert listed.columns.tolist() == ["name", "status", *asked, "created", "updated", "duration", "failure_reason"]
    assert job.name in listed["name"].tolist()
    assert listed["created"].is_monotonic_decreasing
    assert job.name not in pnb.list_jobs(books_model)["name"].tolist()


def test_a_job_can_be_started_again_under_a_new_name(job):
    again = pnb.start(job.request.replace(job_name=new_job_name("again")), session=job.session)
    assert again.wait(progress=False).request.num_results == 4


def test_a_taken_name_is_refused_and_a_free_one_proposed(job, readers_model, session):
    before = stored(session)
    with pytest.raises(
        AlreadyExistsError, match=f"'{job.name}' exists, and names .* can never be used again.*pnb.attach"
    ):
        pnb.recommend(["r1"], readers_model, job_name=job.name)
    with pytest.raises(AlreadyExistsError, match="can never be used again"):
        pnb.start(job.request, session=session)
    assert stored(session) == before


def test_a_filter_takes_its_values_from_the_frame(readers_model, session):
    shelf = pnb.create_filter("jobs-shelf", SHELF, readers_model, progress=False, session=session)
    asked = pd.DataFrame({"user_id": ["r0", "r0", "r1"], "shelf": ["crime", "garden", "sea"], "age": [1, 2, 3]})
    for known in (shelf, shelf.name, shelf.arn):
        job = pnb.recommend(asked, readers_model, filter=known, num_results=3).wait(progress=False)
        found = job.recommendations(items=ITEMS, columns=["shelf"])
        assert found["SHELF"].tolist() == found["shelf"].tolist() == ["crime"] * 3 + ["garden"] * 3 + ["sea"] * 3
    given = pnb.recommend(["r0"], readers_model, filter=shelf, filter_values={"SHELF": ["crime", "sea"]})
    assert set(given.wait(progress=False).recommendations(ITEMS, ["shelf"])["shelf"]) == {"crime", "sea"}


def test_filter_values_that_are_missing_or_unknown(readers_model, session):
    shelf = pnb.create_filter("jobs-shelf", SHELF, readers_model, progress=False, session=session)
    with pytest.raises(RequestError, match=r"filter needs values for \$SHELF"):
        pnb.recommend(["r0"], readers_model, filter=shelf)
    with pytest.raises(RequestError, match=r"1 of 2 records have no value for the filter's \$SHELF"):
        pnb.recommend(pd.DataFrame({"user_id": ["r0", "r1"], "SHELF": ["sea", None]}), readers_model, filter=shelf)
    with pytest.raises(InputError, match=r"no placeholder \['shelves'\]; it has \['SHELF'\]: INCLUDE"):
        pnb.recommend(["r0"], readers_model, filter=shelf, filter_values={"shelves": "sea"})


def test_values_that_a_filter_cannot_compare_are_told_by_row(readers_model, session):
    since = "INCLUDE ItemID WHERE Items.YEAR >= $YEAR"
    since = pnb.create_filter("jobs-since", since, readers_model, progress=False, session=session)
    asked = pd.DataFrame({"user_id": ["r0", "r1", "r2", "r3"], "year": ["1950", "new", "1950|1951", None]})
    told = r"YEAR: the filter compares \$YEAR: give one number.* \(2 of 4 rows, counted from 0: 1: '\"new\"', 2: "
    with pytest.raises(InputError, match=told) as caught:
        pnb.recommend(asked, readers_model, filter=since)
    assert caught.value.findings["row"].tolist() == [1, 2]
    with pytest.raises(InputError, match="1 of 2 rows, counted from 0: 1: "):
        pnb.recommend(pnb.users(asked[:2], filter_values=["YEAR"]), readers_model, filter=since)
    found = pnb.preflight(["r0"], readers_model, filter=since, filter_values={"YEAR": "next"}).set_index("check")
    assert "the filter compares $YEAR" in found.loc["input", "found"]
    for legal in (1.95e3, "1.95e3", "+1950.", pd.Timestamp(1950, unit="s")):
        assert (
            len(
                pnb.preflight(["r0"], readers_model, filter=since, filter_values={"YEAR": legal}).query("level != 'ok'")
            )
            == 0
        )


@needs_boto3("1.41.6")
def test_influences_are_taken_in_any_case(readers_model):
    with pytest.warns(UserWarning, match="documented for aws-semantic-similarity"):
        job = pnb.recommend(["r0"], readers_model, ranking_influence={"popularity": 0.5})
    assert job.request.ranking_influence == {"POPULARITY": 0.5}


def test_names_are_taken_in_any_case(readers_model, books_model, session):
    shelf = pnb.create_filter("jobs-case", SHELF, readers_model, progress=False, session=session)
    job = pnb.recommend(["r0"], readers_model, filter=shelf, filter_values={"shelf": "sea"})
    assert set(job.wait(progress=False).recommendations(ITEMS, ["shelf"])["shelf"]) == {"sea"}
    assert pnb.themes(["b0"], books_model, item_name="title").request.item_name == "TITLE"
    with pytest.raises(NotFoundError, match=r"one of \['DESCRIPTION', 'SHELF', 'TITLE'\], got 'name'"):
        pnb.themes(["b0"], books_model, item_name="name")


def test_what_is_done_with_doubtful_rows_is_told(readers_model, capsys):
    pnb.recommend(pd.DataFrame({"name": ["r1", "r2", "r1"]}), readers_model)
    told = capsys.readouterr().err
    assert "column 'name' is taken as 'user_id'" in told
    assert "user_id: the same record occurs earlier; it is sent once (1 of 3 rows, counted from 0: 2: 'r1')" in told


def test_warnings_point_at_the_users_own_line(books_model, session):
    with pytest.warns(UserWarning, match="should end with '/'") as caught:
        pnb.recommend(["b1"], books_model, output=session.location("unsure"))
    assert caught[0].filename == __file__


def test_a_wrong_output_is_told_by_the_arguments_own_name(readers_model, session):
    with pytest.raises(RequestError, match=r"'output' must be s3://bucket/key with .*, got '/tmp/x'") as caught:
        pnb.recommend(["r1"], readers_model, output="/tmp/x")
    assert "output_path" not in str(caught.value)
    found = pnb.preflight(["r1"], readers_model, output="/tmp/x")
    assert found["found"].str.contains("'output' must be s3://bucket/key").any()
    with pytest.raises(RequestError, match="'output' must differ from 'data', both are"):
        pnb.recommend(session.location("same/"), readers_model, output=session.location("same/"))
    with pytest.raises(RequestError, match="'output_path' must be s3://"):
        pnb.start(pnb.JobRequest("a", readers_model.arn, "s3://b/in.jsonl", "/tmp/x", session.role()), session=session)


def test_related_items(books_model):
    found = pnb.recommend(["b0"], books_model, num_results=5).wait(progress=False).recommendations(ITEMS, ["shelf"])
    assert found["item_id"].unique().tolist() == ["b0"]
    assert found["shelf"].tolist() == ["sea"] * 5


def test_themes_find_the_name_column(books_model, session):
    job = pnb.themes(["b0", "b1"], "reading-similar-items-" + books_model.name.rsplit("-", 1)[-1], session=session)
    assert (job.request.mode, job.request.item_name) == ("THEME_GENERATION", "TITLE")
    found = job.wait(progress=False).themes(items=ITEMS, threshold=None, minimum_items=0)
    assert found["item_id"].unique().tolist() == ["b0", "b1"]
    assert found["theme"].str.len().min() > 0
    assert found["item_title"].notna().all()
    assert repr(job).endswith("ACTIVE: .themes(items=...) to read>")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"tags": ["team"]}, r"'tags' must be a mapping such as \{'team': 'books'\}, got \['team'\]"),
        ({"ranking_influence": 0.5}, r"'ranking_influence' must be a mapping such as \{'POPULARITY': 0.5\}, got 0.5"),
        ({"tags": {"n": 1}}, "A tag is text"),
        ({"filter": 5}, "a filter is a Filter, a name or an ARN, got int"),
    ],
)
def test_arguments_of_the_wrong_type_leave_nothing(readers_model, session, options, told):
    before = stored(session)
    with pytest.raises((RequestError, TypeError), match=told):
        pnb.recommend(["r1"], readers_model, **options)
    with pytest.raises(TypeError, match="must be a job's or run's name or ARN, got int"):
        pnb.attach(5)
    assert stored(session) == before


def test_themes_of_another_recipe(readers_model):
    with pytest.raises(RequestError, match="need a solution version of aws-similar-items"):
        pnb.recommend(["r1"], readers_model, mode="THEME_GENERATION", item_name="TITLE")
    with pytest.raises(RequestError, match="this one is aws-user-personalization"):
        pnb.themes(ITEMS, readers_model)


def test_input_that_lies_in_s3_already(readers_model, session, tmp_path):
    address = session.location("mine", "users.jsonl")
    pnb.users(["r1", "r2"]).upload(session, address)
    output = session.location("mine", "out") + "/"
    job = pnb.recommend(address, readers_model, num_results=2, output=output).wait(progress=False)
    assert job.recommendations()["user_id"].unique().tolist() == ["r1", "r2"]
    assert pnb.read_results(output, session=session).recommendations()["rank"].tolist() == [1, 2, 1, 2]


def test_jobs_that_share_an_output_folder_read_their_own(readers_model, session):
    output = session.location("weekly") + "/"
    jobs = [pnb.recommend([one], readers_model, num_results=1, output=output) for one in ("r1", "r2")]
    for job, user in zip(jobs, ("r1", "r2"), strict=True):
        assert job.wait(progress=False).recommendations()["user_id"].tolist() == [user]
    assert len(pnb.read_results(output, session=session)) == 2


def test_output_that_another_job_wrote_over_is_not_taken_for_ones_own(readers_model, session, capsys):
    address, output = session.location("over", "users.jsonl"), session.location("over", "out") + "/"
    pnb.users(["r1"]).upload(session, address)
    first = pnb.recommend(address, readers_model, num_results=1, output=output).wait(progress=False)
    assert "written over" not in capsys.readouterr().err
    pnb.recommend(address, readers_model, num_results=4, output=output).wait(progress=False)
    assert "users.jsonl.out is there already, of an earlier job" in capsys.readouterr().err
    with pytest.raises(NotFoundError, match=f"output of job '{first.name}' is gone: .*written over"):
        pnb.attach(first.name, session).recommendations()
    assert len(pnb.read_results(output, session=session).recommendations()) == 4


def test_lines_for_the_wrong_recipe_come_back_as_errors(readers_model, session, capsys):
    address = session.location("wrong", "items.jsonl")
    pnb.items(["b1", "b2"]).upload(session, address)
    job = pnb.recommend(address, readers_model).wait(progress=False)
    failed = job.errors()
    assert failed["item_id"].tolist() == ["b1", "b2"]
    assert failed["error"].unique().tolist() == ["User error: Required fields for the provided recipe are userId"]
    assert job.recommendations().empty
    assert "2 input lines have no recommendations" in capsys.readouterr().err


def test_all_problems_are_told_and_nothing_is_sent(readers_model, session):
    before = stored(session), len(pnb.list_jobs(session=session))
    with pytest.raises(RequestError) as caught:
        pnb.recommend(["r1"], readers_model, job_name="a b", num_results=0, exploration_weight=2.0, tags={"aws:x": "1"})
    assert [one.field for one in caught.value.problems] == ["job_name", "num_results", "exploration_weight", "tags"]
    assert (stored(session), len(pnb.list_jobs(session=session))) == before


def test_what_the_service_refuses_leaves_no_input_behind(readers_model, session):
    before = stored(session)
    with pytest.raises((NotFoundError, ServiceError, AccessError), match="CreateBatchInferenceJob"):
        pnb.recommend(["r1"], readers_model, output="s3://no-such-bucket-anywhere/out/")
    with pytest.raises((NotFoundError, ServiceError), match="CreateBatchInferenceJob"):
        gone = dataclasses.replace(readers_model, arn=readers_model.arn[:-1] + "z")
        pnb.recommend(["r1"], gone)
    assert stored(session) == before


def test_a_job_that_cannot_be_looked_for_after_a_lost_answer_keeps_its_input(readers_model, session, monkeypatch):
    monkeypatch.setattr(creating, "made", partial(creating.made, sleep=lambda seconds: None))
    closed = botocore.exceptions.ConnectionClosedError(endpoint_url="u")
    looks = [wire_faults.refusal("ResourceNotFoundException"), *[wire_faults.refusal("InternalFailure")] * 60]
    with (
        wire_faults.faults(session, "CreateBatchInferenceJob", *[wire_faults.lost(closed)] * 9),
        wire_faults.faults(session, "DescribeBatchInferenceJob", *looks),
        pytest.raises(ServiceError, match=r"Whether the job was started is not known: pnb.attach\('unseen'\)"),
    ):
        pnb.recommend(["r1"], readers_model, num_results=2, job_name="unseen")
    assert pnb.attach("unseen", session).wait(progress=False).recommendations()["rank"].tolist() == [1, 2]


def test_bad_rows_stop_before_anything_is_sent(readers_model, session):
    before = stored(session)
    with pytest.raises(InputError, match="nothing was sent") as caught:
        pnb.recommend(pd.DataFrame({"user_id": [1.0, None]}), readers_model)
    assert len(caught.value.findings) == 2
    with pytest.raises(RequestError, match="takes users .userId., the input holds items"):
        pnb.recommend(pnb.items(["b1"]), readers_model)
    with pytest.raises(InputError, match="Give 'filter_values' to pnb.users"):
        pnb.recommend(pnb.users(["r1"]), readers_model, filter_values={"A": 1})
    assert stored(session) == before


def test_doubtful_settings_are_warned_of(books_model, session):
    with pytest.warns(UserWarning, match="'output' should end with '/'"):
        pnb.recommend(["b1"], books_model, output=session.location("doubtful"))


def test_an_unknown_solution_names_near_ones(readers_model, session):
    with pytest.raises(NotFoundError, match="no solution 'reeding'; there is 'reading-"):
        pnb.recommend(["r1"], "reeding", session=session)
    with pytest.raises(NotFoundError, match=f"{readers_model.name}.*"):
        pnb.find_solution_version("reading", session)  # two solutions begin so
    assert pnb.find_solution_version(readers_model.name, session) == readers_model
    assert pnb.find_solution_version(readers_model.arn, session).recipe == "aws-user-personalization"
    assert pnb.find_solution_version(readers_model.arn.split(":solution/")[1], session) == readers_model
    with pytest.raises(TypeError, match="got int"):
        pnb.find_solution_version(7, session)


def test_results_of_a_job_that_has_not_ended_or_failed(job):
    running = pnb.BatchInferenceJob(job.arn, job.session)
    running.describe = lambda: {"status": "CREATE IN_PROGRESS"}
    with pytest.raises(NotFoundError, match=r"is CREATE IN_PROGRESS; it has results once it is ACTIVE: job.wait\(\)"):
        running.recommendations()
    running.describe = lambda: {"status": "CREATE FAILED", "failureReason": "no role"}
    with pytest.raises(FailedError, match="ended in CREATE FAILED: no role"):
        running.themes()


def test_a_wait_that_times_out_does_not_lose_the_job(readers_model):
    job = pnb.recommend(["r1"], readers_model)
    with pytest.raises(WaitTimeoutError, match=rf"pnb.attach\('{job.name}'\).wait\(\)"):
        job.wait(timeout=0, progress=False)
    assert pnb.attach(job.name, job.session).wait(progress=False).status == "ACTIVE"


@pytest.mark.parametrize("base", ["weekly users!", "", "-_-", "x" * 200, "日本", "a--b"])
def test_made_names_are_legal_and_never_the_same(base):
    names = {new_job_name(base, datetime(2026, 11, 23)) for _ in range(20)}
    assert len(names) > 15
    assert all(limits.string_rule("Name").allows(name) for name in names)
    assert max(map(len, names)) < pd.get_option("display.max_colwidth")


def test_two_callers_with_one_name_never_share_a_job(session, readers_model, monkeypatch):
    monkeypatch.setattr(beginning, "check_name", lambda *_: None)  # both looked before either had started
    first = pnb.recommend(["r1"], readers_model, job_name="one-name", session=session)
    with pytest.raises(AlreadyExistsError):
        pnb.recommend(["r2"], readers_model, job_name="one-name", session=session)
    frame = first.wait(progress=False).recommendations()
    assert frame["user_id"].unique().tolist() == ["r1"]


def test_filter_values_need_a_filter(session, readers_model):
    with pytest.raises(InputError, match="'filter_values' need a filter"):
        pnb.recommend(["r1"], readers_model, filter_values={"SHELF": "sea"}, session=session)


def test_a_file_without_an_extension_is_not_warned_of_as_a_folder(readers_model, session):
    session.s3.put_object(Bucket=session.bucket, Key="bare/users", Body=b'{"userId": "r1"}\n')
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        job = pnb.recommend(f"s3://{session.bucket}/bare/users", readers_model, session=session)
    job.wait(progress=False)
    with pytest.warns(UserWarning, match="takes every object whose key begins so"):
        pnb.recommend(f"s3://{session.bucket}/bare/us", readers_model, session=session).wait(progress=False)
