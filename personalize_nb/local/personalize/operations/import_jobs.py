"""Dataset import jobs. One import at a time per dataset: AWS does not say, and two would race for the same rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from personalize_nb.contract.limits import ACTIVE
from personalize_nb.local.errors import ApiError
from personalize_nb.local.personalize.operations import locations
from personalize_nb.local.personalize.operations.control import Control, invalid, operation
from personalize_nb.local.personalize.operations.datasets import transfer_facts, writable_dataset
from personalize_nb.local.state.kinds import DATASET, DATASET_IMPORT_JOB
from personalize_nb.local.state.lifecycle import UNFINISHED

if TYPE_CHECKING:
    from types_boto3_personalize import type_defs as shapes


@operation("CreateDatasetImportJob")
def create_dataset_import_job(control: Control, params: shapes.CreateDatasetImportJobRequestTypeDef) -> dict[str, Any]:
    name = params["jobName"]
    arn = control.arn(f"dataset-import-job/{name}")
    control.check_free(arn)
    dataset = control.require_active(DATASET, writable_dataset(control, params["datasetArn"]).arn)
    mode = params.get("importMode", "FULL")
    _check_mode(control, dataset.arn, mode)
    location = params["dataSource"].get("dataLocation")
    if location is None or "roleArn" not in params:
        raise invalid("dataSource.dataLocation and roleArn are needed to import from Amazon S3.")
    locations.check_readable(control, location, locations.INVALID_DATA)
    body: dict[str, Any] = {
        "jobName": name,
        "datasetImportJobArn": arn,
        "datasetArn": dataset.arn,
        "dataSource": params["dataSource"],
        "roleArn": params["roleArn"],
        "importMode": mode,
    }
    if "publishAttributionMetricsToS3" in params:
        body["publishAttributionMetricsToS3"] = params["publishAttributionMetricsToS3"]
    control.add(
        DATASET_IMPORT_JOB,
        arn,
        name,
        body,
        params,
        facts=transfer_facts(control, dataset),
        work="import",
        group_arn=dataset.group_arn,
        parent_arn=dataset.arn,
    )
    return {"datasetImportJobArn": arn}


def _check_mode(control: Control, dataset_arn: str, mode: str) -> None:
    jobs = control.store.list(DATASET_IMPORT_JOB, parent_arn=dataset_arn)
    running = [job.arn for job in jobs if job.status in UNFINISHED]
    if running:
        raise ApiError("ResourceInUseException", f"{dataset_arn} is being imported by {running[0]}; wait for its end.")
    if mode == "INCREMENTAL" and not any(job.status == ACTIVE and job.body["importMode"] == "FULL" for job in jobs):
        raise invalid(f"importMode INCREMENTAL needs an earlier FULL import of {dataset_arn}; it has none.")


@operation("DescribeDatasetImportJob")
def describe_dataset_import_job(
    control: Control, params: shapes.DescribeDatasetImportJobRequestTypeDef
) -> dict[str, Any]:
    return {"datasetImportJob": control.require(DATASET_IMPORT_JOB, params["datasetImportJobArn"]).described()}


@operation("ListDatasetImportJobs")
def list_dataset_import_jobs(control: Control, params: shapes.ListDatasetImportJobsRequestTypeDef) -> dict[str, Any]:
    return control.page(params, "datasetImportJobs", DATASET_IMPORT_JOB, parent_arn=params.get("datasetArn"))
