"""Credentials that end within a change of policies are asked for again, and the change goes on."""

import itertools
import json

import pytest
from botocore.awsrequest import AWSResponse

import personalize_nb as pnb
from personalize_nb.session.session import Session

NUMBERS = itertools.count(1)
TRUSTS_NOBODY_HERE = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"},
}
CALLS = [
    *("s3.GetBucketPolicy", "s3.PutBucketPolicy", "iam.GetRole", "iam.CreateRole", "iam.UpdateAssumeRolePolicy"),
    *("iam.ListRolePolicies", "iam.GetRolePolicy", "iam.PutRolePolicy"),
    *("kms.DescribeKey", "kms.GetKeyPolicy", "kms.PutKeyPolicy"),
]


@pytest.mark.parametrize("call", CALLS)
def test_each_call_goes_on_with_renewed_credentials(call, session, local_service, monkeypatch):
    for name, value in local_service.environment().items():
        monkeypatch.setenv(name, value)
    ending = Session.aws(bucket=local_service.bucket)
    ended = []

    def end(**_):
        ended.append(call)
        monkeypatch.setenv("AWS_SESSION_TOKEN", "renewed")
        return AWSResponse("", 400, {}, None), {"Error": {"Code": "ExpiredToken", "Message": "It has expired."}}

    # on the clients that there are: the renewed ones are others
    ending.client(call.partition(".")[0]).meta.events.register(f"before-call.{call}", end)
    number = next(NUMBERS)
    bucket, new, old = f"pnb-renewed-{number}", f"PnbRenewedNew{number}", f"PnbRenewedOld{number}"
    session.s3.create_bucket(Bucket=bucket)
    session.iam.create_role(RoleName=old, AssumeRolePolicyDocument=json.dumps(TRUSTS_NOBODY_HERE))
    key = session.client("kms").create_key()["KeyMetadata"]["Arn"]
    pnb.allow_personalize(bucket, ending)
    made = [pnb.create_role(name, bucket, key, ending, sleep=lambda seconds: None) for name in (new, old)]
    assert ended == [call], "once: a renewed client is used from then on"
    assert session.s3.get_bucket_policy(Bucket=bucket)["Policy"]
    assert all(arn in session.client("kms").get_key_policy(KeyId=key)["Policy"] for arn in made)
    for name in (new, old):
        assert len(session.iam.list_role_policies(RoleName=name)["PolicyNames"]) == 1
