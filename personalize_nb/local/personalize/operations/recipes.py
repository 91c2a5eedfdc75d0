"""Recipes, algorithms and feature transformations: Amazon's own resources, the same in every account.

What there is stands in the tables of `contract`: `recipes`, `domain_recipes` and `hyperparameters`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from personalize_nb.contract.domain_recipes import DOMAIN_RECIPES
from personalize_nb.contract.hyperparameters import Hyperparameters, Value
from personalize_nb.contract.limits import ACTIVE
from personalize_nb.contract.recipes import ARN_PREFIX, RECIPES, ListedRecipe, Recipe
from personalize_nb.local.errors import ApiError, WorkError
from personalize_nb.local.personalize.operations.control import PAGE_SIZE, Control, make_token, operation, read_token
from personalize_nb.local.recipes.hyperparameters import resolve

if TYPE_CHECKING:
    from types_boto3_personalize import type_defs as shapes


_AMAZON = re.compile(r"^arn:aws(-[a-z]+)*:personalize:::")


def catalogue() -> list[ListedRecipe]:
    """Return all recipes in alphabetical order."""
    return sorted([*RECIPES.values(), *DOMAIN_RECIPES.values()], key=lambda recipe: recipe.name)


def require_recipe(arn: str) -> ListedRecipe:
    """Return the recipe, or refuse with `ResourceNotFoundException`."""
    for recipe in catalogue():
        if _is(arn, f"recipe/{recipe.name}"):
            return recipe
    legal = ", ".join(sorted(RECIPES))
    raise _missing(arn, f"Recipes are named {ARN_PREFIX}recipe/<name> with one of: {legal}.")


@operation("ListRecipes")
def list_recipes(control: Control, params: shapes.ListRecipesRequestTypeDef) -> dict[str, Any]:
    domain, limit = params.get("domain"), params.get("maxResults", PAGE_SIZE)
    scope = f"recipe|{domain}"
    start = read_token(params.get("nextToken"), scope)
    listed = [recipe for recipe in catalogue() if domain in (None, recipe.domain)]
    page = listed[start : start + limit]
    answer: dict[str, Any] = {
        "recipes": [
            {"name": recipe.name, "recipeArn": control.arn_of_amazon(f"recipe/{recipe.name}"), "domain": recipe.domain}
            | _standing(recipe)
            for recipe in page
        ]
    }
    if start + limit < len(listed):
        answer["nextToken"] = make_token(start + limit, scope)
    return answer


@operation("DescribeRecipe")
def describe_recipe(control: Control, params: shapes.DescribeRecipeRequestTypeDef) -> dict[str, Any]:
    recipe = require_recipe(params["recipeArn"])
    answer = {
        "name": recipe.name,
        "recipeArn": control.arn_of_amazon(f"recipe/{recipe.name}"),
        "algorithmArn": control.arn_of_amazon(f"algorithm/{recipe.algorithm_name}"),
        "description": recipe.description,
        "recipeType": recipe.type,
    }
    if recipe.transformation:
        transformation = f"feature-transformation/{recipe.transformation}"
        answer["featureTransformationArn"] = control.arn_of_amazon(transformation)
    return {"recipe": answer | _standing(recipe)}


@operation("DescribeAlgorithm")
def describe_algorithm(control: Control, params: shapes.DescribeAlgorithmRequestTypeDef) -> dict[str, Any]:
    arn = params["algorithmArn"]
    sharing = [recipe for recipe in catalogue() if _is(arn, f"algorithm/{recipe.algorithm_name}")]
    if not sharing:
        raise _missing(arn, "DescribeRecipe tells the algorithmArn of a recipe.")
    recipe = sharing[0]
    hyperparameters = _hyperparameters(recipe, featurize=False)
    ranges: dict[str, list[dict[str, Any]]] = {}
    for name, hyperparameter in hyperparameters.items():
        entry: dict[str, Any] = {"name": name}
        if hyperparameter.kind == "categorical":
            entry["values"] = [_text(value) for value in hyperparameter.values]
        else:
            entry |= {"minValue": hyperparameter.low, "maxValue": hyperparameter.high}
        entry["isTunable"] = hyperparameter.tunable
        ranges.setdefault(f"{hyperparameter.kind}HyperParameterRanges", []).append(entry)
    answer = {
        "name": recipe.algorithm_name,
        "algorithmArn": arn,
        "defaultHyperParameters": _defaults(hyperparameters),
        "defaultHyperParameterRanges": ranges,
    }
    standing = _standing(recipe)
    del standing["status"]  # algorithms have none
    return {"algorithm": answer | standing}


@operation("DescribeFeatureTransformation")
def describe_feature_transformation(
    control: Control, params: shapes.DescribeFeatureTransformationRequestTypeDef
) -> dict[str, Any]:
    arn = params["featureTransformationArn"]
    name = arn.rpartition("/")[2]
    sharing = [
        recipe for recipe in catalogue() if recipe.transformation == name and _is(arn, f"feature-transformation/{name}")
    ]
    if not sharing:
        raise _missing(arn, "DescribeRecipe tells the featureTransformationArn of a recipe, where it has one.")
    # of the recipes that share it, the one with parameters of its own
    recipe = max(sharing, key=lambda candidate: len(_hyperparameters(candidate, featurize=True)))
    defaults = _defaults(_hyperparameters(recipe, featurize=True))
    answer = {"name": name, "featureTransformationArn": arn, "defaultParameters": defaults}
    return {"featureTransformation": answer | _standing(recipe)}


def _hyperparameters(recipe: ListedRecipe, featurize: bool) -> Hyperparameters:
    """Return the parameters of a recipe's feature transformation, or those of its algorithm."""
    if not isinstance(recipe, Recipe):
        return {}
    return {name: entry for name, entry in recipe.hyperparameters.items() if entry.featurizes == featurize}


def check_hyperparameters(
    recipe: Recipe, algorithm: Mapping[str, str], featurization: Mapping[str, str]
) -> dict[str, str]:
    """Return both maps as one, or refuse names and values that the recipe does not have."""
    merged = {**algorithm, **featurization}
    if recipe.family is not None:  # of what is not trained here, no hyperparameters are known
        try:
            resolve(recipe.name, merged)
        except WorkError as error:
            raise ApiError("InvalidInputException", error.reason) from error
    return merged


def _defaults(hyperparameters: Hyperparameters) -> dict[str, str]:
    return {name: _text(hyperparameter.default) for name, hyperparameter in hyperparameters.items()}


def _text(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _standing(recipe: ListedRecipe) -> dict[str, Any]:
    created = datetime.fromisoformat(recipe.since).replace(tzinfo=UTC).timestamp()
    return {"status": ACTIVE, "creationDateTime": created, "lastUpdatedDateTime": created}


def _is(arn: str, resource: str) -> bool:
    """Tell whether an ARN is that of one of Amazon's resources; notebooks write it with the first partition's name."""
    return _AMAZON.sub(ARN_PREFIX, arn) == f"{ARN_PREFIX}{resource}"


def _missing(arn: str, advice: str) -> ApiError:
    return ApiError("ResourceNotFoundException", f"Resource Arn {arn} does not exist. {advice}")
