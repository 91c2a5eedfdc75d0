"""boto3 clients of the shared local service, and polling with a deadline for tests that wait for real work."""

from __future__ import annotations

import time

import boto3
import pytest

# far beyond what any work takes: a first training on a busy machine compiles for minutes
DEADLINE_SECONDS = 900


@pytest.fixture(scope="session")
def client(local_service):
    """Make boto3 clients of the shared service by name, as a user would who has only its environment."""
    clients = {}

    def make(name, info=local_service):
        if (name, info.url) not in clients:
            clients[name, info.url] = boto3.client(
                name,
                endpoint_url=info.url,
                region_name=info.region,
                aws_access_key_id=info.access_key,
                aws_secret_access_key=info.secret_key,
            )
        return clients[name, info.url]

    yield make
    for each in clients.values():
        each.close()


@pytest.fixture(scope="session")
def personalize(client):
    return client("personalize")


@pytest.fixture(scope="session")
def s3(client):
    return client("s3")


@pytest.fixture(scope="session")
def until():
    """Call a function until it gives something true, or fail after a deadline."""

    def poll(look, what="the awaited state"):
        began = time.monotonic()
        while not (found := look()):
            assert time.monotonic() < began + DEADLINE_SECONDS, f"{what} did not come within {DEADLINE_SECONDS} s"
            # looking costs the service time as well: the longer it has been, the more seldom
            time.sleep(min(0.25, max(0.02, (time.monotonic() - began) / 20)))
        return found

    return poll
