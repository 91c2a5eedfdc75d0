"""S3's operations on uploads in parts, with the parameters and answers of AWS's API reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from personalize_nb.local.errors import ApiError
from personalize_nb.local.s3 import checksums, digests, sealing
from personalize_nb.local.s3.conditions import check_copy, copy_range, write_condition
from personalize_nb.local.s3.context import (
    S3,
    Operation,
    copy_source,
    details_of,
    key_encoder,
    page_size,
    parse_etag,
    part_marker,
    quoted,
)
from personalize_nb.local.s3.listing import rolled
from personalize_nb.local.s3.multipart import NamedPart, Upload
from personalize_nb.local.s3.protocol import Call, Reply
from personalize_nb.local.s3.records import Checksum, ObjectInfo
from personalize_nb.local.s3.store import DEFAULT_CONTENT_TYPE


def create_multipart_upload(s3: S3, call: Call) -> Mapping[str, Any]:
    params = call.params
    algorithm = digests.requested(params.get("ChecksumAlgorithm"))
    kind = digests.type_of_upload(algorithm, params.get("ChecksumType"))
    upload = s3.uploads.begin(
        params["Bucket"],
        params["Key"],
        params.get("ContentType") or DEFAULT_CONTENT_TYPE,
        s3.encrypted(details_of(params), params),
        algorithm,
        kind,
    )
    return {
        "Bucket": upload.bucket,
        "Key": upload.key,
        "UploadId": upload.id,
        "ChecksumAlgorithm": algorithm,
        "ChecksumType": kind,
        **sealing.shown(upload.details),
    }


def upload_part(s3: S3, call: Call) -> Mapping[str, Any]:
    upload = _upload(s3, call)
    sent, (asked, _) = checksums.promised_algorithm(call.request.headers), upload.asked
    if sent and asked and sent != asked:
        raise ApiError(
            "InvalidRequest",
            f"Checksum Type mismatch occurred, expected checksum Type: {asked.lower()}, actual checksum Type: "
            f"{sent.lower()}.",
        )
    algorithm, seal = upload.checksum_algorithm, upload.details.seal
    with checksums.receive(s3.store, call.request, algorithm=algorithm, seal=seal) as received:
        number = call.params["PartNumber"]
        part = s3.uploads.add_part(upload, number, received.incoming, received.etag, received.checksum)
        shown = received.promised or received.checksum
    return {"ETag": quoted(part.etag), **_part_checksum(shown), **sealing.shown(upload.details)}


def upload_part_copy(s3: S3, call: Call) -> Mapping[str, Any]:
    upload = _upload(s3, call)
    source_bucket, source_key = copy_source(call.params["CopySource"])
    source, opened = s3.store.open_object(source_bucket, source_key)
    # as far as it is read from its beginning on
    file = s3.store.verified(source_bucket, source, opened)
    # an upload that an earlier version began without an algorithm has none
    algorithm = upload.checksum_algorithm or digests.DEFAULT_ALGORITHM
    with file, s3.store.incoming(upload.details.seal, **digests.running(algorithm)) as incoming:
        check_copy(call.params, source)
        incoming.write_range(file, *copy_range(call.params.get("CopySourceRange"), source.size))
        checksum = digests.kept(algorithm, incoming)
        part = s3.uploads.add_part(upload, call.params["PartNumber"], incoming, digests.etag_of(incoming), checksum)
    result = {"ETag": quoted(part.etag), "LastModified": part.modified, **_part_checksum(checksum)}
    return {"CopyPartResult": result, **sealing.shown(upload.details)}


def complete_multipart_upload(s3: S3, call: Call) -> Mapping[str, Any]:
    bucket, key, upload_id = (call.params[name] for name in ("Bucket", "Key", "UploadId"))
    parts = (call.params["MultipartUpload"] or {}).get("Parts", [])
    try:
        info = _complete(s3, call, parts)
    except ApiError:
        # An earlier request like this one has ended the upload, and its answer may have been lost on the way: it
        # counts, whatever stands in the way of doing it a second time.
        before = s3.uploads.completed(bucket, key, upload_id, [_named(part, None) for part in parts])
        if before is None:
            raise
        info = before
    return {
        "Location": f"http://{call.request.host}{call.request.path}",
        "Bucket": bucket,
        "Key": key,
        "ETag": quoted(info.etag),
        **digests.members(info.details.checksum),
        **sealing.shown(info.details),
    }


def _complete(s3: S3, call: Call, parts: Sequence[Mapping[str, Any]]) -> ObjectInfo:
    upload = _upload(s3, call)
    algorithm, (_, kind) = upload.checksum_algorithm, upload.asked
    if call.params.get("ChecksumType") not in (None, kind or "FULL_OBJECT"):
        raise ApiError(
            "InvalidRequest",
            f"The upload was created using the {kind or 'FULL_OBJECT'} checksum mode. The complete request must use "
            f"the same checksum mode, not {call.params['ChecksumType']}.",
        )
    others = [name for name in digests.ALGORITHMS if name != algorithm and call.params.get(digests.member(name))]
    if others:
        raise ApiError(
            "InvalidRequest",
            f"The upload was created using the {algorithm} checksum algorithm. The complete request must use the same "
            f"algorithm, not {others[0]}.",
        )
    return s3.uploads.complete(
        upload,
        [_named(part, algorithm) for part in parts],
        write_condition(call.params, upload.key),
        call.params.get(digests.member(algorithm)) if algorithm else None,
        call.params.get("MpuObjectSize"),
    )


def _named(part: Mapping[str, Any], algorithm: str | None) -> NamedPart:
    checksum = part.get(digests.member(algorithm)) if algorithm else None
    return NamedPart(part.get("PartNumber", 0), parse_etag(part.get("ETag", "")), checksum)


def abort_multipart_upload(s3: S3, call: Call) -> Reply:
    s3.uploads.abort(_upload(s3, call))
    return Reply(status=204)


def list_parts(s3: S3, call: Call) -> Mapping[str, Any]:
    upload = _upload(s3, call)
    marker = part_marker(call.params)
    limit = page_size(call.params.get("MaxParts"), "MaxParts")
    parts = s3.uploads.parts(upload, marker, limit + 1)
    page = parts[:limit]
    return {
        "Bucket": upload.bucket,
        "Key": upload.key,
        "UploadId": upload.id,
        "PartNumberMarker": marker,
        "NextPartNumberMarker": page[-1].number if page else 0,
        "MaxParts": limit,
        "IsTruncated": len(parts) > limit,
        "Parts": [
            {
                "PartNumber": part.number,
                "LastModified": part.modified,
                "ETag": quoted(part.etag),
                "Size": part.size,
                **_part_checksum(part.checksum),
            }
            for part in page
        ],
        "Initiator": s3.owner,
        "Owner": s3.owner,
        "StorageClass": "STANDARD",
        "ChecksumAlgorithm": upload.checksum_algorithm,
        "ChecksumType": upload.checksum_type,
    }


def list_multipart_uploads(s3: S3, call: Call) -> Mapping[str, Any]:
    params, encode = call.params, key_encoder(call.params)
    limit = page_size(params.get("MaxUploads"), "MaxUploads")
    prefix, delimiter = params.get("Prefix") or "", params.get("Delimiter") or ""
    key_marker, id_marker = params.get("KeyMarker") or "", params.get("UploadIdMarker") or ""
    uploads: list[Upload] = []
    prefixes: list[str] = []
    truncated = False
    last = (key_marker, id_marker)
    # A marker without an id stands behind every upload of its key.
    for upload in s3.uploads.list(params["Bucket"], prefix, (key_marker, id_marker or chr(0x10FFFF))):
        common = rolled(upload.key, prefix, delimiter)
        if common is not None and common in (key_marker, last[0]):
            continue
        truncated = len(uploads) + len(prefixes) == limit
        if truncated:
            break
        if common is None:
            uploads.append(upload)
            last = (upload.key, upload.id)
        else:
            prefixes.append(common)
            last = (common, "")
    return {
        "Bucket": params["Bucket"],
        "KeyMarker": encode(key_marker),
        "UploadIdMarker": id_marker,
        "Prefix": encode(prefix),
        "Delimiter": encode(delimiter) if delimiter else None,
        "NextKeyMarker": encode(last[0]) if truncated else None,
        "NextUploadIdMarker": last[1] if truncated else None,
        "MaxUploads": limit,
        "IsTruncated": truncated,
        "EncodingType": params.get("EncodingType"),
        "CommonPrefixes": [{"Prefix": encode(common)} for common in prefixes],
        "Uploads": [
            {
                "UploadId": upload.id,
                "Key": encode(upload.key),
                "Initiated": upload.created,
                "StorageClass": "STANDARD",
                "Owner": s3.owner,
                "Initiator": s3.owner,
                "ChecksumAlgorithm": upload.asked[0],
                "ChecksumType": upload.asked[1],
            }
            for upload in uploads
        ],
    }


def _upload(s3: S3, call: Call) -> Upload:
    return s3.uploads.get(call.params["Bucket"], call.params["Key"], call.params["UploadId"])


def _part_checksum(checksum: Checksum | None) -> dict[str, str]:
    return {digests.member(checksum.algorithm): checksum.value} if checksum else {}


UPLOAD_OPERATIONS: dict[str, Operation] = {
    "CreateMultipartUpload": create_multipart_upload,
    "UploadPart": upload_part,
    "UploadPartCopy": upload_part_copy,
    "CompleteMultipartUpload": complete_multipart_upload,
    "AbortMultipartUpload": abort_multipart_upload,
    "ListParts": list_parts,
    "ListMultipartUploads": list_multipart_uploads,
}
