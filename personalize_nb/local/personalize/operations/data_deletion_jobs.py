"""Data deletion jobs: every row of the users that a CSV file names leaves the group's datasets.

Their statuses have words of their own: PENDING, IN_PROGRESS, COMPLETED, FAILED. Trained models are as they were
until they are trained again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from personalize_nb.contract.limits import ACTIVE, FAILED, IN_PROGRESS, PENDING
from personalize_nb.local.errors import ApiError
from personalize_nb.local.personalize.operations import locations
from personalize_nb.local.personalize.operations.control import Control, invalid, operation
from personalize_nb.local.personalize.operations.datasets import schemas_of_group
from personalize_nb.local.state.facts import DataFacts
from personalize_nb.local.state.kinds import DATA_DELETION_JOB, DATASET_GROUP, DATASET_IMPORT_JOB
from personalize_nb.local.state.lifecycle import UNFINISHED

if TYPE_CHECKING:
    from types_boto3_personalize import type_defs as shapes

WORDS = {PENDING: "PENDING", IN_PROGRESS: "IN_PROGRESS", ACTIVE: "COMPLETED", FAILED: "FAILED"}


@operation("CreateDataDeletionJob")
def create_data_deletion_job(control: Control, params: shapes.CreateDataDeletionJobRequestTypeDef) -> dict[str, Any]:
    name = params["jobName"]
    arn = control.arn(f"data-deletion-job/{name}")
    control.check_free(arn)
    group = control.require_active(DATASET_GROUP, params["datasetGroupArn"])
    schemas = schemas_of_group(control, group.arn)
    if not schemas:
        raise invalid(f"{group.arn} has no dataset to delete users from.")
    busy = control.store.list(DATASET_IMPORT_JOB, group_arn=group.arn, statuses=UNFINISHED)
    if busy:
        raise ApiError("ResourceInUseException", f"{group.arn} is being imported into by {busy[0].arn}; wait.")
    location = params["dataSource"].get("dataLocation")
    if location is None:
        raise invalid("dataSource.dataLocation is needed: a CSV file with a column USER_ID in Amazon S3.")
    locations.check_readable(control, location, locations.INVALID_DATA)
    body = {
        "jobName": name,
        "dataDeletionJobArn": arn,
        "datasetGroupArn": group.arn,
        "dataSource": params["dataSource"],
        "roleArn": params["roleArn"],
    }
    facts = DataFacts(group=group.name, schemas=schemas)
    control.add(
        DATA_DELETION_JOB,
        arn,
        name,
        body,
        params,
        facts=facts,
        work="delete",
        group_arn=group.arn,
        parent_arn=group.arn,
    )
    return {"dataDeletionJobArn": arn}


@operation("DescribeDataDeletionJob")
def describe_data_deletion_job(
    control: Control, params: shapes.DescribeDataDeletionJobRequestTypeDef
) -> dict[str, Any]:
    job = control.require(DATA_DELETION_JOB, params["dataDeletionJobArn"])
    return {"dataDeletionJob": job.described() | {"status": WORDS[job.status or ""]}}


@operation("ListDataDeletionJobs")
def list_data_deletion_jobs(control: Control, params: shapes.ListDataDeletionJobsRequestTypeDef) -> dict[str, Any]:
    answer = control.page(params, "dataDeletionJobs", DATA_DELETION_JOB, parent_arn=params.get("datasetGroupArn"))
    for job in answer["dataDeletionJobs"]:
        job["status"] = WORDS[job["status"]]
    return answer
