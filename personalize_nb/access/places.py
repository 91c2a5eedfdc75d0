"""Where a policy lives in AWS: how it is read, put and taken away there, and how long it may be.

A policy is its text, as AWS gives it, so that undoing returns what was there; None is the absence of one.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from personalize_nb.contract.policies import sizes

if TYPE_CHECKING:
    from personalize_nb.session.session import Session

_DESCRIPTION = "Amazon Personalize reads input and writes output of batch jobs (made by personalize_nb)."


@dataclass(frozen=True)
class Place(ABC):
    """One policy, or one setting, of AWS; `spreads` tells whether AWS takes a while to know a change everywhere."""

    session: Session = field(compare=False, repr=False)
    spreads = True

    @property
    @abstractmethod
    def title(self) -> str:
        """What it is, in words: `bucket policy of books`."""

    @abstractmethod
    def read(self) -> str | None:
        """Return what is there now, or None."""

    @abstractmethod
    def write(self, text: str | None) -> None:
        """Put a text there, or take away what is there."""

    def excess(self, text: str) -> str:
        """Return what to do where a text is too long to be put there, in a sentence; empty where it is not."""
        return ""


@dataclass(frozen=True)
class TrustPolicy(Place):
    """Whom a role trusts; without one there is no role, and putting the first makes it."""

    role: str
    path: str = "/"

    @property
    def title(self) -> str:
        """What it is, in words."""
        return f"trust policy of role {self.role}"

    def read(self) -> str | None:
        """Return the role's trust, or None where there is no role."""
        session = self.session
        role = found(session, "GetRole", lambda: session.iam.get_role(RoleName=self.role)["Role"], "NoSuchEntity")
        return None if role is None else json.dumps(role["AssumeRolePolicyDocument"])

    def write(self, text: str | None) -> None:
        """Change the role's trust; make the role, or delete it."""
        session, role = self.session, self.role
        if text is None:
            session.answer("DeleteRole", lambda: session.iam.delete_role(RoleName=role))
        elif self.read() is None:
            session.answer(
                "CreateRole",
                lambda: session.iam.create_role(
                    RoleName=role, Path=self.path, AssumeRolePolicyDocument=text, Description=_DESCRIPTION
                ),
            )
        else:
            session.answer(
                "UpdateAssumeRolePolicy",
                lambda: session.iam.update_assume_role_policy(RoleName=role, PolicyDocument=text),
            )

    def excess(self, text: str) -> str:
        """Tell of IAM's quota on trust policies."""
        size = sizes.counted(text)
        if size <= sizes.TRUST:
            return ""
        return (
            f"The {self.title} would have {size:,} characters; IAM takes {sizes.TRUST:,} (its quota 'Role trust policy "
            "length' can be raised in Service Quotas). Use a role of its own for Personalize instead: "
            "pnb.create_role('PersonalizeNotebookRole', [...]), and pass its ARN as role_arn."
        )


@dataclass(frozen=True)
class InlinePolicy(Place):
    """A policy in a role, and how many characters the role's other ones have."""

    role: str
    name: str
    others: int = field(default=0, compare=False)

    @property
    def title(self) -> str:
        """What it is, in words."""
        return f"inline policy {self.name} of role {self.role}"

    def read(self) -> str | None:
        """Return the policy, or None where the role has none of that name."""
        document = inline_policy(self.session, self.role, self.name)
        return None if document is None else json.dumps(document)

    def write(self, text: str | None) -> None:
        """Put the policy into the role, or delete it."""
        session, names = self.session, {"RoleName": self.role, "PolicyName": self.name}
        if text is None:
            session.answer("DeleteRolePolicy", lambda: session.iam.delete_role_policy(**names))
        else:
            session.answer("PutRolePolicy", lambda: session.iam.put_role_policy(**names, PolicyDocument=text))

    def excess(self, text: str) -> str:
        """Tell of IAM's limit on all inline policies of a role."""
        size = sizes.counted(text) + self.others
        if size <= sizes.INLINE:
            return ""
        return (
            f"With it the inline policies of role {self.role} would have {size:,} characters together; IAM takes "
            f"{sizes.INLINE:,}. Attach the policy as a managed one instead (up to {sizes.MANAGED:,} characters): "
            f"session.iam.create_policy(PolicyName={self.name!r}, PolicyDocument=...), then "
            f"session.iam.attach_role_policy(RoleName={self.role!r}, PolicyArn=...); or use a role of its own for "
            "Personalize."
        )


