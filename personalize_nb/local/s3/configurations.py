"""What a bucket or object answers about features that nobody configured, which clients ask for as a matter of course.

The answers are those of S3 to a bucket that was made and left alone. A request to change one is refused in words unless
it asks for what holds already; one to remove what is not there succeeds, as on S3.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from personalize_nb.local.errors import ApiError
from personalize_nb.local.s3.bucket_policies import is_public
from personalize_nb.local.s3.context import S3, Operation
from personalize_nb.local.s3.protocol import Call, Reply
from personalize_nb.local.s3.refusals import OWNERS_ACLS, no_acls, not_locked

# what is listed where nothing was configured
_NONE_LISTED = {"IsTruncated": False}
_ANSWERS: dict[str, Mapping[str, Any]] = {
    "GetBucketAccelerateConfiguration": {},
    "GetBucketLogging": {},
    "GetBucketNotificationConfiguration": {},
    "GetBucketRequestPayment": {"Payer": "BucketOwner"},
    "GetBucketAbac": {"AbacStatus": {"Status": "Disabled"}},
    "ListBucketAnalyticsConfigurations": _NONE_LISTED,
    "ListBucketIntelligentTieringConfigurations": _NONE_LISTED,
    "ListBucketInventoryConfigurations": _NONE_LISTED,
    "ListBucketMetricsConfigurations": _NONE_LISTED,
}
_NO_SUCH = ("NoSuchConfiguration", "The specified configuration does not exist")
_NOT_SET = {
    "GetBucketCors": ("NoSuchCORSConfiguration", "The CORS configuration does not exist"),
    "GetBucketLifecycleConfiguration": (
        "NoSuchLifecycleConfiguration",
        "The lifecycle configuration does not exist",
    ),
    "GetBucketReplication": (
        "ReplicationConfigurationNotFoundError",
        "The replication configuration was not found",
    ),
    "GetBucketWebsite": (
        "NoSuchWebsiteConfiguration",
        "The specified bucket does not have a website configuration",
    ),
    "GetObjectLockConfiguration": (
        "ObjectLockConfigurationNotFoundError",
        "Object Lock configuration does not exist for this bucket",
    ),
    "GetBucketMetadataConfiguration": (
        "MetadataConfigurationNotFound",
        "The metadata configuration does not exist",
    ),
    "GetBucketMetadataTableConfiguration": (
        "MetadataConfigurationNotFound",
        "The metadata table configuration does not exist",
    ),
    **{
        f"{verb}Bucket{kind}Configuration": _NO_SUCH
        for verb in ("Get", "Delete")
        for kind in ("Analytics", "IntelligentTiering", "Inventory", "Metrics")
    },
}
_NOTHING_TO_REMOVE = (
    "DeleteBucketCors",
    "DeleteBucketLifecycle",
    "DeleteBucketReplication",
    "DeleteBucketWebsite",
    "DeleteBucketMetadataConfiguration",
    "DeleteBucketMetadataTableConfiguration",
)
# By operation: the member that says what is wanted, and when that is what holds already.
_CHANGES: dict[str, tuple[str, Callable[[Mapping[str, Any]], bool]]] = {
    "PutBucketAccelerateConfiguration": ("AccelerateConfiguration", lambda wish: wish.get("Status") == "Suspended"),
    "PutBucketLogging": ("BucketLoggingStatus", lambda wish: not wish),
    "PutBucketNotificationConfiguration": ("NotificationConfiguration", lambda wish: not wish),
    "PutBucketRequestPayment": ("RequestPaymentConfiguration", lambda wish: wish.get("Payer") == "BucketOwner"),
    "PutBucketAbac": ("AbacStatus", lambda wish: wish.get("Status") == "Disabled"),
    "PutBucketLifecycleConfiguration": ("LifecycleConfiguration", lambda _: False),
    "PutBucketCors": ("CORSConfiguration", lambda _: False),
    "PutBucketReplication": ("ReplicationConfiguration", lambda _: False),
    "PutBucketWebsite": ("WebsiteConfiguration", lambda _: False),
    "PutBucketAnalyticsConfiguration": ("AnalyticsConfiguration", lambda _: False),
    "PutBucketIntelligentTieringConfiguration": ("IntelligentTieringConfiguration", lambda _: False),
    "PutBucketInventoryConfiguration": ("InventoryConfiguration", lambda _: False),
    "PutBucketMetricsConfiguration": ("MetricsConfiguration", lambda _: False),
}


def _answer(members: Mapping[str, Any], s3: S3, call: Call) -> Mapping[str, Any]:
    s3.store.bucket(call.params["Bucket"])
    return members


def _not_set(code: str, detail: str, s3: S3, call: Call) -> Mapping[str, Any]:
    s3.store.bucket(call.params["Bucket"])
    raise ApiError(code, f"{detail}.", 404)


def _remove(s3: S3, call: Call) -> Reply:
    s3.store.bucket(call.params["Bucket"])
    return Reply(status=204)


def _change(member: str, holds: Callable[[Mapping[str, Any]], bool], s3: S3, call: Call) -> Mapping[str, Any]:
    s3.store.bucket(call.params["Bucket"])
    if call.params.get(member) is None:
        raise ApiError("MalformedXML", f"The request needs a {member}.")
    if not holds({name: value for name, value in call.params[member].items() if value not in (None, [], {})}):
        raise ApiError(
            "NotImplemented",
            f"The local service keeps no {member}, since nothing here would act on it. Leave {call.operation} out "
            "where you work against the local service.",
            501,
        )
    return {}


def get_bucket_acl(s3: S3, call: Call) -> Mapping[str, Any]:
    s3.store.bucket(call.params["Bucket"])
    return _owners(s3)


def get_object_acl(s3: S3, call: Call) -> Mapping[str, Any]:
    s3.store.head(call.params["Bucket"], call.params["Key"])
    return _owners(s3)


def put_bucket_acl(s3: S3, call: Call) -> Mapping[str, Any]:
    s3.store.bucket(call.params["Bucket"])
    return _check_acl(s3, call)


def put_object_acl(s3: S3, call: Call) -> Mapping[str, Any]:
    s3.store.head(call.params["Bucket"], call.params["Key"])
    return _check_acl(s3, call)


def get_bucket_policy_status(s3: S3, call: Call) -> Mapping[str, Any]:
    text = s3.store.setting(call.params["Bucket"], "policy")
    return {"PolicyStatus": {"IsPublic": text is not None and is_public(text)}}


def put_object_lock_configuration(s3: S3, call: Call) -> Mapping[str, Any]:
    s3.store.bucket(call.params["Bucket"])
    raise ApiError(
        "InvalidBucketState",
        "Object Lock configuration cannot be enabled on existing buckets; the local service has no Object Lock.",
        409,
    )


def lock_of_object(s3: S3, call: Call) -> Mapping[str, Any]:
    s3.store.head(call.params["Bucket"], call.params["Key"])
    raise not_locked()


def _owners(s3: S3) -> dict[str, Any]:
    """Return the one list of access that there is: everything to the owner."""
    grantee = {"Type": "CanonicalUser", **s3.owner}
    return {"Owner": s3.owner, "Grants": [{"Grantee": grantee, "Permission": "FULL_CONTROL"}]}


def _check_acl(s3: S3, call: Call) -> Mapping[str, Any]:
    """Accept what says that everything is the owner's; other canned lists have been refused already."""
    wish = call.params.get("AccessControlPolicy")
    if wish is None and call.params.get("ACL") not in OWNERS_ACLS:
        raise ApiError("MissingSecurityHeader", f"{call.operation} needs an ACL or an AccessControlPolicy.")
    if wish is not None:
        granted = [
            ((grant.get("Grantee") or {}).get("ID"), grant.get("Permission")) for grant in wish.get("Grants", [])
        ]
        if granted != [(s3.owner["ID"], "FULL_CONTROL")]:
            raise no_acls(f"the grants are {granted}")
    return {}


CONFIGURATION_OPERATIONS: dict[str, Operation] = {
    **{name: partial(_answer, members) for name, members in _ANSWERS.items()},
    **{name: partial(_not_set, *error) for name, error in _NOT_SET.items()},
    **dict.fromkeys(_NOTHING_TO_REMOVE, _remove),
    **{name: partial(_change, *wish) for name, wish in _CHANGES.items()},
    "GetBucketAcl": get_bucket_acl,
    "GetObjectAcl": get_object_acl,
    "PutBucketAcl": put_bucket_acl,
    "PutObjectAcl": put_object_acl,
    "GetBucketPolicyStatus": get_bucket_policy_status,
    "PutObjectLockConfiguration": put_object_lock_configuration,
    **dict.fromkeys(
        ("GetObjectRetention", "PutObjectRetention", "GetObjectLegalHold", "PutObjectLegalHold"), lock_of_object
    ),
}
