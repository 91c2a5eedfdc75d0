"""Helpers of the tests of the wire: an endpoint of our own in a thread, and raw requests with real signatures."""

from __future__ import annotations

import http.client
from contextlib import contextmanager

import boto3
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from personalize_nb.local.http.endpoint import Endpoint

ACCESS_KEY, SECRET_KEY = "LOCALTESTKEY", "secret-of-the-tests"
REGION, ACCOUNT = "us-east-1", "123456789012"


@contextmanager
def serving(handlers, **options):
    """An endpoint that answers while the block runs."""
    endpoint = Endpoint(handlers, {ACCESS_KEY: SECRET_KEY}, REGION, **options).start()
    try:
        yield endpoint
    finally:
        endpoint.stop()


def make_client(name, endpoint, secret=SECRET_KEY, access_key=ACCESS_KEY, region=REGION, tries=1, **config):
    """A boto3 client of an endpoint."""
    return boto3.client(
        name,
        endpoint_url=endpoint.url,
        region_name=region,
        aws_access_key_id=access_key,
        aws_secret_access_key=secret,
        config=Config(proxies={}, retries={"total_max_attempts": tries}, **config),
    )


def signed_headers(endpoint, method, path, body=b"", headers=None, service="s3", secret=SECRET_KEY):
    """Headers that sign a request as botocore does."""
    auth = S3SigV4Auth if service == "s3" else SigV4Auth
    request = AWSRequest(method, endpoint.url + path, headers=headers or {}, data=body)
    auth(Credentials(ACCESS_KEY, secret), service, REGION).add_auth(request)
    return dict(request.headers)


def send(endpoint, method, path, body=b"", headers=None):
    """A request exactly as given; status, headers and body of the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", endpoint.port, timeout=20)
    try:
        connection.request(method, path, body=body, headers=headers or {})
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), response.read()
    finally:
        connection.close()


def put_chunked(endpoint, path, body, content_sha256, extra):
    """Sign an upload with the kind of its payload in place of a digest, then send the framed body.

    `body` may be a function of the signed headers, for bodies that are signed themselves.
    """
    headers = {"X-Amz-Content-SHA256": content_sha256, "Content-Encoding": "aws-chunked", **extra}
    request = AWSRequest("PUT", endpoint.url + path, headers=headers)
    auth = S3SigV4Auth(Credentials(ACCESS_KEY, SECRET_KEY), "s3", REGION)
    auth.payload = lambda _: content_sha256
    auth.add_auth(request)
    signed = dict(request.headers)
    return send(endpoint, "PUT", path, body(signed) if callable(body) else body, signed)


def code_of(error):
    """The service's error code in what `pytest.raises` caught."""
    return error.value.response["Error"]["Code"]
