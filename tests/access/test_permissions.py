"""Making and mending the role and the bucket policy, on the embedded service through the session a user has."""

from __future__ import annotations

import json

import botocore.exceptions
import pytest

import personalize_nb as pnb
from personalize_nb import errors
from personalize_nb.access.permissions import PROPAGATION_SECONDS, ROLE_POLICY

OTHER = {
    "Sid": "Others",
    "Effect": "Allow",
    "Principal": {"AWS": "arn:aws:iam::999999999999:root"},
    "Action": "s3:GetObject",
    "Resource": "arn:aws:s3:::pnb-shared/*",
}


def trust_of(session, name):
    return session.iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]["Statement"]


def test_the_text_to_paste():
    document = json.loads(pnb.bucket_policy("s3://my-bucket/folder/"))
    (statement,) = document["Statement"]
    assert statement["Principal"] == {"Service": "personalize.amazonaws.com"}
    assert statement["Resource"] == ["arn:aws:s3:::my-bucket", "arn:aws:s3:::my-bucket/*"]
    assert sorted(statement["Action"]) == ["s3:GetObject", "s3:ListBucket", "s3:PutObject"]


def test_a_bucket_without_policy_gets_one(session):
    session.s3.create_bucket(Bucket="pnb-empty")
    text = pnb.allow_personalize("pnb-empty", session=session)
    assert text == pnb.bucket_policy("pnb-empty", session)
    assert json.loads(session.s3.get_bucket_policy(Bucket="pnb-empty")["Policy"]) == json.loads(text)


def test_what_others_allowed_stays_and_twice_is_once(session):
    session.s3.create_bucket(Bucket="pnb-shared")
    before = {"Version": "2012-10-17", "Statement": [OTHER]}
    session.s3.put_bucket_policy(Bucket="pnb-shared", Policy=json.dumps(before))
    first = pnb.allow_personalize("pnb-shared", session=session)
    assert first == pnb.allow_personalize("pnb-shared", session=session)
    assert [each["Sid"] for each in json.loads(first)["Statement"]] == ["Others", "PersonalizeReadsAndWrites"]


def test_a_bucket_that_does_not_exist(session):
    with pytest.raises(errors.NotFoundError, match="pnb-nowhere"):
        pnb.allow_personalize("pnb-nowhere", session=session)


@pytest.fixture(scope="module", autouse=True)
def buckets(session):
    for name in ("pnb-a", "pnb-b"):
        session.s3.create_bucket(Bucket=name)


def test_a_new_role_trusts_personalize_for_this_account_and_may_use_the_buckets(session):
    arn = pnb.create_role("PnbNew", ["pnb-a", "s3://pnb-b/x"], session=session)
    assert arn == f"arn:aws:iam::{session.account}:role/PnbNew"
    (statement,) = trust_of(session, "PnbNew")
    assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": session.account}
    document = session.iam.get_role_policy(RoleName="PnbNew", PolicyName=ROLE_POLICY)["PolicyDocument"]
    resources = document["Statement"][0]["Resource"]
    assert resources == [f"arn:aws:s3:::{name}" for name in ("pnb-a", "pnb-a/*", "pnb-b", "pnb-b/*")]


def test_the_session_s_bucket_is_the_default(session):
    pnb.create_role("PnbDefault", session=session)
    document = session.iam.get_role_policy(RoleName="PnbDefault", PolicyName=ROLE_POLICY)["PolicyDocument"]
    assert f"arn:aws:s3:::{session.bucket}" in document["Statement"][0]["Resource"]


def test_a_role_with_another_trust_is_mended_and_keeps_it(session):
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    session.iam.create_role(RoleName="PnbMended", AssumeRolePolicyDocument=json.dumps(trust))
    pnb.create_role("PnbMended", "pnb-a", session=session)
    pnb.create_role("PnbMended", "pnb-b", session=session)
    services = [each["Principal"]["Service"] for each in trust_of(session, "PnbMended")]
    assert services == ["lambda.amazonaws.com", "personalize.amazonaws.com"]
    document = session.iam.get_role_policy(RoleName="PnbMended", PolicyName=ROLE_POLICY)["PolicyDocument"]
    assert [each["Resource"][0] for each in document["Statement"]] == ["arn:aws:s3:::pnb-a", "arn:aws:s3:::pnb-b"]


def test_on_aws_a_changed_role_is_waited_for_and_an_unchanged_one_is_not(session, monkeypatch):
    assert session.iam and session.account
    monkeypatch.setattr(type(session), "is_local", False)
    waits = []
    for _ in range(2):
        pnb.create_role("PnbWaited", "pnb-a", session=session, sleep=waits.append)
    assert waits == [PROPAGATION_SECONDS]


def test_a_job_runs_in_a_bucket_and_with_a_role_made_so(session, readers_model):
    session.s3.create_bucket(Bucket="pnb-whole")
    role = pnb.create_role("PnbWhole", ["pnb-whole", session.bucket], session=session)
    options = {"output": "s3://pnb-whole/out/", "role_arn": role, "num_results": 3, "session": session}
    with pytest.raises(errors.AccessError, match="pnb-whole.*there is none"):
        pnb.recommend(["r1"], readers_model, **options)
    pnb.allow_personalize("pnb-whole", session=session)
    job = pnb.recommend(["r1"], readers_model, **options)
    assert len(job.wait(progress=False).recommendations()) == 3


@pytest.mark.parametrize(
    ("buckets", "told"),
    [(["pnb-a", "pnb-nowhere"], "There is no bucket 'pnb-nowhere'; nothing was made"), ("no such", "no bucket's name")],
)
def test_a_role_for_a_bucket_that_does_not_exist_is_not_made(session, buckets, told):
    with pytest.raises((errors.NotFoundError, ValueError), match=told):
        pnb.create_role("PnbNowhere", buckets, session=session)
    with pytest.raises(session.iam.exceptions.NoSuchEntityException):
        session.iam.get_role(RoleName="PnbNowhere")


def test_a_bucket_that_the_caller_may_not_look_at_is_left_to_aws(session, monkeypatch):
    forbidden = botocore.exceptions.ClientError({"Error": {"Code": "403"}}, "HeadBucket")

    def head_bucket(**_):
        raise forbidden

    monkeypatch.setattr(session.s3, "head_bucket", head_bucket)
    assert pnb.create_role("PnbForeign", "pnb-of-others", session=session).endswith(":role/PnbForeign")


@pytest.mark.parametrize("name", ["bad name!", "", "x" * 65])
def test_a_role_s_name_is_checked_first(session, name):
    with pytest.raises(ValueError, match="'name' must have 1 to 64 letters"):
        pnb.create_role(name, session=session)
