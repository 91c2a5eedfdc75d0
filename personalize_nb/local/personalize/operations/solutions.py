"""Solutions: a dataset group, a recipe and a training configuration.

performAutoTraining is recorded and echoed (its default is true, as on AWS) and starts nothing here: a local
training begins when CreateSolutionVersion asks for it. AutoML, which AWS advises against, is refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, cast

from personalize_nb.contract import solution_config
from personalize_nb.contract.recipes import RECIPES, Recipe
from personalize_nb.errors import Problem
from personalize_nb.local.data.schema import ITEMS, Schema
from personalize_nb.local.errors import ApiError
from personalize_nb.local.personalize import updates
from personalize_nb.local.personalize.operations.control import Control, echoed, invalid, operation
from personalize_nb.local.personalize.operations.datasets import schemas_of_group
from personalize_nb.local.personalize.operations.recipes import check_hyperparameters, require_recipe
from personalize_nb.local.state.facts import Changes, SolutionFacts
from personalize_nb.local.state.kinds import (
    BATCH_INFERENCE_JOB,
    BATCH_SEGMENT_JOB,
    CAMPAIGN,
    DATASET_GROUP,
    SOLUTION,
    SOLUTION_VERSION,
)
from personalize_nb.local.state.lifecycle import UNFINISHED
from personalize_nb.local.state.resources import AnyResource

if TYPE_CHECKING:
    from types_boto3_personalize import type_defs as shapes

    from personalize_nb.local.state.resources import VersionResource

_SUMMARY = (
    "solutionVersionArn",
    "status",
    "trainingMode",
    "trainingType",
    "creationDateTime",
    "lastUpdatedDateTime",
    "failureReason",
)


@operation("CreateSolution")
def create_solution(control: Control, params: shapes.CreateSolutionRequestTypeDef) -> dict[str, Any]:
    name = params["name"]
    config = cast("shapes.SolutionConfigOutputTypeDef", params.get("solutionConfig", {}))
    arn = control.arn(f"solution/{name}")
    control.check_free(arn)
    group = control.require_active(DATASET_GROUP, params["datasetGroupArn"])
    if params.get("performAutoML"):
        raise invalid("performAutoML is not supported by the local service; name a recipeArn instead.")
    if "recipeArn" not in params:
        raise invalid("recipeArn is required when performAutoML is false; ListRecipes names the recipes.")
    recipe = require_recipe(params["recipeArn"])
    if not isinstance(recipe, Recipe):
        raise invalid(f"{recipe.arn} is for recommenders of domain {recipe.domain}; a solution needs a custom recipe.")
    schemas = schemas_of_group(control, group.arn)
    _check_config(recipe, config, params.get("performHPO", False), params.get("performIncrementalUpdate"), schemas)
    _check_objective(recipe, config, schemas)
    hyperparameters = check_hyperparameters(
        recipe, config.get("algorithmHyperParameters", {}), config.get("featureTransformationParameters", {})
    )
    body = {
        "name": name,
        "solutionArn": arn,
        "performHPO": params.get("performHPO", False),
        "performAutoML": False,
        "performAutoTraining": params.get("performAutoTraining", True),
        "recipeArn": params["recipeArn"],
        "datasetGroupArn": group.arn,
    }
    body |= echoed(params, ("performIncrementalUpdate", "eventType", "solutionConfig"))
    facts = SolutionFacts(group=group.name, recipe=recipe.name, hyperparameters=hyperparameters)
    control.add(SOLUTION, arn, name, body, params, facts=facts, group_arn=group.arn, parent_arn=group.arn)
    return {"solutionArn": arn}


def _check_config(
    recipe: Recipe,
    config: shapes.SolutionConfigOutputTypeDef,
    performs_hpo: bool,
    incremental: bool | None,
    schemas: Mapping[str, str],
) -> None:
    """Refuse a training configuration that its recipe cannot follow."""
    _refuse(
        [
            *solution_config.problems(recipe, config, _fields(schemas), incremental=bool(incremental)),
            *solution_config.hpo_problems(recipe, recipe.tunable, performs_hpo, config.get("hpoConfig", {})),
        ]
    )


def _refuse(found: Iterable[Problem]) -> None:
    texts = [problem.text for problem in found]
    if texts:
        raise invalid(" ".join(texts))


def _fields(schemas: Mapping[str, str]) -> dict[str, list[dict[str, Any]]]:
    return {kind: json.loads(text)["fields"] for kind, text in schemas.items()}


def _check_objective(recipe: Recipe, config: shapes.SolutionConfigOutputTypeDef, schemas: Mapping[str, str]) -> None:
    """Refuse an objective that its recipe does not follow, or whose column is not a number without nulls."""
    objective = config.get("optimizationObjective", {})
    _refuse(solution_config.objective_problems(recipe, objective, config.get("trainingDataConfig", {})))
    name = objective.get("itemAttribute")
    if name is None:
        return
    if ITEMS not in schemas:
        return  # the training says so, if there is still none by then
    items = Schema.from_avro(ITEMS, json.loads(schemas[ITEMS]))
    column = items.field(name)
    if column is None or not column.numeric or column.nullable:
        legal = ", ".join(known.name for known in items.fields if known.numeric and not known.nullable)
        here = f"legal here: {legal}" if legal else "the Items schema has no such field"
        raise invalid(f"itemAttribute must be a number that cannot be null; {here}; got {name!r}.")


def check_columns(config: shapes.TrainingDataConfigOutputTypeDef, schemas: Mapping[str, str]) -> None:
    """Refuse a choice of training columns that does not fit the datasets, or leaves out what every training needs.

    Parameters
    ----------
    config
        A `trainingDataConfig`.
    schemas
        The group's schema texts by dataset type; columns of a dataset that is not there yet are not checked.
    """
    _refuse(solution_config.column_problems(config, _fields(schemas)))


@operation("DescribeSolution")
def describe_solution(control: Control, params: shapes.DescribeSolutionRequestTypeDef) -> dict[str, Any]:
    solution = control.require(SOLUTION, params["solutionArn"])
    answer = solution.described()
    latest = control.store.list(SOLUTION_VERSION, parent_arn=solution.arn, newest_first=True, limit=1)
    if latest:
        described = latest[0].described()
        answer["latestSolutionVersion"] = {key: described[key] for key in _SUMMARY if key in described}
    return {"solution": answer}


@operation("ListSolutions")
def list_solutions(control: Control, params: shapes.ListSolutionsRequestTypeDef) -> dict[str, Any]:
    return control.page(params, "solutions", SOLUTION, parent_arn=params.get("datasetGroupArn"))


@operation("UpdateSolution")
def update_solution(control: Control, params: shapes.UpdateSolutionRequestTypeDef) -> dict[str, Any]:
    solution = control.require_active(SOLUTION, params["solutionArn"])
    recipe = RECIPES[solution.facts.recipe]
    given = cast("shapes.SolutionUpdateConfigOutputTypeDef", params.get("solutionUpdateConfig", {}))
    shown = echoed(params, ("performAutoTraining", "performIncrementalUpdate", "solutionUpdateConfig"))
    if not shown:
        raise invalid("Nothing is to be updated: give performAutoTraining, performIncrementalUpdate or a config.")
    config: shapes.SolutionConfigOutputTypeDef = {**solution.body.get("solutionConfig", {}), **given}
    schemas = schemas_of_group(control, solution.body["datasetGroupArn"])
    _check_config(recipe, config, False, params.get("performIncrementalUpdate"), schemas)
    changes = {key: value for key, value in shown.items() if key != "solutionUpdateConfig"}
    if given:
        changes["solutionConfig"] = config
    updates.begin(control.store, solution, "latestSolutionUpdate", shown, Changes(changes))
    return {"solutionArn": solution.arn}


@operation("DeleteSolution")
def delete_solution(control: Control, params: shapes.DeleteSolutionRequestTypeDef) -> None:
    solution = control.require(SOLUTION, params["solutionArn"])
    campaigns = control.store.list(CAMPAIGN, parent_arn=solution.arn)
    if campaigns:
        names = ", ".join(campaign.arn for campaign in campaigns)
        raise ApiError("ResourceInUseException", f"{solution.arn} still has a campaign; delete first: {names}.")
    versions = control.store.list(SOLUTION_VERSION, parent_arn=solution.arn)
    busy: list[AnyResource] = [version for version in [solution, *versions] if version.status in UNFINISHED]
    busy += _running_jobs(control, versions)
    if busy:
        names = ", ".join(f"{resource.arn} ({resource.status})" for resource in busy)
        raise ApiError("ResourceInUseException", f"{solution.arn} is in use by {names}; wait until that has ended.")
    for version in versions:
        control.remove(version)
    control.remove(solution)


def _running_jobs(control: Control, versions: list[VersionResource]) -> list[AnyResource]:
    arns = {version.arn for version in versions}
    kinds = (BATCH_INFERENCE_JOB, BATCH_SEGMENT_JOB)
    running: list[AnyResource] = [job for kind in kinds for job in control.store.list(kind, statuses=UNFINISHED)]
    return [job for job in running if job.parent_arn in arns]
