"""KMS through boto3: keys, aliases, policies, grants, and encryption that really encrypts."""

from __future__ import annotations

import json

import pytest
import wire
from botocore.exceptions import ClientError

from personalize_nb.local.iam.keys import Keys
from personalize_nb.local.iam.kms import kms_handler

DAY = 86_400


class Clock:
    now = 1_800_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def kms(tmp_path, clock):
    keys = Keys(tmp_path / "state.sqlite", wire.ACCOUNT, wire.REGION, clock)
    with wire.serving({"kms": kms_handler(keys)}) as endpoint:
        client = wire.make_client("kms", endpoint)
        yield client
        client.close()
    keys.close()


@pytest.fixture
def key(kms):
    return kms.create_key(Description="books", Tags=[{"TagKey": "team", "TagValue": "x"}])["KeyMetadata"]


def test_a_key_is_described_as_aws_describes_it(kms, key):
    assert key["Arn"] == f"arn:aws:kms:us-east-1:{wire.ACCOUNT}:key/{key['KeyId']}"
    assert (key["KeyState"], key["Enabled"], key["KeyManager"]) == ("Enabled", True, "CUSTOMER")
    assert kms.describe_key(KeyId=key["Arn"])["KeyMetadata"] == key
    assert kms.list_keys()["Keys"] == [{"KeyId": key["KeyId"], "KeyArn": key["Arn"]}]
    assert kms.list_resource_tags(KeyId=key["KeyId"])["Tags"] == [{"TagKey": "team", "TagValue": "x"}]
    kms.tag_resource(KeyId=key["KeyId"], Tags=[{"TagKey": "more", "TagValue": ""}])
    kms.untag_resource(KeyId=key["KeyId"], TagKeys=["team"])
    assert kms.list_resource_tags(KeyId=key["KeyId"])["Tags"] == [{"TagKey": "more", "TagValue": ""}]
    kms.update_key_description(KeyId=key["KeyId"], Description="films")
    assert kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["Description"] == "films"


def test_lists_have_pages(kms):
    for _ in range(5):
        kms.create_key()
    pages = list(kms.get_paginator("list_keys").paginate(PaginationConfig={"PageSize": 2}))
    assert [len(page["Keys"]) for page in pages] == [2, 2, 1]


def test_aliases(kms, key):
    other = kms.create_key()["KeyMetadata"]
    kms.create_alias(AliasName="alias/books", TargetKeyId=key["KeyId"])
    for name in ("alias/books", f"arn:aws:kms:us-east-1:{wire.ACCOUNT}:alias/books"):
        assert kms.describe_key(KeyId=name)["KeyMetadata"]["KeyId"] == key["KeyId"]
    with pytest.raises(kms.exceptions.AlreadyExistsException):
        kms.create_alias(AliasName="alias/books", TargetKeyId=other["KeyId"])
    with pytest.raises(ClientError, match="alias/aws/"):
        kms.create_alias(AliasName="alias/aws/mine", TargetKeyId=key["KeyId"])
    kms.update_alias(AliasName="alias/books", TargetKeyId=other["KeyId"])
    (alias,) = kms.list_aliases(KeyId=other["KeyId"])["Aliases"]
    assert (alias["AliasName"], alias["TargetKeyId"]) == ("alias/books", other["KeyId"])
    kms.delete_alias(AliasName="alias/books")
    with pytest.raises(kms.exceptions.NotFoundException):
        kms.describe_key(KeyId="alias/books")


def test_policies_are_kept_and_checked(kms, key):
    policy = json.loads(kms.get_key_policy(KeyId=key["KeyId"], PolicyName="default")["Policy"])
    assert policy["Statement"][0]["Principal"] == {"AWS": f"arn:aws:iam::{wire.ACCOUNT}:root"}
    policy["Statement"].append({**policy["Statement"][0], "Principal": {"Service": "personalize.amazonaws.com"}})
    kms.put_key_policy(KeyId=key["KeyId"], PolicyName="default", Policy=json.dumps(policy))
    assert json.loads(kms.get_key_policy(KeyId=key["KeyId"])["Policy"]) == policy
    assert kms.list_key_policies(KeyId=key["KeyId"])["PolicyNames"] == ["default"]
    with pytest.raises(kms.exceptions.MalformedPolicyDocumentException):
        kms.put_key_policy(KeyId=key["KeyId"], Policy="{}")
    with pytest.raises(kms.exceptions.MalformedPolicyDocumentException):
        kms.create_key(Policy='{"Statement": {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}}')


