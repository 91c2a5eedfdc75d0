"""Every error class of the two real-time services, and what is not answered says so by name."""

from __future__ import annotations

import json

import pytest
import small_world as world
from botocore import xform_name
from inline_service import InlineService

from personalize_nb.contract.limits import service_model
from personalize_nb.local.personalize.serving.all_operations import SERVED

PREFIX = "arn:aws:personalize:us-east-1:123456789012"
INVALID, NOT_FOUND, IN_USE = "InvalidInputException", "ResourceNotFoundException", "ResourceInUseException"
RUNTIME, EVENTS = "personalize-runtime", "personalize-events"
ITEM = {"itemId": "i1", "properties": '{"TITLE": "a", "CREATION_TIMESTAMP": 1}'}
USER = {"userId": "u1", "properties": '{"AGE": 3}'}
EVENT = {"eventType": "view", "sentAt": world.START, "itemId": "i1"}
ACTION = {"actionId": "a", "properties": '{"GOAL": "x"}'}
ACTED = {"actionId": "a", "userId": "u1", "eventType": "taken", "sessionId": "s", "timestamp": 1}
SESSION = {"trackingId": "nobody's", "userId": "u1", "sessionId": "s", "eventList": [EVENT]}
ACTIONS = json.dumps(
    {
        "type": "record",
        "name": "Actions",
        "fields": [{"name": "ACTION_ID", "type": "string"}, {"name": "GOAL", "type": "string", "categorical": True}],
    }
)

# service, operation, error: the request that provokes it; `waiting` stands for what is not ACTIVE yet, and event
# trackers have the names of their groups
REQUESTS = {
    (RUNTIME, "GetRecommendations", INVALID): {"userId": "u1"},
    (RUNTIME, "GetRecommendations", NOT_FOUND): {"campaignArn": f"{PREFIX}:campaign/none", "userId": "u1"},
    (RUNTIME, "GetPersonalizedRanking", INVALID): {"campaignArn": "none", "userId": "u1", "inputList": ["i1"]},
    (RUNTIME, "GetPersonalizedRanking", NOT_FOUND): {
        "campaignArn": f"{PREFIX}:campaign/none",
        "userId": "u1",
        "inputList": ["i1"],
    },
    (EVENTS, "PutEvents", INVALID): SESSION,
    (EVENTS, "PutItems", INVALID): {"datasetArn": f"{PREFIX}:dataset/ready/USERS", "items": [ITEM]},
    (EVENTS, "PutItems", NOT_FOUND): {"datasetArn": f"{PREFIX}:dataset/none/ITEMS", "items": [ITEM]},
    (EVENTS, "PutItems", IN_USE): {"datasetArn": f"{PREFIX}:dataset/waiting/ITEMS", "items": [ITEM]},
    (EVENTS, "PutUsers", INVALID): {
        "datasetArn": f"{PREFIX}:dataset/ready/USERS",
        "users": [USER | {"properties": "{"}],
    },
    (EVENTS, "PutUsers", NOT_FOUND): {"datasetArn": f"{PREFIX}:dataset/none/USERS", "users": [USER]},
    (EVENTS, "PutUsers", IN_USE): {"datasetArn": f"{PREFIX}:dataset/waiting/USERS", "users": [USER]},
    (EVENTS, "PutActions", INVALID): {"datasetArn": f"{PREFIX}:dataset/ready/USERS", "actions": [ACTION]},
    (EVENTS, "PutActions", NOT_FOUND): {"datasetArn": f"{PREFIX}:dataset/none/ACTIONS", "actions": [ACTION]},
    (EVENTS, "PutActions", IN_USE): {"datasetArn": f"{PREFIX}:dataset/waiting/ACTIONS", "actions": [ACTION]},
    (EVENTS, "PutActionInteractions", INVALID): {"trackingId": "ready", "actionInteractions": [ACTED]},
    (EVENTS, "PutActionInteractions", NOT_FOUND): {"trackingId": "nobody's", "actionInteractions": [ACTED]},
    (EVENTS, "PutActionInteractions", IN_USE): {"trackingId": "waiting", "actionInteractions": [ACTED]},
}


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """Two dataset groups without rows; the datasets of one of them never become ACTIVE."""
    service = InlineService(tmp_path_factory.mktemp("errors"))
    for name in ("ready", "waiting"):
        group = service.made("create_dataset_group", name=name)
        schemas = {
            kind: service.made("create_schema", name=f"{name}-{kind}", schema=world.avro(kind))
            for kind in ("ITEMS", "USERS")
        }
        schemas["ACTIONS"] = service.made("create_schema", name=f"{name}-ACTIONS", schema=ACTIONS)
        for kind, schema in schemas.items():
            service.control.create_dataset(name=kind, schemaArn=schema, datasetGroupArn=group, datasetType=kind)
        tracker = service.control.create_event_tracker(name=name, datasetGroupArn=group)
        service.trackers = getattr(service, "trackers", {}) | {name: tracker["trackingId"]}
        if name == "ready":
            service.work()
    yield service
    service.close()


@pytest.mark.parametrize("place", REQUESTS, ids="-".join)
def test_every_error_of_the_real_time_operations(service, place):
    name, operation, error = place
    client = {RUNTIME: service.runtime, EVENTS: service.events}[name]
    request = dict(REQUESTS[place])
    if "trackingId" in request:
        request["trackingId"] = service.trackers.get(request["trackingId"], request["trackingId"])
    status, code, message = service.refused(client, xform_name(operation), **request)
    [shape] = [each for each in service_model(name).operation_model(operation).error_shapes if each.name == error]
    assert (status, code) == (shape.metadata["error"]["httpStatusCode"], error) and len(message) > 20


def test_no_error_class_is_left_out():
    modelled = {
        (name, operation, shape.name)
        for name in (RUNTIME, EVENTS)
        for operation in service_model(name).operation_names
        if operation in SERVED
        for shape in service_model(name).operation_model(operation).error_shapes
    }
    assert modelled == set(REQUESTS)


@pytest.mark.parametrize(
    ("name", "operation", "request_"),
    [
        (RUNTIME, "GetActionRecommendations", {"campaignArn": f"{PREFIX}:campaign/c", "userId": "u1"}),
    ],
)
def test_what_is_not_answered_says_so_by_name(service, name, operation, request_):
    client = {RUNTIME: service.runtime, EVENTS: service.events}[name]
    status, code, message = service.refused(client, xform_name(operation), **request_)
    assert (status, code) == (400, "UnsupportedOperationException")
    assert operation in message and "trains no recipes for actions" in message
