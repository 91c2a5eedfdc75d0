"""What `preflight` finds before a job is started: everything at once, with the policy to paste, and never an error."""

from __future__ import annotations

import copy
import json

import pandas as pd
import pytest
from botocore.exceptions import ClientError

import personalize_nb as pnb
from personalize_nb import errors
from personalize_nb.contract import columns, limits

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"},
    ],
}


@pytest.fixture(scope="module")
def request_of(session, readers_model):
    """Make a request that is right, with changes."""
    session.s3.put_object(Bucket=session.bucket, Key="preflight/in/users.jsonl", Body=b'{"userId": "r1"}\n')

    def make(**changes):
        folder = f"s3://{session.bucket}/preflight"
        good = pnb.JobRequest(
            job_name="preflight-free",
            solution_version_arn=readers_model.arn,
            input_path=f"{folder}/in/users.jsonl",
            output_path=f"{folder}/out/",
            role_arn=session.role(),
        )
        return good.replace(**changes)

    return make


@pytest.fixture
def found(session):
    """Preflight a request; return the checks that are not ok, by check."""

    def look(request, levels=("error", "warning", "could not be checked")):
        frame = pnb.preflight(request, session=session)
        assert tuple(frame.columns) == columns.REPORT
        return {row.check: row for row in frame.itertuples() if row.level in levels}

    return look


def test_a_right_request_passes_all_checks(found, request_of):
    assert found(request_of()) == {}
    good = found(request_of(), levels=("ok",))
    assert {"solution version", "request", "job name", "quota", "permissions"} <= set(good)


def test_the_arguments_of_boto3_are_taken_too(found, request_of):
    assert found(request_of().to_api()) == {}
    missing = {"jobName": "x"}
    assert "request: role_arn" in found(missing)


def test_what_is_no_request_is_refused_with_the_legal_ways(session, readers_model):
    frame = pd.DataFrame({"user_id": ["r1", "r2"]})
    with pytest.raises(errors.RequestError, match=r"Got a DataFrame of 2 without a model") as raised:
        pnb.preflight(frame, session=session)
    assert "pnb.preflight(ids, model" in str(raised.value)
    with pytest.raises(errors.RequestError, match="Got 'books' without a model"):
        pnb.preflight("books", session=session)
    with pytest.raises(errors.RequestError) as raised:
        pnb.preflight({"solution_version": "x", "jobInput": {"s3Source": 1}, "jobName": 5}, session=session)
    text = str(raised.value)
    assert "'solution_version' (did you mean 'solutionVersionArn'?)" in text and "jobName, solutionVersionArn" in text
    assert "'jobInput.s3Source' (did you mean 's3DataSource'?)" in text and "'jobInput' lacks 's3DataSource'" in text
    assert "'jobName' must be a string, got 5" in text
    with pytest.raises(errors.RequestError, match="'jobOutput' must be a mapping with the keys s3DataDestination"):
        pnb.preflight({"jobOutput": "s3://b/out/"}, session=session)
    exploration = {"itemExplorationConfig": {"explorationWeight": "much"}}
    with pytest.raises(errors.RequestError, match="'much'"):
        pnb.preflight({"batchInferenceJobConfig": exploration}, session=session)
    with pytest.raises(TypeError, match="no parameter 'num_result'.*'num_results'"):
        pnb.preflight(frame, readers_model, num_result=3)
    with pytest.raises(TypeError, match="go with ids and their model"):
        pnb.preflight({"jobName": "x"}, num_results=3, session=session)


def test_what_the_service_describes_is_a_request_too(found, session, readers_model):
    job = pnb.recommend(["r1"], readers_model, job_name="preflight-described", session=session)
    job.wait(progress=False)
    assert set(found(job.describe())) == {"job name"}


