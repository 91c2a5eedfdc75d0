"""What preflight says of the caller's own rights: each one taken away, alone and in pairs, and what cannot be told."""

from __future__ import annotations

import itertools
import json
from contextlib import contextmanager

import pytest
import reading_world
from injected import answering

import personalize_nb as pnb

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "{}"}, "Action": "sts:AssumeRole"}],
}
NEEDED = (
    "iam:PassRole",
    "s3:GetObject",
    "personalize:CreateBatchInferenceJob",
    "personalize:DescribeBatchInferenceJob",
    "personalize:DescribeSolutionVersion",
)
COMFORT = ("s3:ListBucket", "personalize:ListBatchInferenceJobs")
ALL = (*NEEDED, *COMFORT)
PAIRS = [(one,) for one in ALL] + list(itertools.combinations(ALL, 2))


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(*actions, resource="*", effect="Allow", **more):
    return {"Effect": effect, "Action": list(actions), "Resource": resource, **more}


def trusting(service):
    return json.dumps(TRUST).replace("{}", service)


@pytest.fixture(scope="module")
def notebook(session):
    """Make the role that the caller's notebook runs as; give a way to call as it, with some policy."""
    made = session.iam.create_role(
        RoleName="CallerNotebook", Path="/team/", AssumeRolePolicyDocument=trusting("sagemaker.amazonaws.com")
    )
    assert made["Role"]["Arn"].endswith(":role/team/CallerNotebook")

    @contextmanager
    def calling(*statements, kind="assumed-role/CallerNotebook/anna"):
        if statements:
            session.iam.put_role_policy(
                RoleName="CallerNotebook", PolicyName="own", PolicyDocument=document(*statements)
            )
        service = "iam" if kind == "root" or kind.startswith("user/") else "sts"
        arn = f"arn:aws:{service}::{session.account}:{kind}"
        with answering(session.sts, "GetCallerIdentity", {"Arn": arn, "Account": session.account, "UserId": "A"}):
            yield

    return calling


def test_the_simulator_answers_by_the_engine_of_the_service(session, notebook):
    no = allow("s3:GetObject", effect="Deny", resource="arn:aws:s3:::b/no")
    with notebook(allow("s3:Get*", resource="arn:aws:s3:::b/*"), no):
        pass
    source = f"arn:aws:iam::{session.account}:role/team/CallerNotebook"

    def asked(resource, **more):
        found = session.iam.simulate_principal_policy(
            PolicySourceArn=source, ActionNames=["s3:GetObject", "s3:PutObject"], ResourceArns=[resource], **more
        )["EvaluationResults"]
        return [(one["EvalActionName"], one["EvalDecision"]) for one in found]

    yes = asked("arn:aws:s3:::b/key")
    assert yes == [("s3:GetObject", "allowed"), ("s3:PutObject", "implicitDeny")]
    assert asked("arn:aws:s3:::b/no")[0][1] == "explicitDeny"
    boundary = document(allow("s3:PutObject"))
    assert asked("arn:aws:s3:::b/key", PermissionsBoundaryPolicyInputList=[boundary])[0][1] == "implicitDeny"
    given = document(allow("s3:PutObject", Condition={"StringEquals": {"aws:PrincipalTag/team": "books"}}))
    assert asked("arn:aws:s3:::b/key", PolicyInputList=[given])[1][1] == "implicitDeny"
    entry = {"ContextKeyName": "aws:PrincipalTag/team", "ContextKeyValues": ["books"], "ContextKeyType": "string"}
    assert asked("arn:aws:s3:::b/key", PolicyInputList=[given], ContextEntries=[entry])[1][1] == "allowed"
    user = session.iam.simulate_principal_policy(
        PolicySourceArn=f"arn:aws:iam::{session.account}:user/personalize-nb", ActionNames=["iam:PassRole"]
    )
    assert user["EvaluationResults"][0]["EvalDecision"] == "allowed"
    for wrong, code in ((f"{source}X", "NoSuchEntity"), (f"arn:aws:iam::{session.account}:group/x", "InvalidInput")):
        with pytest.raises(session.iam.exceptions.ClientError) as raised:
            session.iam.simulate_principal_policy(PolicySourceArn=wrong, ActionNames=["s3:GetObject"])
        assert raised.value.response["Error"]["Code"] == code
    pages = session.iam.get_paginator("simulate_custom_policy").paginate(
        PolicyInputList=[given],
        ActionNames=["s3:PutObject", "s3:GetObject"],
        PaginationConfig={"PageSize": 1},
    )
    results = [one for page in pages for one in page["EvaluationResults"]]
    assert [one["MissingContextValues"] for one in results] == [["aws:principaltag/team"]] * 2


