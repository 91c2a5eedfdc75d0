"""Datasets: one of each type in a dataset group. Deleting a dataset deletes its import jobs and its rows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from personalize_nb.local.errors import ApiError
from personalize_nb.local.personalize import updates
from personalize_nb.local.personalize.operations.avro import DATASET_RULES
from personalize_nb.local.personalize.operations.control import Control, invalid, operation
from personalize_nb.local.state.facts import Changes, TransferFacts
from personalize_nb.local.state.kinds import (
    DATA_DELETION_JOB,
    DATASET,
    DATASET_EXPORT_JOB,
    DATASET_GROUP,
    DATASET_IMPORT_JOB,
    EVENT_INTERACTIONS,
    RECOMMENDER,
    SCHEMA,
    SOLUTION_VERSION,
)
from personalize_nb.local.state.lifecycle import UNFINISHED
from personalize_nb.local.state.resources import AnyResource

if TYPE_CHECKING:
    from types_boto3_personalize import type_defs as shapes

    from personalize_nb.local.state.resources import DatasetResource, GroupResource, SchemaResource


@operation("CreateDataset")
def create_dataset(control: Control, params: shapes.CreateDatasetRequestTypeDef) -> dict[str, Any]:
    name, dataset_type = params["name"], params["datasetType"].upper()
    if dataset_type not in DATASET_RULES:
        legal = ", ".join(rules.label for rules in DATASET_RULES.values())
        raise invalid(f"datasetType {params['datasetType']!r} is not known; legal in any case: {legal}.")
    schema = control.require(SCHEMA, params["schemaArn"])
    group = control.require_active(DATASET_GROUP, params["datasetGroupArn"])
    _check_schema(schema, group, dataset_type)
    arn = control.arn(f"dataset/{group.name}/{dataset_type}")
    body = {
        "name": name,
        "datasetArn": arn,
        "datasetGroupArn": group.arn,
        "datasetType": dataset_type,
        "schemaArn": schema.arn,
    }
    control.add(DATASET, arn, name, body, params, group_arn=group.arn, parent_arn=group.arn)
    return {"datasetArn": arn}


def _check_schema(schema: SchemaResource, group: GroupResource, dataset_type: str) -> None:
    if group.body.get("domain") != schema.body.get("domain"):
        raise invalid(
            f"The schema has domain {schema.body.get('domain')!r} and the dataset group has "
            f"{group.body.get('domain')!r}; they must be the same."
        )
    record = json.loads(schema.body["schema"])["name"]
    if record.upper() != dataset_type:
        raise invalid(f"The schema's record is named {record!r}, which does not match the datasetType {dataset_type}.")


@operation("UpdateDataset")
def update_dataset(control: Control, params: shapes.UpdateDatasetRequestTypeDef) -> dict[str, Any]:
    dataset = control.require_active(DATASET, writable_dataset(control, params["datasetArn"]).arn)
    schema = control.require(SCHEMA, params["schemaArn"])
    _check_schema(schema, control.require(DATASET_GROUP, dataset.body["datasetGroupArn"]), dataset.body["datasetType"])
    if schema.arn == dataset.body["schemaArn"]:
        raise invalid(f"{dataset.arn} already has the schema {schema.arn}.")
    jobs = control.store.list(DATASET_IMPORT_JOB, parent_arn=dataset.arn, statuses=UNFINISHED)
    if jobs:
        raise ApiError("ResourceInUseException", f"{dataset.arn} is being imported by {jobs[0].arn}; wait for its end.")
    _check_successor(_fields(control.require(SCHEMA, dataset.body["schemaArn"])), _fields(schema))
    shown = {"schemaArn": schema.arn}
    updates.begin(control.store, dataset, "latestDatasetUpdate", shown, Changes(shown))
    return {"datasetArn": dataset.arn}


def _fields(schema: SchemaResource) -> dict[str, Any]:
    return {column["name"]: column["type"] for column in json.loads(schema.body["schema"])["fields"]}


def _check_successor(old: dict[str, Any], new: dict[str, Any]) -> None:
    """Refuse a schema that rows imported under the old one could not fill: the guide's rule for replacing schemas."""
    missing = [name for name in old if name not in new]
    strict = [name for name, kind in new.items() if name not in old and "null" not in kind]
    if missing:
        raise invalid(f"The new schema lacks fields that the dataset has: {', '.join(missing)}.")
    if strict:
        raise invalid(f"New fields must allow null, since rows without them exist already: {', '.join(strict)}.")


@operation("DescribeDataset")
def describe_dataset(control: Control, params: shapes.DescribeDatasetRequestTypeDef) -> dict[str, Any]:
    return {"dataset": _any_dataset(control, params["datasetArn"]).described()}


def writable_dataset(control: Control, arn: str) -> DatasetResource:
    """Return a dataset that takes rows, or refuse what an event tracker made, with which nothing can be done."""
    if _any_dataset(control, arn).kind == EVENT_INTERACTIONS:
        raise invalid(
            f"{arn} holds the events of the group's event tracker: it has no schema, and takes no imports, exports, "
            "updates or records of its own. Legal for it are DescribeDataset and DeleteDataset; events reach it by "
            f"PutEvents. The dataset of interactions is {arn.rpartition('/')[0]}/INTERACTIONS."
        )
    return control.require(DATASET, arn)


def _any_dataset(control: Control, arn: str) -> AnyResource:
    """Return a dataset, or what an event tracker made in the place of one."""
    found = control.store.get(arn)
    return found if found is not None and found.kind == EVENT_INTERACTIONS else control.require(DATASET, arn)


@operation("ListDatasets")
def list_datasets(control: Control, params: shapes.ListDatasetsRequestTypeDef) -> dict[str, Any]:
    return control.page(params, "datasets", DATASET, parent_arn=params.get("datasetGroupArn"))


@operation("DeleteDataset")
def delete_dataset(control: Control, params: shapes.DeleteDatasetRequestTypeDef) -> None:
    dataset = _any_dataset(control, params["datasetArn"])
    kinds = (DATASET_IMPORT_JOB, DATASET_EXPORT_JOB)
    jobs = [job for kind in kinds for job in control.store.list(kind, parent_arn=dataset.arn)]
    busy: list[AnyResource] = [job for job in jobs if job.status in UNFINISHED]
    for kind in (SOLUTION_VERSION, RECOMMENDER, DATA_DELETION_JOB):
        busy += control.store.list(kind, group_arn=dataset.group_arn, statuses=UNFINISHED)
    if dataset.status in UNFINISHED or busy:
        users = ", ".join(resource.arn for resource in busy) or "its own creation"
        raise ApiError("ResourceInUseException", f"{dataset.arn} is in use by {users}; wait until that has ended.")
    for job in jobs:
        control.remove(job)
    control.remove(dataset)


def schemas_of_group(control: Control, group_arn: str) -> dict[str, str]:
    """Return the schema texts of a group's datasets by dataset type."""
    return {
        dataset.body["datasetType"]: control.require(SCHEMA, dataset.body["schemaArn"]).body["schema"]
        for dataset in control.store.list(DATASET, group_arn=group_arn)
    }


def transfer_facts(control: Control, dataset: DatasetResource) -> TransferFacts:
    """Return what the work of an import or export needs to know of its dataset."""
    return TransferFacts(
        group=control.store[dataset.body["datasetGroupArn"]].name,
        type=dataset.body["datasetType"],
        schema=control.require(SCHEMA, dataset.body["schemaArn"]).body["schema"],
    )
