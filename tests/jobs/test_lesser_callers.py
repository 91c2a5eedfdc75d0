"""Callers who may not delete, list, or ask who they are: they train, start and read all the same.

And what went wrong is told, though clearing away after it fails as well.
"""

from __future__ import annotations

import itertools
import json
import logging

import boto3
import pandas as pd
import pytest
import reading_world
from injected import answering, refused

import personalize_nb as pnb
from personalize_nb import errors
from personalize_nb.session import s3
from personalize_nb.session.session import Session

SPARED = ("s3:DeleteObject", "s3:ListBucket", "sts:GetCallerIdentity", "iam:Get*")
LOST = [*((one,) for one in SPARED), *itertools.combinations(SPARED, 2), SPARED]


@pytest.fixture
def caller(local_service, session, monkeypatch):
    """Give a session that has to ask for everything, as on AWS."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", local_service.url)
    keys = {"aws_access_key_id": local_service.access_key, "aws_secret_access_key": local_service.secret_key}
    own = boto3.Session(region_name=local_service.region, **keys)
    made = Session.aws(bucket=session.bucket, role_arn=session.role_arn, boto3_session=own)
    assert not made.is_local
    return made


def waited(work):
    return work.wait(progress=False, sleep=lambda _: None)


@pytest.mark.parametrize("lost", LOST, ids="+".join)
def test_a_job_is_started_and_read(caller, readers_model, lost):
    with refused(caller, *lost):
        job = waited(pnb.recommend(["r1", "r2"], "reading-user-personalization", session=caller))
        assert job.recommendations().user_id.unique().tolist() == ["r1", "r2"]
        output = job.request.output_path
        again = waited(pnb.recommend(["r1", "r2"], "reading-user-personalization", output=output, session=caller))
        assert len(again.errors()) == 0
        assert waited(pnb.attach(job.name, session=caller)).name == job.name
        given = pnb.recommend(job.request.input_path, "reading-user-personalization", output=output, session=caller)
        assert waited(given).results().failed == 0


def test_a_run_of_several_jobs_is_started_and_read(caller, books_model):
    with refused(caller, *SPARED):
        run = waited(pnb.themes([f"b{number}" for number in range(101)], books_model.arn, session=caller))
        assert len(run.jobs) == 2
        found, wrong = run.themes(threshold=None, minimum_items=0), run.errors()
        assert found.item_id.nunique() >= reading_world.BOOKS
    freely = pnb.attach(run.name, session=caller)
    pd.testing.assert_frame_equal(found, freely.themes(threshold=None, minimum_items=0))
    pd.testing.assert_frame_equal(wrong, freely.errors())


def test_a_model_is_trained(caller, caplog):
    frames = reading_world.interactions(), reading_world.items()
    with refused(caller, *SPARED, "personalize:ListDatasetGroups"):
        version = pnb.train(*frames, name="lesser", recipe="aws-sims", progress=False, session=caller)
    assert version.status == "ACTIVE"
    left = [one for one in caplog.messages if "could not be deleted" in one]
    assert len(left) == 2 and all("/data/lesser-" in one for one in left)


def test_the_error_is_told_though_clearing_away_fails(caller, readers_model, books_model, caplog):
    lost = ("personalize:CreateBatchInferenceJob", "s3:DeleteObject")
    with refused(caller, *lost), pytest.raises(errors.AccessError, match="perform CreateBatchInferenceJob"):
        pnb.recommend(["r1"], readers_model.arn, job_name="lesser-refused", session=caller)
    assert [one for one in caplog.messages if "lesser-refused/input/" in one and "could not be deleted" in one]
    with refused(caller, *lost), pytest.raises(errors.AccessError, match="perform CreateBatchInferenceJob"):
        pnb.themes([f"b{number}" for number in range(101)], books_model.arn, job_name="lesser-run", session=caller)
    with (
        refused(caller, "personalize:CreateDatasetImportJob", "personalize:DeleteDatasetGroup", "s3:DeleteObject"),
        pytest.raises(errors.AccessError, match="perform CreateDatasetImportJob") as raised,
    ):
        pnb.train(reading_world.interactions(), name="lesser-import", progress=False, session=caller)
    assert "stays" in str(raised.value)


def test_a_run_is_not_written_over_because_it_may_not_be_read(caller, books_model):
    ids = [f"b{number}" for number in range(101)]
    run = waited(pnb.themes(ids, books_model.arn, job_name="lesser-kept", session=caller))
    again = {"job_name": run.name, "session": caller}
    with (
        answering(caller.s3, "GetObject", "ExpiredToken"),
        pytest.raises(errors.CredentialsError, match="GetObject is refused"),
    ):
        pnb.themes([*ids, "b101"], books_model.arn, **again)
    with refused(caller, "s3:GetObject"), pytest.raises(errors.AlreadyExistsError, match="A run named"):
        pnb.themes([*ids, "b101"], books_model.arn, **again)
    with (
        refused(caller, "s3:GetObject", "personalize:ListBatchInferenceJobs"),
        pytest.raises(errors.AccessError, match=f"GetObject.*whether there is a run named '{run.name}'"),
    ):
        pnb.themes([*ids, "b101"], books_model.arn, **again)
    assert len(pnb.attach(run.name, session=caller)) == len(ids)
    with refused(caller, "s3:GetObject"):  # as S3 answers what is not there to those who may not list
        assert len(pnb.themes(ids, books_model.arn, job_name="lesser-kep", session=caller)) == len(ids)


def test_why_a_run_cannot_be_read_is_told_and_not_that_there_is_none(caller, books_model):
    run = waited(pnb.themes([f"b{number}" for number in range(101)], books_model.arn, session=caller))
    with answering(caller.s3, "GetObject", "ExpiredToken"), pytest.raises(errors.CredentialsError, match="GetObject"):
        pnb.attach(run.name, session=caller)
    with refused(caller, "s3:GetObject"):
        with pytest.raises(errors.AccessError, match=f"perform GetObject.*There is no job '{run.name}', and"):
            pnb.attach(run.name, session=caller)
        assert pnb.attach(run.jobs[0].name, session=caller).status == "ACTIVE"


def test_credentials_that_end_while_results_are_read_are_told_and_spoil_nothing(caller, readers_model):
    job = waited(pnb.recommend(["r2", "r1"], readers_model.arn, num_results=1, session=caller))
    results = job.results()
    for operation in ("ListObjectsV2", "GetObject"):
        with answering(caller.s3, operation, "ExpiredToken"), pytest.raises(errors.CredentialsError, match=operation):
            results.recommendations()
    with (
        refused(caller, "s3:ListBucket"),
        answering(caller.s3, "HeadObject", "ExpiredToken"),
        pytest.raises(errors.CredentialsError, match="HeadObject"),
    ):
        results.recommendations()
    assert results.recommendations().user_id.tolist() == ["r2", "r1"]


NAMES = {
    "ListBatchInferenceJobs": lambda session: pnb.attach("lesser-nothing", session=session),
    "ListFilters": lambda session: pnb.find_filter("lesser-nothing", session),
    "ListSolutions": lambda session: pnb.find_solution_version("lesser-nothing", session),
    "ListDatasetGroups": lambda session: pnb.delete_dataset_group("lesser-nothing", session=session, progress=False),
}


@pytest.mark.parametrize("operation", NAMES)
def test_what_is_not_there_is_told_though_no_names_may_be_listed(caller, operation):
    with refused(caller, f"personalize:{operation}"), pytest.raises(errors.NotFoundError, match="lesser-nothing"):
        NAMES[operation](caller)


def test_a_full_quota_is_told_though_the_groups_may_not_be_listed(caller):
    with (
        answering(caller.personalize, "CreateDatasetGroup", "LimitExceededException"),
        refused(caller, "personalize:ListDatasetGroups"),
        pytest.raises(errors.QuotaError, match="CreateDatasetGroup is refused"),
    ):
        pnb.train(reading_world.interactions(), name="lesser-full", progress=False, session=caller)


def test_the_account_is_that_of_the_role_or_of_what_is_there(caller, session, readers_model):
    with refused(caller, "sts:GetCallerIdentity"):
        assert caller.account == session.account
    for lost in ((), ("personalize:ListDatasetGroups",)):
        other = Session.aws(boto3_session=caller._source.boto3_session)
        with refused(other, "sts:GetCallerIdentity", *lost):
            if lost:
                with pytest.raises(errors.AccessError, match="perform GetCallerIdentity"):
                    _ = other.account
            else:
                assert other.account == session.account


def test_what_is_cleared_away_is_gone_and_what_stays_is_named(session, caplog):
    address = f"s3://{session.bucket}/lesser/a.txt"
    session.s3.put_object(Bucket=session.bucket, Key="lesser/a.txt", Body=json.dumps({}).encode())
    with caplog.at_level(logging.INFO, "personalize_nb"):
        with refused(session, "s3:DeleteObject"):
            s3.delete(session, [address])
        assert s3.stored(session, address) and f"{address} is of no more use and stays" in caplog.text
        s3.delete(session, [address, address])
    assert s3.stored(session, address) == [] and f"deleted {address}" in caplog.text
