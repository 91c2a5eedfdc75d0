"""Who sent a request: AWS Signature Version 4 in headers or in a pre-signed URL, and Version 2 in S3 URLs.

Pure functions over the head of a request. Everything that can be refused without the body is refused before the
body is touched; what the signature says of the body is checked while the body is read (`bodies`).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from urllib.parse import quote, unquote, unquote_to_bytes

from personalize_nb.local.errors import ApiError
from personalize_nb.local.http.bodies import AwsChunkedBody, Body, BytesBody, ChunkSigner, DigestBody
from personalize_nb.local.http.forms import FormBody, is_form
from personalize_nb.local.http.hosts import bucket_of_host
from personalize_nb.local.http.messages import Wire

ALGORITHM = "AWS4-HMAC-SHA256"
UNSIGNED = "UNSIGNED-PAYLOAD"
MAX_SKEW_SECONDS = 15 * 60
MAX_PRESIGNED_SECONDS = 7 * 24 * 3600
MAX_UNCHECKED_BODY = 10 << 20
_CREDENTIAL = re.compile(r"(?P<key>.+)/(?P<date>\d{8})/(?P<region>[\w-]+)/(?P<service>[\w-]+)/aws4_request")
# The parts of a query that name what is meant, which Version 2 signs (S3 guide, "Signing and authenticating REST
# requests").
_V2_WORDS = """
    accelerate acl analytics cors delete encryption inventory lifecycle location logging metrics notification
    partNumber policy policyStatus publicAccessBlock replication requestPayment response-cache-control
    response-content-disposition response-content-encoding response-content-language response-content-type
    response-expires restore tagging torrent uploadId uploads versionId versioning versions website
"""
_V2_RESOURCES = frozenset(_V2_WORDS.split())
_QUERY_PROTOCOL = frozenset({"iam", "sts"})


# the version of a claim that stands in the body: a form's
_IN_FORM = 0


@dataclass(frozen=True)
class Head:
    """A request without its body. `path` and `raw_query` as they came; headers with lower-case names."""

    method: str
    path: str
    raw_query: str
    headers: Mapping[str, str]

    @cached_property
    def query(self) -> list[tuple[str, str]]:
        """The query's names and values, decoded, in their order."""
        pairs = [part.partition("=") for part in self.raw_query.split("&") if part]
        return [(unquote(name), unquote(value)) for name, _, value in pairs]


@dataclass(frozen=True)
class Claim:
    """Whom a request says it is from, and the proof it offers; nothing of it has been checked."""

    access_key: str
    signature: str
    service: str
    region: str
    date: str = ""
    timestamp: str = ""
    signed_headers: tuple[str, ...] = ()
    expires: int | None = None
    version: int = 4

    @property
    def scope(self) -> str:
        return f"{self.date}/{self.region}/{self.service}/aws4_request"


def read_claim(head: Head) -> Claim:
    """Return the claim in a request's head; a refusal when there is none or it cannot be read."""
    authorization = head.headers.get("authorization")
    query = dict(head.query)
    if authorization:
        return _header_claim(authorization, head)
    if "X-Amz-Signature" in query:
        return _presigned_claim(query)
    if {"AWSAccessKeyId", "Signature", "Expires"} <= query.keys():
        return Claim(
            query["AWSAccessKeyId"], query["Signature"], "s3", "", expires=_number(query["Expires"]), version=2
        )
    if is_form(head.method, head.headers.get("content-type", "")):
        return Claim("", "", "s3", "", version=_IN_FORM)
    code = {"s3": "AccessDenied", "query": "MissingAuthenticationToken"}.get(
        guess_wire(head), "MissingAuthenticationTokenException"
    )
    raise ApiError(
        code,
        "The request is not signed. Use the access key and secret key that the local service printed or that "
        "Session.local gives.",
        403,
    )


def guess_wire(head: Head) -> Wire:
    """Which wire protocol an unsigned request seems to speak."""
    content_type = head.headers.get("content-type", "")
    if "x-amz-target" in head.headers or "json" in content_type:
        return "json"
    return "query" if content_type.startswith("application/x-www-form-urlencoded") else "s3"


