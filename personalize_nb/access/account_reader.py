"""What IAM, S3, KMS and Personalize say of the world around a job, read as far as the caller may.

A refusal is remembered as a sentence in `unread`, once; what it kept from being read is None.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from personalize_nb import errors
from personalize_nb.access import refusals
from personalize_nb.contract import limits
from personalize_nb.contract.policies.documents import Policy, PolicyError, managed_policy, read_policy
from personalize_nb.resources import item_schema
from personalize_nb.session import s3

if TYPE_CHECKING:
    from datetime import datetime

    from personalize_nb.contract.policies.uses import Use
    from personalize_nb.session.session import Session

_MAX_OBJECTS, _MAX_HEADS = 1000, 20
Thing = TypeVar("Thing")


@dataclass
class Role:
    """A role; what could not be read is None. `elsewhere` is the ARN of a role of the same name with another path.

    `trust_text` and `inline` are its trust and its inline policies as texts.
    """

    name: str
    missing: bool = False
    elsewhere: str = ""
    trust: Policy | None = None
    policies: list[Policy] | None = None
    unknown: list[str] = field(default_factory=list)
    trust_text: str | None = None
    inline: dict[str, str] = field(default_factory=dict)


@dataclass
class Bucket:
    """A bucket; `readable` tells whether its policy could be read, `text` is that policy."""

    missing: bool = False
    region: str | None = None
    readable: bool = False
    policy: Policy | None = None
    text: str | None = None


@dataclass
class Key:
    """A KMS key; `customer` tells whether its policy is a customer's, `text` is that policy where it could be read."""

    arn: str
    state: str = ""
    missing: bool = False
    customer: bool = False
    policy: Policy | None = None
    text: str | None = None
    grants: list[Mapping[str, Any]] = field(default_factory=list)

    def granted(self, role_arn: str) -> set[str]:
        """Return the actions that grants give to a role."""
        return {
            f"kms:{operation}"
            for grant in self.grants
            if grant.get("GranteePrincipal") == role_arn
            for operation in grant.get("Operations", ())
        }


