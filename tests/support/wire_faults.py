"""Faults at the wire of a session: an answer lost, cut or replaced, in its clients and with no word to the toolkit."""

from __future__ import annotations

import http.client
from collections import Counter
from contextlib import contextmanager

import botocore.awsrequest
import botocore.httpsession


class Raw:
    """The body of an answer made here, read as botocore reads one."""

    def __init__(self, body):
        self.body = body

    def stream(self, **_):
        yield self.body

    def read(self, *_):
        body, self.body = self.body, b""
        return body


def answer(request, status, body, headers=None):
    """Return an answer as botocore has it from the wire."""
    return botocore.awsrequest.AWSResponse(request.url, status, headers or {}, Raw(body))


def refusal(code, message="no", status=400):
    """Return a fault: the service refuses the call, which never reaches it."""
    body = f'{{"__type":"{code}","message":"{message}"}}'.encode()
    return lambda request: answer(request, status, body, http_headers())


def http_headers():
    return http.client.HTTPMessage() or {}


def lost(error):
    """Return a fault: the service does what it is asked, and the connection breaks before the answer."""

    def fault(request):
        sent(request)
        raise error

    return fault


def changed(change):
    """Return a fault: the service does what it is asked, and its answer is changed on the way."""

    def fault(request):
        real = sent(request)
        return answer(request, real.status_code, change(real.content), dict(real.headers))

    return fault


def failed(status, body=b"<html>Bad gateway</html>"):
    """Return a fault: the service does what it is asked, and somebody between answers with an error of his own."""

    def fault(request):
        sent(request)
        return answer(request, status, body)

    return fault


def sent(request):
    """Send a request as botocore would have."""
    return botocore.httpsession.URLLib3Session(proxies={}).send(request)


@contextmanager
def faults(session, operation, *what, service="personalize"):
    """Meet the first calls of an operation with these faults, one each; give the number of requests by operation."""
    client = session.client(service)
    left, seen = list(what), Counter()

    def before(request, event_name, **_):
        name = event_name.rpartition(".")[2]
        seen[name] += 1
        return left.pop(0)(request) if name == operation and left else None

    client.meta.events.register_first("before-send", before)
    try:
        yield seen
    finally:
        client.meta.events.unregister("before-send", before)