def test_a_caller_who_may_everything_is_named_with_what_is_unchecked(rows, right, notebook):
    for statements, kind in (((allow(*ALL),), "assumed-role/CallerNotebook/anna"), ((), "root")):
        with notebook(*statements, kind=kind):
            found = rows(right())
        assert found["caller"].level == "ok" and found["caller"].found.endswith(" may all that the job takes.")
        assert not [name for name in found if name.startswith("caller:")]
    assert rows(right())["caller"].found == "user/personalize-nb may all that the job takes."


def test_on_aws_what_no_simulator_sees_is_a_row_of_its_own_whoever_calls(rows, right, monkeypatch, session, refusing):
    monkeypatch.setattr(type(session), "is_local", False)
    for refused, shown in (((), "of user/personalize-nb:"), (("sts:GetCallerIdentity",), "of the caller:")):
        with refusing(*refused):
            limits = rows(right())["caller's limits"]
        assert limits.level == "could not be checked" and "Unchecked are permissions boundaries" in limits.found
        assert shown in limits.found


@pytest.mark.parametrize("unknown", [(), ("sts:GetCallerIdentity",), ("iam:SimulatePrincipalPolicy",)])
def test_what_preflight_was_refused_the_job_will_be_refused_too(rows, right, refusing, unknown):
    for action, level in (("Describe", "error"), ("List", "warning")):
        named = f"personalize:{action}BatchInferenceJob{'s' if action == 'List' else ''}"
        with refusing(named, *unknown):
            found = rows(right())
        row = found["caller: refused"]
        assert row.level == level and named in row.found and named in row.policy
        assert named not in found["caller"].found
        assert unknown or found["caller"].found == "user/personalize-nb may all else that the job takes."


def test_one_reason_of_several_rights_is_said_once(rows, right, notebook):
    with notebook(allow("personalize:DescribeSolutionVersion")):
        row = rows(right())["caller"]
    assert row.found.count("role/team/CallerNotebook may not ") == 1 and row.found.count("no policy allows it") == 1


@pytest.mark.parametrize("lost", PAIRS, ids="+".join)
def test_each_right_taken_away_alone_and_in_pairs(rows, right, notebook, session, lost):
    statements = [allow(*(one for one in ALL if one not in lost))]
    with notebook(*statements):
        found = rows(right())
        for name, level, rights in (("caller", "error", NEEDED), ("caller: less comfort", "warning", COMFORT)):
            gone = [one for one in lost if one in rights]
            if gone:
                assert found[name].level == level and "role/team/CallerNotebook" in found[name].to_do
                assert all(one in found[name].found for one in gone)
                assert not [one for one in ALL if one in found[name].found and one not in lost]
                statements += json.loads(found[name].policy)["Statement"]
            else:
                assert name == "caller" and found[name].level == "ok" or name not in found
    with notebook(*statements):
        found = rows(right())
    assert found["caller"].level == "ok" and "caller: less comfort" not in found, "what is pasted mends it"


def test_what_is_uploaded_takes_the_right_to_store_and_would_be_deleted(notebook, session, readers_model):
    with notebook(allow(*ALL)):
        frame = pnb.preflight(["r1"], readers_model, session=session)
    found = {row.check: row for row in frame.itertuples()}
    assert "s3:PutObject on arn:aws:s3:::" in found["caller"].found and found["caller"].level == "error"
    assert "s3:DeleteObject" in found["caller: less comfort"].found


