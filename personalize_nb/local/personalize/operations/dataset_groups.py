"""Dataset groups, custom or of a domain. A group is deleted after what stands on it;
its filters go along.
"""

from __future__ import annotations

from typing import Any

from personalize_nb.local.errors import ApiError
from personalize_nb.local.personalize.operations.control import Control, invalid, operation, spoken
from personalize_nb.local.state.lifecycle import UNFINISHED

KIND = "dataset_group"


@operation("CreateDatasetGroup")
def create_dataset_group(control: Control, params: dict[str, Any]) -> dict[str, Any]:
    name = params["name"]
    if ("kmsKeyArn" in params) != ("roleArn" in params):
        raise invalid("kmsKeyArn and roleArn belong together: give both for an encrypted dataset group, or neither.")
    arn = control.arn(f"dataset-group/{name}")
    body = {"name": name, "datasetGroupArn": arn}
    body |= {key: params[key] for key in ("roleArn", "kmsKeyArn", "domain") if key in params}
    control.add(KIND, arn, name, body, params)
    return {"datasetGroupArn": arn, "domain": params.get("domain")}


@operation("DescribeDatasetGroup")
def describe_dataset_group(control: Control, params: dict[str, Any]) -> dict[str, Any]:
    return {"datasetGroup": control.require(KIND, params["datasetGroupArn"]).described()}


@operation("ListDatasetGroups")
def list_dataset_groups(control: Control, params: dict[str, Any]) -> dict[str, Any]:
    return control.page(params, "datasetGroups", KIND)


@operation("DeleteDatasetGroup")
def delete_dataset_group(control: Control, params: dict[str, Any]) -> None:
    group = control.require(KIND, params["datasetGroupArn"])
    if group.status in UNFINISHED:
        raise ApiError("ResourceInUseException", f"{group.arn} has status {group.status}; wait until it is ACTIVE.")
    for kind in ("event_tracker", "metric_attribution", "recommender", "solution", "dataset"):
        held = control.store.list(kind, group_arn=group.arn)
        if held:
            names = ", ".join(resource.arn for resource in held)
            raise ApiError("ResourceInUseException", f"{group.arn} still has a {spoken(kind)}; delete first: {names}.")
    deletions = control.store.list("data_deletion_job", group_arn=group.arn)
    busy = [job.arn for job in deletions if job.status in UNFINISHED]
    if busy:
        raise ApiError("ResourceInUseException", f"{group.arn} is in use by {busy[0]}; wait until that has ended.")
    for resource in control.store.list("filter", group_arn=group.arn) + deletions:
        control.remove(resource)
    control.remove(group)
