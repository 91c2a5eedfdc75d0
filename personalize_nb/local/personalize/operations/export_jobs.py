"""Dataset export jobs: the rows of a dataset as CSV in S3, imported ones, streamed ones, or both."""

from __future__ import annotations

from typing import Any

from personalize_nb.local.personalize.operations import locations
from personalize_nb.local.personalize.operations.control import Control, operation

KIND = "dataset_export_job"


@operation("CreateDatasetExportJob")
def create_dataset_export_job(control: Control, params: dict[str, Any]) -> dict[str, Any]:
    name = params["jobName"]
    arn = control.arn(f"dataset-export-job/{name}")
    control.check_free(arn)
    dataset = control.require_active("dataset", params["datasetArn"])
    locations.check_writable(control, params["jobOutput"]["s3DataDestination"]["path"], locations.INVALID_OUTPUT)
    body = {
        "jobName": name,
        "datasetExportJobArn": arn,
        "datasetArn": dataset.arn,
        # the default that the service's model states
        "ingestionMode": params.get("ingestionMode", "PUT"),
        "roleArn": params["roleArn"],
        "jobOutput": params["jobOutput"],
        "_group": control.store[dataset.group_arn].name,
        "_type": dataset.body["datasetType"],
        "_schema": control.store[dataset.body["schemaArn"]].body["schema"],
    }
    control.add(KIND, arn, name, body, params, work="export", group_arn=dataset.group_arn, parent_arn=dataset.arn)
    return {"datasetExportJobArn": arn}


@operation("DescribeDatasetExportJob")
def describe_dataset_export_job(control: Control, params: dict[str, Any]) -> dict[str, Any]:
    return {"datasetExportJob": control.require(KIND, params["datasetExportJobArn"]).described()}


@operation("ListDatasetExportJobs")
def list_dataset_export_jobs(control: Control, params: dict[str, Any]) -> dict[str, Any]:
    return control.page(params, "datasetExportJobs", KIND, parent_arn=params.get("datasetArn"))