@dataclass(frozen=True)
class BucketPolicy(Place):
    """The policy of a bucket."""

    bucket: str
    spreads = False

    @property
    def title(self) -> str:
        """What it is, in words."""
        return f"bucket policy of {self.bucket}"

    def read(self) -> str | None:
        """Return the bucket's policy, or None where it has none."""
        text: str | None = found(
            self.session,
            "GetBucketPolicy",
            lambda: self.session.s3.get_bucket_policy(Bucket=self.bucket)["Policy"],
            "NoSuchBucketPolicy",
        )
        return text

    def write(self, text: str | None) -> None:
        """Put the bucket's policy, or delete it."""
        session, bucket = self.session, self.bucket
        if text is None:
            session.answer("DeleteBucketPolicy", lambda: session.s3.delete_bucket_policy(Bucket=bucket))
        else:
            session.answer("PutBucketPolicy", lambda: session.s3.put_bucket_policy(Bucket=bucket, Policy=text))

    def excess(self, text: str) -> str:
        """Tell of S3's limit on bucket policies."""
        return _too_long(self.title, "S3", sizes.sent(text), sizes.BUCKET, "use another bucket for these jobs")


@dataclass(frozen=True)
class KeyPolicy(Place):
    """The policy of a KMS key, which always has one."""

    key: str

    @property
    def title(self) -> str:
        """What it is, in words."""
        return f"key policy of {self.key}"

    def read(self) -> str:
        """Return the key's policy."""
        session, named = self.session, {"KeyId": self.key, "PolicyName": "default"}
        return session.answer("GetKeyPolicy", lambda: session.client("kms").get_key_policy(**named)["Policy"])

    def write(self, text: str | None) -> None:
        """Put the key's policy."""
        session, key = self.session, self.key
        session.answer(
            "PutKeyPolicy",
            lambda: session.client("kms").put_key_policy(KeyId=key, PolicyName="default", Policy=text or ""),
        )

    def excess(self, text: str) -> str:
        """Tell of KMS's limit on key policies."""
        instead = "give the role a grant instead: session.client('kms').create_grant(...)"
        return _too_long(self.title, "KMS", sizes.sent(text), sizes.KEY, instead)


@dataclass(frozen=True)
class KeyState(Place):
    """Whether a KMS key is enabled."""

    key: str

    @property
    def title(self) -> str:
        """What it is, in words."""
        return f"state of the KMS key {self.key}"

    def read(self) -> str:
        """Return the key's state as a JSON text: `"Enabled"`, `"Disabled"`."""
        return json.dumps(described_key(self.session, self.key)["KeyState"])

    def write(self, text: str | None) -> None:
        """Enable or disable the key."""
        session = self.session
        if text == ENABLED:
            session.answer("EnableKey", lambda: session.client("kms").enable_key(KeyId=self.key))
        else:
            session.answer("DisableKey", lambda: session.client("kms").disable_key(KeyId=self.key))


ENABLED, DISABLED = json.dumps("Enabled"), json.dumps("Disabled")


def found(session: Session, action: str, call: Callable[[], Any], missing: str) -> Any:
    """Return what a call gives, or None when AWS says in its code that there is nothing of that name."""
    import botocore.exceptions

    def ask() -> Any:
        try:
            return call()
        except botocore.exceptions.ClientError as error:
            if error.response.get("Error", {}).get("Code") == missing:
                return None
            raise

    return session.answer(action, ask)


def inline_policy(session: Session, role: str, name: str) -> Any:
    """Return the document of a role's inline policy, or None where the role has none of that name."""
    names = {"RoleName": role, "PolicyName": name}
    return found(
        session, "GetRolePolicy", lambda: session.iam.get_role_policy(**names)["PolicyDocument"], "NoSuchEntity"
    )


def described_key(session: Session, key: str) -> Mapping[str, Any]:
    """Return what KMS tells of a key, by its id, ARN or alias."""
    return session.answer("DescribeKey", lambda: session.client("kms").describe_key(KeyId=key)["KeyMetadata"])


def _too_long(title: str, service: str, size: int, limit: int, instead: str) -> str:
    if size <= limit:
        return ""
    return (
        f"The {title} would have {size:,} bytes; {service} takes {limit:,}. Join statements in it that say the same, "
        f"or {instead}."
    )
