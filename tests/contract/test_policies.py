"""The policy evaluator: every answer as AWS's reference of policy elements gives it."""

from __future__ import annotations

import json

import pytest

from personalize_nb.contract.policies.documents import (
    PolicyError,
    check_identity,
    check_resource,
    check_trust,
    managed_policy,
    read_policy,
)
from personalize_nb.contract.policies.evaluation import Question, Verdict, ask

ROLE = "arn:aws:iam::123456789012:role/Mine"
SERVICE = "personalize.amazonaws.com"
READ = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}


def policy(*statements, version="2012-10-17", name=""):
    return read_policy(json.dumps({"Version": version, "Statement": list(statements)}), name)


def verdict(statements, action="s3:GetObject", resource="arn:aws:s3:::b/k", principal=ROLE, facts=None, **options):
    statements = [statements] if isinstance(statements, dict) else statements
    return ask([policy(*statements)], Question(principal, action, resource, facts or {}), **options).verdict


def test_silence_is_no_and_allow_is_yes():
    assert ask([], Question(ROLE, "s3:GetObject", "arn:aws:s3:::b/k")).verdict is Verdict.SILENT
    assert verdict(READ) is Verdict.ALLOWED
    assert verdict(READ, resource="arn:aws:s3:::c/k") is Verdict.SILENT
    assert verdict(READ, action="s3:PutObject") is Verdict.SILENT


@pytest.mark.parametrize("order", [1, -1])
def test_a_deny_wins_in_any_order_and_over_several_policies(order):
    deny = {**READ, "Effect": "Deny", "Sid": "No"}
    assert verdict([READ, deny][::order]) is Verdict.DENIED
    answer = ask(
        [policy(READ), policy(deny, name="guard")][::order], Question(ROLE, "s3:GetObject", "arn:aws:s3:::b/k")
    )
    assert (answer.denied, answer.policy, answer.sid) == (True, "guard", "No")


@pytest.mark.parametrize(
    ("pattern", "action", "fits"),
    [
        ("s3:getobject", "s3:GetObject", True),
        ("S3:GETOBJECT", "s3:GetObject", True),
        ("s3:Get*", "s3:GetObject", True),
        ("s3:*", "s3:GetObject", True),
        ("*", "kms:Decrypt", True),
        ("s3:?etObject", "s3:GetObject", True),
        ("s3:Get?", "s3:GetObject", False),
        ("s3:GetObject", "s3:GetObjectAcl", False),
        ("s3.GetObject:*", "s3:GetObject", False),
        (["s3:PutObject", "s3:GetObject"], "s3:GetObject", True),
    ],
)
def test_actions_know_wildcards_and_no_case(pattern, action, fits):
    found = verdict({**READ, "Action": pattern, "Resource": "*"}, action=action)
    assert found is (Verdict.ALLOWED if fits else Verdict.SILENT)


@pytest.mark.parametrize(
    ("pattern", "resource", "fits"),
    [
        ("arn:aws:s3:::b/*", "arn:aws:s3:::b/a/b/c", True),
        ("arn:aws:s3:::b/*", "arn:aws:s3:::b", False),
        ("arn:aws:s3:::b", "arn:aws:s3:::b", True),
        ("arn:aws:s3:::B/*", "arn:aws:s3:::b/k", False),
        ("arn:aws:s3:::b/in/*.json", "arn:aws:s3:::b/in/x.json", True),
        ("arn:aws:s3:::b/?.json", "arn:aws:s3:::b/x.json", True),
        ("arn:aws:s3:::b/?.json", "arn:aws:s3:::b/xy.json", False),
        ("arn:aws:s3:::*personalize*", "arn:aws:s3:::my-personalize-data/k", True),
        ("arn:aws:s3:::b/[a]*", "arn:aws:s3:::b/a", False),
        ("arn:aws:s3:::b/[a]*", "arn:aws:s3:::b/[a]x", True),
        ("arn:aws:s3:::b/*", "arn:aws:s3:::b/line\nend", True),
        (["arn:aws:s3:::x", "arn:aws:s3:::b/*"], "arn:aws:s3:::b/k", True),
    ],
)
def test_resources_know_wildcards_and_case(pattern, resource, fits):
    found = verdict({**READ, "Resource": pattern}, resource=resource)
    assert found is (Verdict.ALLOWED if fits else Verdict.SILENT)