class Reader:
    """Reads through a session, each thing once."""

    def __init__(self, session: Session):
        self.session = session
        self.unread: list[str] = []
        self._reasons: dict[str, list[errors.PersonalizeError]] = {}
        self._known: dict[tuple[str, str], Any] = {}

    def role(self, arn: str) -> Role:
        """Return the role of an ARN, with its trust and all its policies."""
        return self._once("role", arn, lambda: self._role(arn))

    def bucket(self, name: str) -> Bucket:
        """Return a bucket, its region and policy."""
        return self._once("bucket", name, lambda: self._bucket(name))

    def key(self, name: str) -> Key:
        """Return a key by id, ARN or alias."""
        return self._once("key", name, lambda: self._key(name))

    def objects(self, use: Use) -> list[str] | None:
        """Return the keys of a use's objects, at most a thousand; None when they may not be listed."""
        bucket = use.bucket
        if bucket is None:
            return []

        def read() -> list[str] | None:
            answer = self._try(
                lambda: s3.listed(self.session, bucket, use.key, _MAX_OBJECTS), "ListObjectsV2", f"bucket {bucket}"
            )
            if answer is None:
                return None
            found = [s3.split(one.address)[1] for one in answer[0]]
            return [use.key] if use.key in found else found

        return self._once("objects", f"{use.bucket}/{use.key}", read)

    def keys(self, use: Use, uploads: bool = False) -> list[str]:
        """Return the KMS keys that a use needs: the one named, those of its first objects, or the bucket's default.

        Parameters
        ----------
        use
            The location.
        uploads
            Whether what is read there is still to be written.
        """
        name = f"{use.bucket}/{use.key}/{use.writes}/{use.key_arn}/{uploads}"
        return self._once("keys", name, lambda: self._keys(use, use.writes or uploads))

    def item_fields(self, dataset_group_arn: str) -> list[dict[str, Any]]:
        """Return the fields of a group's Items schema; empty when there is none."""
        return item_schema.item_fields(dataset_group_arn, self.session)

    def last_import(self, dataset_group_arn: str) -> datetime | None:
        """When the newest import of a group's interactions ended; None where there was none."""
        session, ends = self.session, []
        for dataset in session.pages("list_datasets", "datasets", datasetGroupArn=dataset_group_arn):
            if dataset["datasetType"].upper() == "INTERACTIONS":
                jobs = session.pages("list_dataset_import_jobs", "datasetImportJobs", datasetArn=dataset["datasetArn"])
                ends += [job["lastUpdatedDateTime"] for job in jobs if job["status"] == limits.ACTIVE]
        return max(ends, default=None)

    def _role(self, arn: str) -> Role:
        session, name = self.session, arn.rsplit("/", 1)[-1]
        role = Role(name)
        what = f"role {name}"
        found = self._try(lambda: session.iam.get_role(RoleName=name)["Role"], "GetRole", what, absent=False)
        if found is False or (found is not None and found["Arn"] != arn):
            role.missing, role.elsewhere = True, found["Arn"] if found else ""
            return role
        if found is not None:
            role.trust_text = json.dumps(found["AssumeRolePolicyDocument"])
            role.trust = self._policy(found["AssumeRolePolicyDocument"], f"the trust policy of {what}")

        texts = self._inline(name)
        pages = self._try(
            lambda: list(session.iam.get_paginator("list_attached_role_policies").paginate(RoleName=name)),
            "ListAttachedRolePolicies",
            what,
        )
        if texts is None or pages is None:
            return role
        role.inline = {one: json.dumps(document) for one, document in texts}
        policies = [self._policy(document, f"inline policy {one}") for one, document in texts]
        for attached in (one["PolicyArn"] for page in pages for one in page["AttachedPolicies"]):
            document = self._managed(attached)
            policies.append(None if document is None else self._policy(document, f"policy {attached}"))
            if document is None:
                role.unknown.append(attached)
                if f"policy {attached}" not in self._reasons:  # it is not there
                    self._note(f"what policy {attached} allows could not be checked.")
        # one that cannot be read may allow what the others do not
        role.policies = [one for one in policies if one is not None] if not role.unknown else None
        return role

    def _inline(self, name: str) -> list[tuple[str, Any]] | None:
        """Return the inline policies of a role by name, or None where one of them may not be read."""
        session, what = self.session, f"role {name}"

        def names() -> list[str]:
            pages = session.iam.get_paginator("list_role_policies").paginate(RoleName=name)
            return [one for page in pages for one in page["PolicyNames"]]

        def document(policy: str) -> Any:
            return session.iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]

        found = []
        there = self._try(names, "ListRolePolicies", what)
        for one in there or ():
            text = self._try(partial(document, one), "GetRolePolicy", what)
            if text is None:
                return None
            found.append((one, text))
        return None if there is None else found

    def _managed(self, arn: str) -> Any:
        known, session, what = managed_policy(arn), self.session, f"policy {arn}"
        if known:
            return json.loads(known)
        policy = self._try(lambda: session.iam.get_policy(PolicyArn=arn)["Policy"], "GetPolicy", what)
        if policy is None:
            return None
        version = policy["DefaultVersionId"]
        return self._try(
            lambda: session.iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"],
            "GetPolicyVersion",
            what,
        )

    def _bucket(self, name: str) -> Bucket:
        session, bucket = self.session, Bucket()
        what = f"bucket {name}"
        bucket.region = self._told_region(name)
        if bucket.region is None:
            located = self._try(
                lambda: session.s3.get_bucket_location(Bucket=name), "GetBucketLocation", what, absent=False
            )
            if located is False:
                bucket.missing = True
                return bucket
            if located is not None:
                region = located.get("LocationConstraint") or "us-east-1"
                bucket.region = "eu-west-1" if region == "EU" else region
        found = self._try(
            lambda: session.s3.get_bucket_policy(Bucket=name)["Policy"],
            "GetBucketPolicy",
            what,
            absent="",
        )
        if found is not None:
            bucket.readable = True
            bucket.text = found or None
            bucket.policy = self._policy(json.loads(found), f"the bucket policy of {name}") if found else None
        return bucket

    def _told_region(self, name: str) -> str | None:
        """Return the region that S3 tells of a bucket to everybody, also in a refusal; None where it tells none."""
        try:
            answer: Any = self.session.answer("HeadBucket", lambda: self.session.s3.head_bucket(Bucket=name))
        except errors.CredentialsError:
            raise
        except errors.PersonalizeError as error:
            answer = getattr(error.__cause__, "response", {})
        headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
        region: str | None = answer.get("BucketRegion") or headers.get("x-amz-bucket-region")
        return region

    def _keys(self, use: Use, is_new: bool) -> list[str]:
        bucket = use.bucket
        names = [use.key_arn] if use.key_arn else []
        if bucket is None or (is_new and names):
            return names
        if is_new:
            return self._once("encryption", bucket, lambda: self._defaults(bucket))
        for key in (self.objects(use) or ())[:_MAX_HEADS]:
            head = self._try(partial(self._head, bucket, key), "HeadObject", f"bucket {bucket}", absent={})
            if head is None:
                break
            names.append(head.get("SSEKMSKeyId"))
        return list(dict.fromkeys(name for name in names if name))

    def _head(self, bucket: str, key: str) -> Mapping[str, Any]:
        return self.session.s3.head_object(Bucket=bucket, Key=key)

    def _defaults(self, bucket: str) -> list[str]:
        """Return the keys with which a bucket encrypts what names none."""

        def read() -> Any:
            answer = self.session.s3.get_bucket_encryption(Bucket=bucket)
            return answer["ServerSideEncryptionConfiguration"]["Rules"]

        found = self._try(read, "GetBucketEncryption", f"bucket {bucket}", absent=[])
        defaults = [rule.get("ApplyServerSideEncryptionByDefault") or {} for rule in found or ()]
        return [one["KMSMasterKeyID"] for one in defaults if one.get("KMSMasterKeyID")]

    def _key(self, name: str) -> Key:
        session, what = self.session, f"the KMS key {name}"
        found = self._try(
            lambda: session.client("kms").describe_key(KeyId=name)["KeyMetadata"], "DescribeKey", what, absent=False
        )
        if not found:
            return Key(name, missing=found is False)
        key = Key(found["Arn"], found["KeyState"], customer=found.get("KeyManager") == "CUSTOMER")
        if key.customer:
            key.text = self._try(
                lambda: session.client("kms").get_key_policy(KeyId=key.arn, PolicyName="default")["Policy"],
                "GetKeyPolicy",
                what,
            )
            if key.text is not None:
                key.policy = self._policy(json.loads(key.text), f"the key policy of {key.arn}")
            grants = self._try(lambda: session.client("kms").list_grants(KeyId=key.arn)["Grants"], "ListGrants", what)
            key.grants = grants or []
        return key

    def _policy(self, document: Any, name: str) -> Policy | None:
        try:
            return read_policy(json.dumps(document), name)
        except PolicyError as error:
            self._note(f"{name} cannot be read: {error}.")
            return None

    def _try(self, call: Callable[[], Any], action: str, what: str, absent: Any = None) -> Any:
        """Call; `absent` when there is none of that name, None (and a note) when it may not be read."""
        try:
            return self.session.answer(action, call)
        except errors.CredentialsError:
            raise
        except errors.NotFoundError:
            return absent
        except errors.ServiceError as error:
            if error.code in _ABSENT:
                return absent
            self._unread_of(what, error)
        except errors.PersonalizeError as error:
            self._unread_of(what, error)
        return None

    def _unread_of(self, what: str, error: errors.PersonalizeError) -> None:
        """Note what could not be read of a thing, in one sentence with what else could not be read of it."""
        reasons = self._reasons.setdefault(what, [])
        before = _told(what, reasons)
        if error not in reasons:
            reasons.append(error)
        after = _told(what, reasons)
        if before in self.unread:
            self.unread[self.unread.index(before)] = after
        else:
            self._note(after)

    def _note(self, text: str) -> None:
        text = text[:1].upper() + text[1:]
        if text not in self.unread:
            self.unread.append(text)

    def _once(self, kind: str, name: str, read: Callable[[], Thing]) -> Thing:
        if (kind, name) not in self._known:
            self._known[kind, name] = read()
        thing: Thing = self._known[kind, name]
        return thing


def _told(what: str, reasons: Sequence[errors.PersonalizeError]) -> str:
    return f"{what[:1].upper()}{what[1:]} could not be checked in full: {refusals.told(reasons)}"


_ABSENT = frozenset({"NoSuchBucketPolicy", "ServerSideEncryptionConfigurationNotFoundError", "NotFoundException"})
