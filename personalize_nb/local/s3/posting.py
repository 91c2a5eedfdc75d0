"""Uploads by a browser's form: POST on a bucket, allowed by a policy that its owner signed, within its conditions."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from botocore.utils import parse_timestamp

from personalize_nb.local.errors import ApiError
from personalize_nb.local.http import xml_shapes
from personalize_nb.local.http.bodies import Body
from personalize_nb.local.http.forms import FormBody
from personalize_nb.local.http.messages import Headers, Request, Response
from personalize_nb.local.s3.context import S3
from personalize_nb.local.s3.object_operations import put_object
from personalize_nb.local.s3.protocol import Call, Reply, members_in_headers, s3_model, write_reply
from personalize_nb.local.s3.refusals import check_call

# fields that no condition needs to name
_FREE = frozenset({"policy", "signature", "x-amz-signature", "awsaccesskeyid", "file"})
# fields that are named otherwise than the header of the same meaning
_HEADERS = {"acl": "x-amz-acl"}
_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", re.ASCII)
_ESCAPE = re.compile(r"\\(.)")


class _Limited(Body):
    """A file that must not be longer than the policy allows."""

    def __init__(self, file: Body, limit: int):
        super().__init__()
        self._file, self._left, self._limit = file, limit, limit

    def _some(self, view: memoryview) -> int:
        count = self._file.readinto(view)
        self._left -= count
        if self._left < 0:
            raise ApiError(
                "EntityTooLarge", f"Your proposed upload exceeds the maximum allowed size of {self._limit} bytes."
            )
        return count


def post_object(s3: S3, bucket: str, form: FormBody, request: Request) -> Response:
    """Put the file of a form where its fields say, if the policy allows it."""
    fields = {**form.fields, "bucket": bucket}
    # before the conditions, which are about the key that is written
    fields["key"] = key = fields.get("key", "").replace("${filename}", form.filename)
    if not key:
        raise ApiError("InvalidArgument", "Bucket POST must contain a field named 'key'.")
    least, most = _check_policy(_read_policy(fields["policy"]), fields, s3.store.clock())
    headers = {_HEADERS.get(name, name): value for name, value in fields.items()}
    tagging = headers.pop("tagging", None)
    whole = Headers([*headers.items(), ("transfer-encoding", "chunked")])
    sent = replace(request, method="PUT", headers=whole, body=_Limited(form, most))
    params = members_in_headers(s3_model().operation_model("PutObject"), sent) | {"Bucket": bucket, "Key": key}
    if tagging:
        document = xml_shapes.parse(tagging.encode(), s3_model().shape_for("Tagging"))
        params["Tagging"] = urlencode([(tag["Key"], tag["Value"]) for tag in document.get("TagSet", [])])
    call = Call("PutObject", params, sent)
    check_call(call, s3.account)
    answer = put_object(s3, call, least=least)
    return _answer(call, answer, fields, f"http://{request.host}/{bucket}/{quote(key)}")


def _answer(call: Call, members: Mapping[str, Any], fields: Mapping[str, str], location: str) -> Response:
    response = write_reply(call, Reply(members, 204))
    response.headers["Location"] = location
    told = {"bucket": call.params["Bucket"], "key": call.params["Key"], "etag": members["ETag"]}
    target = fields.get("success_action_redirect") or fields.get("redirect")
    if target and urlsplit(target).scheme in ("http", "https"):
        response.status = 303
        response.headers["Location"] = f"{target}{'&' if urlsplit(target).query else '?'}{urlencode(told)}"
    elif fields.get("success_action_status") in ("200", "201"):
        response.status = int(fields["success_action_status"])
    if response.status == 201:
        values = {"Location": location, "Bucket": told["bucket"], "Key": told["key"], "ETag": told["etag"]}
        inner = "".join(f"<{name}>{xml_shapes.escaped(value)}</{name}>" for name, value in values.items())
        response.body = f'<?xml version="1.0" encoding="UTF-8"?>\n<PostResponse>{inner}</PostResponse>'.encode()
        response.headers["Content-Type"] = "application/xml"
    return response


def _read_policy(text: str) -> dict[str, Any]:
    try:
        policy = json.loads(_plain_dollars(base64.b64decode(text, validate=True).decode()))
    except (binascii.Error, ValueError, RecursionError) as error:
        raise _invalid(f"it is no JSON in base64 ({error})") from None
    if not isinstance(policy, dict) or not isinstance(policy.get("expiration"), str):
        raise _invalid("it needs an expiration, a date like 2030-01-31T23:59:59Z")
    if not isinstance(policy.get("conditions"), list):
        raise _invalid("it needs a list of conditions")
    return policy


def _check_policy(policy: Mapping[str, Any], fields: Mapping[str, str], now: float) -> tuple[int, int]:
    """Refuse fields that break a condition, or that none is about; return the least and most bytes of the file."""
    try:
        if not _DATE.fullmatch(policy["expiration"]):
            raise ValueError
        expires = parse_timestamp(policy["expiration"]).timestamp()
    except (ValueError, OverflowError):
        raise _invalid(f"its expiration {policy['expiration']!r} is no date like 2030-01-31T23:59:59Z") from None
    if expires < now:
        raise _denied("Policy expired")
    least, most = 0, 5 << 30
    named: set[str] = set()  # the bucket needs a condition as well, or the policy would hold for every bucket
    for condition in policy["conditions"]:
        operator, name, value = _condition(condition)
        if operator == "content-length-range":
            least, most = max(least, name), min(most, value)
            continue
        named.add(name)
        found = fields.get(name, "")
        if not (found.startswith(value) if operator == "starts-with" else found == value):
            raise _denied(f"Policy Condition failed: {json.dumps(condition)}")
    extra = [name for name in fields.keys() - named - _FREE if not name.startswith("x-ignore-")]
    if extra:
        raise _denied(f"Extra input fields: {', '.join(sorted(extra))}")
    return least, most


def _condition(found: Any) -> tuple[str, Any, Any]:
    """Return operator, lower-case field and value of a condition; of a range the two ends."""
    if isinstance(found, Mapping) and len(found) == 1:
        ((name, value),) = found.items()
        parts: Sequence[Any] = ("eq", f"${name}", value)
    elif isinstance(found, list) and len(found) == 3 and isinstance(found[0], str):
        parts = (found[0].lower(), *found[1:])
    else:
        raise _invalid(f"a condition is an object of one member or a list of three, got {json.dumps(found)}")
    operator, name, value = parts
    if operator == "content-length-range":
        if not all(type(end) is int and end >= 0 for end in (name, value)):
            raise _invalid(f"a content-length-range has two whole numbers, got {json.dumps(found)}")
        return operator, name, value
    if operator not in ("eq", "starts-with") or not isinstance(name, str) or not isinstance(value, str):
        raise _invalid(f"a condition is eq, starts-with or content-length-range of texts, got {json.dumps(found)}")
    return operator, name.removeprefix("$").lower(), value


def _plain_dollars(text: str) -> str:
    r"""Return a policy as JSON: S3 takes one escape more, `\$` for a dollar sign."""
    return _ESCAPE.sub(lambda match: "$" if match[1] == "$" else match[0], text)


def _invalid(detail: str) -> ApiError:
    return ApiError("InvalidPolicyDocument", f"The content of the form does not meet the conditions: {detail}.")


def _denied(detail: str) -> ApiError:
    return ApiError("AccessDenied", f"Invalid according to Policy: {detail}.", 403)
