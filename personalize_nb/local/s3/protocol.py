"""S3's REST-XML, driven by botocore's model: which operation a request means, its parameters, its answer.

An operation works with the names of AWS's API reference (`Bucket`, `Key`, `MaxKeys`, ...) and never sees a header
or an element.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from functools import cache
from typing import Any
from urllib.parse import unquote, unquote_to_bytes
from xml.sax.saxutils import escape

from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel, Shape, StructureShape

from personalize_nb.local.errors import ApiError
from personalize_nb.local.http import xml_shapes
from personalize_nb.local.http.hosts import bucket_of_host
from personalize_nb.local.http.messages import FileBody, Request, Response
from personalize_nb.local.s3 import checksums
from personalize_nb.local.s3.metadata import read_header, shown_header

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
MAX_XML_BYTES = 4 << 20
# Elements around answers have names of their own, which the model does not keep (S3 API reference).
_ROOTS = {
    "ListBuckets": "ListAllMyBucketsResult",
    "ListObjects": "ListBucketResult",
    "ListObjectsV2": "ListBucketResult",
    "ListObjectVersions": "ListVersionsResult",
    "ListParts": "ListPartsResult",
    "ListMultipartUploads": "ListMultipartUploadsResult",
    "CreateMultipartUpload": "InitiateMultipartUploadResult",
    "CompleteMultipartUpload": "CompleteMultipartUploadResult",
    "DeleteObjects": "DeleteResult",
    "GetBucketTagging": "Tagging",
    "GetObjectTagging": "Tagging",
    "GetBucketVersioning": "VersioningConfiguration",
    "GetObjectAttributes": "GetObjectAttributesResponse",
    "GetBucketAccelerateConfiguration": "AccelerateConfiguration",
    "GetBucketAcl": "AccessControlPolicy",
    "GetObjectAcl": "AccessControlPolicy",
    "GetBucketLogging": "BucketLoggingStatus",
    "GetBucketNotificationConfiguration": "NotificationConfiguration",
    "GetBucketRequestPayment": "RequestPaymentConfiguration",
}
# Needs a directory-bucket endpoint, yet has the same address as ListBuckets.
_ELSEWHERE = frozenset({"ListDirectoryBuckets"})


@dataclass(frozen=True)
class Call:
    """One request as an operation sees it."""

    operation: str
    params: Mapping[str, Any]
    request: Request


@dataclass(frozen=True)
class Reply:
    """An operation's answer: members of its output shape, and the status when it is not the usual one."""

    members: Mapping[str, Any] = field(default_factory=dict)
    status: int = 200


@dataclass(frozen=True)
class _Route:
    operation: str
    fixed: tuple[tuple[str, str], ...]
    needed_query: tuple[str, ...]
    needed_headers: tuple[str, ...]

    @property
    def weight(self) -> int:
        return len(self.fixed) + len(self.needed_query) + len(self.needed_headers)

    def fits(self, query: Mapping[str, str], headers: Mapping[str, str]) -> bool:
        return (
            all(name in query and (not value or query[name] == value) for name, value in self.fixed)
            and all(name in query for name in self.needed_query)
            and all(name in headers for name in self.needed_headers)
        )


@cache
def s3_model() -> ServiceModel:
    """Return botocore's model of S3."""
    # read here by itself: clients of S3 cut the bucket out of the addresses in the model that they share
    return ServiceModel(Loader().load_service_model("s3", "service-2"), "s3")


def read_call(request: Request) -> Call:
    """Return the operation and parameters of a request; an error naming what is wrong when it is none."""
    bucket, key = address_of(request)
    query = dict(request.query)
    level = "key" if key else "bucket" if bucket else "service"
    for route in _routes().get((request.method, level), ()):
        if route.fits(query, request.headers):
            # `?inventory` without the id that it needs must not be taken for what the address means without it
            if not route.fixed and (unmet := _subresources() & query.keys()):
                raise ApiError(
                    "InvalidRequest",
                    f"{request.method} {request.path} with {', '.join(sorted(unmet))} needs further parameters, or is "
                    "no operation of S3.",
                )
            model = s3_model().operation_model(route.operation)
            params = _parameters(model, request, query, {"Bucket": bucket, "Key": key})
            return Call(route.operation, params, request)
    raise ApiError(
        "MethodNotAllowed",
        f"The specified method is not allowed against this resource: {request.method} {request.path}.",
        405,
    )


def write_reply(call: Call, reply: Reply) -> Response:
    """Return the HTTP answer that carries a reply."""
    shape = s3_model().operation_model(call.operation).output_shape
    headers: dict[str, str] = {}
    if shape is None:
        return Response(reply.status, headers)
    for name, member in shape.members.items():
        value = reply.members.get(name)
        location = member.serialization.get("location")
        if value is None or location not in ("header", "headers"):
            continue
        if location == "headers":
            headers |= {member.serialization["name"] + key: shown_header(text) for key, text in value.items()}
        else:
            headers[member.serialization["name"]] = _header_text(member, value)
    if call.operation == "GetBucketLocation":  # the one answer whose root holds text instead of members
        region = reply.members["LocationConstraint"]
        text = f'<LocationConstraint xmlns="{NAMESPACE}">{region}</LocationConstraint>'
        return Response(200, {"Content-Type": "application/xml"}, text.encode())
    body = _reply_body(call.operation, shape, reply.members)
    if isinstance(body, bytes) and body:
        headers.setdefault("Content-Type", "application/xml")
    return Response(reply.status, headers, body)