def test_data_and_a_model_before_there_is_a_request(session, readers_model):
    before = session.s3.list_objects_v2(Bucket=session.bucket, Prefix=f"{session.prefix}/jobs/")["KeyCount"]
    frame = pnb.preflight(pd.DataFrame({"user_id": ["r1"]}), readers_model, num_results=3, tags={"team": "a"})
    assert set(frame.level) == {"ok"} and "permissions" in set(frame.check)
    after = session.s3.list_objects_v2(Bucket=session.bucket, Prefix=f"{session.prefix}/jobs/")["KeyCount"]
    assert after == before


def test_data_and_a_model_with_everything_wrong(session, readers_model):
    values = {"user_id": ["r1", None]}
    frame = pnb.preflight(
        pd.DataFrame(values),
        "reading-user-personalization",
        session,
        num_results=0,
        filter="preflight-no-such-filter",
        role_arn=f"arn:aws:iam::{session.account}:role/PreflightNobody",
        job_name="a b",
    )
    wrong = frame[frame.level == "error"].set_index("check").found
    assert {"input", "filter", "request: num_results", "request: job_name", "role"} <= set(wrong.index)
    assert "row" in wrong["input"] and "preflight-no-such-filter" in wrong["filter"]


def test_data_of_the_wrong_kind_and_values_that_a_filter_lacks(session, readers_model):
    chosen = pnb.create_filter(
        "preflight-shelf", "INCLUDE ItemID WHERE Items.SHELF IN ($SHELF)", readers_model, session=session
    )
    frame = pnb.preflight(["r1"], readers_model, filter=chosen, ranking_influence={"popularity": 0.5})
    assert not frame["found"].str.contains("takes POPULARITY").any()
    assert "$SHELF" in frame[frame.check == "request: filter_values"].found.item()
    frame = pnb.preflight(pnb.items(["b1"]), readers_model)
    assert "takes users" in frame[frame.check == "request: input_path"].found.item()


@pytest.mark.parametrize(("values", "level"), [("b1,b2", "warning"), ("b1, b2", "warning"), (["b1,b2", "b3"], "ok")])
def test_a_filter_value_with_commas_is_warned_of(session, readers_model, values, level):
    expression = "EXCLUDE ItemID WHERE Items.ITEM_ID IN ($IDS)"
    chosen = pnb.create_filter("preflight-commas", expression, readers_model, progress=False, session=session)
    frame = pnb.preflight(["r1"], readers_model, filter=chosen, filter_values={"IDS": values})
    assert frame["level"].iloc[0] == level
    assert (frame.check == "filter_values").any() == (level == "warning")
    assert frame["found"].str.contains("several values are a list, .'b1', 'b2'.").any() == (level == "warning")


def test_events_that_awss_filters_no_longer_count_are_warned_of(session, readers_model, monkeypatch):
    expressions = {"preflight-read": 'EXCLUDE ItemID WHERE interactions.event_type IN ("read")'}
    expressions["preflight-year"] = "EXCLUDE ItemID WHERE Items.YEAR < 0"
    for name, expression in expressions.items():
        pnb.create_filter(name, expression, readers_model, progress=False)

    def warned(name):
        frame = pnb.preflight(["r1"], readers_model, filter=name)
        return frame[frame.check == "history"]

    assert len(warned("preflight-read")) == 0
    monkeypatch.setattr(limits, "FILTER_HISTORY_DAYS", 0)  # as if the import were that old
    told = warned("preflight-read")
    assert told.level.tolist() == ["warning"] and "no longer count the events" in told.found.item()
    assert len(warned("preflight-year")) == 0


def test_more_theme_items_than_a_file_holds_become_several_jobs(session, books_model):
    ids = [f"b{number}" for number in range(150)]
    frame = pnb.preflight(ids, books_model, mode="THEME_GENERATION")  # the name column is looked up as for the job
    assert set(frame.level) == {"ok"}


def test_the_model_is_found_by_name_or_told(session):
    with pytest.raises(errors.NotFoundError, match="preflight-nothing"):
        pnb.preflight(["r1"], "preflight-nothing", session=session)


