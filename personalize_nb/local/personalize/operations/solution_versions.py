"""Solution versions: trainings, their metrics, and stopping them.

A version keeps the facts its training and its jobs need (recipe, hyperparameters, schemas as they are now).
"""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING, Any

from personalize_nb.contract.limits import ACTIVE, IN_PROGRESS, PENDING
from personalize_nb.contract.recipes import RECIPES, names_where
from personalize_nb.local.data.schema import ITEMS, Schema
from personalize_nb.local.errors import ApiError
from personalize_nb.local.personalize.operations.control import Control, invalid, operation
from personalize_nb.local.personalize.operations.datasets import schemas_of_group
from personalize_nb.local.state.facts import VersionFacts
from personalize_nb.local.state.kinds import SOLUTION, SOLUTION_VERSION
from personalize_nb.local.state.lifecycle import STOPPED, STOPPING

if TYPE_CHECKING:
    from types_boto3_personalize import type_defs as shapes

    from personalize_nb.local.state.resources import SolutionResource

_ID_BYTES = 4


@operation("CreateSolutionVersion")
def create_solution_version(control: Control, params: shapes.CreateSolutionVersionRequestTypeDef) -> dict[str, Any]:
    solution = _ready_solution(control, params["solutionArn"])
    mode = params.get("trainingMode", "FULL")
    _check_mode(control, solution, mode)
    schemas = schemas_of_group(control, solution.body["datasetGroupArn"])
    _check_data(control, solution, schemas)
    name = params.get("name")
    versions = control.store.list(SOLUTION_VERSION, parent_arn=solution.arn)
    if name is not None and any(version.name == name for version in versions):
        raise ApiError(
            "ResourceAlreadyExistsException", f"{solution.arn} already has a solution version named {name!r}."
        )
    model = secrets.token_hex(_ID_BYTES)
    arn = f"{solution.arn}/{model}"
    kept = (
        "solutionArn",
        "performHPO",
        "performAutoML",
        "performIncrementalUpdate",
        "recipeArn",
        "eventType",
        "datasetGroupArn",
        "solutionConfig",
    )
    body: dict[str, Any] = {"name": name or f"{solution.name}/{model}", "solutionVersionArn": arn}
    body |= {key: value for key, value in solution.body.items() if key in kept}
    body |= {"trainingMode": mode, "trainingType": "MANUAL"}
    facts = VersionFacts(
        group=solution.facts.group,
        schemas=schemas,
        recipe=solution.facts.recipe,
        model=model,
        hyperparameters=solution.facts.hyperparameters,
    )
    control.add(
        SOLUTION_VERSION,
        arn,
        body["name"],
        body,
        params,
        facts=facts,
        work="train",
        group_arn=solution.group_arn,
        parent_arn=solution.arn,
    )
    return {"solutionVersionArn": arn}


def _ready_solution(control: Control, arn: str) -> SolutionResource:
    """Return a solution that is ACTIVE or about to be.

    Notebooks written for AWS create a solution and its version in one breath. Here a new solution has nothing left to
    do and cannot fail, so that the version need not wait until the supervisor has come round to say so.
    """
    solution = control.require(SOLUTION, arn)
    return solution if solution.status in (PENDING, IN_PROGRESS) else control.require_active(SOLUTION, arn)


def _check_mode(control: Control, solution: SolutionResource, mode: str) -> None:
    recipe = RECIPES[solution.facts.recipe]
    if mode == "AUTOTRAIN":
        raise invalid("trainingMode AUTOTRAIN marks automatic trainings; a call can ask for FULL or UPDATE.")
    if mode == "UPDATE":
        if not recipe.trains_updates:
            legal = " and ".join(names_where(lambda row: row.trains_updates))
            raise invalid(f"trainingMode UPDATE is for {legal}; {solution.name} uses {recipe.name}.")
        versions = control.store.list(SOLUTION_VERSION, parent_arn=solution.arn, statuses=[ACTIVE])
        if not any(version.body["trainingMode"] == "FULL" for version in versions):
            raise invalid(f"trainingMode UPDATE needs an ACTIVE version of {solution.name} trained with FULL.")


def _check_data(control: Control, solution: SolutionResource, schemas: dict[str, str]) -> None:
    recipe = RECIPES[solution.facts.recipe]
    missing = [kind for kind in recipe.datasets if kind not in schemas]
    if missing:
        raise invalid(
            f"The dataset group {solution.facts.group} has no dataset of type {' and '.join(missing)}, which "
            f"{recipe.name} needs; create it and import data first."
        )
    if recipe.item_marks:
        items = Schema.from_avro(ITEMS, json.loads(schemas[ITEMS]))
        marked = {"itemName": items.item_name, "textual": items.textual}
        if any(marked[mark] is None for mark in recipe.item_marks):
            raise invalid(
                f"{recipe.name} needs an Items schema with a string field marked "
                f"{' and one marked '.join(recipe.item_marks)}; update the dataset's schema and import again."
            )


@operation("DescribeSolutionVersion")
def describe_solution_version(control: Control, params: shapes.DescribeSolutionVersionRequestTypeDef) -> dict[str, Any]:
    return {"solutionVersion": control.require(SOLUTION_VERSION, params["solutionVersionArn"]).described()}


@operation("ListSolutionVersions")
def list_solution_versions(control: Control, params: shapes.ListSolutionVersionsRequestTypeDef) -> dict[str, Any]:
    arn = params.get("solutionArn")
    if arn is not None:
        control.require(SOLUTION, arn)
    return control.page(params, "solutionVersions", SOLUTION_VERSION, parent_arn=arn)


@operation("GetSolutionMetrics")
def get_solution_metrics(control: Control, params: shapes.GetSolutionMetricsRequestTypeDef) -> dict[str, Any]:
    version = control.require_active(SOLUTION_VERSION, params["solutionVersionArn"])
    return {"solutionVersionArn": version.arn, "metrics": version.facts.metrics or {}}


@operation("StopSolutionVersionCreation")
def stop_solution_version_creation(control: Control, params: shapes.StopSolutionVersionCreationRequestTypeDef) -> None:
    version = control.require(SOLUTION_VERSION, params["solutionVersionArn"])
    if version.status == PENDING:
        control.store.set_status(version.arn, STOPPED)
        control.store.drop_work(version.arn)
    elif version.status == IN_PROGRESS:
        # its worker sees this and ends with CREATE STOPPED
        control.store.set_status(version.arn, STOPPING)
    elif version.status == STOPPING:
        raise ApiError("ResourceInUseException", f"{version.arn} is being stopped already; wait until that has ended.")
    else:
        raise invalid(
            f"{version.arn} has status {version.status}; only {PENDING} or {IN_PROGRESS} trainings can be stopped."
        )
