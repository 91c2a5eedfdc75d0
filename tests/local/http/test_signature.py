"""The gate of the endpoint: who gets in, who does not, and what is refused before a body is read."""

from __future__ import annotations

import errno
import http.client
import json
import socket
import time
from urllib.parse import quote, urlencode

import pytest
import wire
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from personalize_nb.local.http import json_bodies, query_protocol
from personalize_nb.local.http.endpoint import IDLE_CONNECTION_SECONDS, STRANGER_SECONDS, Endpoint, _Connection
from personalize_nb.local.http.messages import Handler, Response
from personalize_nb.local.s3 import protocol
from personalize_nb.local.s3.handler import s3_handler
from personalize_nb.local.s3.store import Incoming, ObjectStore


@pytest.fixture(scope="module")
def seen():
    return []


@pytest.fixture(scope="module")
def endpoint(seen):
    def echo(request):
        seen.append(request)
        body = request.body.read_all()
        answer = {"path": request.path, "query": request.query, "size": len(body), "service": request.service}
        return Response(200, {"Content-Type": "application/json"}, json.dumps(answer).encode())

    handlers = {
        "s3": as_s3(echo),
        "personalize": Handler(echo, json_bodies.refusal),
        "sts": Handler(echo, query_protocol.refusal, wire="query", any_region=True),
    }
    with wire.serving(handlers) as endpoint:
        yield endpoint


def as_s3(answer):
    return Handler(answer, protocol.refusal, wire="s3", any_region=True)


def call(endpoint, method="GET", path="/", body=b"", headers=None, **signing):
    signed = wire.signed_headers(endpoint, method, path, body, headers, **signing)
    status, _, answer = wire.send(endpoint, method, path, body, signed)
    return status, answer.decode()


@pytest.mark.parametrize("service", ["s3", "personalize", "sts"])
def test_a_right_signature_gets_in_and_names_the_service(endpoint, service):
    status, answer = call(endpoint, "POST", "/a?x=1", b"body", service=service)
    assert status == 200
    assert json.loads(answer) == {"path": "/a", "query": [["x", "1"]], "size": 4, "service": service}


@pytest.mark.parametrize(
    ("service", "code"),
    [("s3", "SignatureDoesNotMatch"), ("sts", "SignatureDoesNotMatch"), ("personalize", "InvalidSignatureException")],
)
def test_a_wrong_secret_is_refused_in_the_dialect_of_the_service(endpoint, service, code):
    status, answer = call(endpoint, service=service, secret="guess")
    assert status == 403 and code in answer
    assert answer.startswith("{" if service == "personalize" else "<")


def test_nobody_gets_in_without_a_signature(endpoint, seen):
    before = len(seen)
    for headers in ({}, {"Authorization": "Basic eA=="}, {"Authorization": "AWS4-HMAC-SHA256 Credential=x"}):
        status, _, _ = wire.send(endpoint, "GET", "/bucket", headers=headers)
        assert status in (400, 403)
    assert len(seen) == before


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"X-Amz-Content-SHA256": "0" * 64}, "SignatureDoesNotMatch"),
        ({"X-Amz-Date": "20200101T000000Z"}, "SignatureDoesNotMatch"),
        ({"x-amz-meta-added": "later"}, "AccessDenied"),
        ({"Host": "localhost:1"}, "SignatureDoesNotMatch"),
        ({"Host": "evil.example"}, "AccessDenied"),
    ],
)
def test_what_was_signed_cannot_be_changed(endpoint, change, code):
    headers = wire.signed_headers(endpoint, "PUT", "/b/k", b"body")
    headers = {name: value for name, value in headers.items() if name not in change} | change
    status, _, answer = wire.send(endpoint, "PUT", "/b/k", b"body", headers)
    assert status == 403 and code in answer.decode()


def test_another_body_than_the_signed_one_is_refused(endpoint):
    headers = wire.signed_headers(endpoint, "PUT", "/b/k", b"body")
    status, _, answer = wire.send(endpoint, "PUT", "/b/k", b"BODY", headers)
    assert status == 400 and b"XAmzContentSHA256Mismatch" in answer
    headers = wire.signed_headers(endpoint, "POST", "/", b"{}", service="personalize")
    status, _, answer = wire.send(endpoint, "POST", "/", b"[]", headers)
    assert status == 403 and b"InvalidSignatureException" in answer


def test_old_requests_are_refused(endpoint):
    headers = wire.signed_headers(endpoint, "GET", "/")
    endpoint.clock = lambda: time.time() + 16 * 60
    try:
        status, _, answer = wire.send(endpoint, "GET", "/", headers=headers)
    finally:
        endpoint.clock = time.time
    assert status == 403 and b"RequestTimeTooSkewed" in answer


