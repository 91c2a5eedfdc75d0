"""Jobs with KMS keys, from input to output: encrypted at rest, read back, and refused when a grant is missing."""

from __future__ import annotations

import json

import pytest

import personalize_nb as pnb
from personalize_nb import errors
from personalize_nb.access.permissions import ROLE_POLICY

BUCKET, ROLE = "pnb-keys", "PnbKeys"
ACTIONS = ("kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey", "kms:ListGrants")


@pytest.fixture(scope="module")
def kms(session):
    return session.client("kms")


@pytest.fixture(scope="module")
def key(session, kms):
    """Make a bucket, a key and a role that go together, as a user does."""
    session.s3.create_bucket(Bucket=BUCKET)
    pnb.allow_personalize(BUCKET, session=session)
    key = kms.create_key()["KeyMetadata"]["Arn"]
    kms.create_alias(AliasName="alias/pnb-keys", TargetKeyId=key)
    pnb.create_role(ROLE, [BUCKET, session.bucket], kms_keys=["alias/pnb-keys"], session=session)
    pnb.create_role(ROLE, [BUCKET, session.bucket], kms_keys=key, session=session)
    session.s3.put_object(
        Bucket=BUCKET, Key="in/users.jsonl", Body=b'{"userId": "r1"}\n', ServerSideEncryption="aws:kms", SSEKMSKeyId=key
    )
    return key


@pytest.fixture
def request_of(session, readers_model, key):
    def make(**changes):
        wanted = pnb.JobRequest(
            job_name="keys-never",
            solution_version_arn=readers_model.arn,
            input_path=f"s3://{BUCKET}/in/users.jsonl",
            output_path=f"s3://{BUCKET}/out/",
            role_arn=f"arn:aws:iam::{session.account}:role/{ROLE}",
            num_results=3,
            input_kms_key_arn=key,
            output_kms_key_arn=key,
        )
        return wanted.replace(**changes)

    return make


def test_input_and_output_lie_under_the_key(session, request_of, key):
    job = pnb.start(request_of(job_name="keys-whole"), session=session).wait(progress=False)
    assert len(job.recommendations()) == 3
    for name in ("out/users.jsonl.out", "out/_CHECK"):
        assert session.s3.head_object(Bucket=BUCKET, Key=name)["SSEKMSKeyId"] == key


def test_preflight_agrees(session, request_of):
    frame = pnb.preflight(request_of(), session=session)
    assert set(frame.level) == {"ok"}, frame


@pytest.mark.parametrize("action", [*ACTIONS, "kms:CreateGrant"])
def test_one_action_missing_in_the_key_policy(session, kms, request_of, key, action):
    before = kms.get_key_policy(KeyId=key)["Policy"]
    policy = json.loads(before)
    policy["Statement"][1]["Action"].remove(action)
    kms.put_key_policy(KeyId=key, Policy=json.dumps(policy))
    frame = pnb.preflight(request_of(), session=session)
    with pytest.raises(errors.AccessError) as error:
        pnb.start(request_of(), session=session)
    kms.put_key_policy(KeyId=key, Policy=before)
    wanted = f"The key policy of {key} does not allow personalize.amazonaws.com {action}."
    assert wanted in str(error.value)
    assert frame[frame.level == "error"].found.str.contains(wanted, regex=False).any()


def test_what_one_policy_lacks_is_one_sentence(session, kms, request_of):
    other = kms.create_key()["KeyMetadata"]["Arn"]
    frame = pnb.preflight(request_of(output_kms_key_arn=other), session=session)
    (row,) = frame[frame.check == "key policy"].itertuples()
    needed = "kms:Decrypt, kms:GenerateDataKey, kms:DescribeKey, kms:ListGrants and kms:CreateGrant"
    assert row.found == f"The key policy of {other} does not allow personalize.amazonaws.com {needed}."


@pytest.mark.parametrize("action", ACTIONS)
def test_one_action_missing_in_the_role_s_policy(session, request_of, key, action):
    name = {"RoleName": ROLE, "PolicyName": ROLE_POLICY}
    before = session.iam.get_role_policy(**name)["PolicyDocument"]
    after = json.loads(json.dumps(before))
    for statement in after["Statement"]:
        statement["Action"] = [one for one in statement["Action"] if one != action]
    session.iam.put_role_policy(**name, PolicyDocument=json.dumps(after))
    with pytest.raises(errors.AccessError) as error:
        pnb.start(request_of(), session=session)
    session.iam.put_role_policy(**name, PolicyDocument=json.dumps(before))
    assert f"No policy of role {ROLE} allows role {ROLE} {action} on {key}." in str(error.value)


def test_the_account_in_the_key_policy_is_not_enough_and_a_grant_is(session, kms, request_of):
    other = kms.create_key()["KeyMetadata"]["Arn"]
    wanted = request_of(output_kms_key_arn=other)
    with pytest.raises(errors.AccessError, match=other):
        pnb.start(wanted, session=session)
    operations = ["Decrypt", "GenerateDataKey", "DescribeKey", "CreateGrant"]
    kms.create_grant(KeyId=other, GranteePrincipal=wanted.role_arn, Operations=operations)
    with pytest.raises(errors.AccessError) as error:
        pnb.start(wanted, session=session)
    assert "kms:ListGrants" in str(error.value) and "kms:Decrypt" not in str(error.value)


def test_a_key_that_cannot_be_used(session, kms, request_of, key):
    kms.disable_key(KeyId=key)
    frame = pnb.preflight(request_of(), session=session)
    with pytest.raises(errors.PersonalizeError, match="disabled"):
        pnb.start(request_of(), session=session)
    kms.enable_key(KeyId=key)
    assert frame[frame.level == "error"].found.str.contains("Disabled").any()
    missing = key[:-6] + "000000"
    with pytest.raises(errors.PersonalizeError, match="does not exist") as error:
        pnb.start(request_of(output_kms_key_arn=missing), session=session)
    assert str(error.value).count(missing) == 1


def test_the_default_role_needs_only_the_key_s_policy(session, kms, request_of):
    other = kms.create_key()["KeyMetadata"]["Arn"]
    wanted = request_of(
        role_arn=session.role(), input_path=f"s3://{session.bucket}/keys/in.jsonl", input_kms_key_arn=None
    ).replace(output_kms_key_arn=other, output_path=f"s3://{session.bucket}/keys/out/")
    session.s3.put_object(Bucket=session.bucket, Key="keys/in.jsonl", Body=b'{"userId": "r1"}\n')
    with pytest.raises(errors.AccessError) as error:
        pnb.start(wanted, session=session)
    assert "key policy" in str(error.value) and "No policy of role" not in str(error.value)