def test_grants(kms, key):
    role = f"arn:aws:iam::{wire.ACCOUNT}:role/R"
    made = kms.create_grant(KeyId=key["KeyId"], GranteePrincipal=role, Operations=["Decrypt"])
    (grant,) = kms.list_grants(KeyId=key["KeyId"], GranteePrincipal=role)["Grants"]
    assert (grant["GrantId"], grant["Operations"]) == (made["GrantId"], ["Decrypt"])
    assert kms.list_grants(KeyId=key["KeyId"], GranteePrincipal=role + "x")["Grants"] == []
    kms.revoke_grant(KeyId=key["KeyId"], GrantId=made["GrantId"])
    with pytest.raises(kms.exceptions.NotFoundException):
        kms.revoke_grant(KeyId=key["KeyId"], GrantId=made["GrantId"])


def test_what_is_encrypted_comes_back_and_only_with_its_context(kms, key):
    sealed = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"secret", EncryptionContext={"a": "1"})["CiphertextBlob"]
    assert b"secret" not in sealed
    opened = kms.decrypt(CiphertextBlob=sealed, EncryptionContext={"a": "1"})
    assert (opened["Plaintext"], opened["KeyId"]) == (b"secret", key["Arn"])
    for changes in (
        {"EncryptionContext": {"a": "2"}},
        {"CiphertextBlob": sealed[:-1] + bytes([sealed[-1] ^ 1])},
        {"CiphertextBlob": b"nonsense"},
    ):
        with pytest.raises(kms.exceptions.InvalidCiphertextException):
            kms.decrypt(**{"CiphertextBlob": sealed, "EncryptionContext": {"a": "1"}} | changes)
    other = kms.create_key()["KeyMetadata"]["KeyId"]
    with pytest.raises(kms.exceptions.IncorrectKeyException):
        kms.decrypt(CiphertextBlob=sealed, EncryptionContext={"a": "1"}, KeyId=other)


def test_data_keys(kms, key):
    made = kms.generate_data_key(KeyId=key["KeyId"], KeySpec="AES_256")
    assert len(made["Plaintext"]) == 32
    assert kms.decrypt(CiphertextBlob=made["CiphertextBlob"])["Plaintext"] == made["Plaintext"]
    assert len(kms.generate_data_key(KeyId=key["KeyId"], KeySpec="AES_128")["Plaintext"]) == 16
    hidden = kms.generate_data_key_without_plaintext(KeyId=key["KeyId"], NumberOfBytes=24)
    assert "Plaintext" not in hidden
    assert len(kms.decrypt(CiphertextBlob=hidden["CiphertextBlob"])["Plaintext"]) == 24
    with pytest.raises(ClientError, match="either"):
        kms.generate_data_key(KeyId=key["KeyId"])


def test_a_disabled_key_is_of_no_use_until_it_is_enabled(kms, key):
    sealed = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    kms.disable_key(KeyId=key["KeyId"])
    for call in (
        lambda: kms.decrypt(CiphertextBlob=sealed),
        lambda: kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x"),
    ):
        with pytest.raises(kms.exceptions.DisabledException):
            call()
    kms.enable_key(KeyId=key["KeyId"])
    assert kms.decrypt(CiphertextBlob=sealed)["Plaintext"] == b"x"


def test_deletion_waits_can_be_cancelled_and_is_final(kms, key, clock):
    with pytest.raises(ClientError, match="7"):
        kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=3)
    kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)
    with pytest.raises(kms.exceptions.KMSInvalidStateException):
        kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")
    kms.cancel_key_deletion(KeyId=key["KeyId"])
    assert kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"] == "Disabled"
    kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)
    clock.now += 8 * DAY
    with pytest.raises(kms.exceptions.NotFoundException):
        kms.describe_key(KeyId=key["KeyId"])


def test_refusals_name_what_is_there(kms):
    with pytest.raises(kms.exceptions.NotFoundException, match="eu-west-1"):
        kms.describe_key(KeyId=f"arn:aws:kms:eu-west-1:{wire.ACCOUNT}:key/x")
    with pytest.raises(ClientError, match="'Sign'"):
        kms.sign(KeyId="x", Message=b"x", SigningAlgorithm="ECDSA_SHA_256")
    with pytest.raises(ClientError, match="SYMMETRIC_DEFAULT"):
        kms.create_key(KeySpec="RSA_2048")


def test_keys_survive_a_restart(tmp_path, clock):
    first = Keys(tmp_path / "state.sqlite", wire.ACCOUNT, wire.REGION, clock)
    arn, plain, wrapped = first.new_data_key(first.create()["Arn"])
    first.close()
    second = Keys(tmp_path / "state.sqlite", wire.ACCOUNT, wire.REGION, clock)
    assert second.data_key(wrapped) == plain and second.find(arn)["Arn"] == arn
    second.close()
