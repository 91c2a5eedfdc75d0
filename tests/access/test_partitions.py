"""Regions outside of AWS's first partition: a job from a role that is not there yet to its results, and every ARN."""

from __future__ import annotations

import re

import pytest
import reading_world

import personalize_nb as pnb
from personalize_nb.session import connection
from personalize_nb.session.session import Session
from personalize_nb.training.train import train

PARTITIONS = {"cn-north-1": "aws-cn", "us-gov-west-1": "aws-us-gov"}


@pytest.fixture(scope="module", params=list(PARTITIONS))
def far(request, clean_environment, tmp_path_factory):
    """Give a session in a region of another partition, with a model."""
    session = Session.local(tmp_path_factory.mktemp("far"), region=request.param)
    frames = reading_world.interactions(), reading_world.items()
    yield session, train(*frames, name="reading", progress=False, session=session)
    session.stop()


def partitions_in(text):
    return set(re.findall(r"arn:([a-z-]+):", text))


def test_a_job_is_mended_and_runs_and_every_arn_is_of_the_partition(far, monkeypatch):
    session, model = far
    monkeypatch.setattr(connection, "_current", session)
    wanted = {PARTITIONS[session.region]}
    session.s3.create_bucket(Bucket="far-out", CreateBucketConfiguration={"LocationConstraint": session.region})
    key = session.client("kms").create_key()["KeyMetadata"]["Arn"]
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
    session.s3.put_bucket_encryption(Bucket="far-out", ServerSideEncryptionConfiguration={"Rules": [rule]})
    role = f"arn:{session.partition}:iam::{session.account}:role/team/Far"
    options = {"output": "s3://far-out/x/", "role_arn": role}
    report = pnb.preflight(["r1"], model, **options)
    assert list(report[report.level == "error"].check) == ["role", "bucket policy", "key policy"]
    repair = report.repair()
    assert partitions_in(repr(report) + repr(repair)) == wanted
    assert set(re.findall(r"personalize\.amazonaws\.com[\w.]*", repr(repair))) == {"personalize.amazonaws.com"}
    repair.apply()
    report = pnb.preflight(["r1"], model, **options)
    assert set(report.level) == {"ok"}, report
    job = pnb.recommend(["r1"], model, num_results=3, **options)
    assert len(job.wait(progress=False).recommendations()) == 3
    repair.undo()
    assert "role" in set(pnb.preflight(["r1"], model, **options).check)


def test_what_the_service_itself_names_is_of_the_partition(far):
    session, model = far
    wanted = {PARTITIONS[session.region]}
    policy = session.iam.create_policy(
        PolicyName="Far",
        PolicyDocument='{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", '
        f'"Resource": "arn:{session.partition}:s3:::x"}}}}',
    )["Policy"]
    managed = f"arn:{session.partition}:iam::aws:policy/service-role/AmazonPersonalizeFullAccess"
    told = [
        session.role(),
        session.sts.get_caller_identity()["Arn"],
        policy["Arn"],
        repr(session.iam.get_policy_version(PolicyArn=managed, VersionId="v1")["PolicyVersion"]["Document"]),
        repr(session.personalize.list_recipes()),
        repr(session.call("describe_solution_version", solutionVersionArn=model.arn)),
        session.s3.get_bucket_policy(Bucket=session.bucket)["Policy"],
        pnb.bucket_policy("films", session),
        session.s3.head_bucket(Bucket=session.bucket)["BucketArn"],
        repr(session.client("kms").get_key_policy(KeyId=session.client("kms").create_key()["KeyMetadata"]["KeyId"])),
    ]
    assert [partitions_in(one) for one in told] == [wanted] * len(told)
    # notebooks name Amazon's recipes with the first partition's name
    named = "arn:aws:personalize:::recipe/aws-sims"
    assert partitions_in(session.call("describe_recipe", recipeArn=named)["recipe"]["recipeArn"]) == wanted
