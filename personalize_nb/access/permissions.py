"""The role, bucket policies and key policies that Amazon Personalize needs: made, or mended, on request.

The same calls work on AWS and on the embedded service. What others put into a policy stays; only what Personalize
needs is added, and adding it twice changes nothing.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from personalize_nb.contract.policies import templates
from personalize_nb.contract.policies.documents import read_policy
from personalize_nb.contract.policies.needs import Caller, missing_for_trust
from personalize_nb.errors import NotFoundError
from personalize_nb.session.client_errors import translated, with_call
from personalize_nb.session.connection import current

if TYPE_CHECKING:
    import boto3

    from personalize_nb.session.session import Session

_ROLE_NAME = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)
ROLE_POLICY = "PersonalizeReadsAndWrites"
# AWS's own notebooks wait as long after making a role: IAM tells all its places in the world by then
PROPAGATION_SECONDS = 60.0


def bucket_policy(bucket: str) -> str:
    """Return the bucket policy that Personalize needs, as text to paste into the S3 console.

    Parameters
    ----------
    bucket
        The bucket's name.

    Examples
    --------
    >>> import personalize_nb as pnb
    >>> print(pnb.bucket_policy("my-bucket"))  # doctest: +ELLIPSIS
    {
      "Version": "2012-10-17",
    ...
    """
    return templates.text(templates.document(templates.bucket_statement(_name(bucket))))


def allow_personalize(bucket: str, session: Session | boto3.Session | None = None) -> str:
    """Let Personalize read and write a bucket: add what it needs to the bucket's policy.

    Parameters
    ----------
    bucket
        A bucket of this account, in the session's region.
    session
        Where; by default the session of `connect()`.

    Returns
    -------
    str
        The bucket's policy as it is now. Statements of others are left as they were; one that denies still denies.
    """
    session, bucket = current(session), _name(bucket)
    before = _bucket_policy(session, bucket)
    after = templates.with_statement(before, templates.bucket_statement(bucket, session.partition))
    if after != before:
        with translated("PutBucketPolicy"):
            session.s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(after))
    return templates.text(after)


def create_role(
    name: str = "PersonalizeNotebookRole",
    buckets: str | Iterable[str] | None = None,
    kms_keys: str | Iterable[str] = (),
    session: Session | boto3.Session | None = None,
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> str:
    """Create the service role for Personalize, or mend one that exists, and return its ARN.

    The role trusts Personalize for this account and region, and may read and write the buckets and use the keys, whose
    own policies are mended too. A bucket's policy is another matter: see `allow_personalize`.

    Parameters
    ----------
    name
        The role's name.
    buckets
        Bucket names; by default the session's.
    kms_keys
        Ids, ARNs or aliases of KMS keys that the input or output lies under.
    session
        Where; by default the session of `connect()`.
    sleep
        Waits until the whole of AWS knows a new or changed role; replaced in tests.

    Raises
    ------
    NotFoundError
        A bucket or key does not exist; nothing was made.

    Examples
    --------
    >>> import personalize_nb as pnb
    >>> pnb.create_role("Books")
    'arn:aws:iam::123456789012:role/Books'
    """
    if not _ROLE_NAME.fullmatch(name):
        raise ValueError(f"'name' must have 1 to 64 letters, digits or +=,.@_- as IAM wants, got {name!r}")
    session = current(session)
    names = [session.bucket] if buckets is None else [buckets] if isinstance(buckets, str) else list(buckets)
    names = [_name(bucket) for bucket in names if bucket]
    _check_buckets(session, names)
    keys = [_key(session, key) for key in ([kms_keys] if isinstance(kms_keys, str) else kms_keys)]
    arn, changed = _ensure_trust(session, name)
    statements = templates.role_statements(names, keys, session.partition)
    if statements:
        changed |= _ensure_policy(session, name, templates.document(*statements))
    for key in keys:
        _allow_key(session, key, arn)
    if changed and not session.is_local:
        sleep(PROPAGATION_SECONDS)
    return arn


def _check_buckets(session: Session, names: Iterable[str]) -> None:
    """Refuse buckets that do not exist; one that the caller may not look at may well be the role's to read."""
    import botocore.exceptions

    missing, answer = [], None
    for name in names:
        with translated("HeadBucket"):
            try:
                session.s3.head_bucket(Bucket=name)
            except botocore.exceptions.ParamValidationError as error:
                raise ValueError(f"'buckets' holds {name!r}, which is no bucket's name: {error}") from error
            except botocore.exceptions.ClientError as error:
                if error.response.get("Error", {}).get("Code") in ("404", "NoSuchBucket"):
                    missing.append(name)
                    answer = error
    if answer is not None:
        # S3 names its first region by silence and every other one in words
        where = {} if session.region == "us-east-1" else {"LocationConstraint": session.region}
        how = f"Bucket={missing[0]!r}" + (f", CreateBucketConfiguration={where}" if where else "")
        message = (
            f"There is no bucket {', '.join(map(repr, missing))}; nothing was made. Check the spelling, or create it "
            f"in {session.region} first: session.s3.create_bucket({how})."
        )
        raise with_call(NotFoundError(message), answer, "HeadBucket") from answer


def _ensure_trust(session: Session, name: str) -> tuple[str, bool]:
    """Make the role, or add Personalize to those it trusts; return its ARN and whether anything changed."""
    statement = templates.trust_statement(session.account, session.region, session.partition)
    role = _found(lambda: session.iam.get_role(RoleName=name)["Role"], "GetRole", missing=("NoSuchEntity",))
    if role is None:
        with translated("CreateRole"):
            made = session.iam.create_role(
                RoleName=name,
                AssumeRolePolicyDocument=json.dumps(templates.document(statement)),
                Description="Amazon Personalize reads input and writes output of batch jobs (made by personalize_nb).",
            )
            session.iam.get_waiter("role_exists").wait(RoleName=name)
        return made["Role"]["Arn"], True
    trust = role["AssumeRolePolicyDocument"]
    source = session.arn("batch-inference-job", "any")
    caller = Caller(role["Arn"], (), (), session.account, session.region, source)
    if not list(missing_for_trust(caller, read_policy(json.dumps(trust)))):
        return role["Arn"], False
    with translated("UpdateAssumeRolePolicy"):
        session.iam.update_assume_role_policy(
            RoleName=name, PolicyDocument=json.dumps(templates.with_statement(trust, statement))
        )
    return role["Arn"], True


def _ensure_policy(session: Session, name: str, document: Mapping[str, Any]) -> bool:
    """Put the role's inline policy; what an earlier call allowed stays allowed."""
    before = _found(
        lambda: session.iam.get_role_policy(RoleName=name, PolicyName=ROLE_POLICY)["PolicyDocument"],
        "GetRolePolicy",
        missing=("NoSuchEntity",),
    )
    after: Mapping[str, Any] = before or {"Version": "2012-10-17", "Statement": []}
    for statement in document["Statement"]:
        after = templates.with_statement(after, statement)
    if before is not None and sorted(map(str, after["Statement"])) == sorted(map(str, before["Statement"])):
        return False
    with translated("PutRolePolicy"):
        session.iam.put_role_policy(RoleName=name, PolicyName=ROLE_POLICY, PolicyDocument=json.dumps(after))
    return True


def _allow_key(session: Session, key: str, role_arn: str) -> None:
    kms = session.client("kms")
    with translated("PutKeyPolicy"):
        before = json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])
        statement = templates.key_statement(role_arn)
        same = [each for each in before["Statement"] if each.get("Sid") == statement["Sid"]]
        if same:  # a key serves several roles
            known = same[0].get("Principal", {}).get("AWS", [])
            others = [arn for arn in ([known] if isinstance(known, str) else known) if arn != role_arn]
            statement["Principal"]["AWS"] = [*others, role_arn] if others else role_arn
        after = templates.with_statement(before, statement)
        if after != before:
            kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(after))


def _key(session: Session, name: str) -> str:
    with translated("DescribeKey"):
        return session.client("kms").describe_key(KeyId=name)["KeyMetadata"]["Arn"]


def _bucket_policy(session: Session, bucket: str) -> dict[str, Any] | None:
    text = _found(
        lambda: session.s3.get_bucket_policy(Bucket=bucket)["Policy"],
        "GetBucketPolicy",
        missing=("NoSuchBucketPolicy",),
    )
    return None if text is None else json.loads(text)


def _found(call: Callable[[], Any], action: str, missing: tuple[str, ...]) -> Any:
    """Return what a call gives, or None when there is nothing of that name."""
    import botocore.exceptions

    with translated(action):
        try:
            return call()
        except botocore.exceptions.ClientError as error:
            if error.response.get("Error", {}).get("Code") in missing:
                return None
            raise


def _name(bucket: str) -> str:
    return bucket.removeprefix("s3://").split("/", 1)[0]
