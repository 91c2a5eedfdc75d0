"""Lists, and requests that are not what they seem."""

from __future__ import annotations

import http.client
from urllib.parse import quote

import wire
from promises import call, row


@row("ListBuckets", "page by page: {}", 1, 2, 10_000)
def _(world, size):
    for number in range(4):
        world.s3.create_bucket(Bucket=f"{world.bucket}-{number}")
    pages = world.s3.get_paginator("list_buckets").paginate(Prefix=world.bucket, PaginationConfig={"PageSize": size})
    found = [[bucket["Name"] for bucket in page["Buckets"]] for page in pages]
    assert sum(found, []) == [world.bucket, *(f"{world.bucket}-{number}" for number in range(4))]
    assert all(len(page) == size for page in found[:-1])
    elsewhere = world.s3.list_buckets(Prefix=world.bucket, BucketRegion="eu-west-1")
    assert elsewhere["Buckets"] == [] and elsewhere["Prefix"] == world.bucket


@row("ListBuckets", "{} is refused", "MaxBuckets=0", "MaxBuckets=10001", "ContinuationToken=!")
def _(world, wish):
    name, _, value = wish.partition("=")
    query = {"MaxBuckets": "max-buckets", "ContinuationToken": "continuation-token"}[name]
    path = f"/?{query}={quote(value)}"
    status, _, body = wire.send(world.endpoint, "GET", path, b"", wire.signed_headers(world.endpoint, "GET", path))
    assert status == 400 and b"<Code>InvalidArgument</Code>" in body


@row("{}", "the prefix comes back as clients read it", "ListObjects", "ListObjectsV2", "ListObjectVersions")
def _(world, operation):
    for prefix in ("a b+c/", "ü/", "\n", "%41"):
        world.put(Key=f"{prefix}x")
        answer = call(world.s3, operation, Bucket=world.bucket, Prefix=prefix, Delimiter="/")
        assert answer["Prefix"] == prefix and (answer.get("Contents") or answer["Versions"])[0]["Key"] == f"{prefix}x"


@row("{}", "a sub-resource without what it needs is no plain request", "PUT", "DELETE")
def _(world, method):
    path = f"/{world.bucket}?inventory"
    status, _, body = wire.send(world.endpoint, method, path, b"", wire.signed_headers(world.endpoint, method, path))
    assert status == 400 and b"InvalidRequest" in body
    assert world.s3.head_bucket(Bucket=world.bucket)


@row("PutObject", "without a length")
def _(world):
    path = f"/{world.bucket}/k"
    connection = http.client.HTTPConnection("127.0.0.1", world.endpoint.port)
    connection.putrequest("PUT", path, skip_host=True)
    for name, value in wire.signed_headers(world.endpoint, "PUT", path).items():
        connection.putheader(name, value)
    connection.putheader("Host", f"127.0.0.1:{world.endpoint.port}")
    connection.endheaders()
    answer = connection.getresponse()
    assert (answer.status, b"MissingContentLength" in answer.read()) == (411, True)
    connection.close()
