"""Events of an active tracker may hold any numbers, dates and properties: kept, or refused in words."""

from __future__ import annotations

import json

import nasty_requests
import pytest
import wire
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from inline_service import REGION, InlineService


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    service = InlineService(tmp_path_factory.mktemp("events"))
    yield service
    service.close()


@pytest.fixture(scope="module")
def tracking_id(service):
    group, _ = service.group()
    made = service.control.create_event_tracker(name="tracker", datasetGroupArn=group)
    service.work()
    return made["trackingId"]


def send(service, tracking_id, member, value):
    """Put one event whose member is `value`, as it stands in JSON."""
    event = {"eventType": '"click"', "sentAt": "1700000000", "itemId": '"i1"', member: value}
    members = ", ".join(f'"{name}": {text}' for name, text in event.items())
    body = f'{{"trackingId": "{tracking_id}", "userId": "u1", "sessionId": "s1", "eventList": [{{{members}}}]}}'
    url = service.events.meta.endpoint_url
    request = AWSRequest("POST", f"{url}/events", data=body.encode("utf-8", "surrogatepass"))
    SigV4Auth(Credentials("AKIDTEST", "secret"), "personalize", REGION).add_auth(request)
    endpoint = service._endpoint
    return wire.send(endpoint, "POST", "/events", request.data, dict(request.headers))


@pytest.mark.parametrize("member", ["sentAt", "eventValue", "itemId", "eventType", "impression", "properties"])
def test_any_value_of_an_event(service, tracking_id, member):
    values = [json.dumps(text) for text in nasty_requests.TEXTS]
    values += [*nasty_requests.JSON_VALUES, *(json.dumps(f'{{"eventValue": {v}}}') for v in nasty_requests.JSON_VALUES)]
    for value in values:
        status, _, body = send(service, tracking_id, member, value)
        assert status in (200, 400), (value[:80], body)
        assert status == 200 or json.loads(body)["message"]
