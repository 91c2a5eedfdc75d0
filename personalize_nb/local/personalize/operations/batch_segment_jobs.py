"""Batch segment jobs: everything that can be refused before any work is queued. Like inference jobs, never deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from personalize_nb.contract.limits import DEFAULT_NUM_RESULTS, MAX_SEGMENT_USERS
from personalize_nb.contract.recipes import RECIPES, names_where
from personalize_nb.local.personalize.operations.batch_inference_jobs import check_locations, filter_expression
from personalize_nb.local.personalize.operations.control import Control, echoed, invalid, operation
from personalize_nb.local.state.facts import JobFacts
from personalize_nb.local.state.kinds import BATCH_SEGMENT_JOB, SOLUTION_VERSION

if TYPE_CHECKING:
    from types_boto3_personalize import type_defs as shapes


@operation("CreateBatchSegmentJob")
def create_batch_segment_job(control: Control, params: shapes.CreateBatchSegmentJobRequestTypeDef) -> dict[str, Any]:
    name = params["jobName"]
    arn = control.arn(f"batch-segment-job/{name}")
    control.check_free(arn)
    version = control.require_active(SOLUTION_VERSION, params["solutionVersionArn"])
    recipe = RECIPES[version.facts.recipe]
    if not recipe.segments:
        legal = ", ".join(names_where(lambda row: row.segments))
        raise invalid(
            f"Batch segment jobs are not supported by recipe {recipe.name} of type {recipe.type}; legal: {legal}."
        )
    wanted = params.get("numResults", DEFAULT_NUM_RESULTS)
    if not 1 <= wanted <= MAX_SEGMENT_USERS:
        raise invalid(f"numResults must be from 1 to {MAX_SEGMENT_USERS}, got {wanted}.")
    body = echoed(params, [member for member in params if member != "tags"])  # whatever the API takes
    body["batchSegmentJobArn"] = arn
    facts = JobFacts(
        group=version.facts.group,
        schemas=version.facts.schemas,
        recipe=version.facts.recipe,
        model=version.facts.model,
        num_results=wanted,
        filter_expression=filter_expression(control, params.get("filterArn"), version, recipe),
    )
    check_locations(control, params)
    control.add(
        BATCH_SEGMENT_JOB,
        arn,
        name,
        body,
        params,
        facts=facts,
        work="segment",
        group_arn=version.group_arn,
        parent_arn=version.arn,
    )
    return {"batchSegmentJobArn": arn}


@operation("DescribeBatchSegmentJob")
def describe_batch_segment_job(
    control: Control, params: shapes.DescribeBatchSegmentJobRequestTypeDef
) -> dict[str, Any]:
    return {"batchSegmentJob": control.require(BATCH_SEGMENT_JOB, params["batchSegmentJobArn"]).described()}


@operation("ListBatchSegmentJobs")
def list_batch_segment_jobs(control: Control, params: shapes.ListBatchSegmentJobsRequestTypeDef) -> dict[str, Any]:
    return control.page(params, "batchSegmentJobs", BATCH_SEGMENT_JOB, parent_arn=params.get("solutionVersionArn"))