def test_a_session_without_a_role_is_told_with_the_rest(session, readers_model):
    bare = copy.copy(session)
    bare.role_arn = None
    frame = pnb.preflight(["r1"], readers_model, bare)
    assert "request: role_arn" in set(frame[frame.level == "error"].check)


def test_everything_at_once(found, request_of, session):
    session.s3.create_bucket(Bucket="preflight-far", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    request = request_of(
        job_name="a b",
        input_path=f"s3://{session.bucket}/preflight/nothing",
        output_path="s3://preflight-far/out/",
        role_arn=f"arn:aws:iam::{session.account}:role/PreflightNobody",
        num_results=0,
        filter_arn=session.arn("filter", "preflight-none"),
    )
    checks = found(request)
    wanted = {"request: job_name", "request: num_results", "filter", "region", "input", "role"}
    assert wanted <= set(checks)
    assert "eu-west-1" in checks["region"].found
    assert "pnb.create_role('PreflightNobody'" in checks["role"].to_do
    assert "arn:aws:s3:::preflight-far/*" in checks["role"].policy


def test_a_bucket_without_policy_and_the_policy_to_paste(found, request_of, session):
    session.s3.create_bucket(Bucket="preflight-own")
    request = request_of(output_path="s3://preflight-own/out/")
    check = found(request)["bucket policy"]
    assert "s3:PutObject" in check.found and "there is none" in check.found
    assert "pnb.allow_personalize('preflight-own')" in check.to_do
    session.s3.put_bucket_policy(Bucket="preflight-own", Policy=check.policy)
    assert found(request) == {}


def test_a_missing_bucket(found, request_of):
    assert "preflight-none" in found(request_of(output_path="s3://preflight-none/out/"))["bucket"].found


def test_trust_and_role_policy_to_paste(found, request_of, session):
    role = session.iam.create_role(RoleName="PreflightRole", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]
    request = request_of(role_arn=role["Arn"])
    checks = found(request)
    assert set(checks) == {"trust policy", "role policy"}
    session.iam.update_assume_role_policy(RoleName="PreflightRole", PolicyDocument=checks["trust policy"].policy)
    session.iam.put_role_policy(
        RoleName="PreflightRole", PolicyName="pasted", PolicyDocument=checks["role policy"].policy
    )
    assert found(request) == {}


def test_a_taken_name(found, request_of, session, readers_model):
    job = pnb.recommend(["r1"], readers_model, job_name="preflight-taken", session=session)
    assert "taken" in found(request_of(job_name="preflight-taken"))["job name"].found
    job.wait(progress=False)


def test_themes_need_their_fields(found, request_of, books_model):
    themed = {"mode": "THEME_GENERATION", "solution_version_arn": books_model.arn}
    assert found(request_of(**themed, item_name="TITLE")).keys() <= {"request: input_path"}
    assert "'NAME'" in found(request_of(**themed, item_name="NAME"))["themes"].found


def test_the_wrong_recipe_for_themes(found, request_of):
    assert "request: mode" in found(request_of(mode="THEME_GENERATION", item_name="TITLE"))


def test_what_may_not_be_read_is_said_and_nothing_is_raised(found, request_of, session, monkeypatch):
    def refuse(*_, **__):
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "not authorized"}}, "Refused")

    for client, names in (
        (session.iam, ("get_role", "get_role_policy", "get_paginator")),
        (session.s3, ("get_bucket_policy", "get_bucket_location", "list_objects_v2")),
        (session.personalize, ("describe_batch_inference_job",)),
    ):
        for name in names:
            monkeypatch.setattr(client, name, refuse)
    frame = pnb.preflight(request_of(), session=session)
    assert frame.check[frame.level == "error"].tolist() == ["caller: refused"]
    unchecked = frame[frame.level == "could not be checked"]
    assert {"job name", "caller", "permissions"} <= set(unchecked.check)
    assert unchecked.found.str.contains("not allowed to you").all()
    assert "permissions" not in set(frame[frame.level == "ok"].check)
