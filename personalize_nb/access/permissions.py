"""The role, bucket policies and key policies that Amazon Personalize needs: made, or mended, on request.

The same calls work on AWS and on the embedded service. What others put into a policy stays; only what Personalize
needs is added, and adding it twice changes nothing.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from personalize_nb.access.places import BucketPolicy, KeyPolicy, described_key, found, inline_policy
from personalize_nb.access.plans import ROLE_POLICY, bucket_change, is_foreign, key_change, role_change, trust_change
from personalize_nb.access.repairs import PROPAGATION_SECONDS as PROPAGATION_SECONDS
from personalize_nb.access.repairs import Repair
from personalize_nb.contract.policies import templates
from personalize_nb.contract.policies.documents import read_policy
from personalize_nb.contract.policies.needs import Caller, missing_for_trust
from personalize_nb.errors import AlreadyExistsError, NotFoundError, PersonalizeError, Problem, RequestError
from personalize_nb.session.client_errors import with_call
from personalize_nb.session.connection import connected, current
from personalize_nb.text.public import public

if TYPE_CHECKING:
    import boto3

    from personalize_nb.access.repairs import Change
    from personalize_nb.session.session import Session

_ROLE = re.compile(
    r"(?:arn:(?P<partition>[a-z-]+):iam::(?P<account>\d{12}):role(?=/))?"
    r"(?P<path>/(?:[!-~]{1,510}/)?|(?:[!-~]{1,510}/)?)(?P<name>[\w+=,.@-]{1,64})",
    re.ASCII,
)


@public
def bucket_policy(bucket: str, session: Session | boto3.Session | None = None) -> str:
    """Return the bucket policy that Personalize needs, as text to paste into the S3 console.

    Parameters
    ----------
    bucket
        The bucket's name.
    session
        Where; by default the session of `connect()`. With one, the policy lets Personalize in for the resources of its
        account and region only.

    Returns
    -------
    str
        JSON, indented.

    References
    ----------
    Amazon S3: PutBucketPolicy; "Giving Amazon Personalize access to Amazon S3 resources".

    Examples
    --------
    >>> import personalize_nb as pnb
    >>> print(pnb.bucket_policy("my-bucket"))  # doctest: +ELLIPSIS
    {
      "Version": "2012-10-17",
    ...
    """
    chosen = connected() if session is None else current(session)
    where = () if chosen is None else (chosen.account, chosen.region, chosen.partition)
    return templates.text(templates.document(templates.bucket_statement(_name(bucket), *where)))


@public
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

    Raises
    ------
    NotFoundError
        There is no such bucket.
    AccessError
        You may not read or write its policy; `bucket_policy` has the text for whoever may.

    Notes
    -----
    `pnb.preflight(...).repair()` shows the change before it is made, and can undo it.

    References
    ----------
    Amazon S3: GetBucketPolicy, PutBucketPolicy; "Giving Amazon Personalize access to Amazon S3 resources".

    Examples
    --------
    >>> import json
    >>> import personalize_nb as pnb
    >>> policy = json.loads(pnb.allow_personalize(pnb.connect().bucket))
    >>> policy["Statement"][-1]["Principal"]
    {'Service': 'personalize.amazonaws.com'}
    """
    session, bucket = current(session), _name(bucket)
    change = bucket_change(session, bucket, BucketPolicy(session, bucket).read())
    Repair([change]).apply()
    return templates.text(json.loads(change.after or "{}"))


@public
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
        The role's name; with its path (`team/Books`) or as an ARN, where it has a path.
    buckets
        Bucket names; by default the session's.
    kms_keys
        Ids, ARNs or aliases of KMS keys that the input or output lies under.
    session
        Where; by default the session of `connect()`.
    sleep
        Waits until the whole of AWS knows a new or changed role; replaced in tests.

    Returns
    -------
    str
        The role's ARN, for `pnb.connect(role_arn=...)`.

    Raises
    ------
    NotFoundError
        A bucket or key does not exist; nothing was made.
    AlreadyExistsError
        There is a role of this name with another path.
    QuotaError
        A policy would be longer than AWS takes; nothing was made.
    RequestError
        The name or a bucket's name is not legal; nothing was made.

    Notes
    -----
    `pnb.preflight(...).repair()` shows such changes before they are made, and can undo them.

    References
    ----------
    AWS IAM: CreateRole, PutRolePolicy; "Creating an IAM role for Amazon Personalize".

    Examples
    --------
    >>> import personalize_nb as pnb
    >>> pnb.create_role("Books")
    'arn:aws:iam::123456789012:role/Books'
    """
    session, wanted = current(session), _wanted_role(name)
    if wanted.account and (wanted.account, wanted.partition) != (session.account, session.partition):
        told = f"'name' must be a role of this session's account {session.account} ({session.partition}), got {name!r}"
        raise RequestError([Problem("name", told)])
    names = [session.bucket] if buckets is None else [buckets] if isinstance(buckets, str) else list(buckets)
    names = [_name(bucket) for bucket in names if bucket]
    _check_buckets(session, names)
    keys = [_key(session, key) for key in ([kms_keys] if isinstance(kms_keys, str) else kms_keys)]
    role = found(session, "GetRole", lambda: session.iam.get_role(RoleName=wanted.name)["Role"], "NoSuchEntity")
    if role is not None and wanted.path and role["Path"] != wanted.path:
        raise AlreadyExistsError(
            f"A role {wanted.name!r} is there already with another path: {role['Arn']}. IAM has a name once in an "
            "account, whatever its path: use that role, or choose another name."
        )
    path = wanted.path or "/"
    arn = role["Arn"] if role else f"arn:{session.partition}:iam::{session.account}:role{path}{wanted.name}"
    trust = None if role is None else json.dumps(role["AssumeRolePolicyDocument"])
    changes: list[Change] = []
    if trust is None or not _trusted(session, arn, trust):
        changes.append(trust_change(session, wanted.name, trust, path))
    inline = {} if role is None else _inline(session, wanted.name)
    changes.append(role_change(session, wanted.name, inline, names, keys))
    # the policy of another account's key is that account's to change
    for key in (key for key in keys if not is_foreign(session, key)):
        changes.append(key_change(session, key, arn, KeyPolicy(session, key).read()))
    Repair(changes).apply(sleep=sleep)
    return arn


class _WantedRole(NamedTuple):
    name: str
    path: str
    account: str
    partition: str


def _wanted_role(name: str) -> _WantedRole:
    """Read a name, a path with a name, or an ARN; the path is empty where none was given."""
    match = _ROLE.fullmatch(name)
    if match is None or (name.startswith("arn:") and not match["account"]):
        told = (
            f"'name' must have 1 to 64 letters, digits or +=,.@_- as IAM wants, with the role's path before it where "
            f"it has one (team/Books), or be the role's ARN; got {name!r}"
        )
        raise RequestError([Problem("name", told)])
    given = match["path"].strip("/")
    path = f"/{given}/" if given else "/" if match["account"] else ""
    return _WantedRole(match["name"], path, match["account"] or "", match["partition"] or "")


def _trusted(session: Session, arn: str, trust: str) -> bool:
    """Tell whether a trust policy allows Personalize to assume the role; what it denies, no addition changes."""
    caller = Caller(arn, (), (), session.account, session.region, session.arn("batch-inference-job", "any"))
    return all(missing.denial for missing in missing_for_trust(caller, read_policy(trust)))


def _inline(session: Session, name: str) -> dict[str, str]:
    """Return the inline policies of a role; those that may not be listed count nothing, and IAM judges."""

    def text(policy: str) -> str | None:
        answer = inline_policy(session, name, policy)
        return None if answer is None else json.dumps(answer)

    def names() -> list[str]:
        pages = session.iam.get_paginator("list_role_policies").paginate(RoleName=name)
        return [one for page in pages for one in page["PolicyNames"]]

    texts = {ROLE_POLICY: text(ROLE_POLICY)}
    with suppress(PersonalizeError):
        others = [one for one in session.answer("ListRolePolicies", names) if one != ROLE_POLICY]
        texts |= {one: text(one) for one in others}
    return {one: known for one, known in texts.items() if known is not None}


def _check_buckets(session: Session, names: Iterable[str]) -> None:
    """Refuse buckets that do not exist; one that the caller may not look at may well be the role's to read."""
    import botocore.exceptions

    missing: list[str] = []
    answer: botocore.exceptions.ClientError | None = None

    def absence(name: str) -> botocore.exceptions.ClientError | None:
        try:
            session.s3.head_bucket(Bucket=name)
        except botocore.exceptions.ParamValidationError as error:
            told = f"'buckets' holds {name!r}, which is no bucket's name: {error}"
            raise RequestError([Problem("buckets", told)]) from error
        except botocore.exceptions.ClientError as error:
            if error.response.get("Error", {}).get("Code") in ("404", "NoSuchBucket"):
                return error
        return None

    for name in names:
        if told := session.answer("HeadBucket", partial(absence, name)):
            missing.append(name)
            answer = told
    if answer is not None:
        # S3 names its first region by silence and every other one in words
        where = {} if session.region == "us-east-1" else {"LocationConstraint": session.region}
        how = f"Bucket={missing[0]!r}" + (f", CreateBucketConfiguration={where}" if where else "")
        message = (
            f"There is no bucket {', '.join(map(repr, missing))}; nothing was made. Check the spelling, or create it "
            f"in {session.region} first: session.s3.create_bucket({how})."
        )
        raise with_call(NotFoundError(message), answer, "HeadBucket") from answer


def _key(session: Session, name: str) -> str:
    arn: str = described_key(session, name)["Arn"]
    return arn


def _name(bucket: str) -> str:
    return bucket.removeprefix("s3://").split("/", 1)[0]
