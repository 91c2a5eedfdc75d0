"""What S3 refuses of a bucket's policy: its actions, what they apply to, the resources, and who is named.

Names of actions are those of the service authorization reference. One that is not among them is refused, so what
Amazon adds has to be added here; patterns with `*` and `?` are taken when they fit any name.
"""

from __future__ import annotations

import difflib

from personalize_nb.contract.partitions import DEFAULT
from personalize_nb.contract.policies import documents, refusals, sizes
from personalize_nb.contract.policies.conditions import like
from personalize_nb.contract.policies.documents import PolicyError, Statement
from personalize_nb.contract.policies.refusals import Exists
from personalize_nb.local.errors import ApiError

# calls whose permission has another name
_OF_CALLS = {
    "s3:listobjects": "s3:ListBucket",
    "s3:listobjectsv2": "s3:ListBucket",
    "s3:headbucket": "s3:ListBucket",
    "s3:headobject": "s3:GetObject",
    "s3:copyobject": "s3:PutObject",
    "s3:deleteobjects": "s3:DeleteObject",
    "s3:listbuckets": "s3:ListAllMyBuckets, which only a role's policy can allow",
    "s3:listobjectversions": "s3:ListBucketVersions",
}

_OBJECT_ACTIONS_NAMES = """
AbortMultipartUpload BypassGovernanceRetention DeleteObject DeleteObjectTagging DeleteObjectVersion
DeleteObjectVersionTagging GetObject GetObjectAcl GetObjectAttributes GetObjectLegalHold GetObjectRetention
GetObjectTagging GetObjectTorrent GetObjectVersion GetObjectVersionAcl GetObjectVersionAttributes
GetObjectVersionForReplication GetObjectVersionTagging GetObjectVersionTorrent InitiateReplication
ListMultipartUploadParts ObjectOwnerOverrideToBucketOwner PutObject PutObjectAcl PutObjectLegalHold PutObjectRetention
PutObjectTagging PutObjectVersionAcl PutObjectVersionTagging ReplicateDelete ReplicateObject ReplicateTags
RestoreObject UpdateObjectEncryption
"""
OBJECT_ACTIONS = frozenset(f"s3:{name}" for name in _OBJECT_ACTIONS_NAMES.split())
_BUCKET_ACTIONS_NAMES = """
CreateBucket CreateBucketMetadataTableConfiguration DeleteBucket DeleteBucketMetadataTableConfiguration
DeleteBucketPolicy DeleteBucketWebsite GetAccelerateConfiguration GetAnalyticsConfiguration GetBucketAbac GetBucketAcl
GetBucketCORS GetBucketLocation GetBucketLogging GetBucketMetadataTableConfiguration GetBucketNotification
GetBucketObjectLockConfiguration GetBucketOwnershipControls GetBucketPolicy GetBucketPolicyStatus
GetBucketPublicAccessBlock GetBucketRequestPayment GetBucketTagging GetBucketVersioning GetBucketWebsite
GetEncryptionConfiguration GetIntelligentTieringConfiguration GetInventoryConfiguration GetLifecycleConfiguration
GetMetricsConfiguration GetReplicationConfiguration ListBucket ListBucketMultipartUploads ListBucketVersions
ListTagsForResource PutAccelerateConfiguration PutAnalyticsConfiguration PutBucketAbac PutBucketAcl PutBucketCORS
PutBucketLogging PutBucketNotification PutBucketObjectLockConfiguration PutBucketOwnershipControls PutBucketPolicy
PutBucketPublicAccessBlock PutBucketRequestPayment PutBucketTagging PutBucketVersioning PutBucketWebsite
PutEncryptionConfiguration PutIntelligentTieringConfiguration PutInventoryConfiguration PutLifecycleConfiguration
PutMetricsConfiguration PutReplicationConfiguration TagResource UntagResource
UpdateBucketMetadataInventoryTableConfiguration UpdateBucketMetadataJournalTableConfiguration
"""
BUCKET_ACTIONS = frozenset(f"s3:{name}" for name in _BUCKET_ACTIONS_NAMES.split())
_ACTIONS = sorted(OBJECT_ACTIONS | BUCKET_ACTIONS)


