"""What `preflight` finds before a job is started: everything at once, with the policy to paste, and never an error."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

import personalize_nb as pnb
from personalize_nb import columns

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
    """Preflight a request; return the findings that are not ok, by check."""

    def look(request, levels=("error", "warning", "could not be checked")):
        frame = pnb.preflight(request, session=session)
        assert tuple(frame.columns) == columns.FINDINGS
        return {row.check: row for row in frame.itertuples() if row.level in levels}

    return look


def test_a_right_request_has_only_good_findings(found, request_of):
    assert found(request_of()) == {}
    good = found(request_of(), levels=("ok",))
    assert {"solution version", "request", "job name", "quota", "permissions"} <= set(good)


def test_the_arguments_of_boto3_are_taken_too(found, request_of):
    assert found(request_of().to_api()) == {}
    missing = {"jobName": "x"}
    assert "request: role_arn" in found(missing)


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
    findings = found(request)
    wanted = {"request: job_name", "request: num_results", "request: input_path", "filter", "region", "input", "role"}
    assert wanted <= set(findings)
    assert "eu-west-1" in findings["region"].found
    assert "pnb.create_role('PreflightNobody'" in findings["role"].to_do
    assert "arn:aws:s3:::preflight-far/*" in findings["role"].policy


def test_a_bucket_without_policy_and_the_policy_to_paste(found, request_of, session):
    session.s3.create_bucket(Bucket="preflight-own")
    request = request_of(output_path="s3://preflight-own/out/")
    finding = found(request)["bucket policy"]
    assert "s3:PutObject" in finding.found and "there is none" in finding.found
    assert "pnb.allow_personalize('preflight-own')" in finding.to_do
    session.s3.put_bucket_policy(Bucket="preflight-own", Policy=finding.policy)
    assert found(request) == {}


def test_a_missing_bucket(found, request_of):
    assert "preflight-none" in found(request_of(output_path="s3://preflight-none/out/"))["bucket"].found


def test_trust_and_role_policy_to_paste(found, request_of, session):
    role = session.iam.create_role(RoleName="PreflightRole", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]
    request = request_of(role_arn=role["Arn"])
    findings = found(request)
    assert set(findings) == {"trust policy", "role policy"}
    session.iam.update_assume_role_policy(RoleName="PreflightRole", PolicyDocument=findings["trust policy"].policy)
    session.iam.put_role_policy(
        RoleName="PreflightRole", PolicyName="pasted", PolicyDocument=findings["role policy"].policy
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
    assert "error" not in set(frame.level)
    unchecked = frame[frame.level == "could not be checked"]
    assert len(unchecked) >= 5
    assert unchecked.found.str.contains("not authorized").all()
    assert "permissions" not in set(frame[frame.level == "ok"].check)
