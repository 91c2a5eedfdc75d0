"""S3's operations on buckets: making, listing, and the documents recorded with them."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from xml.sax.saxutils import escape

from personalize_nb.contract.partitions import partition_of
from personalize_nb.local.errors import ApiError
from personalize_nb.local.http import xml_shapes
from personalize_nb.local.s3 import sealing
from personalize_nb.local.s3.bucket_names import FIRST_REGION, region_of
from personalize_nb.local.s3.bucket_policies import check_policy, is_public
from personalize_nb.local.s3.context import S3, Operation, checked_tags, key_encoder, page_size, quoted
from personalize_nb.local.s3.listing import Page, list_page
from personalize_nb.local.s3.protocol import Call, Reply, s3_model
from personalize_nb.local.s3.records import ObjectInfo

MAX_BUCKETS = 10_000
MAX_BUCKET_TAGS = 50
_OPEN = "{}"
_ALL_BLOCKED = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}
_SSE_S3 = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}]}


def list_buckets(s3: S3, call: Call) -> Mapping[str, Any]:
    params = call.params
    prefix, token = params.get("Prefix") or "", params.get("ContinuationToken")
    after = _read_token(token) if token else ""
    region, limit = params.get("BucketRegion"), params.get("MaxBuckets", MAX_BUCKETS)
    if not 1 <= limit <= MAX_BUCKETS:
        raise ApiError("InvalidArgument", f"max-buckets must be from 1 to {MAX_BUCKETS}, got {limit}.")
    found = [
        bucket
        for bucket in s3.store.buckets()
        if bucket.name.startswith(prefix) and bucket.name > after and region in (None, bucket.region)
    ]
    page = found[:limit]
    return {
        "Buckets": [
            {
                "Name": bucket.name,
                "CreationDate": bucket.created,
                "BucketRegion": bucket.region,
                "BucketArn": f"arn:{partition_of(s3.region)}:s3:::{bucket.name}",
            }
            for bucket in page
        ],
        "Owner": s3.owner,
        "ContinuationToken": _token(page[-1].name) if len(found) > limit else None,
        "Prefix": params.get("Prefix"),
    }


def create_bucket(s3: S3, call: Call) -> Mapping[str, Any]:
    name, wish = call.params["Bucket"], call.params.get("CreateBucketConfiguration") or {}
    region = region_of(wish.get("LocationConstraint"), s3.region)
    if s3.store.has_bucket(name) and region == FIRST_REGION == s3.store.bucket(name).region:
        return {"Location": f"/{name}"}  # as S3 answers in us-east-1 only
    ownership = call.params.get("ObjectOwnership")
    if ownership not in (None, *_owners()):
        raise ApiError(
            "InvalidArgument",
            f"Invalid x-amz-object-ownership header: {ownership!r}; legal are {', '.join(_owners())}.",
        )
    s3.store.create_bucket(name, region)
    if tags := wish.get("Tags"):
        _put_tags(s3, name, tags)
    if ownership:
        s3.store.set_setting(name, "ownership", json.dumps({"Rules": [{"ObjectOwnership": ownership}]}))
    return {"Location": f"/{name}", "BucketArn": f"arn:{partition_of(s3.region)}:s3:::{name}"}


def head_bucket(s3: S3, call: Call) -> Mapping[str, Any]:
    bucket = s3.store.bucket(call.params["Bucket"])
    return {
        "BucketRegion": bucket.region,
        "AccessPointAlias": False,
        "BucketArn": f"arn:{partition_of(s3.region)}:s3:::{bucket.name}",
    }


def delete_bucket(s3: S3, call: Call) -> Reply:
    s3.store.delete_bucket(call.params["Bucket"])
    return Reply(status=204)


def get_bucket_location(s3: S3, call: Call) -> Mapping[str, Any]:
    region = s3.store.bucket(call.params["Bucket"]).region
    return {"LocationConstraint": "" if region == FIRST_REGION else region}


def list_objects(s3: S3, call: Call) -> Mapping[str, Any]:
    params, encode = call.params, key_encoder(call.params)
    limit, delimiter, marker = (
        page_size(params.get("MaxKeys")),
        params.get("Delimiter") or "",
        params.get("Marker") or "",
    )
    page = list_page(s3.store, params["Bucket"], params.get("Prefix") or "", delimiter, marker, limit)
    return _listing(params, page, limit) | {
        "Prefix": _plain_prefix(params, encode),
        "Marker": encode(marker),
        "NextMarker": encode(page.last) if page.truncated and delimiter else None,
        "Contents": [_entry(info, encode(info.key)) | {"Owner": s3.owner} for info in page.objects],
    }


def list_objects_v2(s3: S3, call: Call) -> Mapping[str, Any]:
    params, encode = call.params, key_encoder(call.params)
    limit, token = page_size(params.get("MaxKeys")), params.get("ContinuationToken")
    after = params.get("StartAfter") or "" if token is None else _read_token(token)
    page = list_page(
        s3.store, params["Bucket"], params.get("Prefix") or "", params.get("Delimiter") or "", after, limit
    )
    owner = {"Owner": s3.owner} if params.get("FetchOwner") else {}
    return _listing(params, page, limit) | {
        "KeyCount": len(page.objects) + len(page.prefixes),
        "ContinuationToken": token,
        "NextContinuationToken": _token(page.last) if page.truncated else None,
        "StartAfter": encode(params["StartAfter"]) if params.get("StartAfter") else None,
        "Contents": [_entry(info, encode(info.key)) | owner for info in page.objects],
    }


def list_object_versions(s3: S3, call: Call) -> Mapping[str, Any]:
    """Every object is its only version, `null`, as in a bucket that never had versions."""
    params, encode = call.params, key_encoder(call.params)
    limit, marker = page_size(params.get("MaxKeys")), params.get("KeyMarker") or ""
    page = list_page(
        s3.store, params["Bucket"], params.get("Prefix") or "", params.get("Delimiter") or "", marker, limit
    )
    version = {"VersionId": "null", "IsLatest": True, "Owner": s3.owner}
    return _listing(params, page, limit) | {
        "KeyMarker": encode(marker),
        "VersionIdMarker": params.get("VersionIdMarker") or "",
        "NextKeyMarker": encode(page.last) if page.truncated else None,
        "NextVersionIdMarker": "null" if page.truncated else None,
        "Versions": [_entry(info, encode(info.key)) | version for info in page.objects],
    }


def get_bucket_policy(s3: S3, call: Call) -> Mapping[str, Any]:
    policy = s3.store.setting(call.params["Bucket"], "policy")
    if policy is None:
        raise _not_set("NoSuchBucketPolicy", "The bucket policy does not exist")
    return {"Policy": policy}


def put_bucket_policy(s3: S3, call: Call) -> Reply:
    bucket, text = call.params["Bucket"], call.params["Policy"]
    s3.store.bucket(bucket)
    check_policy(bucket, text, s3.account, s3.has_identity, partition_of(s3.region))
    if _access_block(s3, bucket).get("BlockPublicPolicy") and is_public(text):
        raise ApiError(
            "AccessDenied",
            "s3:PutBucketPolicy is not allowed because public policies are prevented by the BlockPublicPolicy setting "
            "in S3 Block Public Access: name who is meant, or change it by PutPublicAccessBlock.",
            403,
        )
    s3.store.set_setting(bucket, "policy", text)
    return Reply(status=204)


def get_bucket_tagging(s3: S3, call: Call) -> Mapping[str, Any]:
    document = s3.store.setting(call.params["Bucket"], "tagging")
    if document is None:
        raise _not_set("NoSuchTagSet", "The TagSet does not exist")
    return {"TagSet": json.loads(document)}


def put_bucket_tagging(s3: S3, call: Call) -> Reply:
    s3.store.bucket(call.params["Bucket"])
    _put_tags(s3, call.params["Bucket"], (call.params["Tagging"] or {}).get("TagSet", []))
    return Reply(status=204)


def get_bucket_encryption(s3: S3, call: Call) -> Mapping[str, Any]:
    document = s3.store.setting(call.params["Bucket"], "encryption")
    return {"ServerSideEncryptionConfiguration": json.loads(document) if document else _SSE_S3}


def put_bucket_encryption(s3: S3, call: Call) -> Mapping[str, Any]:
    s3.store.bucket(call.params["Bucket"])
    sealing.check_configuration(call.params["ServerSideEncryptionConfiguration"] or {})
    return _record("encryption", "ServerSideEncryptionConfiguration", s3, call)


def get_public_access_block(s3: S3, call: Call) -> Mapping[str, Any]:
    block = _access_block(s3, call.params["Bucket"])
    if not block:
        raise _not_set("NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found")
    return {"PublicAccessBlockConfiguration": block}


def _access_block(s3: S3, bucket: str) -> Mapping[str, bool]:
    """Return what is blocked: everything in a new bucket until told otherwise, nothing where that was removed."""
    document = s3.store.setting(bucket, "public-access")
    return json.loads(document) if document else _ALL_BLOCKED


def get_ownership_controls(s3: S3, call: Call) -> Mapping[str, Any]:
    document = s3.store.setting(call.params["Bucket"], "ownership")
    if document == _OPEN:
        raise _not_set("OwnershipControlsNotFoundError", "The bucket ownership controls were not found")
    rules = json.loads(document) if document else {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    return {"OwnershipControls": rules}


def put_ownership_controls(s3: S3, call: Call) -> Mapping[str, Any]:
    rules = (call.params["OwnershipControls"] or {}).get("Rules") or []
    if len(rules) != 1 or rules[0].get("ObjectOwnership") not in _owners():
        raise ApiError("MalformedXML", f"OwnershipControls have one rule, of {', '.join(_owners())}; got {rules}.")
    return _record("ownership", "OwnershipControls", s3, call)


def _owners() -> tuple[str, ...]:
    return tuple(s3_model().shape_for("ObjectOwnership").metadata["enum"])


def get_bucket_versioning(s3: S3, call: Call) -> Mapping[str, Any]:
    document = s3.store.setting(call.params["Bucket"], "versioning")
    return json.loads(document) if document else {}


def put_bucket_versioning(s3: S3, call: Call) -> Mapping[str, Any]:
    s3.store.bucket(call.params["Bucket"])
    wish = call.params["VersioningConfiguration"] or {}
    if wish.get("Status") != "Suspended":
        raise ApiError("NotImplemented", "The local service keeps one version of every object.", 501)
    s3.store.set_setting(call.params["Bucket"], "versioning", json.dumps(wish))
    return {}


def _record(kind: str, member: str, s3: S3, call: Call) -> Mapping[str, Any]:
    s3.store.bucket(call.params["Bucket"])
    if not call.params[member]:
        raise ApiError("MalformedXML", f"The request needs a {member}.")
    s3.store.set_setting(call.params["Bucket"], kind, json.dumps(call.params[member]))
    return {}


def _remove(kind: str, s3: S3, call: Call) -> Reply:
    s3.store.set_setting(call.params["Bucket"], kind, None)
    return Reply(status=204)


def _unset(kind: str, s3: S3, call: Call) -> Reply:
    """Remove what every new bucket has."""
    s3.store.set_setting(call.params["Bucket"], kind, _OPEN)
    return Reply(status=204)


def _listing(params: Mapping[str, Any], page: Page, limit: int) -> dict[str, Any]:
    encode = key_encoder(params)
    return {
        "Name": params["Bucket"],
        "Prefix": encode(params.get("Prefix") or ""),
        "Delimiter": encode(params["Delimiter"]) if params.get("Delimiter") else None,
        "MaxKeys": limit,
        "IsTruncated": page.truncated,
        "EncodingType": params.get("EncodingType"),
        "CommonPrefixes": [{"Prefix": encode(prefix)} for prefix in page.prefixes],
    }


def _plain_prefix(params: Mapping[str, Any], encode: Callable[[str], str]) -> str:
    """Return the prefix as the first version of listing answers it: as it came, since clients do not decode it there.

    What XML cannot hold is encoded nevertheless.
    """
    prefix = params.get("Prefix") or ""
    return prefix if xml_shapes.escaped(prefix) == escape(prefix) else encode(prefix)


def _entry(info: ObjectInfo, key: str) -> dict[str, Any]:
    checksum = info.details.checksum
    return {
        "Key": key,
        "LastModified": info.last_modified,
        "ETag": quoted(info.etag),
        "Size": info.size,
        "StorageClass": info.details.headers.get("StorageClass", "STANDARD"),
        "ChecksumAlgorithm": [checksum.algorithm] if checksum else None,
        "ChecksumType": checksum.type if checksum else None,
    }


def _token(last: str) -> str:
    return base64.urlsafe_b64encode(last.encode()).decode()


def _read_token(token: str) -> str:
    try:
        return base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except ValueError:  # no base64, no ASCII, or no text in it
        raise ApiError("InvalidArgument", f"The continuation token provided is incorrect: {token!r}.") from None


def _put_tags(s3: S3, bucket: str, tag_set: list[dict[str, str]]) -> None:
    tags = checked_tags([(tag.get("Key", ""), tag.get("Value", "")) for tag in tag_set], MAX_BUCKET_TAGS)
    document = json.dumps([{"Key": name, "Value": value} for name, value in tags.items()])
    s3.store.set_setting(bucket, "tagging", document)


def _not_set(code: str, detail: str) -> ApiError:
    return ApiError(code, f"{detail}.", 404)


BUCKET_OPERATIONS: dict[str, Operation] = {
    "ListBuckets": list_buckets,
    "CreateBucket": create_bucket,
    "HeadBucket": head_bucket,
    "DeleteBucket": delete_bucket,
    "GetBucketLocation": get_bucket_location,
    "ListObjects": list_objects,
    "ListObjectsV2": list_objects_v2,
    "ListObjectVersions": list_object_versions,
    "GetBucketPolicy": get_bucket_policy,
    "PutBucketPolicy": put_bucket_policy,
    "DeleteBucketPolicy": partial(_remove, "policy"),
    "GetBucketTagging": get_bucket_tagging,
    "PutBucketTagging": put_bucket_tagging,
    "DeleteBucketTagging": partial(_remove, "tagging"),
    "GetBucketEncryption": get_bucket_encryption,
    "PutBucketEncryption": put_bucket_encryption,
    "DeleteBucketEncryption": partial(_remove, "encryption"),
    "GetPublicAccessBlock": get_public_access_block,
    "PutPublicAccessBlock": partial(_record, "public-access", "PublicAccessBlockConfiguration"),
    "DeletePublicAccessBlock": partial(_unset, "public-access"),
    "GetBucketOwnershipControls": get_ownership_controls,
    "PutBucketOwnershipControls": put_ownership_controls,
    "DeleteBucketOwnershipControls": partial(_unset, "ownership"),
    "GetBucketVersioning": get_bucket_versioning,
    "PutBucketVersioning": put_bucket_versioning,
}