def open_body(head: Head, claim: Claim, body: Body, credentials: Mapping[str, str], now: float) -> Body:
    """Check a claim and give the body as a reader that proves itself while it is read.

    Parameters
    ----------
    body
        The bytes on the connection. For S3 none is taken before the signature is found right; other services
        sign the digest of their (small) body, which therefore is read first.
    credentials
        Secret key by access key.
    now
        Epoch seconds, to judge the date of the request.

    Raises
    ------
    ApiError
        403 with the code that the service named in the claim uses.
    """
    if claim.version == _IN_FORM:
        return _open_form(head, body, credentials)
    secret = _secret(claim, credentials)
    if claim.version == 2:
        _check_v2(head, claim, secret, now)
        return body
    _check_time(claim, now)
    _check_signed_headers(head, claim)
    key = _signing_key(secret, claim.date, claim.region, claim.service)
    if claim.service != "s3":
        data = body.read_all(MAX_UNCHECKED_BODY)
        _check_v4(head, claim, key, hashlib.sha256(data).hexdigest())
        return BytesBody(data)
    payload = head.headers.get("x-amz-content-sha256") or (UNSIGNED if claim.expires is not None else None)
    if payload is None:
        raise ApiError("MissingSecurityHeader", "S3 requests need the header x-amz-content-sha256.")
    _check_v4(head, claim, key, payload)
    return _payload_reader(head, claim, key, payload, body)


def _open_form(head: Head, body: Body, credentials: Mapping[str, str]) -> Body:
    """Check the signature of a form's policy; its date is the policy's own, which whoever stores the file checks."""
    form = FormBody(body, head.headers["content-type"])
    fields = form.fields
    version = 4 if "x-amz-signature" in fields else 2
    names = ("x-amz-credential", "x-amz-signature") if version == 4 else ("awsaccesskeyid", "signature")
    policy = fields.get("policy")
    if policy is None:
        raise ApiError("AccessDenied", "Access Denied: the form has no policy, and nobody may upload without one.", 403)
    if missing := [name for name in names if name not in fields]:
        raise ApiError("InvalidArgument", f"Bucket POST must contain a field named {', '.join(missing)}.")
    key_id, *scope = fields[names[0]].split("/")
    if version == 4 and (len(scope) != 4 or scope[2:] != ["s3", "aws4_request"]):
        raise ApiError(
            "InvalidArgument", f"x-amz-credential is <key>/<date>/<region>/s3/aws4_request, got {fields[names[0]]!r}."
        )
    claim = Claim(key_id, fields[names[1]], "s3", "", version=version)
    secret = _secret(claim, credentials)
    if version == 4:
        expected = hmac.new(_signing_key(secret, *scope[:3]), policy.encode(), hashlib.sha256).hexdigest()
    else:
        digest = hmac.new(secret.encode(), policy.encode(), hashlib.sha1).digest()
        expected = base64.b64encode(digest).decode()
    _compare(claim, expected)
    return form


def _secret(claim: Claim, credentials: Mapping[str, str]) -> str:
    secret = credentials.get(claim.access_key)
    if secret is None:
        raise _refusal(claim, "unknown_key", f"The access key {claim.access_key!r} is not one of this service's.")
    return secret


def _header_claim(authorization: str, head: Head) -> Claim:
    scheme, _, rest = authorization.partition(" ")
    if scheme != ALGORITHM:
        # to S3 version 2 is a mechanism, which it no longer takes; anything else is none
        known = guess_wire(head) != "s3" or (scheme == "AWS" and ":" in rest)
        raise ApiError(
            "InvalidRequest" if known else "InvalidArgument",
            f"The authorization mechanism {scheme!r} is not supported here. Use {ALGORITHM} (signature_version "
            "'v4' or 's3v4').",
        )
    fields = dict(part.strip().partition("=")[::2] for part in rest.split(","))
    match = _CREDENTIAL.fullmatch(fields.get("Credential", ""))
    if not match or not fields.get("SignedHeaders") or not fields.get("Signature"):
        raise ApiError(
            "AuthorizationHeaderMalformed",
            "The Authorization header needs Credential=<key>/<date>/<region>/<service>/aws4_request, SignedHeaders "
            "and Signature.",
        )
    return Claim(
        match["key"],
        fields["Signature"],
        match["service"],
        match["region"],
        match["date"],
        _header_timestamp(head.headers),
        tuple(fields["SignedHeaders"].lower().split(";")),
    )


