"""One real endpoint and one client for all tests of operations; each test has a control plane of its own."""

from __future__ import annotations

import boto3
import pytest
from botocore.config import Config
from control_plane import REGION, Plane, check_answer

from personalize_nb.local.http.endpoint import Endpoint
from personalize_nb.local.http.json_bodies import refusal
from personalize_nb.local.http.messages import Handler
from personalize_nb.local.personalize.json_protocol import TARGET_PREFIX, personalize_handler


@pytest.fixture(scope="session")
def road():
    """One endpoint and one client for all tests; `road["control"]` is the control plane of the running test."""
    current = {}

    def answer(request):
        response = personalize_handler(current["control"]).answer(request)
        if response.status == 200 and response.body:
            check_answer(request.headers["x-amz-target"].removeprefix(TARGET_PREFIX), response.body)
        return response

    endpoint = Endpoint({"personalize": Handler(answer, refusal)}, {"AKIDTEST": "secret"}, REGION).start()
    client = boto3.client(
        "personalize",
        endpoint_url=endpoint.url,
        region_name=REGION,
        aws_access_key_id="AKIDTEST",
        aws_secret_access_key="secret",
        config=Config(retries={"total_max_attempts": 1}, proxies={}),
    )
    current["client"] = client
    yield current
    client.close()
    endpoint.stop()


@pytest.fixture
def plane(tmp_path, road):
    plane = Plane(tmp_path, road)
    yield plane
    plane.close()


@pytest.fixture
def make_plane(tmp_path, road):
    """Make a control plane with other settings."""
    made = []

    def make(**settings):
        made.append(Plane(tmp_path, road, **settings))
        return made[-1]

    yield make
    for plane in made:
        plane.close()