def test_not_action_and_not_resource_turn_the_list_round():
    but_delete = {"Effect": "Allow", "NotAction": "s3:Delete*", "Resource": "*"}
    assert verdict(but_delete) is Verdict.ALLOWED
    assert verdict(but_delete, action="s3:DeleteObject") is Verdict.SILENT
    elsewhere = {"Effect": "Deny", "Action": "s3:*", "NotResource": ["arn:aws:s3:::b", "arn:aws:s3:::b/*"]}
    assert verdict([READ, elsewhere]) is Verdict.ALLOWED
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    assert verdict([everything, elsewhere], resource="arn:aws:s3:::c/k") is Verdict.DENIED


@pytest.mark.parametrize(
    ("named", "who", "fits"),
    [
        ("*", ROLE, True),
        ("*", SERVICE, True),
        ({"AWS": "*"}, ROLE, True),
        ({"AWS": "*"}, SERVICE, True),
        ({"AWS": ROLE}, ROLE, True),
        ({"AWS": [ROLE, "999999999999"]}, ROLE, True),
        ({"AWS": "123456789012"}, ROLE, True),
        ({"AWS": "arn:aws:iam::123456789012:root"}, ROLE, True),
        ({"AWS": "arn:aws:iam::999999999999:root"}, ROLE, False),
        ({"AWS": "arn:aws:iam::123456789012:role/*"}, ROLE, False),
        ({"AWS": ROLE}, SERVICE, False),
        ({"Service": SERVICE}, SERVICE, True),
        ({"Service": ["lambda.amazonaws.com", SERVICE]}, SERVICE, True),
        ({"Service": "personalize.amazon.com"}, SERVICE, False),
        ({"Service": SERVICE}, ROLE, False),
        ({"AWS": ROLE, "Service": SERVICE}, SERVICE, True),
        ({"Federated": "cognito-identity.amazonaws.com"}, ROLE, False),
    ],
)
def test_principals(named, who, fits):
    found = verdict({**READ, "Principal": named}, principal=who)
    assert found is (Verdict.ALLOWED if fits else Verdict.SILENT)
    found = verdict({**READ, "NotPrincipal": named}, principal=who)
    assert found is (Verdict.SILENT if fits else Verdict.ALLOWED)


def test_the_account_as_principal_only_delegates_where_that_counts():
    to_account = {**READ, "Principal": {"AWS": "arn:aws:iam::123456789012:root"}}
    assert verdict(to_account, delegates=False) is Verdict.SILENT
    assert verdict({**to_account, "Effect": "Deny"}, delegates=False) is Verdict.DENIED


def test_a_trust_policy_has_no_resource_and_its_deny_counts():
    trust = {"Effect": "Allow", "Principal": {"Service": SERVICE}, "Action": "sts:AssumeRole"}
    ask_for = {"action": "sts:AssumeRole", "resource": ROLE, "principal": SERVICE}
    assert verdict(trust, **ask_for) is Verdict.ALLOWED
    assert verdict([trust, {**trust, "Effect": "Deny"}], **ask_for) is Verdict.DENIED
    assert verdict({**trust, "Effect": "Deny"}, **ask_for) is Verdict.DENIED
    assert verdict({**trust, "Action": "sts:AssumeRoleWithSAML"}, **ask_for) is Verdict.SILENT


JOB = "arn:aws:personalize:us-east-1:123456789012:batch-inference-job/j"
FACTS = {
    "aws:SourceAccount": ("123456789012",),
    "aws:SourceArn": (JOB,),
    "aws:SecureTransport": ("true",),
    "iam:PassedToService": (SERVICE,),
    "s3:prefix": ("in/users.json",),
    "s3:max-keys": ("100",),
    "aws:CurrentTime": ("2026-11-23T10:00:00Z",),
    "aws:SourceIp": ("10.1.2.3",),
    "aws:TagKeys": ("team", "cost"),
}


