"""Event trackers: the tracking ID under which PutEvents reaches a dataset group; one of them for each group.

The first one also makes the group's event-interactions dataset, which stays when the tracker goes.
"""

from __future__ import annotations

import secrets
import uuid
from typing import TYPE_CHECKING, Any

from personalize_nb.local.errors import ApiError
from personalize_nb.local.personalize.operations.control import Control, operation
from personalize_nb.local.state.kinds import DATASET_GROUP, EVENT_INTERACTIONS, EVENT_TRACKER
from personalize_nb.local.state.lifecycle import UNFINISHED

if TYPE_CHECKING:
    from types_boto3_personalize import type_defs as shapes

    from personalize_nb.local.state.resources import GroupResource, TrackerResource


@operation("CreateEventTracker")
def create_event_tracker(control: Control, params: shapes.CreateEventTrackerRequestTypeDef) -> dict[str, Any]:
    name = params["name"]
    if control.store.find(EVENT_TRACKER, name) is not None:
        raise ApiError("ResourceAlreadyExistsException", f"Another event tracker named {name!r} already exists.")
    group = control.require_active(DATASET_GROUP, params["datasetGroupArn"])
    arn, tracking = control.arn(f"event-tracker/{secrets.token_hex(4)}"), str(uuid.uuid4())
    body = {
        "name": name,
        "eventTrackerArn": arn,
        "accountId": control.account,
        "trackingId": tracking,
        "datasetGroupArn": group.arn,
    }
    control.add(EVENT_TRACKER, arn, name, body, params, group_arn=group.arn, parent_arn=group.arn)
    _add_event_interactions(control, group)
    return {"eventTrackerArn": arn, "trackingId": tracking}


def _add_event_interactions(control: Control, group: GroupResource) -> None:
    arn = control.arn(f"dataset/{group.name}/EVENT_INTERACTIONS")
    if control.store.get(arn) is not None:
        return
    body = {
        "name": f"{group.name}-event-interactions",
        "datasetArn": arn,
        "datasetGroupArn": group.arn,
        "datasetType": "EVENT_INTERACTIONS",
    }
    control.add(EVENT_INTERACTIONS, arn, body["name"], body, {}, group_arn=group.arn, parent_arn=group.arn)


def find_tracker(control: Control, tracking_id: str) -> TrackerResource | None:
    """Return the event tracker of a tracking ID, or None."""
    found = (tracker for tracker in control.store.list(EVENT_TRACKER) if tracker.body["trackingId"] == tracking_id)
    return next(found, None)


@operation("DescribeEventTracker")
def describe_event_tracker(control: Control, params: shapes.DescribeEventTrackerRequestTypeDef) -> dict[str, Any]:
    return {"eventTracker": control.require(EVENT_TRACKER, params["eventTrackerArn"]).described()}


@operation("ListEventTrackers")
def list_event_trackers(control: Control, params: shapes.ListEventTrackersRequestTypeDef) -> dict[str, Any]:
    return control.page(params, "eventTrackers", EVENT_TRACKER, parent_arn=params.get("datasetGroupArn"))


@operation("DeleteEventTracker")
def delete_event_tracker(control: Control, params: shapes.DeleteEventTrackerRequestTypeDef) -> None:
    tracker = control.require(EVENT_TRACKER, params["eventTrackerArn"])
    if tracker.status in UNFINISHED:
        raise ApiError("ResourceInUseException", f"{tracker.arn} has status {tracker.status}; wait until it is ACTIVE.")
    control.remove(tracker)
