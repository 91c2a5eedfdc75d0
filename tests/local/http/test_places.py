"""Who stays connected when many are: strangers push out strangers, and never somebody who was let in."""

from __future__ import annotations

import http.client
import socket
import time

import pytest
import wire

from personalize_nb.local.http import endpoint as endpoint_module
from personalize_nb.local.http.endpoint import _Connection
from personalize_nb.local.http.messages import Handler, Response
from personalize_nb.local.s3 import protocol
from personalize_nb.local.state import platform


def serving(answer=lambda request: Response(200, {}, b"yes"), **options):
    return wire.serving({"s3": Handler(answer, protocol.refusal, wire="s3", any_region=True)}, **options)


def connect(endpoint):
    return socket.create_connection(("127.0.0.1", endpoint.port), timeout=20)


def ask(connection, endpoint):
    """Status of a signed request on an open connection."""
    connection.request("GET", "/", headers=wire.signed_headers(endpoint, "GET", "/"))
    answer = connection.getresponse()
    answer.read()
    return answer.status


def let_in(endpoint):
    connection = http.client.HTTPConnection("127.0.0.1", endpoint.port, timeout=20)
    assert ask(connection, endpoint) == 200
    return connection


def test_many_strangers_who_send_drop_by_drop_lock_nobody_out():
    with serving(places=50) as endpoint:
        known = let_in(endpoint)
        strangers = [connect(endpoint) for _ in range(120)]
        for number, stranger in enumerate(strangers):
            try:
                stranger.sendall(b"GET / HTTP/1.1\r\nX-%d: " % number)
            except OSError:
                continue  # thrown out already
        newcomer = let_in(endpoint)
        assert ask(known, endpoint) == ask(newcomer, endpoint) == 200
        # the oldest went first
        assert strangers[0].recv(1) == b""
        for each in (known, newcomer, *strangers):
            each.close()


def test_a_stranger_becomes_one_again_by_a_wrong_signature():
    with serving(places=50) as endpoint:
        turned = let_in(endpoint)
        turned.request("GET", "/", headers=wire.signed_headers(endpoint, "GET", "/", secret="guess"))
        assert turned.getresponse().read()
        strangers = [connect(endpoint) for _ in range(12)]
        assert turned.sock is None or turned.sock.recv(1) == b""
        for each in (turned, *strangers):
            each.close()


def test_when_those_who_were_let_in_are_too_many_the_one_idle_longest_goes():
    with serving(places=10) as endpoint:
        first, *others = [let_in(endpoint) for _ in range(9)]
        assert first.sock.recv(1) == b""
        assert [ask(each, endpoint) for each in others] == [200] * 8
        for each in (first, *others):
            each.close()


def test_a_thousand_idle_connections_are_held():
    if platform.allow_open_files(4096) < 2200:
        pytest.skip("both ends of so many connections are more files than this process may open")
    with serving() as endpoint:
        open_ones = [let_in(endpoint) for _ in range(1000)]
        assert all(ask(each, endpoint) == 200 for each in open_ones[::20])
        for each in open_ones:
            each.close()


def test_a_head_has_a_deadline_that_drops_do_not_put_off(monkeypatch):
    monkeypatch.setattr(_Connection, "timeout", 0.3)
    with serving() as endpoint, connect(endpoint) as connection:
        connection.settimeout(0.01)
        answer = b""
        deadline = time.monotonic() + 20
        while not answer and time.monotonic() < deadline:
            connection.sendall(b"x")
            try:
                answer = connection.recv(1 << 16)
            except TimeoutError:
                continue
    assert answer.startswith(b"HTTP/1.1 408 ")


def test_an_upload_that_stops_within_its_body_is_told(monkeypatch):
    monkeypatch.setattr(endpoint_module, "IDLE_CONNECTION_SECONDS", 0.2)
    with serving(lambda request: Response(200, {}, request.body.read_all())) as endpoint, connect(endpoint) as sender:
        headers = wire.signed_headers(endpoint, "PUT", "/b/k", b"body", {"Content-Length": "4"})
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        sender.sendall(f"PUT /b/k HTTP/1.1\r\nHost: 127.0.0.1:{endpoint.port}\r\n{lines}\r\nbo".encode())
        answer = sender.makefile("rb").read()
    assert b" 400 " in answer.splitlines()[0] and b"RequestTimeout" in answer


@pytest.mark.parametrize("places", [-5, 0, 1])
def test_however_few_places_there_are_the_owner_has_one(places):
    with serving(places=places) as endpoint:
        strangers = [connect(endpoint) for _ in range(20)]
        let_in(endpoint).close()
        for each in strangers:
            each.close()