def _header_timestamp(headers: Mapping[str, str]) -> str:
    if stamp := headers.get("x-amz-date"):
        return stamp
    try:
        date = datetime.strptime(headers.get("date", ""), "%a, %d %b %Y %H:%M:%S GMT")
    except ValueError:
        raise ApiError("AccessDenied", "A signed request needs the header x-amz-date or date.", 403) from None
    return date.strftime("%Y%m%dT%H%M%SZ")


def _presigned_claim(query: Mapping[str, str]) -> Claim:
    match = _CREDENTIAL.fullmatch(query.get("X-Amz-Credential", ""))
    if query.get("X-Amz-Algorithm") != ALGORITHM or not match:
        raise ApiError(
            "AuthorizationQueryParametersError",
            f"A pre-signed URL needs X-Amz-Algorithm={ALGORITHM} and X-Amz-Credential=<key>/<date>/<region>/"
            "<service>/aws4_request.",
        )
    text = query.get("X-Amz-Expires", "")
    expires = int(text) if re.fullmatch(r"[0-9]{1,18}", text) else -1
    if not 0 <= expires <= MAX_PRESIGNED_SECONDS:
        raise ApiError(
            "AuthorizationQueryParametersError",
            f"X-Amz-Expires must be from 0 to {MAX_PRESIGNED_SECONDS} seconds, got {query.get('X-Amz-Expires')!r}.",
        )
    return Claim(
        match["key"],
        query["X-Amz-Signature"],
        match["service"],
        match["region"],
        match["date"],
        query.get("X-Amz-Date", ""),
        tuple(query.get("X-Amz-SignedHeaders", "").lower().split(";")),
        expires,
    )


