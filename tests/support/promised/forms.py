"""Forms of browsers."""

from __future__ import annotations

import base64
import hmac
import json
from datetime import UTC, datetime, timedelta

import wire
from promises import ETAG, code_of, row


def _post(
    world, fields, file=b"body", conditions=None, seconds=60, secret=wire.SECRET_KEY, change=None, write=json.dumps
):
    """Post a form as a browser does, with a policy of the second version of signatures; status, headers, body."""
    until = (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
    asked = [["starts-with", f"${name}", ""] for name in fields] if conditions is None else conditions
    policy = {"expiration": until, "conditions": [{"bucket": world.bucket}, *asked]}
    text = base64.b64encode(write(policy if change is None else change(policy)).encode())
    signature = base64.b64encode(hmac.new(secret.encode(), text, "sha1").digest())
    own = {"AWSAccessKeyId": wire.ACCESS_KEY, "policy": text.decode(), "signature": signature.decode()}
    return _send_form(world, {**own, **fields}, file)


def _send_form(world, fields, file):
    parts = [
        f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode() for name, value in fields.items()
    ]
    if file is not None:
        named = b'form-data; name="file"; filename="C:\\\\up\\\\a b.txt"'
        head = b"Content-Type: text/plain\r\nContent-Disposition: " + named + b"\r\n\r\n"
        parts.append(head + file + b"\r\n")
        parts.append(b'Content-Disposition: form-data; name="submit"\r\n\r\nUpload\r\n')
    body = b"".join(b"--the boundary\r\n" + part for part in parts) + b"--the boundary--\r\n"
    headers = {"Content-Type": 'multipart/form-data; boundary="the boundary"'}
    return wire.send(world.endpoint, "POST", f"/{world.bucket}", body, headers)


@row("PostObject", "a presigned post of boto3, {} bytes", 0, 4, 3_000_000)
def _(world, size):
    file = (b"\r\n--the boundary" * 200_000)[:size] if size < 5 else b"\r\n--the bound\r\n-" * (size // 16)
    post = world.s3.generate_presigned_post(
        world.bucket, "k", {"x-amz-meta-a": "ü"}, [{"x-amz-meta-a": "ü"}, ["content-length-range", 0, 1 << 30]]
    )
    status, headers, _ = _send_form(world, post["fields"], file)
    answer = world.s3.get_object(**world.at)
    assert status == 204 and headers["ETag"] == answer["ETag"] and answer["Body"].read() == file


@row("PostObject", "the file's own name, its type and its tags")
def _(world):
    tags = "<Tagging><TagSet><Tag><Key>a</Key><Value>b&amp;c</Value></Tag></TagSet></Tagging>"
    fields = {
        "key": "up/${filename}",
        "Content-Type": "text/csv",
        "acl": "private",
        "tagging": tags,
        "x-ignore-me": "1",
    }
    assert _post(world, fields)[0] == 204
    at = {"Bucket": world.bucket, "Key": "up/a b.txt"}
    assert world.s3.head_object(**at)["ContentType"] == "text/csv"
    assert world.s3.get_object_tagging(**at)["TagSet"] == [{"Key": "a", "Value": "b&c"}]


@row("PostObject", "success is told by {}", "status 200", "status 201", "status 404", "redirect")
def _(world, way):
    kind, _, number = way.partition(" ")
    told = (
        {"success_action_redirect": "http://127.0.0.1/done"}
        if kind == "redirect"
        else {"success_action_status": number}
    )
    status, headers, body = _post(world, {"key": "k", **told})
    assert status == {"status 200": 200, "status 201": 201, "status 404": 204, "redirect": 303}[way]
    if status == 201:
        assert b"<PostResponse>" in body and b"<Key>k</Key>" in body
    if status == 303:
        assert headers["Location"] == f"http://127.0.0.1/done?bucket={world.bucket}&key=k&etag=%22{ETAG[1:-1]}%22"


_REFUSED_FORMS = {
    "no key": (400, "InvalidArgument", {"fields": {}}),
    "no file": (400, "InvalidArgument", {"file": None}),
    "another secret": (403, "SignatureDoesNotMatch", {"secret": "other"}),
    "another access key": (403, "InvalidAccessKeyId", {"fields": {"key": "k", "AWSAccessKeyId": "other"}}),
    "an expired policy": (403, "AccessDenied", {"seconds": -60}),
    "a field of no condition": (
        403,
        "AccessDenied",
        {"fields": {"key": "k", "x-amz-meta-a": "1"}, "conditions": [{"key": "k"}]},
    ),
    "a condition that fails": (403, "AccessDenied", {"conditions": [["eq", "$key", "other"]]}),
    "a condition on a field that is missing": (403, "AccessDenied", {"conditions": [{"key": "k"}, {"acl": "private"}]}),
    "a file that is too large": (400, "EntityTooLarge", {"conditions": [{"key": "k"}, ["content-length-range", 0, 3]]}),
    "a file that is too small": (400, "EntityTooSmall", {"conditions": [{"key": "k"}, ["content-length-range", 5, 9]]}),
    "a range without an end": (400, "InvalidPolicyDocument", {"conditions": [["content-length-range", 5]]}),
    "a range below nothing": (400, "InvalidPolicyDocument", {"conditions": [["content-length-range", -1, 0]]}),
    "an empty condition": (400, "InvalidPolicyDocument", {"conditions": [{}]}),
    "a policy for no bucket": (
        403,
        "AccessDenied",
        {"change": lambda policy: {**policy, "conditions": [{"key": "k"}]}},
    ),
    "a policy without expiration": (400, "InvalidPolicyDocument", {"change": lambda policy: {"conditions": []}}),
    "a policy of CONDITIONS": (400, "InvalidPolicyDocument", {"change": lambda policy: {**policy, "conditions": None}}),
    "a policy of no date": (400, "InvalidPolicyDocument", {"change": lambda policy: {**policy, "expiration": "soon"}}),
    "a policy of a date as Python writes it": (
        400,
        "InvalidPolicyDocument",
        {"change": lambda policy: {**policy, "expiration": "2100-01-01 00:00:00+00:00"}},
    ),
    "a policy that is a list": (400, "InvalidPolicyDocument", {"change": lambda policy: [policy]}),
    "access for everybody": (400, "AccessControlListNotSupported", {"fields": {"key": "k", "acl": "public-read"}}),
    "fields beyond the limit": (
        400,
        "MaxPostPreDataLengthExceeded",
        {"fields": {"key": "k", "x-ignore-a": "a" * 90_000}},
    ),
}


@row("PostObject", "{}: nothing is kept", *_REFUSED_FORMS)
def _(world, wish):
    status, code, options = _REFUSED_FORMS[wish]
    answer = _post(world, **{"fields": {"key": "k"}} | options)
    assert (answer[0], code_of(answer[2])) == (status, code), answer[2]
    assert "Contents" not in world.s3.list_objects_v2(Bucket=world.bucket)


@row("PostObject", "without {}", "policy", "signature")
def _(world, name):
    fields = {"policy": {"key": "k"}, "signature": {"key": "k", "policy": "e30="}}[name]
    assert _send_form(world, fields, b"body")[0] == {"policy": 403, "signature": 400}[name]


@row("PostObject", "names in any case")
def _(world):
    conditions = [["StArTs-WiTh", "$KeY", "for"], {"ACL": "private"}]
    assert _post(world, {"kEy": "form", "aCl": "private"}, conditions=conditions)[0] == 204
    assert world.s3.head_object(Bucket=world.bucket, Key="form")


@row("PostObject", "a dollar sign in a condition written {}", "$k", "\\$k", "\\\\$k")
def _(world, text):
    key = {"$k": "$k", "\\$k": "$k", "\\\\$k": "\\$k"}[text]
    written = _post(world, {"key": key}, conditions=[["eq", "$key", "HERE"]], write=lambda policy: _with(policy, text))
    assert written[0] == 204 and world.s3.head_object(Bucket=world.bucket, Key=key)


def _with(policy, text):
    return json.dumps(policy).replace("HERE", text)


@row("PostObject", "conditions are about the key with the file's own name")
def _(world):
    assert _post(world, {"key": "${filename}"}, conditions=[["starts-with", "$key", "a b"]])[0] == 204
    refused = _post(world, {"key": "${filename}"}, conditions=[["starts-with", "$key", "$"]])
    assert refused[0] == 403 and b"Policy Condition failed" in refused[2]
