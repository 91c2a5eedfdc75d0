"""What IAM refuses when a policy is put or attached, in its words."""

from __future__ import annotations

import json

import pytest
import wire
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from personalize_nb.local.iam.accounts import accounts_handlers

AWS = "arn:aws:iam::aws:policy/"
TRUST = {"Effect": "Allow", "Principal": {"Service": "personalize.amazonaws.com"}, "Action": "sts:AssumeRole"}
READ = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::films/*"}
ME = f"arn:aws:iam::{wire.ACCOUNT}"


def text(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@pytest.fixture(scope="module")
def iam(tmp_path_factory):
    with wire.serving(accounts_handlers(tmp_path_factory.mktemp("state"), wire.ACCOUNT)) as endpoint:
        client = wire.make_client("iam", endpoint)
        client.create_role(RoleName="mine", Path="/of/mine/", AssumeRolePolicyDocument=text(TRUST))
        yield client
        client.close()


def refused(call, **params):
    with pytest.raises(ClientError) as error:
        call(**params)
    return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]


def trust(iam, statement):
    iam.update_assume_role_policy(RoleName="mine", PolicyDocument=text(statement))


def permit(iam, *statements):
    iam.put_role_policy(RoleName="mine", PolicyName="p", PolicyDocument=text(*statements))


@pytest.mark.parametrize(
    "name",
    [
        *("service-role/AmazonPersonalizeFullAccess", "AmazonS3FullAccess", "AmazonS3ReadOnlyAccess"),
        *("AdministratorAccess", "PowerUserAccess", "AmazonSageMakerFullAccess"),
        *("service-role/AWSLambdaBasicExecutionRole",),
    ],
)
def test_policies_of_aws_can_be_attached(iam, name):
    iam.attach_role_policy(RoleName="mine", PolicyArn=AWS + name)
    iam.detach_role_policy(RoleName="mine", PolicyArn=AWS + name)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(name=st.from_regex(r"(service-role/|[a-z-]{3,8}/)?[A-Z][A-Za-z]{3,12}Nobody", fullmatch=True))
def test_no_other_can(iam, name):
    code, told = refused(iam.attach_role_policy, RoleName="mine", PolicyArn=AWS + name)
    assert code == "NoSuchEntity" and "does not exist or is not attachable" in told and AWS in told


def test_a_policy_without_its_path_is_shown_with_it(iam):
    code, told = refused(iam.attach_role_policy, RoleName="mine", PolicyArn=f"{AWS}AmazonPersonalizeFullAccess")
    assert code == "NoSuchEntity"
    assert told.endswith(f"named alike: {AWS}service-role/AmazonPersonalizeFullAccess.")


@pytest.mark.parametrize(
    "principal",
    [
        {"AWS": f"{ME}:root"},
        {"AWS": f"{ME}:role/of/mine/mine"},
        {"AWS": f"{ME}:user/personalize-nb"},
        {"AWS": f"arn:aws:sts::{wire.ACCOUNT}:assumed-role/mine/session"},
        {"AWS": "arn:aws:iam::999999999999:role/theirs"},
        {"Federated": "cognito-identity.amazonaws.com"},
        {"Service": ["sagemaker.amazonaws.com", "lambda.amazonaws.com", "ec2.amazonaws.com.cn"]},
    ],
)
def test_who_may_be_trusted(iam, principal):
    trust(iam, TRUST | {"Principal": principal})


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"Principal": {"AWS": f"{ME}:role/nobody"}}, "Invalid principal in policy"),
        ({"Principal": {"AWS": f"{ME}:role/mine"}}, "Invalid principal in policy"),
        ({"Principal": {"AWS": f"{ME}:user/somebody"}}, "Invalid principal in policy"),
        ({"Principal": {"AWS": f"arn:aws:sts::{wire.ACCOUNT}:assumed-role/nobody/s"}}, "Invalid principal in policy"),
        ({"Principal": {"Service": "personalise.amazonaws.com"}}, "Invalid principal in policy"),
        ({"Action": "s3:GetObject"}, "may only specify STS AssumeRole actions"),
        ({"Action": "*"}, "may only specify STS AssumeRole actions"),
        ({"Action": "sts:Foo"}, "may only specify STS AssumeRole actions"),
        ({"Sid": "a b-c"}, "must be alpha-numeric"),
        ({"Principal": {"Service": "persnalize.amazonaws.com"}}, "Invalid principal in policy"),
        ({"Principal": {"Service": "personalize.amazonws.com"}}, "Invalid principal in policy"),
        ({"Principal": {"Service": "sagemaker.amazonaw.com"}}, "Invalid principal in policy"),
        ({"Resource": "*"}, "no Resource"),
    ],
)
def test_trust_policies_that_are_none(iam, change, told):
    params = {"RoleName": "other", "AssumeRolePolicyDocument": text(TRUST | change)}
    code, message = refused(iam.create_role, **params)
    assert code == "MalformedPolicyDocument" and told in message
    assert "other" not in [role["RoleName"] for role in iam.list_roles()["Roles"]]


def test_a_trust_policy_names_who_may_and_not_who_may_not(iam):
    other = {"Effect": "Allow", "NotPrincipal": {"AWS": "999999999999"}, "Action": "sts:AssumeRole"}
    code, told = refused(trust, iam=iam, statement=other)
    assert code == "MalformedPolicyDocument" and "cannot have NotPrincipal" in told


@given(place=st.integers(0, 10), letter=st.sampled_from("abkxz"), how=st.sampled_from(["out", "in", "other"]))
def test_no_service_is_nearly_called_as_personalize(iam, place, letter, how):
    word = "personalize"
    rest = word[place:] if how == "in" else word[place + 1 :]
    near = word[:place] + ("" if how == "out" else letter) + rest
    if near != word:
        wrong = TRUST | {"Principal": {"Service": f"{near}.amazonaws.com"}}
        assert refused(trust, iam=iam, statement=wrong)[0] == "MalformedPolicyDocument"


@pytest.mark.parametrize(
    ("statements", "told"),
    [
        ([READ | {"Resource": "films/*"}], "must be in ARN format"),
        ([READ | {"Resource": "arn:aws:s3"}], "must be in ARN format"),
        ([READ | {"Sid": "a"}, READ | {"Sid": "a"}], "must be unique"),
        ([READ | {"Resource": "arn:aws:*:::films"}], "must be in ARN format"),
        ([READ | {"Resource": "arn:*:s3:::films"}], "must be in ARN format"),
        ([READ | {"Sid": "a-b"}], "must be alpha-numeric"),
        ([READ | {"Action": "s3: GetObject"}], "<service>:<action>"),
        ([READ | {"Action": "*:GetObject"}], "<service>:<action>"),
        ([READ | {"Action": "s3:Get:Object"}], "<service>:<action>"),
        ([READ | {"Principal": "*"}], "no Principal"),
        ([READ | {"Action": "GetObject"}], "service:Action"),
        ([], "Statement is empty"),
    ],
)
def test_permissions_that_are_none(iam, statements, told):
    for call, params in (
        (iam.put_role_policy, {"RoleName": "mine", "PolicyName": "p"}),
        (iam.create_policy, {"PolicyName": "p"}),
    ):
        code, message = refused(call, PolicyDocument=text(*statements), **params)
        assert code == "MalformedPolicyDocument" and told in message


def test_documents_that_are_too_long(iam):
    many = [READ | {"Resource": f"arn:aws:s3:::films/{'x' * 400}/{number}"} for number in range(24)]
    code, told = refused(iam.create_policy, PolicyName="long", PolicyDocument=text(*many))
    assert code == "LimitExceeded" and "PolicySize: 6144" in told
    code, told = refused(
        iam.put_role_policy, RoleName="mine", PolicyName="long", PolicyDocument=text(*many) + " " * 20_000
    )
    assert code == "LimitExceeded" and "10240" in told
    permit(iam, *many[:10])
    iam.put_role_policy(RoleName="mine", PolicyName="p", PolicyDocument=text(READ) + " " * 20_000)
