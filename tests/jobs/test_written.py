"""Output that comes a moment late, is copied in place, or lies where little may be listed, is read all the same."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from botocore.awsrequest import AWSResponse

import personalize_nb as pnb
from personalize_nb.errors import AccessError, NotFoundError
from personalize_nb.jobs import written
from personalize_nb.session import s3
from personalize_nb.session.session import Session


@pytest.fixture(scope="module")
def job(readers_model):
    return pnb.recommend(["r1", "r2"], readers_model, num_results=2).wait(progress=False)


@pytest.fixture
def again(job, session):
    """Give the job as another kernel sees it, with clients of its own."""
    return pnb.attach(job.name, Session.local(session._service.path))


def users(job, **more):
    return job.results(**more).recommendations()["user_id"].unique().tolist()


@contextmanager
def absent(session, address):
    """Take an object away and give what brings it back."""
    bucket, key = s3.split(address)
    content = session.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    session.s3.delete_object(Bucket=bucket, Key=key)
    put = {"Bucket": bucket, "Key": key, "Body": content}
    try:
        yield lambda *_: session.s3.put_object(**put)
    finally:
        session.s3.put_object(**put)


def output_of(job):
    (found,) = s3.stored(job.session, f"{job.request.output_path}{job.request.input_path.rpartition('/')[2]}")
    return found.address


def test_output_may_come_a_moment_after_the_end(again, session):
    with absent(session, output_of(again)) as bring:
        assert users(again, sleep=bring) == ["r1", "r2"]


def test_output_that_does_not_come_is_told_after_a_while(again, session, capsys):
    slept = []
    with (
        absent(session, output_of(again)),
        pytest.raises(NotFoundError, match=r"no output ending in \.out.* is ACTIVE: its output was deleted") as caught,
    ):
        users(again, sleep=slept.append)
    assert "?" not in str(caught.value)
    assert capsys.readouterr().err.count(".jsonl' is not there yet; it is looked for again, for 30 seconds") == 1
    assert slept == list(written.PAUSES) and sum(slept) <= 60


def test_nobody_waits_for_the_output_of_an_old_job(again, session, monkeypatch):
    monkeypatch.setattr(written, "YOUNG", timedelta(0))
    with absent(session, output_of(again)), pytest.raises(NotFoundError, match=r"no output ending in \.out"):
        users(again, sleep=lambda _: pytest.fail("there is nothing to wait for"))


def test_the_output_of_every_file_is_waited_for(readers_model, session):
    folder, output = session.location("late", "in") + "/", session.location("late", "out") + "/"
    for name in ("a", "b"):
        pnb.users([f"r{name}"]).upload(session, f"{folder}{name}.jsonl")
    done = pnb.recommend(folder, readers_model, num_results=1, output=output).wait(progress=False)
    with absent(session, f"{output}b.jsonl.out") as bring:
        found = done.results(sleep=bring)
        assert len(found) == 2 and found.errors().empty


def test_a_run_waits_for_its_output_too(books_model, session):
    run = pnb.themes([f"b{number}" for number in range(101)], books_model, num_results=5).wait(progress=False)
    second = f"{run.request.output_path}002/002.jsonl.out"
    with absent(session, second) as bring:
        assert len(run.results(sleep=bring)) == 101
    # the part of a job that failed has none, and is not waited for
    other = pnb.attach(run.name, session)
    other._states.by_name[run._manifest.job_names[1]] = {
        **other._states.by_name[run._manifest.job_names[1]],
        "status": "CREATE FAILED",
    }
    with absent(session, second):
        assert other.results(sleep=lambda _: pytest.fail("nothing comes")).failed == 1


def later(job, by):
    def change(parsed, **_):
        for entry in parsed.get("Contents", ()):
            entry["LastModified"] += by

    job.session.s3.meta.events.register("after-call.s3.ListObjectsV2", change)


@pytest.mark.parametrize("by", [timedelta(seconds=2), timedelta(hours=1), timedelta(days=30)])
def test_output_that_is_copied_in_place_is_still_the_jobs(again, by):
    later(again, by)
    assert users(again) == ["r1", "r2"]


def test_who_may_list_no_jobs_is_told_what_is_not_known(again, capsys):
    later(again, timedelta(hours=1))
    deny(again.session.personalize, "ListBatchInferenceJobs", lambda _: True)
    assert users(again) == ["r1", "r2"]
    assert "whether by another job cannot be told" in capsys.readouterr().err


class Raw:
    def __init__(self, content):
        self.content = content

    def stream(self, *_, **__):
        return iter([self.content])

    def read(self, *_, **__):
        content, self.content = self.content, b""
        return content


def deny(client, operation, refused):
    """Answer as AWS answers who may not, where `refused` says so of the request's query."""
    service = client.meta.service_model.service_name
    text = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
    if service != "s3":
        text = b'{"__type":"AccessDeniedException","message":"not authorized"}'

    def answer(request, **_):
        query = {name: values[0] for name, values in parse_qs(urlsplit(request.url).query).items()}
        return AWSResponse(request.url, 403, {}, Raw(text)) if refused(query) else None

    client.meta.events.register(f"before-send.{service}.{operation}", answer)


def test_listing_needs_the_jobs_own_prefix_and_no_more(again):
    own = s3.split(again.request.output_path)[1].removesuffix("output/")
    deny(again.session.s3, "ListObjectsV2", lambda query: not query.get("prefix", "").startswith(own))
    deny(again.session.s3, "ListObjects", lambda _: True)
    assert users(again) == ["r1", "r2"] and again.errors().empty


def test_a_prefix_is_enough_to_start_and_read(readers_model, session):
    other = Session.local(session._service.path)
    prefix = f"{other.prefix}/"
    deny(other.s3, "ListObjectsV2", lambda query: not query.get("prefix", "").startswith(prefix))
    deny(other.s3, "HeadBucket", lambda _: True)
    assert users(pnb.recommend(["r7"], readers_model, num_results=1, session=other).wait(progress=False)) == ["r7"]


def test_files_whose_names_are_known_are_read_without_listing(again):
    deny(again.session.s3, "ListObjectsV2", lambda _: True)
    assert users(again) == ["r1", "r2"] and again.errors().empty


def test_what_may_not_be_listed_and_is_not_there_is_told_as_it_is(again, session, monkeypatch):
    monkeypatch.setattr(written, "YOUNG", timedelta(0))
    deny(again.session.s3, "ListObjectsV2", lambda _: True)
    with absent(session, output_of(pnb.attach(again.name, session))), pytest.raises(AccessError, match="ListObjectsV2"):
        users(again)


def test_without_the_input_the_output_is_worth_reading(again, capsys):
    for operation in ("GetObject", "HeadObject"):
        service = again.session.s3.meta
        source = again.request.input_path.rpartition("/")[2]

        def answer(request, source=source, **_):
            text = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
            return AWSResponse(request.url, 403, {}, Raw(text)) if request.url.split("?")[0].endswith(source) else None

        service.events.register(f"before-send.s3.{operation}", answer)
    assert sorted(users(again)) == ["r1", "r2"]
    assert "The input cannot be read" in capsys.readouterr().err
