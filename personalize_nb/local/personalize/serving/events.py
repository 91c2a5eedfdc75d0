"""PutEvents, PutItems, PutUsers, and their like for actions: rows put one by one, checked against a schema and kept.

They count in the next training, in filters and in the history of the user at once; those of actions are kept for
exports, because nothing is trained on them. Names in `properties` are the
schema's, as they are or in camel case (`NUMBER_OF_RATINGS` or `numberOfRatings`); other names are ignored.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from typing import Any

from personalize_nb.contract.limits import ACTIVE
from personalize_nb.local.data.schema import ACTION_INTERACTIONS, ACTIONS, INTERACTIONS, ITEMS, USERS, Field, Schema
from personalize_nb.local.errors import ApiError
from personalize_nb.local.filters.rules import is_number
from personalize_nb.local.http.json_bodies import document
from personalize_nb.local.personalize.operations.control import invalid
from personalize_nb.local.personalize.operations.datasets import schemas_of_group, writable_dataset
from personalize_nb.local.personalize.operations.event_trackers import find_tracker
from personalize_nb.local.personalize.serving.registry import Serving, served

log = logging.getLogger(__name__)

# what a client writes that has no session: on AWS its events are answered with 200, and do not count
_NO_SESSION = "null"
_WHOLE = re.compile(r"[+-]?\d{1,18}")
# members of an event and the columns they fill
_EVENT_COLUMNS = {
    "itemId": "ITEM_ID",
    "eventType": "EVENT_TYPE",
    "eventValue": "EVENT_VALUE",
    "recommendationId": "RECOMMENDATION_ID",
}


@served("PutEvents")
def put_events(serving: Serving, params: dict[str, Any]) -> None:
    group, schema = _tracked(serving, params["trackingId"], INTERACTIONS)
    rows = [_event(event, params.get("userId"), schema) for event in params["eventList"]]
    if _has_session(params["sessionId"]):
        serving.event_store.put(group, INTERACTIONS, rows, params["sessionId"])


def _has_session(session: str) -> bool:
    if session == _NO_SESSION:
        log.warning("events with the session id %r are ignored, as on AWS; give each session an id of its own", session)
    return session != _NO_SESSION


def _tracked(serving: Serving, tracking_id: str, kind: str) -> tuple[str, Schema]:
    """Return the name of the dataset group that an event tracker writes to, and the schema of its dataset there."""
    tracker = find_tracker(serving.control, tracking_id)
    if tracker is None or tracker.status != ACTIVE:
        text = f"The trackingId {tracking_id!r} belongs to no {ACTIVE} event tracker."
        # the model of PutEvents has no other error
        missing = "ResourceNotFoundException" if tracker is None else "ResourceInUseException"
        raise ApiError("InvalidInputException" if kind == INTERACTIONS else missing, text)
    schemas = schemas_of_group(serving.control, tracker.body["datasetGroupArn"])
    if kind not in schemas:
        raise invalid(f"{tracker.group_arn} has no dataset of type {kind}, which would hold the events.")
    return _group_name(serving, tracker.body["datasetGroupArn"]), Schema.from_avro(kind, json.loads(schemas[kind]))


def _event(event: Mapping[str, Any], user: str | None, schema: Schema) -> dict[str, Any]:
    values = {column: event[member] for member, column in _EVENT_COLUMNS.items() if member in event}
    values |= {"USER_ID": user, "TIMESTAMP": int(event["sentAt"])}
    if "impression" in event:
        values["IMPRESSION"] = "|".join(event["impression"])
    if "metricAttribution" in event:
        values["EVENT_ATTRIBUTION_SOURCE"] = event["metricAttribution"]["eventAttributionSource"]
    # an event may come without user (of a session) and without item; neither makes it illegal
    return _row(values, event.get("properties"), schema, frozenset({"USER_ID", "ITEM_ID"}))


@served("PutItems")
def put_items(serving: Serving, params: dict[str, Any]) -> None:
    _put(serving, params["datasetArn"], ITEMS, "ITEM_ID", [(item["itemId"], item) for item in params["items"]])


@served("PutUsers")
def put_users(serving: Serving, params: dict[str, Any]) -> None:
    _put(serving, params["datasetArn"], USERS, "USER_ID", [(user["userId"], user) for user in params["users"]])


@served("PutActions", recorded=True)
def put_actions(serving: Serving, params: dict[str, Any]) -> None:
    actions = [(action["actionId"], action) for action in params["actions"]]
    _put(serving, params["datasetArn"], ACTIONS, "ACTION_ID", actions)


@served("PutActionInteractions", recorded=True)
def put_action_interactions(serving: Serving, params: dict[str, Any]) -> None:
    group, schema = _tracked(serving, params["trackingId"], ACTION_INTERACTIONS)
    events = params["actionInteractions"]
    rows = [_action_event(event, schema) for event in events]
    for event, row in zip(events, rows, strict=True):
        if _has_session(event["sessionId"]):
            serving.event_store.put(group, ACTION_INTERACTIONS, [row], event["sessionId"])


def _action_event(event: Mapping[str, Any], schema: Schema) -> dict[str, Any]:
    columns = {"actionId": "ACTION_ID", "userId": "USER_ID", **_EVENT_COLUMNS}
    values = {column: event[member] for member, column in columns.items() if member in event}
    values["TIMESTAMP"] = int(event["timestamp"])
    if "impression" in event:
        values["IMPRESSION"] = "|".join(event["impression"])
    return _row(values, event.get("properties"), schema, frozenset({"USER_ID"}))


def _put(serving: Serving, arn: str, kind: str, key: str, records: list[tuple[str, Mapping[str, Any]]]) -> None:
    dataset = writable_dataset(serving.control, arn)
    if dataset.body["datasetType"] != kind:
        raise invalid(f"{arn} is a dataset of type {dataset.body['datasetType']}; this call needs one of type {kind}.")
    if dataset.status != ACTIVE:
        raise ApiError("ResourceInUseException", f"{arn} has status {dataset.status}; it must be {ACTIVE}.")
    group_arn = dataset.body["datasetGroupArn"]
    schema = Schema.from_avro(kind, json.loads(schemas_of_group(serving.control, group_arn)[kind]))
    rows = [_row({key: name}, record.get("properties"), schema, frozenset()) for name, record in records]
    serving.event_store.put(_group_name(serving, group_arn), kind, rows)


def _group_name(serving: Serving, arn: str) -> str:
    return serving.control.store[arn].name


def _row(values: dict[str, Any], properties: str | None, schema: Schema, may_lack: frozenset[str]) -> dict[str, Any]:
    """Return a row with the schema's columns, or refuse it naming the first column that is wrong."""
    given = _parsed(properties)
    row: dict[str, Any] = {}
    for field in schema.fields:
        value = values.get(field.name)
        for name in (field.name, camel_case(field.name)):
            value = given.get(name) if value is None else value
        if value is None and not field.nullable and field.name not in may_lack:
            raise invalid(f"The field {field.name} has no value, and the schema of the dataset needs one.")
        row[field.name] = None if value is None else _typed(value, field)
    return row