@pytest.mark.parametrize(
    ("condition", "met"),
    [
        ({}, True),
        ({"StringEquals": {"aws:SourceAccount": "123456789012"}}, True),
        ({"StringEquals": {"AWS:sourceaccount": ["1", "123456789012"]}}, True),
        ({"StringEquals": {"aws:SourceAccount": 123456789012}}, True),
        ({"StringEquals": {"aws:SourceAccount": "999999999999"}}, False),
        ({"StringEquals": {"aws:SourceAccount": "1234*"}}, False),
        ({"StringEquals": {"iam:PassedToService": SERVICE}}, True),
        ({"StringEquals": {"iam:PassedToService": SERVICE.upper()}}, False),
        ({"StringEqualsIgnoreCase": {"iam:PassedToService": SERVICE.upper()}}, True),
        ({"StringNotEquals": {"aws:SourceAccount": ["1", "123456789012"]}}, False),
        ({"StringNotEquals": {"aws:SourceAccount": ["1", "2"]}}, True),
        ({"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}, True),
        ({"StringEquals": {"aws:SourceVpce": "vpce-1"}}, False),
        ({"StringEqualsIfExists": {"aws:SourceVpce": "vpce-1"}}, True),
        ({"StringEqualsIfExists": {"aws:SourceAccount": "1"}}, False),
        ({"StringLike": {"s3:prefix": ["out/*", "in/*"]}}, True),
        ({"StringLike": {"s3:prefix": "IN/*"}}, False),
        ({"StringNotLike": {"s3:prefix": "in/*"}}, False),
        ({"ArnLike": {"aws:SourceArn": "arn:aws:personalize:us-east-1:123456789012:*"}}, True),
        ({"ArnEquals": {"aws:SourceArn": "arn:aws:personalize:*:123456789012:batch-*/*"}}, True),
        ({"ArnLike": {"aws:SourceArn": "arn:aws:personalize:*"}}, False),
        ({"ArnLike": {"aws:SourceArn": "arn:aws:personalize:eu-west-1:123456789012:*"}}, False),
        ({"ArnNotLike": {"aws:SourceArn": "arn:aws:s3:*:*:*"}}, True),
        ({"StringLike": {"aws:SourceArn": "arn:aws:personalize:*"}}, True),
        ({"Bool": {"aws:SecureTransport": "true"}}, True),
        ({"Bool": {"aws:SecureTransport": False}}, False),
        ({"Bool": {"aws:MultiFactorAuthPresent": "false"}}, False),
        ({"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}, True),
        ({"Null": {"aws:SourceVpc": "true"}}, True),
        ({"Null": {"aws:SourceArn": "true"}}, False),
        ({"Null": {"aws:SourceArn": "false"}}, True),
        ({"NumericLessThanEquals": {"s3:max-keys": "100"}}, True),
        ({"NumericLessThan": {"s3:max-keys": 100}}, False),
        ({"NumericEquals": {"s3:prefix": "1"}}, False),
        ({"DateGreaterThan": {"aws:CurrentTime": "2026-01-01T00:00:00Z"}}, True),
        ({"DateLessThan": {"aws:CurrentTime": "2026-01-01"}}, False),
        ({"IpAddress": {"aws:SourceIp": ["10.0.0.0/8"]}}, True),
        ({"NotIpAddress": {"aws:SourceIp": "10.1.2.3"}}, False),
        ({"ForAllValues:StringEquals": {"aws:TagKeys": ["team", "cost", "x"]}}, True),
        ({"ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}}, False),
        ({"ForAllValues:StringEquals": {"aws:Nothing": ["team"]}}, True),
        ({"ForAnyValue:StringEquals": {"aws:TagKeys": ["team"]}}, True),
        ({"ForAnyValue:StringEquals": {"aws:TagKeys": ["x"]}}, False),
        ({"StringEquals": {"aws:SourceAccount": "123456789012", "s3:prefix": "x"}}, False),
        ({"StringEquals": {"aws:SourceAccount": "123456789012"}, "Bool": {"aws:SecureTransport": "false"}}, False),
    ],
)
def test_conditions(condition, met):
    assert verdict({**READ, "Condition": condition}, facts=FACTS) is (Verdict.ALLOWED if met else Verdict.SILENT)
    deny = {**READ, "Effect": "Deny", "Condition": condition}
    assert verdict([READ, deny], facts=FACTS) is (Verdict.DENIED if met else Verdict.ALLOWED)


def test_variables_are_filled_from_the_request_and_taken_literally():
    home = {**READ, "Resource": "arn:aws:s3:::b/${aws:PrincipalTag/team}/*"}
    in_team = {"facts": {"aws:PrincipalTag/team": ("books",)}, "resource": "arn:aws:s3:::b/books/k"}
    assert verdict(home, **in_team) is Verdict.ALLOWED
    assert verdict(home, resource="arn:aws:s3:::b/books/k") is Verdict.SILENT
    star = {"facts": {"aws:PrincipalTag/team": ("*",)}, "resource": "arn:aws:s3:::b/books/k"}
    assert verdict(home, **star) is Verdict.SILENT
    literal = {**READ, "Resource": "arn:aws:s3:::b/${*}"}
    assert verdict(literal, resource="arn:aws:s3:::b/*") is Verdict.ALLOWED
    assert verdict(literal) is Verdict.SILENT
    default = {**READ, "Resource": "arn:aws:s3:::b/${aws:PrincipalTag/team, 'none'}/*"}
    assert verdict(default, resource="arn:aws:s3:::b/none/k") is Verdict.ALLOWED
    old = policy({**READ, "Resource": "arn:aws:s3:::b/${*}"}, version="2008-10-17")
    assert ask([old], Question(ROLE, "s3:GetObject", "arn:aws:s3:::b/${x}")).allowed
    same = {**READ, "Condition": {"StringEquals": {"aws:SourceAccount": "${aws:PrincipalAccount}"}}}
    facts = {"aws:SourceAccount": ("1",), "aws:PrincipalAccount": ("1",)}
    assert verdict(same, facts=facts) is Verdict.ALLOWED


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("{", "not JSON"),
        ("[]", "Statement"),
        ('{"Version": "2020-01-01", "Statement": []}', "2020-01-01"),
        ('{"Statement": "x"}', "JSON object"),
        ({**READ, "Effect": "allow"}, "Effect"),
        ({"Effect": "Allow", "Resource": "*"}, "Action"),
        ({**READ, "NotAction": "s3:*"}, "either Action or NotAction"),
        ({**READ, "Action": "GetObject"}, "service:Action"),
        ({**READ, "Actions": "s3:*"}, "'Actions'"),
        ({**READ, "Principal": {"Services": SERVICE}}, "Services"),
        ({**READ, "Principal": SERVICE}, "Principal is"),
        ({**READ, "Resource": 3}, "Resource is"),
        ({**READ, "Condition": {"StringIs": {"a": "b"}}}, "StringIs"),
        ({**READ, "Condition": {"StringEquals": "b"}}, "condition keys"),
        ({**READ, "Condition": {"StringEquals": {"a": {}}}}, "values"),
        ({**READ, "Condition": []}, "Condition is"),
    ],
)
def test_a_document_that_aws_refuses_is_refused(text, detail):
    with pytest.raises(PolicyError, match=detail):
        read_policy(text if isinstance(text, str) else json.dumps({"Statement": text}))


def test_each_kind_of_policy_has_its_own_form():
    trust = {"Effect": "Allow", "Principal": {"Service": SERVICE}, "Action": "sts:AssumeRole"}
    check_trust(policy(trust))
    check_identity(policy(READ))
    check_resource(policy({**READ, "Principal": "*"}))
    for check, statement, detail in [
        (check_trust, READ, "Principal"),
        (check_trust, {**trust, "Resource": "*"}, "no Resource"),
        (check_identity, {**READ, "Principal": "*"}, "no Principal"),
        (check_identity, {"Effect": "Allow", "Action": "s3:*"}, "Resource"),
        (check_resource, READ, "Principal"),
        (check_resource, trust, "Resource"),
    ]:
        with pytest.raises(PolicyError, match=detail):
            check(policy(statement))


@pytest.mark.parametrize(
    ("name", "action", "resource", "fits"),
    [
        ("service-role/AmazonPersonalizeFullAccess", "s3:GetObject", "arn:aws:s3:::my-personalize-b/k", True),
        ("service-role/AmazonPersonalizeFullAccess", "s3:ListBucket", "arn:aws:s3:::MyPersonalizeB", True),
        ("service-role/AmazonPersonalizeFullAccess", "s3:GetObject", "arn:aws:s3:::books/k", False),
        ("AmazonS3FullAccess", "s3:PutObject", "arn:aws:s3:::books/k", True),
        ("AmazonS3FullAccess", "kms:Decrypt", "arn:aws:kms:us-east-1:123456789012:key/k", False),
        ("AmazonS3ReadOnlyAccess", "s3:GetObject", "arn:aws:s3:::books/k", True),
        ("AmazonS3ReadOnlyAccess", "s3:PutObject", "arn:aws:s3:::books/k", False),
        ("AdministratorAccess", "kms:Decrypt", "arn:aws:kms:us-east-1:123456789012:key/k", True),
    ],
)
def test_managed_policies_of_aws(name, action, resource, fits):
    known = read_policy(managed_policy(f"arn:aws:iam::aws:policy/{name}"))
    assert ask([known], Question(ROLE, action, resource)).allowed is fits


def test_an_unknown_managed_policy_is_unknown():
    assert managed_policy("arn:aws:iam::aws:policy/Nothing") is None