def test_unknown_services_and_regions_are_named(endpoint):
    status, answer = call(endpoint, service="dynamodb")
    assert status == 404 and "dynamodb" in answer and "personalize, s3, sts" in answer
    client = wire.make_client("personalize", endpoint, region="eu-west-1")
    with pytest.raises(ClientError, match="'us-east-1'.*'eu-west-1'"):
        client.list_schemas()


@given(
    path=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="/\r\n"), min_size=1), max_size=3),
    query=st.dictionaries(st.text("aB-~ +&=%é", min_size=1), st.text("aB-~ +&=%é/")),
)
def test_any_path_and_query_that_botocore_signs_is_understood(endpoint, path, query):
    url = "/bucket/" + "/".join(quote(part, safe="") for part in path)
    if query:
        url += "?" + urlencode(query, quote_via=quote)
    status, answer = call(endpoint, path=url)
    assert status == 200, answer
    assert dict(json.loads(answer)["query"]) == query


def test_an_unauthenticated_upload_is_refused_before_its_body_is_sent(endpoint):
    with socket.create_connection(("127.0.0.1", endpoint.port), timeout=20) as connection:
        connection.sendall(
            b"PUT /bucket/key HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 10000000000\r\n"
            b"Expect: 100-continue\r\n\r\n"
        )
        answer = connection.makefile("rb").readline()
    assert b" 403 " in answer


def test_a_refused_upload_that_does_not_wait_still_gets_its_answer(endpoint):
    headers = wire.signed_headers(endpoint, "PUT", "/b/k", b"", {"Content-Length": str(8 << 20)}, secret="guess")
    connection = http.client.HTTPConnection("127.0.0.1", endpoint.port, timeout=20)
    connection.request("PUT", "/b/k", body=b"x" * (8 << 20), headers=headers)
    assert connection.getresponse().status == 403
    connection.close()


def test_two_lengths_are_refused(endpoint):
    with socket.create_connection(("127.0.0.1", endpoint.port), timeout=20) as connection:
        connection.sendall(
            b"PUT /b/k HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        assert b" 400 " in connection.makefile("rb").readline()


def test_an_unexpected_error_is_answered_and_tells_nothing(tmp_path):
    def broken(request):
        raise RuntimeError("the secret is swordfish")

    with wire.serving({"s3": as_s3(broken)}) as endpoint:
        status, answer = call(endpoint)
    assert status == 500 and "InternalError" in answer and "swordfish" not in answer


def test_many_requests_on_one_connection_and_only_their_activity_is_told():
    calls = []
    with wire.serving({"s3": as_s3(lambda request: Response())}, on_request=lambda: calls.append(1)) as endpoint:
        connection = http.client.HTTPConnection("127.0.0.1", endpoint.port, timeout=20)
        for _ in range(3):
            connection.request("GET", "/", headers=wire.signed_headers(endpoint, "GET", "/"))
            response = connection.getresponse()
            assert response.status == 200 and response.read() == b""
        connection.close()
        wire.send(endpoint, "GET", "/")
    assert len(calls) == 6


def test_an_endpoint_is_busy_while_a_request_is_under_way():
    told = []

    def answer(request):
        told.append(endpoint.busy)
        return Response()

    with wire.serving({"s3": as_s3(answer)}) as endpoint:
        told.append(endpoint.busy)
        assert call(endpoint)[0] == 200
    assert told == [False, True]


def test_an_endpoint_that_never_served_can_be_stopped():
    Endpoint({}, {}, wire.REGION).stop()


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path, monkeypatch):
    def full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    store = ObjectStore(tmp_path)
    store.create_bucket("books", wire.REGION)
    with wire.serving({"s3": s3_handler(store, wire.REGION, wire.ACCOUNT)}) as endpoint:
        monkeypatch.setattr(Incoming, "write", full)
        status, answer = call(endpoint, "PUT", "/books/k", b"body")
    assert status == 507 and "No space" in answer
    assert list(store.list("books")) == [] and not list((tmp_path / "incoming").iterdir())


@pytest.mark.parametrize("line", [b"GET http://[ HTTP/1.1", b"NO/HTTP", b"BREW / HTTP/1.1", b"GET / HTTP/9.9"])
def test_what_is_not_http_is_refused_like_everything_else(line):
    with wire.serving({}) as endpoint, socket.create_connection(("127.0.0.1", endpoint.port), timeout=20) as connection:
        connection.sendall(line + b"\r\n\r\n")
        answer = connection.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 ") and answer[9:10] in b"45", answer
    assert b"InvalidRequest" in answer
    assert b"Python" not in answer and b"<!DOCTYPE" not in answer


def test_a_stranger_may_be_silent_for_a_short_time_only(monkeypatch):
    monkeypatch.setattr(_Connection, "timeout", 0.1)
    with wire.serving({}) as endpoint, socket.create_connection(("127.0.0.1", endpoint.port), timeout=20) as connection:
        assert connection.recv(1) == b""
    assert STRANGER_SECONDS < IDLE_CONNECTION_SECONDS
