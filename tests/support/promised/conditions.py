"""Conditions of reads, writes, deletions and copies."""

from __future__ import annotations

import base64
from datetime import timedelta

import wire
from promises import ETAG, call, code_of, md5, row, writes_of


@row("{}", "304 has ETag and date, and no body", "GetObject", "HeadObject")
def _(world, operation):
    world.put(CacheControl="max-age=9")
    error = world.refused("304", operation, 304, **world.at, IfNoneMatch=ETAG)
    headers = error["ResponseMetadata"]["HTTPHeaders"]
    assert (headers["etag"], headers["cache-control"]) == (ETAG, "max-age=9") and "last-modified" in headers
    assert "content-length" not in headers


@row("{}", "If-Match with another ETag", "GetObject", "HeadObject")
def _(world, operation):
    world.put()
    world.refused(
        "412" if operation == "HeadObject" else "PreconditionFailed", operation, 412, **world.at, IfMatch='"x"'
    )


# what a write asks of the object that is there: right, wrong, and none there
_ASKED = {
    "IfMatch=etag": ({"IfMatch": ETAG}, None, "NoSuchKey"),
    "IfMatch=*": ({"IfMatch": "*"}, None, "NoSuchKey"),
    "IfMatch=other": ({"IfMatch": '"other"'}, "PreconditionFailed", "NoSuchKey"),
    "IfNoneMatch=*": ({"IfNoneMatch": "*"}, "PreconditionFailed", None),
    "IfNoneMatch=etag": ({"IfNoneMatch": ETAG}, "PreconditionFailed", None),
    "IfNoneMatch=other": ({"IfNoneMatch": '"other"'}, None, None),
}


def _conditional(world, operation, wish, present):
    condition, *codes = _ASKED[wish]
    if present:
        world.put()
    code = codes[0 if present else 1]
    params = {**writes_of(world, operation), **condition}
    if code:
        world.refused(code, operation, 404 if code == "NoSuchKey" else 412, **params)
        assert present == bool(world.s3.list_objects_v2(Bucket=world.bucket, Prefix="k").get("Contents"))
    else:
        call(world.s3, operation, **params)


for _operation in ("PutObject", "CopyObject", "CompleteMultipartUpload"):
    for _present in (True, False):
        row(_operation, f"{{}}, the key {'exists' if _present else 'is missing'}", *_ASKED)(
            lambda world, wish, operation=_operation, present=_present: _conditional(world, operation, wish, present)
        )
for _present in (True, False):
    row("DeleteObject", f"{{}}, the key {'exists' if _present else 'is missing'}", *list(_ASKED)[:3])(
        lambda world, wish, present=_present: _conditional(world, "DeleteObject", wish, present)
    )


@row("DeleteObject", "{} that does not hold leaves it", "IfMatchSize", "IfMatchLastModifiedTime")
def _(world, name):
    world.put()
    world.refused("PreconditionFailed", "DeleteObject", 412, **world.at, **{name: 1})
    right = {"IfMatchSize": 4, "IfMatchLastModifiedTime": world.s3.head_object(**world.at)["LastModified"]}[name]
    world.s3.delete_object(**world.at, **{name: right})
    world.refused("404", "HeadObject", 404, **world.at)


@row("DeleteObjects", "an entry with {} that does not hold leaves it", "ETag", "Size", "LastModifiedTime", "VersionId")
def _(world, name):
    world.put()
    wrong = {"ETag": '"x"', "Size": 1, "LastModifiedTime": 1, "VersionId": "x"}[name]
    answer = world.s3.delete_objects(Bucket=world.bucket, Delete={"Objects": [{"Key": "k", name: wrong}]})
    code = "NoSuchVersion" if name == "VersionId" else "PreconditionFailed"
    assert "Deleted" not in answer and answer["Errors"][0]["Code"] == code
    assert world.s3.head_object(**world.at)


@row("DeleteObjects", "without a checksum of the request nothing is deleted")
def _(world):
    world.put()
    path, body = f"/{world.bucket}?delete", b"<Delete><Object><Key>k</Key></Object></Delete>"
    headers = wire.signed_headers(world.endpoint, "POST", path, body)
    status, _, answer = wire.send(world.endpoint, "POST", path, body, headers)
    assert (status, code_of(answer)) == (400, "InvalidRequest") and world.s3.head_object(**world.at)
    promised = {"Content-MD5": base64.b64encode(md5(body).digest()).decode()}
    headers = wire.signed_headers(world.endpoint, "POST", path, body, promised)
    assert wire.send(world.endpoint, "POST", path, body, headers)[0] == 200
    world.refused("404", "HeadObject", 404, **world.at)


@row("CopyObject", "the source's {}", "IfMatch", "IfNoneMatch", "IfModifiedSince", "IfUnmodifiedSince")
def _(world, name):
    world.put()
    modified = world.s3.head_object(**world.at)["LastModified"]
    right, wrong = {
        "IfMatch": (ETAG, '"x"'),
        "IfNoneMatch": ('"x"', ETAG),
        "IfModifiedSince": (modified - timedelta(1), modified + timedelta(1)),
        "IfUnmodifiedSince": (modified + timedelta(1), modified - timedelta(1)),
    }[name]
    to = {"Bucket": world.bucket, "Key": "copy", "CopySource": f"{world.bucket}/k"}
    world.refused("PreconditionFailed", "CopyObject", 412, **to, **{f"CopySource{name}": wrong})
    assert world.s3.copy_object(**to, **{f"CopySource{name}": right})
