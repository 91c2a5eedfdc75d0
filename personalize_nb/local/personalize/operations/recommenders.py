"""Recommenders: the models of domain dataset groups, made, served, stopped and started without solutions.

A domain recipe trains what its custom sibling trains, on the event type that its use case is about.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, cast

from personalize_nb.contract.domain_recipes import DOMAIN_RECIPES, DomainRecipe
from personalize_nb.contract.limits import ACTIVE
from personalize_nb.local.errors import ApiError
from personalize_nb.local.personalize import updates
from personalize_nb.local.personalize.operations.control import Control, invalid, operation
from personalize_nb.local.personalize.operations.datasets import schemas_of_group
from personalize_nb.local.personalize.operations.exploration import check_exploration
from personalize_nb.local.personalize.operations.recipes import require_recipe
from personalize_nb.local.personalize.operations.solutions import check_columns
from personalize_nb.local.state.facts import Changes, RecommenderFacts
from personalize_nb.local.state.kinds import DATASET_GROUP, RECOMMENDER
from personalize_nb.local.state.lifecycle import INACTIVE, START_PENDING, STOP_PENDING, UNFINISHED

if TYPE_CHECKING:
    from types_boto3_personalize import type_defs as shapes


@operation("CreateRecommender")
def create_recommender(control: Control, params: shapes.CreateRecommenderRequestTypeDef) -> dict[str, Any]:
    name = params["name"]
    config = cast("shapes.RecommenderConfigOutputTypeDef", params.get("recommenderConfig", {}))
    arn = control.arn(f"recommender/{name}")
    control.check_free(arn)
    group = control.require_active(DATASET_GROUP, params["datasetGroupArn"])
    recipe = require_recipe(params["recipeArn"])
    domain = group.body.get("domain")
    if not isinstance(recipe, DomainRecipe) or recipe.domain != domain:
        raise invalid(
            f"{recipe.arn} is for {f'domain {recipe.domain}' if recipe.domain else 'custom solutions'}, and "
            f"{group.arn} has domain {domain!r}; a recommender needs a recipe of its group's domain."
        )
    schemas = schemas_of_group(control, group.arn)
    _check_config(recipe, config, schemas)
    if "INTERACTIONS" not in schemas:
        raise invalid(f"{group.arn} has no dataset of type INTERACTIONS; create it and import data first.")
    body = {
        "name": name,
        "recommenderArn": arn,
        "datasetGroupArn": group.arn,
        "recipeArn": params["recipeArn"],
        "recommenderConfig": _complete(config),
    }
    facts = RecommenderFacts(
        group=group.name,
        schemas=schemas,
        recipe=recipe.learns,
        model=secrets.token_hex(4),
        event_type=recipe.event_type,
    )
    control.add(
        RECOMMENDER, arn, name, body, params, facts=facts, work="recommender", group_arn=group.arn, parent_arn=group.arn
    )
    return {"recommenderArn": arn}


def _complete(config: shapes.RecommenderConfigOutputTypeDef) -> shapes.RecommenderConfigOutputTypeDef:
    return {"minRecommendationRequestsPerSecond": 1, **config}


def _check_config(recipe: DomainRecipe, config: shapes.RecommenderConfigOutputTypeDef, schemas: dict[str, str]) -> None:
    check_exploration(recipe, config.get("itemExplorationConfig", {}))
    check_columns(config.get("trainingDataConfig", {}), schemas)


@operation("DescribeRecommender")
def describe_recommender(control: Control, params: shapes.DescribeRecommenderRequestTypeDef) -> dict[str, Any]:
    recommender = control.require(RECOMMENDER, params["recommenderArn"])
    return {"recommender": recommender.described() | {"modelMetrics": recommender.facts.metrics}}


@operation("ListRecommenders")
def list_recommenders(control: Control, params: shapes.ListRecommendersRequestTypeDef) -> dict[str, Any]:
    return control.page(params, "recommenders", RECOMMENDER, parent_arn=params.get("datasetGroupArn"))


@operation("UpdateRecommender")
def update_recommender(control: Control, params: shapes.UpdateRecommenderRequestTypeDef) -> dict[str, Any]:
    recommender = control.require_active(RECOMMENDER, params["recommenderArn"])
    config = _complete(cast("shapes.RecommenderConfigOutputTypeDef", params["recommenderConfig"]))
    schemas = schemas_of_group(control, recommender.body["datasetGroupArn"])
    _check_config(DOMAIN_RECIPES[recommender.body["recipeArn"].rsplit("/", 1)[-1]], config, schemas)
    shown: dict[str, Any] = {"recommenderConfig": config}
    columns = recommender.body["recommenderConfig"].get("trainingDataConfig", {})
    trains = config.get("trainingDataConfig", {}) != columns
    changes = Changes(shown)
    if trains:
        # the model in use serves until the new one is there; its folder goes with the next training
        model = secrets.token_hex(4)
        changes = Changes(shown, {"model": model, "former": recommender.facts.model, "schemas": schemas})
    work = updates.RETRAIN if trains else updates.UPDATE
    updates.begin(control.store, recommender, "latestRecommenderUpdate", shown, changes, work)
    return {"recommenderArn": recommender.arn}


@operation("StopRecommender")
def stop_recommender(control: Control, params: shapes.StopRecommenderRequestTypeDef) -> dict[str, Any]:
    return _switch(control, params["recommenderArn"], ACTIVE, STOP_PENDING, "stop")


@operation("StartRecommender")
def start_recommender(control: Control, params: shapes.StartRecommenderRequestTypeDef) -> dict[str, Any]:
    return _switch(control, params["recommenderArn"], INACTIVE, START_PENDING, "start")


def _switch(control: Control, arn: str, needed: str, pending: str, work: str) -> dict[str, Any]:
    recommender = control.require(RECOMMENDER, arn)
    if recommender.status in UNFINISHED or updates.planned(recommender) is not None:
        raise ApiError("ResourceInUseException", f"{arn} has status {recommender.status} or is being updated; wait.")
    if recommender.status != needed:
        raise invalid(f"{arn} has status {recommender.status}; to {work} it, it must be {needed}.")
    control.store.set_status(arn, pending)
    control.store.enqueue(work, arn)
    return {"recommenderArn": arn}


@operation("DeleteRecommender")
def delete_recommender(control: Control, params: shapes.DeleteRecommenderRequestTypeDef) -> None:
    recommender = control.require(RECOMMENDER, params["recommenderArn"])
    if recommender.status in UNFINISHED or updates.planned(recommender) is not None:
        raise ApiError("ResourceInUseException", f"{recommender.arn} is being made or changed; wait for its end.")
    control.remove(recommender)
