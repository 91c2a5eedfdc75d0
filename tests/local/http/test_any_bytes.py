"""Every answer to any bytes is one of the service's own: a code and words, never an unexpected error, never silence."""

from __future__ import annotations

import errno
import json
import re
import socket
import sqlite3
from xml.etree import ElementTree

import nasty_requests
import pytest
import wire
from hypothesis import given, settings
from hypothesis import strategies as st
from whole_service import whole_service

from personalize_nb.local.s3.store import Incoming
from personalize_nb.local.state.store import Store

# one operation of each service, and a member that is a text
TEXT_MEMBERS = [
    ("personalize", "ListDatasetGroups", ("nextToken",)),
    ("personalize", "CreateSchema", ("schema",)),
    ("personalize-runtime", "GetRecommendations", ("filterValues", "key")),
    ("personalize-events", "PutEvents", ("eventList", 0, "properties")),
    ("s3", "ListObjectsV2", ("ContinuationToken",)),
    ("s3", "GetObject", ("Range",)),
    ("s3", "GetObject", ("IfModifiedSince",)),
    ("s3", "PutObject", ("Tagging",)),
    ("s3", "PutBucketPolicy", ("Policy",)),
    ("s3", "GetObject", ("Key",)),
    ("s3", "DeleteObjects", ("Delete",)),
    ("iam", "ListRoles", ("Marker",)),
    ("iam", "ListRoles", ("MaxItems",)),
    ("iam", "CreateRole", ("AssumeRolePolicyDocument",)),
    ("kms", "ListKeys", ("Marker",)),
    ("kms", "Decrypt", ("CiphertextBlob",)),
    ("kms", "CreateKey", ("Policy",)),
    ("kms", "DescribeKey", ()),
]


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory):
    with whole_service(tmp_path_factory.mktemp("whole")) as endpoint:
        yield endpoint


def check_answer(method, status, body):
    """A success, or a refusal with a code and words; S3 says 501 of what it knows and has not."""
    assert status < 500 or status == 501, body
    if status < 400 or method == "HEAD" or not body:
        return
    if body.startswith(b"{"):
        told = json.loads(body)
        assert told["message"]
    else:
        root = ElementTree.fromstring(body)
        assert root.findtext(".//Code") and root.findtext(".//Message"), body


def send(endpoint, sent):
    headers = wire.signed_headers(endpoint, sent.method, sent.path, sent.body, dict(sent.headers), service=sent.service)
    status, _, body = wire.send(endpoint, sent.method, sent.path, sent.body, headers)
    check_answer(sent.method, status, body)


@pytest.mark.parametrize(("model", "operation", "member"), TEXT_MEMBERS, ids=lambda each: str(each))
def test_one_member_of_each_kind_may_hold_anything(endpoint, model, operation, member):
    for value in nasty_requests.values(model):
        send(endpoint, nasty_requests.write(model, operation, member, value))


@settings(max_examples=300)
@given(data=st.data())
def test_any_member_of_any_operation_may_hold_anything(endpoint, data):
    model, operation = data.draw(st.sampled_from(nasty_requests.operations()))
    member = data.draw(st.sampled_from(nasty_requests.members(model, operation)))
    value = data.draw(st.sampled_from(nasty_requests.values(model)))
    if operation == "DeleteBucket":
        return  # what comes after needs it
    send(endpoint, nasty_requests.write(model, operation, member, value))


@given(body=st.binary(max_size=40), service=st.sampled_from(["personalize", "kms", "sts", "iam", "s3"]))
def test_a_signed_body_may_be_any_bytes(endpoint, body, service):
    headers = {
        "kms": {"X-Amz-Target": "TrentService.Encrypt"},
        "personalize": {"X-Amz-Target": "AmazonPersonalize.CreateSchema"},
    }.get(service, {"Content-Type": "application/x-www-form-urlencoded"})
    path = "/data?delete" if service == "s3" else "/"
    send(endpoint, nasty_requests.Sent(service, path=path, headers=headers, body=body))


HOST = b"Host: 127.0.0.1\r\n"
HEADS = {
    "nothing": b"\r\n",
    "no version": b"GET /\r\n\r\n",
    "no words": b"\x00\xff\r\n\r\n",
    "a long line": b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
    "junk in percents": b"GET /data/%zz%00%ff?%=%&&= HTTP/1.1\r\n" + HOST + b"\r\n",
    "an empty host": b"GET / HTTP/1.1\r\nHost:\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "a star": b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n",
    "a strange port": b"GET http://127.0.0.1:99999999/ HTTP/1.1\r\n" + HOST + b"\r\n",
    "many headers": b"GET / HTTP/1.1\r\n" + HOST + b"".join(b"x-%d: a\r\n" % n for n in range(2000)) + b"\r\n",
    "a long header": b"GET / HTTP/1.1\r\n" + HOST + b"x: " + b"a" * 70_000 + b"\r\n\r\n",
    "a long head": b"GET / HTTP/1.1\r\n" + HOST + (b"x: " + b"a" * 60_000 + b"\r\n") * 9 + b"\r\n",
    "a line without colon": b"GET / HTTP/1.1\r\n" + HOST + b"colon\r\nContent-Length: 3\r\n\r\nabc",
    "a space before a colon": b"GET / HTTP/1.1\r\n" + HOST + b"Content-Length : 3\r\n\r\nabc",
    "NUL in a header": b"GET / HTTP/1.1\r\n" + HOST + b"x: a\x00b\r\n\r\n",
    "a length of 5,000 digits": b"PUT /b/k HTTP/1.1\r\n" + HOST + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n",
    "a negative length": b"PUT /b/k HTTP/1.1\r\n" + HOST + b"Content-Length: -1\r\n\r\n",
    "two lengths": b"PUT /b/k HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "another coding": b"PUT /b/k HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: gzip\r\n\r\n",
    "an unreadable claim": b"GET / HTTP/1.1\r\n" + HOST + b"Authorization: AWS4-HMAC-SHA256 \xff=,,=\r\n\r\n",
    "an unreadable presigned claim": b"GET /?X-Amz-Signature=%ff&X-Amz-Expires=" + b"9" * 5000 + b" HTTP/1.1\r\n\r\n",
    "a claim of version 2": b"GET /?AWSAccessKeyId=%00&Signature=%ff&Expires=1e400 HTTP/1.1\r\n" + HOST + b"\r\n",
}


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
def test_whatever_a_head_is_it_gets_an_answer(endpoint, head):
    check_answer("GET", *exchange(endpoint, head))


