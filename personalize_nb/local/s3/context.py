"""What every S3 operation has at hand, and the small rules that several of them share."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

from personalize_nb.local.errors import ApiError
from personalize_nb.local.s3.multipart import Uploads
from personalize_nb.local.s3.protocol import Call, Reply
from personalize_nb.local.s3.records import ObjectDetails
from personalize_nb.local.s3.sealing import of_request
from personalize_nb.local.s3.store import ObjectStore

MAX_PAGE = 1000
MAX_METADATA_BYTES = 2048
MAX_OBJECT_TAGS = 10
# Members of PutObject that are kept and given back by GetObject under the same header.
KEPT = {
    "CacheControl": "Cache-Control",
    "ContentDisposition": "Content-Disposition",
    "ContentEncoding": "Content-Encoding",
    "ContentLanguage": "Content-Language",
    "Expires": "Expires",
    "StorageClass": "x-amz-storage-class",
    "WebsiteRedirectLocation": "x-amz-website-redirect-location",
}
# of these, what an object has for itself: a copy has it where the copy's request names it
NOT_COPIED = ("StorageClass", "WebsiteRedirectLocation")


@dataclass(frozen=True)
class S3:
    """The store and whose it is."""

    store: ObjectStore
    uploads: Uploads
    region: str
    account: str
    has_identity: Callable[[str], bool]

    @property
    def owner(self) -> dict[str, str]:
        return {"ID": self.account.rjust(64, "0"), "DisplayName": "personalize-nb"}

    def encrypted(self, details: ObjectDetails, params: Mapping[str, Any]) -> ObjectDetails:
        """Return the details of a new object with the encryption that a request asks for, or its bucket's default."""
        return self.store.encrypted(details, params["Bucket"], of_request(params))


Operation = Callable[[S3, Call], Reply | Mapping[str, Any]]


def details_of(params: Mapping[str, Any]) -> ObjectDetails:
    """Return what a PutObject, CreateMultipartUpload or CopyObject wants kept with the object."""
    metadata = params.get("Metadata", {})
    if sum(len(name.encode()) + len(value.encode()) for name, value in metadata.items()) > MAX_METADATA_BYTES:
        raise ApiError(
            "MetadataTooLarge", f"Your metadata headers exceed the maximum of {MAX_METADATA_BYTES} bytes in all."
        )
    headers = {name: _plain(params[name]) for name in KEPT if params.get(name) is not None}
    if headers.get("ContentEncoding"):
        # `aws-chunked` describes the transfer; what is left describes the object, and stays as it was written.
        codings = headers["ContentEncoding"].split(",")
        described = [coding for coding in codings if coding.strip().lower() != "aws-chunked"]
        headers["ContentEncoding"] = ",".join(described).strip()
    if headers.get("StorageClass") == "STANDARD":
        del headers["StorageClass"]
    return ObjectDetails(
        metadata=metadata,
        headers={name: value for name, value in headers.items() if value},
        tags=tags_in_header(params.get("Tagging")),
    )


def copied(source: ObjectDetails, given: ObjectDetails) -> ObjectDetails:
    """Return what a copy keeps that takes over its source's metadata: some headers are each object's own."""
    own = {name: value for name, value in given.headers.items() if name in NOT_COPIED}
    headers = {name: value for name, value in source.headers.items() if name not in NOT_COPIED}
    return replace(source, headers=headers | own)


def tags_in_header(text: Any) -> dict[str, str]:
    """Return the tags of an `x-amz-tagging` header."""
    if not isinstance(text, str) or not text:
        return {}
    # a name may stand alone, its value is then empty
    return checked_tags(parse_qsl(text, keep_blank_values=True), MAX_OBJECT_TAGS)


def checked_tags(pairs: list[tuple[str, str]], limit: int) -> dict[str, str]:
    """Tags by name, after S3's rules for them."""
    if len(pairs) > limit:
        raise ApiError("BadRequest", f"There can be at most {limit} tags, got {len(pairs)}.")
    for name, value in pairs:
        if not 0 < len(name) <= 128 or len(value) > 256 or name.lower().startswith("aws:"):
            raise ApiError(
                "InvalidTag",
                f"The tag {name!r}={value!r} is not valid: names have 1 to 128 characters and do not begin with "
                "'aws:', values at most 256.",
            )
    if len({name for name, _ in pairs}) != len(pairs):
        raise ApiError("InvalidTag", "Cannot provide multiple tags with the same key.")
    return dict(pairs)


def copy_source(text: str) -> tuple[str, str]:
    """Bucket and key in an `x-amz-copy-source` header."""
    path, _, version = text.partition("?versionId=")
    bucket, _, key = unquote(path).removeprefix("/").partition("/")
    if not bucket or not key:
        raise ApiError("InvalidArgument", f"Copy source must be <bucket>/<key>, got {text!r}.")
    if version not in ("", "null"):
        raise ApiError("NoSuchVersion", f"The specified version does not exist: {version!r}.", 404)
    return bucket, key


def check_version(params: Mapping[str, Any]) -> None:
    """Refuse what names another version of an object than the only one."""
    if params.get("VersionId") not in (None, "null"):
        raise ApiError("NoSuchVersion", f"The specified version does not exist: {params['VersionId']!r}.", 404)


def part_marker(params: Mapping[str, Any]) -> int:
    """Return the number of the part that a page begins after."""
    text = str(params.get("PartNumberMarker") or "0")
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII):
        raise ApiError("InvalidArgument", f"part-number-marker must be the number of a part, got {text!r}.")
    return int(text)


def page_size(value: int | None, name: str = "MaxKeys") -> int:
    """How many entries a page may have."""
    if value is None:
        return MAX_PAGE
    if value < 0:
        raise ApiError("InvalidArgument", f"{name} must not be negative, got {value}.")
    return min(value, MAX_PAGE)


def key_encoder(params: Mapping[str, Any]) -> Callable[[str], str]:
    """How the keys in a listing are written: percent-encoded when the caller asked for it."""
    kind = params.get("EncodingType")
    if kind not in (None, "url"):
        raise ApiError("InvalidArgument", f"EncodingType must be 'url', got {kind!r}.")
    return (lambda key: quote(key, safe="/-_.~*")) if kind else str


def quoted(etag: str) -> str:
    """Return an ETag as HTTP writes it."""
    return f'"{etag}"'


def parse_etag(text: str) -> str:
    """Return an ETag as the store knows it."""
    return re.sub(r'^(?:W/)?"?|"$', "", text.strip())


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