def _check_time(claim: Claim, now: float) -> None:
    try:
        signed = datetime.strptime(claim.timestamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise _refusal(claim, "denied", f"{claim.timestamp!r} is not a date like 20260131T235959Z.") from None
    if not claim.timestamp.startswith(claim.date):
        raise _refusal(claim, "mismatch", f"The credential is of {claim.date}, the request of {claim.timestamp}.")
    if signed - now > MAX_SKEW_SECONDS or (claim.expires is None and now - signed > MAX_SKEW_SECONDS):
        raise _refusal(
            claim,
            "skewed",
            f"The difference between the request's time ({claim.timestamp}) and this machine's "
            f"({datetime.fromtimestamp(now, UTC):%Y%m%dT%H%M%SZ}) is too large.",
        )
    if claim.expires is not None and now > signed + claim.expires:
        raise _refusal(claim, "denied", "Request has expired.")


def _check_signed_headers(head: Head, claim: Claim) -> None:
    must = {name for name in head.headers if name.startswith("x-amz-")} | {"host"}
    if missing := sorted(must - set(claim.signed_headers)):
        raise _refusal(
            claim,
            "denied",
            f"There were headers present in the request which were not signed: {', '.join(missing)}.",
        )


def _check_v4(head: Head, claim: Claim, key: bytes, payload: str) -> None:
    request = "\n".join(
        (
            head.method,
            _canonical_path(head.path, claim.service),
            _canonical_query(head.query),
            "".join(f"{name}:{_canonical_value(head.headers, name)}\n" for name in claim.signed_headers),
            ";".join(claim.signed_headers),
            payload,
        )
    )
    # Header values came in as Latin-1, so this gives back the very bytes the client signed.
    digest = hashlib.sha256(request.encode("latin-1")).hexdigest()
    text = f"{ALGORITHM}\n{claim.timestamp}\n{claim.scope}\n{digest}"
    expected = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    _compare(claim, expected)


def _check_v2(head: Head, claim: Claim, secret: str, now: float) -> None:
    if claim.expires is None or now > claim.expires:
        raise _refusal(claim, "denied", "Request has expired.")
    amazon = "".join(
        f"{name}:{_canonical_value(head.headers, name)}\n" for name in sorted(head.headers) if name.startswith("x-amz-")
    )
    named = sorted(pair for pair in head.query if pair[0] in _V2_RESOURCES)
    resource = "&".join(f"{name}={value}" if value else name for name, value in named)
    bucket = bucket_of_host(head.headers.get("host", ""))
    path = f"/{bucket}{head.path}" if bucket else head.path
    text = "\n".join(
        (
            head.method,
            head.headers.get("content-md5", ""),
            head.headers.get("content-type", ""),
            str(claim.expires),
            amazon + path + (f"?{resource}" if resource else ""),
        )
    )
    digest = hmac.new(secret.encode(), text.encode(), hashlib.sha1).digest()
    _compare(claim, base64.b64encode(digest).decode())


def _compare(claim: Claim, expected: str) -> None:
    if not hmac.compare_digest(expected.encode(), claim.signature.encode()):
        raise _refusal(
            claim,
            "mismatch",
            "The request signature we calculated does not match the signature you provided. Check your secret key.",
        )


def _payload_reader(head: Head, claim: Claim, key: bytes, payload: str, body: Body) -> Body:
    if payload == UNSIGNED:
        return body
    if re.fullmatch(r"[0-9a-f]{64}", payload):
        return DigestBody(body, payload)
    length = head.headers.get("x-amz-decoded-content-length")
    decoded = None if length is None else _number(length)
    signer = ChunkSigner(key, claim.timestamp, claim.scope, claim.signature)
    if payload == "STREAMING-UNSIGNED-PAYLOAD-TRAILER":
        return AwsChunkedBody(body, decoded)
    if payload == "STREAMING-AWS4-HMAC-SHA256-PAYLOAD":
        return AwsChunkedBody(body, decoded, signer)
    if payload == "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER":
        return AwsChunkedBody(body, decoded, signer, signed_trailers=True)
    raise ApiError(
        "InvalidArgument", f"x-amz-content-sha256 must be a SHA-256, {UNSIGNED} or STREAMING-..., got {payload!r}."
    )


def _canonical_path(path: str, service: str) -> str:
    if service == "s3":
        return quote(unquote_to_bytes(path), safe="/-_.~")
    return quote(path, safe="/-_.~")


def _canonical_query(query: Sequence[tuple[str, str]]) -> str:
    encoded = (
        (quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in query if name != "X-Amz-Signature"
    )
    return "&".join(f"{name}={value}" for name, value in sorted(encoded))


def _canonical_value(headers: Mapping[str, str], name: str) -> str:
    return " ".join(headers.get(name, "").split())


@lru_cache(maxsize=64)
def _signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    key = b"AWS4" + secret.encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key


def _refusal(claim: Claim, kind: str, message: str) -> ApiError:
    """Return a refusal under the name that the service of the claim gives it."""
    s3, query, json = {
        "unknown_key": ("InvalidAccessKeyId", "InvalidClientTokenId", "UnrecognizedClientException"),
        "mismatch": ("SignatureDoesNotMatch", "SignatureDoesNotMatch", "InvalidSignatureException"),
        "skewed": ("RequestTimeTooSkewed", "SignatureDoesNotMatch", "InvalidSignatureException"),
        "denied": ("AccessDenied", "AccessDenied", "AccessDeniedException"),
    }[kind]
    code = s3 if claim.service == "s3" else query if claim.service in _QUERY_PROTOCOL else json
    return ApiError(code, message, 403)


def _number(text: str) -> int:
    if not re.fullmatch(r"\d{1,18}", text):
        raise ApiError("InvalidArgument", f"{text[:40]!r} is not a whole number.")
    return int(text)