def test_what_is_pasted_holds_for_the_next_job_as_well(notebook, session, readers_model):
    def looked(*statements):
        with notebook(allow("kms:*"), *statements):
            frame = pnb.preflight(["r1"], readers_model, session=session)
        return frame.set_index("check").loc[[name for name in frame.check if name.startswith("caller")]]

    first = looked()
    assert first.level.tolist() == ["error", "warning"]
    statements = [one for text in first.policy for one in json.loads(text)["Statement"]]
    second = looked(*statements)
    assert second.level.tolist() == ["ok"], "its name and its files are others"


def test_passing_the_role_to_personalize_only_is_enough_and_to_another_service_is_not(rows, right, notebook):
    for service, level in (("personalize.amazonaws.com", "ok"), ("lambda.amazonaws.com", "error")):
        condition = {"StringEquals": {"iam:PassedToService": service}}
        others = allow(*(one for one in ALL if one != "iam:PassRole"))
        with notebook(others, allow("iam:PassRole", Condition=condition)):
            assert rows(right())["caller"].level == level, service


def test_a_deny_is_named_and_no_policy_is_offered_against_it(rows, right, notebook):
    with notebook(allow(*ALL), allow("iam:PassRole", effect="Deny")):
        row = rows(right())["caller"]
    assert row.level == "error" and "denies it" in row.found and row.policy == ""
    assert "no other policy can outweigh it" in row.to_do


@pytest.fixture
def own_bucket(session, right):
    """Make a bucket for the output whose policy a test chooses; give a request that writes there."""
    session.s3.create_bucket(Bucket="caller-own")

    def with_policy(*statements):
        policy = json.loads(pnb.bucket_policy("caller-own"))
        policy["Statement"] += statements
        session.s3.put_bucket_policy(Bucket="caller-own", Policy=json.dumps(policy))
        return right(output_path="s3://caller-own/out/")

    yield with_policy
    session.s3.delete_bucket_policy(Bucket="caller-own")
    session.s3.delete_bucket(Bucket="caller-own")


def test_a_buckets_policy_may_allow_and_deny_the_caller(rows, notebook, own_bucket, session):
    role = f"arn:aws:iam::{session.account}:role/team/CallerNotebook"
    everything = {"Resource": ["arn:aws:s3:::caller-own", "arn:aws:s3:::caller-own/*"], "Principal": {"AWS": role}}
    others = allow(*(one for one in ALL if not one.startswith("s3:")))
    rest = allow("s3:GetObject", "s3:ListBucket", resource=f"arn:aws:s3:::{session.bucket}*")
    with notebook(others, rest):
        assert "s3:GetObject on arn:aws:s3:::caller-own/out/users.jsonl.out" in rows(own_bucket())["caller"].found
        given = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"], **everything}
        assert rows(own_bucket(given))["caller"].level == "ok"
    with notebook(allow(*ALL)):
        denied = {"Sid": "Closed", "Effect": "Deny", "Action": "s3:GetObject", **everything}
        row = rows(own_bucket(denied))["caller"]
        assert row.level == "error" and "'Closed'" in row.found and row.policy == ""
        endpoint = {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}
        found = rows(own_bucket({**denied, "Condition": endpoint}))
        assert "caller" not in found, "neither right nor wrong"
        text = found["caller: conditions"].found
        assert text.startswith("Whether role/team/CallerNotebook may s3:GetObject on arn:aws:s3:::caller-own/out/")
        assert "depends on aws:sourcevpce (a Deny in " in text and "caller-own)" in text
        assert found["caller: conditions"].level == "could not be checked"


@pytest.mark.parametrize(
    ("refused", "kind", "text"),
    [
        ("iam:SimulatePrincipalPolicy", "assumed-role/CallerNotebook/anna", "Unchecked is whether role/team"),
        ("sts:GetCallerIdentity", None, "Unchecked is who calls"),
        ("iam:GetRole", "assumed-role/CallerNotebook/anna", "Unchecked is whether role/CallerNotebook may"),
        ("iam:GetRolePolicy", "federated-user/anna", "IAM simulates users and roles only"),
    ],
)
def test_what_may_not_be_asked_is_said_to_be_unchecked(rows, right, notebook, refusing, refused, kind, text):
    with notebook(allow(*ALL), kind=kind) if kind else refusing(), refusing(refused):
        row = rows(right())["caller"]
    assert row.level == "could not be checked" and text in row.found
    assert "iam:PassRole" in row.found and "personalize:CreateBatchInferenceJob" in row.found


