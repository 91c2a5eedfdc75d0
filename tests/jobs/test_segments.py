"""Segments: users for items and for attributes of items, from data to a frame, in one call."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd
import pytest
import reading_world as world
from injected import answering, refused

import personalize_nb as pnb
from personalize_nb import errors
from personalize_nb.jobs.job import new_job_name

SEA = 'ITEMS.SHELF = "sea"'


def taste(users):
    """Return the shelves that readers keep to."""
    return [world.shelf_of(int(user.removeprefix("r"))) for user in users]


@pytest.fixture(scope="module")
def readers(session, affinity_model):
    """Give a filter on users whose placeholder is a kind of event."""
    text = "INCLUDE UserID WHERE Interactions.EVENT_TYPE IN ($EVENT)"
    return pnb.create_filter("segments-events", text, affinity_model, progress=False, session=session)


@pytest.fixture(scope="module")
def job(session, affinity_model):
    """Give a job that has ended."""
    return pnb.segments(["b0", "b1", "nowhere"], affinity_model, num_results=10).wait(progress=False)


def test_users_of_items(job):
    frame = job.segments(items=world.items())
    assert list(frame.columns) == ["item_id", "rank", "user_id", "title"]
    assert frame["item_id"].tolist() == ["b0"] * 10 + ["b1"] * 10 and frame["rank"].tolist() == [*range(1, 11)] * 2
    assert taste(frame["user_id"]) == ["sea"] * 10 + ["crime"] * 10
    assert job.errors()["item_id"].tolist() == ["nowhere"]


def test_the_job_is_found_again_listed_and_read_by_others(job, session, tmp_path):
    for found in (pnb.attach(job.name, session), pnb.attach(job.arn, session)):
        assert isinstance(found, pnb.BatchSegmentJob) and found.request == job.request
    assert found.status == "ACTIVE" and repr(found) == f"<BatchSegmentJob {job.name} ACTIVE: .segments() to read>"
    row = pnb.list_jobs(session=session).set_index("name").loc[job.name]
    assert (row["mode"], row["status"]) == ("BATCH_SEGMENT", "ACTIVE")
    read = pnb.read_results(job.request.output_path, job.request.input_path, session).segments()
    pd.testing.assert_frame_equal(read, job.segments())
    pd.testing.assert_frame_equal(pd.read_parquet(job.to_parquet(tmp_path / "s.parquet")), read, check_dtype=False)
    assert job.polars().segments().shape == read.shape


def test_the_request_is_code_that_says_the_same(job):
    world_of_code = SimpleNamespace(start=lambda request: request, SegmentRequest=pnb.SegmentRequest)
    assert eval(job.request.to_code(), {"pnb": world_of_code}) == job.request
    assert pnb.SegmentRequest.from_api(job.request.to_api()) == job.request


def test_who_may_not_list_segment_jobs_gets_the_others(session, job, readers_model, capsys):
    with refused(session, "personalize:ListBatchSegmentJobs"):
        assert job.name not in pnb.list_jobs(session=session)["name"].tolist()
    assert "batch segment jobs are not listed" in capsys.readouterr().err


FORMS = {
    "frame": (pd.DataFrame({"shelf": ["garden", "sea"], "Year": [None, 1903.0]}), ["garden", "sea"]),
    "mapping": ({"shelf": "crime"}, ["crime"]),
    "mappings": ([{"SHELF": "crime"}, {"shelf": "sea", "year": 1903}], ["crime", "sea"]),
    "text": (SEA, ["sea"]),
    "texts": ([SEA, 'ITEMS.SHELF = "crime" AND ITEMS.YEAR = 1901'], ["sea", "crime"]),
    "series": (pd.Series(["sea", "garden"], name="shelf"), ["sea", "garden"]),
}


@pytest.mark.parametrize("form", FORMS)
def test_users_of_attributes(attributes_model, form):
    data, shelves = FORMS[form]
    frame = pnb.segments(data, attributes_model, num_results=5).wait(progress=False).segments()
    assert list(frame.columns) == ["item_attributes", "rank", "user_id"]
    assert taste(frame["user_id"]) == [shelf for shelf in shelves for _ in range(5)]
    assert frame["item_attributes"].iloc[0].startswith(f'ITEMS.SHELF = "{shelves[0]}"')


def test_filters_choose_users_by_a_column_of_the_frame(readers, affinity_model):
    asked = pd.DataFrame({"item_id": ["b0", "b1"], "event": ["read", "bought"]})
    job = pnb.segments(asked, affinity_model, filter=readers, num_results=3).wait(progress=False)
    assert job.segments()["item_id"].tolist() == ["b0"] * 3 and job.segments()["EVENT"].tolist() == ["read"] * 3
    assert job.results().empty == 1


def test_more_items_than_a_file_takes_are_spread_over_files(affinity_model, session):
    ids = [f"b{number}" for number in range(501)]
    job = pnb.segments(ids, affinity_model, num_results=1, tags={"team": "books"}).wait(progress=False)
    assert job.request.input_path.endswith("/")
    frame = job.segments()
    assert frame["item_id"].tolist() == ids[: world.BOOKS] and len(job.errors()) == 501 - world.BOOKS
    assert job.only(prefix="b59").segments()["item_id"].tolist() == ["b59"]


def test_input_that_lies_in_s3(attributes_model, session):
    address = f"s3://{session.bucket}/segments/in.jsonl"
    session.s3.put_object(
        Bucket=session.bucket, Key="segments/in.jsonl", Body=b'{"itemAttributes": "ITEMS.SHELF = \\"sea\\""}\n'
    )
    job = pnb.segments(address, attributes_model, num_results=2).wait(progress=False)
    assert job.segments()["item_attributes"].unique().tolist() == [SEA]


# what is refused, before anything is sent


@pytest.mark.parametrize(
    ("model", "data", "more", "told"),
    [
        ("readers_model", ["r1"], {}, "this one is of aws-user-personalization: pnb.recommend"),
        ("affinity_model", ["b1"], {"num_results": 5_000_001}, "'num_results' may be at most 5,000,000 users"),
        ("affinity_model", ["b1"], {"num_results": 0}, "'num_results' must be a whole number from 1"),
        ("affinity_model", pd.DataFrame({"user_id": ["r1"]}), {}, "The recipe takes a column 'item_id'"),
        ("affinity_model", ["b1"], {"filter_values": {"AGE": 3}}, "need a filter"),
        ("attributes_model", ["b1"], {}, "legal are equalities of items' fields joined with AND"),
        ("attributes_model", {"genre": "sea"}, {}, "no field 'genre'; they have "),
        ("attributes_model", pd.DataFrame({"item_id": ["b1"]}), {}, "Ids are for the recipe aws-item-affinity"),
        ("attributes_model", {"description": "x"}, {}, "DESCRIPTION is a textual field"),
        ("attributes_model", {"year": "old"}, {}, "YEAR is a number, got 'old'"),
        ("attributes_model", pnb.items(["b1"]), {}, "takes queries"),
    ],
)
def test_what_cannot_work_is_refused(request, model, data, more, told):
    with pytest.raises((errors.InputError, errors.RequestError), match=f"(?s){told}"):
        pnb.segments(data, request.getfixturevalue(model), **more)


def test_a_filter_on_items_is_refused_and_one_on_users_by_recommend(session, affinity_model, readers_model, readers):
    text = 'INCLUDE ItemID WHERE Items.SHELF IN ("sea")'
    of_items = pnb.create_filter("segments-items", text, readers_model, progress=False, session=session)
    with pytest.raises(errors.RequestError, match="takes filters on users, this one is on items"):
        pnb.segments(["b1"], affinity_model, filter=of_items)
    with pytest.raises(errors.RequestError, match="takes filters on items, this one is on users"):
        pnb.recommend(["r1"], readers_model, filter=readers, filter_values={"EVENT": "read"})


def test_a_refused_job_leaves_no_file(session, affinity_model, job):
    name = new_job_name("refused")
    with refused(session, "personalize:CreateBatchSegmentJob"), pytest.raises(errors.AccessError):
        pnb.segments([f"b{number}" for number in range(501)], affinity_model, job_name=name)
    assert "Contents" not in session.s3.list_objects_v2(Bucket=session.bucket, Prefix=f"personalize-nb/jobs/{name}")
    with pytest.raises(errors.AlreadyExistsError, match="A batch segment job named"):
        pnb.segments(["b1"], affinity_model, job_name=job.name)


def test_one_name_of_two_kinds(session, job, readers_model, capsys):
    try:
        pnb.recommend(["r1"], readers_model, job_name=job.name, num_results=1)
    except errors.AlreadyExistsError:
        pytest.fail("names of the two kinds do not meet")
    assert isinstance(pnb.attach(job.name, session), pnb.BatchInferenceJob)
    assert f"a batch segment job of this name as well: pnb.attach({job.reference!r})" in capsys.readouterr().err
    assert pnb.attach(job.reference, session).segments().equals(job.segments())


# all that others can


def test_filters_name_the_call_that_takes_them(readers):
    assert "pnb.segments(..., filter='segments-events'" in repr(readers)


def test_segments_come_in_blocks(job):
    blocks = list(job.blocks(rows=1))
    assert [len(one) for one in blocks] == [10, 10, 0]
    pd.testing.assert_frame_equal(pd.concat(blocks, ignore_index=True), job.segments(), check_dtype=False)


def test_what_was_asked_before_is_found_again(job, affinity_model):
    ids = ["b0", "b1", "nowhere"]
    assert pnb.segments(ids, affinity_model, num_results=10, reuse=True).arn == job.arn


def test_a_segment_job_is_repeated_and_its_failed_lines_are_sent_again(job, session):
    again = job.repeat(num_results=3).wait(progress=False)
    assert isinstance(again, pnb.BatchSegmentJob) and len(again.segments()) == 6
    with pytest.raises(TypeError, match=r"has no parameter 'mode'; legal are .*num_results"):
        job.repeat(mode="THEME_GENERATION")
    run = again.retry_failed()
    assert isinstance(run, pnb.Run)
    run = pnb.attach(run.name, session).wait(progress=False)
    assert run.segments().equals(again.segments()) and run.errors()["item_id"].tolist() == ["nowhere"]
    assert {one.arn.split(":")[5].split("/")[0] for one in run.jobs} == {"batch-segment-job"}
    assert ".segments() to read" in repr(run)


def test_segments_wait_for_room_and_run_many_at_once(job, affinity_model, session, readers_model, capsys):
    with answering(session.client("personalize"), "CreateBatchSegmentJob", "LimitExceededException"):
        run = pnb.segments(["b1"], affinity_model, num_results=2)
        assert isinstance(run, pnb.Run) and "there is no room" in capsys.readouterr().err
    names = [new_job_name("many") for _ in range(2)]
    asked = [
        job.request.replace(job_name=name, num_results=n + 1, output_path=session.location(name) + "/")
        for n, name in enumerate(names)
    ]
    many = pnb.run(asked, session=session)
    pnb.wait([run, many], progress=False)
    assert len(run.segments()) == 2
    assert many.segments()["job"].value_counts().to_dict() == {names[0]: 2, names[1]: 4}
    other = pnb.JobRequest(
        **{one: getattr(asked[0], one) for one in ("solution_version_arn", "role_arn")},
        job_name="x",
        input_path="s3://b/i.jsonl",
        output_path="s3://b/o/",
    )
    with pytest.raises(errors.InputError, match="must be of one kind"):
        pnb.run([asked[0], other], session=session)


# before it starts


def test_preflight_knows_what_a_segment_job_needs(session, affinity_model, attributes_model, readers):
    for data, model in ((["b1"], affinity_model), ({"shelf": "sea"}, attributes_model)):
        report = pnb.preflight(data, model, num_results=3)
        assert set(report["level"]) == {"ok"}, report.to_string()
    assert "0 batch segment jobs are" in " ".join(report["found"])
    wrong = pnb.preflight({"nope": 1}, attributes_model, num_results=0, filter="segments-nowhere")
    told = " ".join(wrong["found"])
    assert "no field 'nope'" in told and "'num_results' must be" in told and "segments-nowhere" in told
    with pytest.raises(TypeError, match=r"pnb\.segments has no parameter 'exploration_weight'"):
        pnb.preflight(["b1"], affinity_model, exploration_weight=0.5)


def test_preflight_judges_requests_and_botos_arguments_alike(session, job, affinity_model):
    request = job.request.replace(job_name=new_job_name("free"))
    for asked in (request, request.to_api(), job.describe()):
        report = pnb.preflight(asked, session=session)
        levels = dict(zip(report["check"], report["level"], strict=True))
        assert levels["quota"] == "ok" and "request: solution_version_arn" not in levels, report.to_string()
    assert levels["job name"] == "error"
    with pytest.raises(errors.RequestError, match="batchInferenceJobMode|did you mean"):
        pnb.preflight({**job.describe(), "numResult": 3}, session=session)


def test_preflight_counts_the_lines_of_a_file(session, affinity_model):
    lines = b"".join(b'{"itemId": "b%d"}\n' % number for number in range(501))
    session.s3.put_object(Bucket=session.bucket, Key="segments/many.jsonl", Body=lines)
    report = pnb.preflight(f"s3://{session.bucket}/segments/many.jsonl", affinity_model)
    assert "it has 501 lines; a file has at most 500" in " ".join(report["found"])
