"""Dataset export jobs: the rows of a dataset as CSV in S3, imported ones, streamed ones, or both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from personalize_nb.local.personalize.operations import locations
from personalize_nb.local.personalize.operations.control import Control, operation
from personalize_nb.local.personalize.operations.datasets import transfer_facts, writable_dataset
from personalize_nb.local.state.kinds import DATASET, DATASET_EXPORT_JOB

if TYPE_CHECKING:
    from types_boto3_personalize import type_defs as shapes


@operation("CreateDatasetExportJob")
def create_dataset_export_job(control: Control, params: shapes.CreateDatasetExportJobRequestTypeDef) -> dict[str, Any]:
    name = params["jobName"]
    arn = control.arn(f"dataset-export-job/{name}")
    control.check_free(arn)
    dataset = control.require_active(DATASET, writable_dataset(control, params["datasetArn"]).arn)
    locations.check_writable(control, params["jobOutput"]["s3DataDestination"]["path"], locations.INVALID_OUTPUT)
    body = {
        "jobName": name,
        "datasetExportJobArn": arn,
        "datasetArn": dataset.arn,
        # the default that the service's model states
        "ingestionMode": params.get("ingestionMode", "PUT"),
        "roleArn": params["roleArn"],
        "jobOutput": params["jobOutput"],
    }
    control.add(
        DATASET_EXPORT_JOB,
        arn,
        name,
        body,
        params,
        facts=transfer_facts(control, dataset),
        work="export",
        group_arn=dataset.group_arn,
        parent_arn=dataset.arn,
    )
    return {"datasetExportJobArn": arn}


@operation("DescribeDatasetExportJob")
def describe_dataset_export_job(
    control: Control, params: shapes.DescribeDatasetExportJobRequestTypeDef
) -> dict[str, Any]:
    return {"datasetExportJob": control.require(DATASET_EXPORT_JOB, params["datasetExportJobArn"]).described()}


@operation("ListDatasetExportJobs")
def list_dataset_export_jobs(control: Control, params: shapes.ListDatasetExportJobsRequestTypeDef) -> dict[str, Any]:
    return control.page(params, "datasetExportJobs", DATASET_EXPORT_JOB, parent_arn=params.get("datasetArn"))