def refusal(error: ApiError) -> Response:
    """Return the HTTP answer that says no."""
    ids = request_ids()
    # S3's own name for what the other services call a failure
    code = "InternalError" if error.code == "InternalFailure" else error.code
    text = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{escape(code)}</Code>'
        f"<Message>{xml_shapes.escaped(error.message)}</Message>"
        f"<RequestId>{ids['x-amz-request-id']}</RequestId><HostId>{ids['x-amz-id-2']}</HostId></Error>"
    )
    body = b"" if error.status in (204, 304) else text.encode()
    return Response(error.status, {"Content-Type": "application/xml", **ids}, body)


def request_ids() -> dict[str, str]:
    """Return the two ids that S3 gives every answer, spelled as S3 spells them."""
    first = base64.b32encode(secrets.token_bytes(10)).decode()
    return {"x-amz-request-id": first, "x-amz-id-2": base64.b64encode(secrets.token_bytes(56)).decode()}


def _reply_body(operation: str, shape: StructureShape, members: Mapping[str, Any]) -> bytes | FileBody:
    payload = shape.serialization.get("payload")
    if payload:
        value, member = members.get(payload), shape.members[payload]
        if value is None:
            return b""
        if isinstance(member, StructureShape):
            return xml_shapes.render(member.serialization.get("name", payload), member, value, NAMESPACE)
        return value.encode() if isinstance(value, str) else value
    if all("location" in member.serialization for member in shape.members.values()):
        return b""
    return xml_shapes.render(_ROOTS.get(operation, f"{operation}Result"), shape, members, NAMESPACE)


def _header_text(shape: Shape, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if shape.type_name == "timestamp" and not isinstance(value, str):
        return formatdate(int(value), usegmt=True)
    return str(value)


def members_in_headers(model: OperationModel, request: Request) -> dict[str, Any]:
    """Return the parameters of an operation that stand in headers."""
    address = dict.fromkeys(("Bucket", "Key"), "")
    return {name: value for name, value in _parameters(model, request, {}, address).items() if name not in address}


def address_of(request: Request) -> tuple[str, str]:
    """Return bucket and key: both of the path, or the bucket of a virtual host such as `films.localhost:4599`."""
    path, virtual = request.path.removeprefix("/"), bucket_of_host(request.host)
    bucket, _, key = (virtual, "/", path) if virtual else path.partition("/")
    try:
        return unquote(bucket), unquote_to_bytes(key).decode()
    except UnicodeDecodeError:
        raise ApiError("InvalidURI", "Couldn't parse the specified URI: a key must be UTF-8.") from None


def _parameters(
    model: OperationModel, request: Request, query: Mapping[str, str], address: Mapping[str, str]
) -> dict[str, Any]:
    shape = model.input_shape
    if shape is None:
        return {}
    params: dict[str, Any] = {}
    for name, member in shape.members.items():
        location, wire_name = member.serialization.get("location"), member.serialization.get("name", name)
        text = None
        if location == "uri":
            text = address[wire_name]
        elif location == "querystring":
            text = query.get(wire_name)
        elif location == "header":
            text = request.headers.get(wire_name)
        elif location == "headers":
            prefix = wire_name.lower()
            params[name] = {
                key.removeprefix(prefix): read_header(value)
                for key, value in request.headers.items()
                if key.startswith(prefix)
            }
        if text is not None:
            params[name] = _scalar(name, member, text)
    payload = shape.serialization.get("payload")
    if payload and shape.members[payload].type_name != "blob":
        # the checksum in a completion's headers is that of the object, not of the body
        promised = model.name != "CompleteMultipartUpload"
        params[payload] = _payload(shape.members[payload], request, promised)
    return params


def _scalar(name: str, shape: Shape, text: str) -> Any:
    if shape.type_name == "timestamp" and name == "Expires":
        return text  # kept and given back as it came, date or not
    if shape.type_name == "list":
        return [part.strip() for part in text.split(",")]
    try:
        return xml_shapes.scalar(shape.type_name, text)
    except ValueError:
        raise ApiError("InvalidArgument", f"{name} must be of type {shape.type_name}, got {text!r}.") from None


def _payload(shape: Shape, request: Request, promised: bool) -> Any:
    data = checksums.read_checked(request, MAX_XML_BYTES) if promised else request.body.read_all(MAX_XML_BYTES)
    if shape.type_name == "string":
        return data.decode("utf-8", "replace")
    return xml_shapes.parse(data, shape) if data else None


def _required(shape: StructureShape | None) -> Iterator[Mapping[str, Any]]:
    """How each required member of a request is sent."""
    if shape is None:
        return
    for name in shape.required_members:
        yield shape.members[name].serialization


@cache
def _subresources() -> frozenset[str]:
    """Return the names in queries that make another operation of an address."""
    return frozenset(name for routes in _routes().values() for route in routes for name, _ in route.fixed)


@cache
def _routes() -> dict[tuple[str, str], list[_Route]]:
    """Return the operations by method and depth of address, those with the most conditions first."""
    levels = {"/": "service", "/{Bucket}": "bucket", "/{Bucket}/{Key+}": "key"}
    routes: dict[tuple[str, str], list[_Route]] = {}
    for name in s3_model().operation_names:
        model = s3_model().operation_model(name)
        path, _, fixed = model.http["requestUri"].partition("?")
        # what is deprecated has a successor at the same address
        if path not in levels or name in _ELSEWHERE or model.deprecated:
            continue
        needed: dict[str, list[str]] = {"querystring": [], "header": []}
        for serialization in _required(model.input_shape):
            if serialization.get("location") in needed:
                needed[serialization["location"]].append(serialization["name"])
        pairs = tuple(part.partition("=")[::2] for part in fixed.split("&") if part)
        route = _Route(name, pairs, tuple(needed["querystring"]), tuple(needed["header"]))
        routes.setdefault((model.http["method"], levels[path]), []).append(route)
    for found in routes.values():
        found.sort(key=lambda route: -route.weight)
    return routes
