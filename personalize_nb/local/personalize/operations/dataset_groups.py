"""Dataset groups, custom or of a domain.

A group is deleted after what stands on it; its filters go along, and so does the dataset that its tracker made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from personalize_nb.local.errors import ApiError
from personalize_nb.local.personalize.operations.control import Control, echoed, invalid, operation, spoken
from personalize_nb.local.state.kinds import (
    DATA_DELETION_JOB,
    DATASET,
    DATASET_GROUP,
    EVENT_INTERACTIONS,
    EVENT_TRACKER,
    FILTER,
    METRIC_ATTRIBUTION,
    RECOMMENDER,
    SOLUTION,
)
from personalize_nb.local.state.lifecycle import UNFINISHED

if TYPE_CHECKING:
    from types_boto3_personalize import type_defs as shapes


@operation("CreateDatasetGroup")
def create_dataset_group(control: Control, params: shapes.CreateDatasetGroupRequestTypeDef) -> dict[str, Any]:
    name = params["name"]
    if ("kmsKeyArn" in params) != ("roleArn" in params):
        raise invalid("kmsKeyArn and roleArn belong together: give both for an encrypted dataset group, or neither.")
    arn = control.arn(f"dataset-group/{name}")
    body = {"name": name, "datasetGroupArn": arn}
    body |= echoed(params, ("roleArn", "kmsKeyArn", "domain"))
    control.add(DATASET_GROUP, arn, name, body, params)
    return {"datasetGroupArn": arn, "domain": params.get("domain")}


@operation("DescribeDatasetGroup")
def describe_dataset_group(control: Control, params: shapes.DescribeDatasetGroupRequestTypeDef) -> dict[str, Any]:
    return {"datasetGroup": control.require(DATASET_GROUP, params["datasetGroupArn"]).described()}


@operation("ListDatasetGroups")
def list_dataset_groups(control: Control, params: shapes.ListDatasetGroupsRequestTypeDef) -> dict[str, Any]:
    return control.page(params, "datasetGroups", DATASET_GROUP)


@operation("DeleteDatasetGroup")
def delete_dataset_group(control: Control, params: shapes.DeleteDatasetGroupRequestTypeDef) -> None:
    group = control.require(DATASET_GROUP, params["datasetGroupArn"])
    if group.status in UNFINISHED:
        raise ApiError("ResourceInUseException", f"{group.arn} has status {group.status}; wait until it is ACTIVE.")
    for kind in (EVENT_TRACKER, METRIC_ATTRIBUTION, RECOMMENDER, SOLUTION, DATASET):
        held = control.store.list(kind, group_arn=group.arn)
        if held:
            names = ", ".join(resource.arn for resource in held)
            raise ApiError("ResourceInUseException", f"{group.arn} still has a {spoken(kind)}; delete first: {names}.")
    busy = control.store.list(DATA_DELETION_JOB, group_arn=group.arn, statuses=UNFINISHED)
    if busy:
        raise ApiError("ResourceInUseException", f"{group.arn} is in use by {busy[0].arn}; wait until that has ended.")
    for going in (FILTER, EVENT_INTERACTIONS, DATA_DELETION_JOB):
        for resource in control.store.list(going, group_arn=group.arn):
            control.remove(resource)
    control.remove(group)
