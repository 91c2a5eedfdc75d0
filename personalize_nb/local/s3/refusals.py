"""What a request may ask that this store cannot give: refused in words, since ignoring it would lie to its sender.

What asks for no more than the store does anyway passes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from personalize_nb.local.errors import ApiError
from personalize_nb.local.s3.checksums import promised_algorithm
from personalize_nb.local.s3.context import check_version
from personalize_nb.local.s3.protocol import Call, s3_model

# canned lists of access that say what holds anyway: everything is its owner's alone
OWNERS_ACLS = ("private", "bucket-owner-full-control")
_GRANTS = ("GrantFullControl", "GrantRead", "GrantReadACP", "GrantWrite", "GrantWriteACP")
_LOCKS = (
    "ObjectLockMode",
    "ObjectLockRetainUntilDate",
    "ObjectLockLegalHoldStatus",
    "ObjectLockEventHold",
    "ObjectLockEventHoldDurationDays",
    "ObjectLockEventHoldDurationYears",
)


def check_call(call: Call, account: str) -> None:
    """Refuse what needs another owner, another version, a customer's key, or anything else that is not kept here."""
    params = call.params
    for name in ("ExpectedBucketOwner", "ExpectedSourceBucketOwner"):
        if params.get(name) not in (None, account):
            raise ApiError("AccessDenied", f"The bucket's owner is {account}, not {params[name]}.", 403)
    check_version(params)
    for check in _CHECKS:
        check(call, params)


def no_acls(detail: str) -> ApiError:
    """Return S3's refusal of lists of access, in a bucket whose owner owns every object."""
    return ApiError(
        "AccessControlListNotSupported",
        f"The bucket does not allow ACLs: {detail}. Legal are {' and '.join(OWNERS_ACLS)}, or none; give access by a "
        "bucket policy.",
    )


def not_locked() -> ApiError:
    """Return S3's refusal of what needs Object Lock."""
    return ApiError("InvalidRequest", "Bucket is missing Object Lock Configuration: no bucket has one here.")


def _customers_keys(_: Call, params: Mapping[str, Any]) -> None:
    for stem in ("SSECustomer", "CopySourceSSECustomer"):
        if any(params.get(stem + member) for member in ("Algorithm", "Key", "KeyMD5")):
            if stem == "SSECustomer" and params.get("ServerSideEncryption"):
                raise ApiError(
                    "InvalidArgument",
                    "Server Side Encryption with Customer provided key is incompatible with the encryption method "
                    f"specified: {params['ServerSideEncryption']!r}.",
                )
            raise ApiError("NotImplemented", "The local service does not keep objects under customers' keys.", 501)


def _lists_of_access(call: Call, params: Mapping[str, Any]) -> None:
    granted = [name for name in _GRANTS if params.get(name)]
    if params.get("ACL") in (None, *OWNERS_ACLS) and not granted:
        return
    legal = (
        s3_model().shape_for("BucketCannedACL" if "Bucket" in call.operation else "ObjectCannedACL").metadata["enum"]
    )
    if params.get("ACL") not in (None, *legal):
        raise ApiError("InvalidArgument", f"x-amz-acl must be one of {', '.join(legal)}, got {params['ACL']!r}.")
    detail = f"the request has ACL={params.get('ACL')!r}{' and ' if granted else ''}{', '.join(granted)}"
    if call.operation == "CreateBucket":
        raise ApiError(
            "InvalidBucketAclWithObjectOwnership",
            f"Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting: {detail}.",
        )
    raise no_acls(detail)


def _locks(call: Call, params: Mapping[str, Any]) -> None:
    if any(params.get(name) is not None for name in _LOCKS):
        raise not_locked()
    if params.get("ObjectLockEnabledForBucket"):
        raise ApiError("NotImplemented", "The local service has no Object Lock; make the bucket without it.", 501)


def _storage_class(_: Call, params: Mapping[str, Any]) -> None:
    if params.get("StorageClass") is None:
        return
    legal = s3_model().shape_for("StorageClass").metadata["enum"]
    if params["StorageClass"] not in legal:
        raise ApiError(
            "InvalidStorageClass",
            f"The storage class you specified is not valid: {params['StorageClass']!r}. Legal: {', '.join(legal)}.",
        )


def _places(_: Call, params: Mapping[str, Any]) -> None:
    if params.get("WriteOffsetBytes") is not None:
        raise ApiError(
            "NotImplemented", "Only directory buckets append to objects (WriteOffsetBytes); write it whole.", 501
        )


def _encryption_of_reads(call: Call, _: Mapping[str, Any]) -> None:
    if call.operation in ("GetObject", "HeadObject") and "x-amz-server-side-encryption" in call.request.headers:
        raise ApiError(
            "InvalidArgument",
            "x-amz-server-side-encryption header is not supported for this operation: an object is read as it was "
            "written; leave the header out.",
        )


def _length(call: Call, _: Mapping[str, Any]) -> None:
    needed = call.operation in ("PutObject", "UploadPart")
    if needed and not {"content-length", "transfer-encoding"} & set(call.request.headers):
        raise ApiError("MissingContentLength", "You must provide the Content-Length HTTP header.", 411)


def _digest(call: Call, _: Mapping[str, Any]) -> None:
    headers = call.request.headers
    if call.operation == "DeleteObjects" and "content-md5" not in headers and not promised_algorithm(headers):
        raise ApiError("InvalidRequest", "Missing required header for this request: Content-MD5 OR x-amz-checksum-*.")


_CHECKS: tuple[Callable[[Call, Mapping[str, Any]], None], ...] = (
    _customers_keys,
    _lists_of_access,
    _locks,
    _storage_class,
    _places,
    _encryption_of_reads,
    _length,
    _digest,
)