def test_what_the_simulator_says_of_boundaries_and_organizations_is_told(rows, right, session):
    for member, flag, text in (
        ("PermissionsBoundaryDecisionDetail", "AllowedByPermissionsBoundary", "its permissions boundary does not"),
        ("OrganizationsDecisionDetail", "AllowedByOrganizations", "a service control policy of the organization"),
    ):
        results = [
            {"EvalActionName": action, "EvalDecision": "implicitDeny", member: {flag: False}}
            for action in ("iam:PassRole",)
        ]
        with answering(session.iam, "SimulatePrincipalPolicy", {"EvaluationResults": results, "IsTruncated": False}):
            row = rows(right())["caller"]
        assert row.level == "error" and text in row.found


def test_a_role_that_depends_on_where_the_call_comes_from_is_not_judged(rows, right, notebook):
    condition = {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}
    with notebook(allow(*ALL[1:]), allow("iam:PassRole", Condition=condition)):
        found = rows(right())
    assert "depends on aws:sourceip" in found["caller: conditions"].found and "caller" not in found


def test_the_notebooks_own_role_is_named_where_its_trust_may_not_be_read(rows, right, session, refusing, notebook):
    arn = f"arn:aws:iam::{session.account}:role/CallerNotebook"
    with notebook(allow(*ALL)), refusing("iam:GetRole"):
        row = rows(right(role_arn=arn))["role of the caller"]
    assert row.level == "warning" and "what this notebook itself runs as" in row.found and "create_role" in row.to_do


def test_the_rights_of_a_training_are_looked_at_too(session, notebook):
    frames = reading_world.interactions(), reading_world.items()
    trains = ("DatasetGroup", "Schema", "Dataset", "DatasetImportJob", "Solution", "SolutionVersion")
    every = [f"personalize:{verb}{kind}" for verb in ("Create", "Describe") for kind in trains]
    every += ["personalize:ListDatasetImportJobs", "personalize:ListSolutionVersions", "iam:PassRole", "s3:PutObject"]

    def found(*lost):
        with notebook(allow(*(one for one in every if one not in lost))):
            frame = pnb.preflight_training(*frames, name="caller trains", session=session)
        return {row.check: row for row in frame.itertuples()}

    rows = found()
    assert rows["caller"].level == "ok" and "all that the training takes" in rows["caller"].found
    assert "s3:DeleteObject" in rows["caller: less comfort"].found
    for lost in every:
        row = found(lost)["caller"]
        assert row.level == "error" and lost in row.found, lost
        assert [one["Action"] for one in json.loads(row.policy)["Statement"]] == [[lost]]


def test_the_rights_to_keys_are_held_against_the_keys_own_policies(rows, right, notebook, session):
    kms = session.client("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    request = right(output_kms_key_arn=key)
    with notebook(allow(*ALL)):
        row = rows(request)["caller"]
        assert row.level == "error" and f"kms:Decrypt on {key}" in row.found
        statements = json.loads(row.policy)["Statement"]
    with notebook(allow(*ALL), *statements):
        assert rows(request)["caller"].level == "ok"
        role = f"arn:aws:iam::{session.account}:role/team/CallerNotebook"
        service = {"Principal": {"Service": "personalize.amazonaws.com"}}
        admin = {"Principal": {"AWS": f"arn:aws:iam::{session.account}:user/personalize-nb"}}
        closed = [allow("kms:*", **admin), allow("kms:*", **service)]
        kms.put_key_policy(KeyId=key, PolicyName="default", Policy=document(*closed))
        assert "neither allows it nor leaves it to the account" in rows(request)["caller"].found
    with notebook(allow(*ALL)):
        given = allow("kms:Decrypt", Principal={"AWS": role})
        kms.put_key_policy(KeyId=key, PolicyName="default", Policy=document(*closed, given))
        assert rows(request)["caller"].level == "ok", "the key's own policy is enough"
