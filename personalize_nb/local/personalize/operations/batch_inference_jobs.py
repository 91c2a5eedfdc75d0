"""Batch inference jobs: everything that can be refused before any work is queued.

Jobs are never deleted, so their names are never free again. Where AWS does not say: rankingInfluence is legal with
every recipe, itemExplorationConfig with User-Personalization only, an output path equal to the input path is
refused and one beside it is not, and members that were left out stay out of Describe.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from personalize_nb.contract.limits import DEFAULT_NUM_RESULTS, THEME_REGIONS
from personalize_nb.contract.parameters import BATCH_INFERENCE, THEME_GENERATION
from personalize_nb.contract.recipes import RECIPES, Recipe, names_where
from personalize_nb.local.data.schema import ITEMS, Schema
from personalize_nb.local.errors import ApiError
from personalize_nb.local.personalize.operations import locations
from personalize_nb.local.personalize.operations.control import Control, echoed, invalid, operation
from personalize_nb.local.personalize.operations.exploration import check_exploration
from personalize_nb.local.personalize.operations.filters import check_expression
from personalize_nb.local.personalize.operations.influence import check_influence
from personalize_nb.local.state.facts import InferenceFacts
from personalize_nb.local.state.kinds import BATCH_INFERENCE_JOB, FILTER, SOLUTION_VERSION

if TYPE_CHECKING:
    from types_boto3_personalize import type_defs as shapes

    from personalize_nb.local.state.resources import VersionResource


@operation("CreateBatchInferenceJob")
def create_batch_inference_job(
    control: Control, params: shapes.CreateBatchInferenceJobRequestTypeDef
) -> dict[str, Any]:
    name = params["jobName"]
    arn = control.arn(f"batch-inference-job/{name}")
    control.check_free(arn)
    version = control.require_active(SOLUTION_VERSION, params["solutionVersionArn"])
    recipe = RECIPES[version.facts.recipe]
    if not recipe.batch:
        legal = ", ".join(names_where(lambda row: row.batch))
        raise invalid(
            f"Batch inference jobs are not supported by recipe {recipe.name} of type {recipe.type}; legal: {legal}."
        )
    if params.get("numResults", 1) < 1:
        raise invalid(f"numResults must be at least 1, got {params['numResults']}.")
    config = cast("shapes.BatchInferenceJobConfigOutputTypeDef", params.get("batchInferenceJobConfig", {}))
    check_exploration(recipe, config.get("itemExplorationConfig", {}))
    check_influence(recipe, config.get("rankingInfluence", {}), version.facts.schemas)
    _check_themes(control, recipe, version, params)
    body = echoed(params, [member for member in params if member != "tags"])  # whatever the API takes
    body["batchInferenceJobArn"] = arn
    facts = InferenceFacts(
        group=version.facts.group,
        schemas=version.facts.schemas,
        recipe=version.facts.recipe,
        model=version.facts.model,
        streamed_to=version.facts.streamed_to,
        num_results=params.get("numResults", DEFAULT_NUM_RESULTS),
        mode=params.get("batchInferenceJobMode", BATCH_INFERENCE),
        filter_expression=filter_expression(control, params.get("filterArn"), version, recipe),
    )
    check_locations(control, params)
    control.add(
        BATCH_INFERENCE_JOB,
        arn,
        name,
        body,
        params,
        facts=facts,
        work="batch",
        group_arn=version.group_arn,
        parent_arn=version.arn,
    )
    return {"batchInferenceJobArn": arn}


def _check_themes(
    control: Control,
    recipe: Recipe,
    version: VersionResource,
    params: shapes.CreateBatchInferenceJobRequestTypeDef,
) -> None:
    """Refuse a theme job whose conditions are not met, naming all of them at once."""
    given = "themeGenerationConfig" in params
    if params.get("batchInferenceJobMode") != THEME_GENERATION:
        if given:
            raise invalid(f"themeGenerationConfig needs batchInferenceJobMode {THEME_GENERATION}.")
        return
    problems = []
    if not recipe.themes:
        legal = " or ".join(names_where(lambda row: row.themes))
        problems.append(f"the recipe must be {legal}, got {recipe.name}")
    if control.region not in THEME_REGIONS:
        problems.append(f"the region must be one of {', '.join(THEME_REGIONS)}, got {control.region}")
    items = _items_schema(version)
    if items is None or items.textual is None:
        problems.append("the Items dataset must have a field marked textual")
    if not given:
        problems.append("themeGenerationConfig.fieldsForThemeGeneration.itemName must name the items' name column")
    elif items is not None:
        name = params["themeGenerationConfig"]["fieldsForThemeGeneration"]["itemName"]
        column = items.field(name)
        if column is None or column.type != "string":
            legal = ", ".join(known.name for known in items.fields if known.type == "string")
            problems.append(f"itemName must be a string field of the Items schema ({legal}), got {name!r}")
    if problems:
        raise invalid(f"Themes cannot be generated: {'; '.join(problems)}.")


def _items_schema(version: VersionResource) -> Schema | None:
    text = version.facts.schemas.get(ITEMS)
    return None if text is None else Schema.from_avro(ITEMS, json.loads(text))


def filter_expression(control: Control, arn: str | None, version: VersionResource, recipe: Recipe) -> str | None:
    """Return the text of a job's filter, if it has one, or refuse one that does not fit its solution version."""
    if arn is None:
        return None
    found = control.require_active(FILTER, arn)
    if found.group_arn != version.group_arn:
        raise invalid(f"{arn} belongs to {found.group_arn} and the solution version to {version.group_arn}.")
    text = found.body["filterExpression"]
    check_expression(text, version.facts.schemas, recipe.type)
    return text


def check_locations(
    control: Control,
    params: shapes.CreateBatchInferenceJobRequestTypeDef | shapes.CreateBatchSegmentJobRequestTypeDef,
) -> None:
    """Refuse a job whose input cannot be read or whose output has no place."""
    source = params["jobInput"]["s3DataSource"]["path"]
    target = params["jobOutput"]["s3DataDestination"]["path"]
    locations.check_readable(control, source, locations.INVALID_INPUT)
    locations.check_writable(control, target, locations.INVALID_OUTPUT)
    if source == target:
        raise ApiError(
            "InvalidInputException",
            f"{locations.INVALID_OUTPUT}. {target!r} is also the input path; the output needs a different location.",
        )


@operation("DescribeBatchInferenceJob")
def describe_batch_inference_job(
    control: Control, params: shapes.DescribeBatchInferenceJobRequestTypeDef
) -> dict[str, Any]:
    return {"batchInferenceJob": control.require(BATCH_INFERENCE_JOB, params["batchInferenceJobArn"]).described()}


@operation("ListBatchInferenceJobs")
def list_batch_inference_jobs(control: Control, params: shapes.ListBatchInferenceJobsRequestTypeDef) -> dict[str, Any]:
    return control.page(params, "batchInferenceJobs", BATCH_INFERENCE_JOB, parent_arn=params.get("solutionVersionArn"))
