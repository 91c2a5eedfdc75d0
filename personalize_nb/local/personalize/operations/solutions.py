"""Solutions: a dataset group, a recipe and a training configuration.

performAutoTraining is recorded and echoed (its default is true, as on AWS) and starts nothing here: a local
training begins when CreateSolutionVersion asks for it. AutoML, which AWS advises against, is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from personalize_nb.contract.recipes import RECIPES, Recipe, names_where
from personalize_nb.local.data.schema import ITEMS, Schema
from personalize_nb.local.errors import ApiError
from personalize_nb.local.personalize import updates
from personalize_nb.local.personalize.operations.avro import DATASET_RULES
from personalize_nb.local.personalize.operations.control import Control, echoed, invalid, operation
from personalize_nb.local.personalize.operations.datasets import schemas_of_group
from personalize_nb.local.personalize.operations.hpo import check_hpo
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

MAX_TRAINING_DAYS = 30

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
    _check_objective(recipe, config.get("optimizationObjective", {}), schemas)
    hyperparameters = check_hyperparameters(
        recipe, config.get("algorithmHyperParameters", {}), config.get("featureTransformationParameters", {})
    )
    body = {
        "name": name,
        "solutionArn": arn,
        "performHPO": params.get("performHPO", False),
        "performAutoML": False,
        "performAutoTraining": params.get("performAutoTraining", True),
        "recipeArn": recipe.arn,
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
    threshold = config.get("eventValueThreshold")
    if threshold is not None and not _is_number(threshold):
        raise invalid(f"eventValueThreshold must be a number in a string, got {threshold!r}.")
    if "eventsConfig" in config and not recipe.events_config:
        legal = " and ".join(names_where(lambda row: row.events_config))
        raise invalid(f"eventsConfig is for {legal}; {recipe.name} trains with eventType and eventValueThreshold.")
    _check_events(config.get("eventsConfig", {}))
    if incremental and not recipe.incremental_updates:
        legal = " and ".join(names_where(lambda row: row.incremental_updates))
        raise invalid(f"performIncrementalUpdate is for {legal} only, got recipe {recipe.name}.")
    check_columns(config.get("trainingDataConfig", {}), schemas)
    check_hpo(recipe, performs_hpo, config.get("hpoConfig", {}))
    schedule = config.get("autoTrainingConfig", {}).get("schedulingExpression")
    if schedule is not None and not 1 <= int(re.sub(r"\D", "", schedule)) <= MAX_TRAINING_DAYS:
        raise invalid(
            f"schedulingExpression must be from rate(1 day) to rate({MAX_TRAINING_DAYS} days), got {schedule!r}."
        )


def _check_objective(
    recipe: Recipe, objective: shapes.OptimizationObjectiveTypeDef, schemas: Mapping[str, str]
) -> None:
    """Refuse an objective that its recipe does not follow, or whose column is not a number without nulls."""
    if not objective:
        return
    if not recipe.objective:
        legal = " and ".join(names_where(lambda row: row.objective))
        raise invalid(f"optimizationObjective is for {legal}, got recipe {recipe.name}.")
    name = objective.get("itemAttribute")
    if name is None:
        raise invalid("optimizationObjective needs an itemAttribute: a number of the Items dataset.")
    if ITEMS not in schemas:
        return  # the training says so, if there is still none by then
    items = Schema.from_avro(ITEMS, json.loads(schemas[ITEMS]))
    column = items.field(name)
    if column is None or not column.numeric or column.nullable:
        legal = ", ".join(known.name for known in items.fields if known.numeric and not known.nullable)
        here = f"legal here: {legal}" if legal else "the Items schema has no such field"
        raise invalid(f"itemAttribute must be a number that cannot be null; {here}; got {name!r}.")


def _check_events(config: shapes.EventsConfigOutputTypeDef) -> None:
    """Refuse two rules for one event type, of which one would silently not count."""
    named = [rule["eventType"] for rule in config.get("eventParametersList", []) if "eventType" in rule]
    for name in named:
        if named.count(name) > 1:
            raise invalid(
                f"eventsConfig has the event type {name!r} {named.count(name)} times; give each event type once, with "
                "one threshold and one weight."
            )


def check_columns(config: shapes.TrainingDataConfigOutputTypeDef, schemas: Mapping[str, str]) -> None:
    """Refuse a choice of training columns that does not fit the datasets, or leaves out what every training needs.

    Parameters
    ----------
    config
        A `trainingDataConfig`.
    schemas
        The group's schema texts by dataset type; columns of a dataset that is not there yet are not checked.
    """
    choices = {
        "excludedDatasetColumns": config.get("excludedDatasetColumns", {}),
        "includedDatasetColumns": config.get("includedDatasetColumns", {}),
    }
    for member, chosen in choices.items():
        for dataset_type, columns in chosen.items():
            if dataset_type.upper() not in DATASET_RULES:
                legal = ", ".join(DATASET_RULES)
                raise invalid(f"trainingDataConfig has no dataset type {dataset_type!r}; legal: {legal}.")
            text = schemas.get(dataset_type.upper())
            known = [] if text is None else [column["name"] for column in json.loads(text)["fields"]]
            for name in columns:
                if known and name not in known:
                    raise invalid(
                        f"{member} names the column {name!r}, which the {dataset_type} dataset does not have; legal: "
                        f"{', '.join(known)}."
                    )
    included = {kind.upper(): columns for kind, columns in config.get("includedDatasetColumns", {}).items()}
    for dataset_type, columns in config.get("excludedDatasetColumns", {}).items():
        for name in columns:
            if name in DATASET_RULES[dataset_type.upper()].required:
                raise invalid(f"The required column {name} of {dataset_type} cannot be excluded from training.")
            if name in included.get(dataset_type.upper(), ()):
                raise invalid(
                    f"trainingDataConfig includes and excludes the column {name} of {dataset_type}; name it in one of "
                    "includedDatasetColumns and excludedDatasetColumns."
                )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


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