def check_policy(bucket: str, text: str, account: str, exists: Exists, partition: str = DEFAULT) -> None:
    """Refuse what S3 does not keep as a bucket's policy.

    Parameters
    ----------
    bucket, account
        Whose policy.
    text
        The document.
    exists
        Tells whether the account has a role, user or session of an ARN.
    partition
        Where the bucket is.

    Raises
    ------
    ApiError
        `MalformedPolicy`, in S3's words where they are known.
    """
    if sizes.sent(text) > sizes.BUCKET:
        raise _malformed(f"A policy is one JSON object of at most {sizes.BUCKET} bytes")
    try:
        policy = refusals.read_new(text)
        documents.check_resource(policy)
        refusals.check_sids(policy)
    except PolicyError as error:
        raise _malformed(f"Policies must be valid: {error}") from error
    try:
        refusals.check_principals(policy, account, exists)
    except PolicyError as error:
        raise _malformed(str(error)) from error
    for statement in policy.statements:
        _check_actions(statement)
        _check_resources(bucket, statement, f"arn:{partition}:s3:::")
        if not statement.not_actions and not statement.not_resources:
            _check_application(bucket, statement, f"arn:{partition}:s3:::")


def is_public(text: str) -> bool:
    """Tell whether a policy allows something to everybody, on no condition."""
    try:
        statements = documents.read_policy(text).statements
    except PolicyError:  # kept by an earlier version; it allows nobody anything
        return False
    return any(each.allows and not each.conditions and _is_everybody(each) for each in statements)


def _is_everybody(statement: Statement) -> bool:
    named = {name for names in (statement.principals or {}).values() for name in names}
    return statement.not_principals or "*" in named


def _check_actions(statement: Statement) -> None:
    for action in statement.actions:
        if not _meant(action):
            near = difflib.get_close_matches(action, _ACTIONS, n=3, cutoff=0.4)
            if permission := _OF_CALLS.get(action.lower()):
                raise _malformed(f"Policy has invalid action: {action!r}; that call is allowed by {permission}")
            hint = f"near ones are {', '.join(near)}" if near else "actions are like s3:GetObject, s3:Get*, s3:*"
            raise _malformed(f"Policy has invalid action: {action!r}; {hint}")


def _check_resources(bucket: str, statement: Statement, prefix: str) -> None:
    for resource in statement.resources or ():
        name = resource.removeprefix(prefix).partition("/")[0]
        if not resource.startswith(prefix) or not name.strip("*?") or not like(bucket, name):
            raise _malformed(
                f"Policy has invalid resource: {resource!r}; of this bucket are {prefix}{bucket} and its objects, "
                f"{prefix}{bucket}/*"
            )


def _check_application(bucket: str, statement: Statement, prefix: str) -> None:
    resources = [resource.removeprefix(prefix) for resource in statement.resources or ()]
    # a star without a slash may stand for one
    objects = any("/" in resource or "*" in resource for resource in resources)
    buckets = any("/" not in resource for resource in resources)
    for action in statement.actions:
        meant = _meant(action)
        if not (objects and meant & OBJECT_ACTIONS or buckets and meant & BUCKET_ACTIONS):
            wants, other = ("objects", f"{bucket}/*") if meant & OBJECT_ACTIONS else ("the bucket itself", bucket)
            raise _malformed(
                f"Action does not apply to any resource(s) in statement: {action!r} is about {wants}; add the Resource "
                f"{prefix}{other}"
            )


def _meant(pattern: str) -> frozenset[str]:
    return frozenset(action for action in _ACTIONS if like(action, pattern, ignore_case=True))


def _malformed(detail: str) -> ApiError:
    return ApiError("MalformedPolicy", f"{detail}.")