@settings(max_examples=200)
@given(
    head=st.lists(st.sampled_from([b"GET", b" /", b" ", b" HTTP/1.1", b"\r\n", b":", b"Host", b"\0", b"\xff", b"a"]))
)
def test_any_bytes_that_end_like_a_head_get_an_answer(endpoint, head):
    check_answer("GET", *exchange(endpoint, b"A" + b"".join(head) + b"\r\n\r\n"))


@pytest.mark.parametrize(
    "size", [b"zz", b"-1", b"", b"f" * 5000, b"ffffffffffffffff", b"3\r\nabcd", b"5\r\nab", b"3;\0"]
)
def test_a_chunk_may_say_anything_of_its_size(endpoint, size):
    headers = wire.signed_headers(
        endpoint, "PUT", "/kept/chunked", headers={"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"}
    )
    head = head_of("PUT", "/kept/chunked", endpoint, {**headers, "Transfer-Encoding": "chunked"})
    status, body = exchange(endpoint, head + size + b"\r\n")
    assert 400 <= status < 500
    check_answer("PUT", status, body)


@pytest.mark.parametrize("sent", [b"", b"bo"])
def test_a_body_that_is_cut_is_told_and_leaves_no_object(endpoint, sent):
    headers = wire.signed_headers(endpoint, "PUT", "/kept/cut", b"body", {"Content-Length": "4"})
    status, body = exchange(endpoint, head_of("PUT", "/kept/cut", endpoint, headers) + sent)
    assert status == 400 and b"IncompleteBody" in body
    headers = wire.signed_headers(endpoint, "GET", "/kept/cut")
    assert wire.send(endpoint, "GET", "/kept/cut", headers=headers)[0] == 404


def test_a_head_that_is_cut_does_nothing(endpoint):
    headers = wire.signed_headers(endpoint, "PUT", "/kept/cut", b"", {"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"})
    head = head_of("PUT", "/kept/cut", endpoint, headers)
    with socket.create_connection(("127.0.0.1", endpoint.port), timeout=20) as connection:
        connection.sendall(head.removesuffix(b"\r\n"))
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1) == b""
    headers = wire.signed_headers(endpoint, "GET", "/kept/cut")
    assert wire.send(endpoint, "GET", "/kept/cut", headers=headers)[0] == 404


@pytest.mark.parametrize(
    ("error", "status", "told"),
    [
        (PermissionError(errno.EACCES, "Permission denied"), 507, "cannot read or write its folder: .*Permission"),
        (OSError(errno.EROFS, "Read-only file system"), 507, "cannot read or write its folder: .*Read-only"),
        (OSError(errno.EIO, "Input/output error"), 507, "cannot read or write its folder: .*Input/output"),
        (OSError(errno.EMFILE, "Too many open files"), 503, "no file descriptors left.*ulimit -n"),
        (OSError(errno.ENOSPC, "No space left on device"), 507, "No space is left"),
    ],
)
def test_what_the_machine_refuses_is_told(endpoint, monkeypatch, error, status, told):
    def refuse(*arguments, **options):
        raise error

    monkeypatch.setattr(Incoming, "write", refuse)
    monkeypatch.setattr(Store, "transaction", refuse)
    for sent in (
        nasty_requests.Sent("s3", "PUT", "/kept/unwritten", body=b"body"),
        nasty_requests.write("personalize", "CreateDatasetGroup", ("name",), '"unwritten"'),
    ):
        headers = wire.signed_headers(
            endpoint, sent.method, sent.path, sent.body, dict(sent.headers), service=sent.service
        )
        found, _, body = wire.send(endpoint, sent.method, sent.path, sent.body, headers)
        assert found == status and re.search(told, body.decode())


def test_a_database_that_is_read_only_is_told(endpoint, monkeypatch):
    def refuse(*arguments, **options):
        with sqlite3.connect("file::memory:?mode=ro", uri=True) as database:
            database.execute("PRAGMA query_only = ON")
            database.execute("CREATE TABLE more (id)")

    monkeypatch.setattr(Store, "transaction", refuse)
    sent = nasty_requests.write("personalize", "CreateDatasetGroup", ("name",), '"unwritten"')
    headers = wire.signed_headers(endpoint, "POST", "/", sent.body, dict(sent.headers), service="personalize")
    status, _, body = wire.send(endpoint, "POST", "/", sent.body, headers)
    assert status == 507 and b"StorageUnavailable" in body


def head_of(method, path, endpoint, headers):
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{endpoint.port}\r\n{lines}\r\n".encode()


def exchange(endpoint, sent):
    """Send bytes and nothing more; status and body of the answer."""
    with socket.create_connection(("127.0.0.1", endpoint.port), timeout=20) as connection:
        try:
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
        except ConnectionError:
            pass  # the answer came before all of it was sent
        answer = connection.makefile("rb").read()
    head, _, body = answer.partition(b"\r\n\r\n")
    assert re.match(rb"HTTP/1\.1 \d{3} ", head), answer
    return int(head[9:12]), body