def _parsed(properties: str | None) -> dict[str, Any]:
    if properties is None:
        return {}
    try:
        given = document(properties)
    except ValueError as error:
        raise invalid(f"properties is not JSON: {error}.") from error
    if not isinstance(given, dict):
        raise invalid(f"properties must hold a JSON object, got {properties[:60]!r}.")
    return given


def _typed(value: Any, field: Field) -> Any:
    """Return the value as the column keeps it; numbers may come as text, as they do from many web pages."""
    legal = isinstance(value, (str, int, float)) and (field.type == "boolean" or not isinstance(value, bool))
    text = str(value)
    if legal and field.type == "string":
        return text
    if legal and field.type == "boolean" and text.lower() in ("true", "false"):
        return text.lower() == "true"
    if legal and field.type in ("int", "long") and _WHOLE.fullmatch(text):
        return int(text)
    if legal and field.type in ("float", "double") and is_number(text):
        return float(text)
    raise invalid(f"The value {text[:60]!r} of {field.name} is not of type {field.type}.")


def camel_case(column: str) -> str:
    """Return a column's name as `properties` usually spells it: `NUMBER_OF_RATINGS` is `numberOfRatings`."""
    first, *others = re.split("_+", column.strip("_").lower())
    return first + "".join(word.capitalize() for word in others)
