"""S3's operations on uploads in parts, with the parameters and answers of AWS's API reference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from personalize_nb.local.errors import ApiError
from personalize_nb.local.s3 import checksums
from personalize_nb.local.s3.conditions import byte_range, check_copy, write_condition
from personalize_nb.local.s3.context import (
    S3,
    Operation,
    copy_source,
    details_of,
    key_encoder,
    page_size,
    parse_etag,
    quoted,
)
from personalize_nb.local.s3.listing import rolled
from personalize_nb.local.s3.multipart import NamedPart, Part, Upload
from personalize_nb.local.s3.protocol import Call, Reply
from personalize_nb.local.s3.store import DEFAULT_CONTENT_TYPE


def create_multipart_upload(s3: S3, call: Call) -> Mapping[str, Any]:
    params = call.params
    algorithm = checksums.requested(params.get("ChecksumAlgorithm"))
    kind = checksums.type_of_upload(algorithm, params.get("ChecksumType"))
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
        **{name: upload.details.headers.get(name) for name in ("ServerSideEncryption", "SSEKMSKeyId")},
    }


def upload_part(s3: S3, call: Call) -> Mapping[str, Any]:
    upload = _upload(s3, call)
    sent = checksums.promised_algorithm(call.request.headers)
    if sent and upload.checksum_algorithm and sent != upload.checksum_algorithm:
        raise ApiError(
            "InvalidRequest",
            f"Checksum Type mismatch occurred, expected checksum Type: {upload.checksum_algorithm.lower()}, actual "
            f"checksum Type: {sent.lower()}.",
        )
    algorithm, seal = upload.checksum_algorithm, upload.details.seal
    with checksums.receive(s3.store, call.request, md5_etag=False, algorithm=algorithm, seal=seal) as received:
        number = call.params["PartNumber"]
        part = s3.uploads.add_part(upload, number, received.incoming, received.etag, received.checksum)
    return {"ETag": quoted(part.etag), **_part_checksum(part)}


def upload_part_copy(s3: S3, call: Call) -> Mapping[str, Any]:
    upload = _upload(s3, call)
    source, file = s3.store.open_object(*copy_source(call.params["CopySource"]))
    seal, algorithm = upload.details.seal, upload.checksum_algorithm
    digest = checksums.new_digest(algorithm) if algorithm else None
    with file, s3.store.incoming(seal, **({"checksum": digest} if digest else {})) as incoming:
        check_copy(call.params, source)
        wish = call.params.get("CopySourceRange")
        stretch = byte_range(wish, source.size)
        if wish is not None and stretch is None:
            raise ApiError("InvalidArgument", f"The copy source range must be like bytes=0-99, got {wish!r}.")
        offset, length = stretch or (0, source.size)
        if digest or seal or source.details.seal:
            incoming.write_range(file, offset, length)
        else:
            incoming.append(file, offset, length)
        checksum = checksums.of_digest(algorithm, digest) if algorithm and digest else None
        etag = source.etag if stretch is None and "-" not in source.etag else checksums.random_etag()
        part = s3.uploads.add_part(upload, call.params["PartNumber"], incoming, etag, checksum)
    return {"CopyPartResult": {"ETag": quoted(part.etag), "LastModified": part.modified, **_part_checksum(part)}}


def complete_multipart_upload(s3: S3, call: Call) -> Mapping[str, Any]:
    upload = _upload(s3, call)
    algorithm = upload.checksum_algorithm
    if call.params.get("ChecksumType") not in (None, upload.checksum_type):
        raise ApiError(
            "InvalidRequest",
            f"The upload was created using the {upload.checksum_type} checksum mode. The complete request must use the "
            f"same checksum mode, not {call.params['ChecksumType']}.",
        )
    named = [
        NamedPart(
            part.get("PartNumber", 0),
            parse_etag(part.get("ETag", "")),
            part.get(checksums.member(algorithm)) if algorithm else None,
        )
        for part in (call.params["MultipartUpload"] or {}).get("Parts", [])
    ]
    info = s3.uploads.complete(
        upload,
        named,
        write_condition(call.params, upload.key),
        call.params.get(checksums.member(algorithm)) if algorithm else None,
    )
    return {
        "Location": f"http://{call.request.host}{call.request.path}",
        "Bucket": upload.bucket,
        "Key": upload.key,
        "ETag": quoted(info.etag),
        **checksums.members(info.details.checksum),
    }


def abort_multipart_upload(s3: S3, call: Call) -> Reply:
    s3.uploads.abort(_upload(s3, call))
    return Reply(status=204)


def list_parts(s3: S3, call: Call) -> Mapping[str, Any]:
    upload = _upload(s3, call)
    marker = call.params.get("PartNumberMarker") or 0
    limit = page_size(call.params.get("MaxParts"), "MaxParts")
    parts = s3.uploads.parts(upload, int(marker), limit + 1)
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
                **_part_checksum(part),
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
                "ChecksumAlgorithm": upload.checksum_algorithm,
                "ChecksumType": upload.checksum_type,
            }
            for upload in uploads
        ],
    }


def _upload(s3: S3, call: Call) -> Upload:
    return s3.uploads.get(call.params["Bucket"], call.params["Key"], call.params["UploadId"])


def _part_checksum(part: Part) -> dict[str, str]:
    return {checksums.member(part.checksum.algorithm): part.checksum.value} if part.checksum else {}


UPLOAD_OPERATIONS: dict[str, Operation] = {
    "CreateMultipartUpload": create_multipart_upload,
    "UploadPart": upload_part,
    "UploadPartCopy": upload_part_copy,
    "CompleteMultipartUpload": complete_multipart_upload,
    "AbortMultipartUpload": abort_multipart_upload,
    "ListParts": list_parts,
    "ListMultipartUploads": list_multipart_uploads,
}
