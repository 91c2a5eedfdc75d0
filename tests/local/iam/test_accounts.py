"""STS and IAM through boto3, as a notebook that makes its own role uses them."""

from __future__ import annotations

import json

import pytest
import wire
from botocore.exceptions import ClientError

from personalize_nb.local.iam.accounts import accounts_handlers, ensure_default_role

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "personalize.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
READ = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:ListBucket"],
            "Resource": ["arn:aws:s3:::b", "arn:aws:s3:::b/*"],
        }
    ],
}


@pytest.fixture
def endpoint(tmp_path):
    with wire.serving(accounts_handlers(tmp_path, wire.ACCOUNT)) as endpoint:
        yield endpoint


@pytest.fixture
def iam(endpoint):
    client = wire.make_client("iam", endpoint)
    yield client
    client.close()


@pytest.fixture
def role(iam):
    return iam.create_role(
        RoleName="Mine",
        AssumeRolePolicyDocument=json.dumps(TRUST),
        Description="a & b",
        Tags=[{"Key": "team", "Value": "books"}],
    )["Role"]


def code(error):
    return error.value.response["Error"]["Code"]


def test_caller_identity(endpoint):
    identity = wire.make_client("sts", endpoint).get_caller_identity()
    assert identity["Account"] == wire.ACCOUNT
    assert identity["Arn"].startswith(f"arn:aws:iam::{wire.ACCOUNT}:")


def test_a_role_comes_back_as_it_was_made(iam, role):
    assert role["Arn"] == f"arn:aws:iam::{wire.ACCOUNT}:role/Mine"
    found = iam.get_role(RoleName="Mine")["Role"]
    assert found == role
    assert found["AssumeRolePolicyDocument"] == TRUST
    assert found["Description"] == "a & b"
    assert iam.list_role_tags(RoleName="Mine")["Tags"] == [{"Key": "team", "Value": "books"}]
    assert [each["RoleName"] for each in iam.list_roles()["Roles"]] == ["Mine"]


def test_inline_policies(iam, role):
    iam.put_role_policy(RoleName="Mine", PolicyName="read", PolicyDocument=json.dumps(READ))
    assert iam.list_role_policies(RoleName="Mine")["PolicyNames"] == ["read"]
    assert iam.get_role_policy(RoleName="Mine", PolicyName="read")["PolicyDocument"] == READ
    with pytest.raises(ClientError) as error:
        iam.delete_role(RoleName="Mine")
    assert code(error) == "DeleteConflict"
    iam.delete_role_policy(RoleName="Mine", PolicyName="read")
    iam.delete_role(RoleName="Mine")
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.get_role(RoleName="Mine")


def test_managed_policies(iam, role):
    own = iam.create_policy(PolicyName="Own", PolicyDocument=json.dumps(READ))["Policy"]["Arn"]
    aws = "arn:aws:iam::aws:policy/service-role/AmazonPersonalizeFullAccess"
    for arn in (own, aws, aws):
        iam.attach_role_policy(RoleName="Mine", PolicyArn=arn)
    attached = iam.list_attached_role_policies(RoleName="Mine")["AttachedPolicies"]
    assert {each["PolicyName"] for each in attached} == {"Own", "AmazonPersonalizeFullAccess"}
    assert iam.get_policy(PolicyArn=own)["Policy"]["AttachmentCount"] == 1
    assert iam.get_policy_version(PolicyArn=own, VersionId="v1")["PolicyVersion"]["Document"] == READ
    with pytest.raises(iam.exceptions.DeleteConflictException):
        iam.delete_policy(PolicyArn=own)
    for arn in (own, aws):
        iam.detach_role_policy(RoleName="Mine", PolicyArn=arn)
    iam.delete_policy(PolicyArn=own)
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.attach_role_policy(RoleName="Mine", PolicyArn=own)


def test_trust_and_tags_can_change(iam, role):
    wider = TRUST | {"Statement": TRUST["Statement"] * 2}
    iam.update_assume_role_policy(RoleName="Mine", PolicyDocument=json.dumps(wider))
    assert iam.get_role(RoleName="Mine")["Role"]["AssumeRolePolicyDocument"] == wider
    iam.tag_role(RoleName="Mine", Tags=[{"Key": "team", "Value": "x"}, {"Key": "more", "Value": ""}])
    iam.untag_role(RoleName="Mine", TagKeys=["team"])
    assert iam.get_role(RoleName="Mine")["Role"]["Tags"] == [{"Key": "more", "Value": ""}]


def test_lists_have_pages(iam):
    for number in range(5):
        iam.create_role(RoleName=f"r{number}", AssumeRolePolicyDocument=json.dumps(TRUST))
    pages = list(iam.get_paginator("list_roles").paginate(PaginationConfig={"PageSize": 2}))
    assert [len(page["Roles"]) for page in pages] == [2, 2, 1]


@pytest.mark.parametrize(
    ("document", "detail"),
    [
        ("{", "not JSON"),
        ("[]", "Statement"),
        (json.dumps(READ), "Principal"),
        (json.dumps(TRUST | {"Version": "2020-01-01"}), "2020-01-01"),
    ],
)
def test_a_malformed_trust_is_refused(iam, document, detail):
    with pytest.raises(iam.exceptions.MalformedPolicyDocumentException, match=detail):
        iam.create_role(RoleName="Bad", AssumeRolePolicyDocument=document)


def test_refusals_are_typed(iam, role):
    with pytest.raises(iam.exceptions.EntityAlreadyExistsException):
        iam.create_role(RoleName="Mine", AssumeRolePolicyDocument=json.dumps(TRUST))
    with pytest.raises(ClientError, match="RoleName") as error:
        iam.create_role(RoleName="a b", AssumeRolePolicyDocument=json.dumps(TRUST))
    assert code(error) == "ValidationError"
    with pytest.raises(ClientError, match="'ListUsers'") as error:
        iam.list_users()
    assert code(error) == "InvalidAction"


def test_roles_survive_a_restart_and_the_default_role_is_made_once(tmp_path):
    arn = ensure_default_role(tmp_path, wire.ACCOUNT)
    assert arn == f"arn:aws:iam::{wire.ACCOUNT}:role/PersonalizeNbLocal"
    with wire.serving(accounts_handlers(tmp_path, wire.ACCOUNT)) as endpoint:
        iam = wire.make_client("iam", endpoint)
        iam.delete_role_policy(RoleName="PersonalizeNbLocal", PolicyName="ReadAndWriteBuckets")
    assert ensure_default_role(tmp_path, wire.ACCOUNT) == arn
    with wire.serving(accounts_handlers(tmp_path, wire.ACCOUNT)) as endpoint:
        iam = wire.make_client("iam", endpoint)
        assert iam.list_role_policies(RoleName="PersonalizeNbLocal")["PolicyNames"] == ["UseKeys"]
