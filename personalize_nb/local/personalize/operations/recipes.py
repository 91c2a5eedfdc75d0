"""Recipes, algorithms and feature transformations: Amazon's own resources, the same in every account.

Where the guide gives two types for one recipe (Popularity-Count), its own page wins. Recipes of domains are listed
and described, and made for recommenders only.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from personalize_nb.contract.limits import ACTIVE, RECIPES
from personalize_nb.local.errors import ApiError, WorkError
from personalize_nb.local.personalize.operations.control import PAGE_SIZE, Control, make_token, operation, read_token
from personalize_nb.local.recipes.hyperparameters import PARAMETERS, resolve

PREFIX = "arn:aws:personalize:::"


@dataclass(frozen=True)
class Recipe:
    """One recipe as DescribeRecipe shows it.

    Parameters
    ----------
    name
        As in its ARN.
    type
        Its recipeType.
    description
        What it is for.
    since
        The day it appeared, which is its creation date.
    domain
        The domain whose recommenders it serves, or None for custom solutions.
    transformation
        Its feature transformation, where the guide names one.
    """

    name: str
    type: str
    description: str
    since: str = "2019-06-10"
    domain: str | None = None
    transformation: str | None = None

    @property
    def arn(self) -> str:
        return f"{PREFIX}recipe/{self.name}"

    @property
    def algorithm(self) -> str:
        return "aws-trending-now-custom" if self.name == "aws-trending-now" else self.name

    @property
    def created(self) -> float:
        return _epoch(self.since)


_SHOP, _VIDEO = "ECOMMERCE", "VIDEO_ON_DEMAND"
_PERCENTILES = "JSON-percentile-filtering"
# how the names of featureTransformationParameters end
_FEATURIZATION = ("_percentile", "_frequency")

_CUSTOM: tuple[tuple[str, str, str, str | None], ...] = (
    ("aws-hrnn", "Sequence model of users' histories (legacy).", "2019-06-10", _PERCENTILES),
    ("aws-hrnn-coldstart", "Sequence model that also ranks new items (legacy).", "2019-06-10", _PERCENTILES),
    ("aws-hrnn-metadata", "Sequence model with metadata (legacy).", "2019-06-10", _PERCENTILES),
    ("aws-item-affinity", "Finds users with an affinity to an item.", "2021-07-15", "item-affinity"),
    (
        "aws-item-attribute-affinity",
        "Finds users with an affinity to attributes of items.",
        "2021-08-25",
        "item-attribute-affinity",
    ),
    ("aws-next-best-action", "Ranks the next best actions of a user.", "2023-08-11", None),
    ("aws-personalized-ranking", "Ranks a list of items for a user.", "2019-06-10", _PERCENTILES),
    ("aws-personalized-ranking-v2", "Ranks a list of items for a user, at scale.", "2024-01-01", None),
    ("aws-popularity-count", "The items that most users interacted with.", "2019-06-10", "sims"),
    ("aws-semantic-similarity", "Items whose texts mean similar things.", "2025-11-30", "aws-semantic-similarity"),
    ("aws-similar-items", "Similar items by shared readers and metadata.", "2021-07-15", None),
    ("aws-sims", "Similar items by shared readers.", "2019-06-10", "sims"),
    ("aws-trending-now", "Items whose popularity grows fastest.", "2019-06-10", None),
    ("aws-user-personalization", "Items a user will like, with exploration.", "2019-06-10", _PERCENTILES),
    ("aws-user-personalization-v2", "Items a user will like, at scale.", "2024-01-01", None),
)
_DOMAIN: tuple[tuple[str, str, str], ...] = (
    ("aws-ecomm-customers-who-viewed-x-also-viewed", "RELATED_ITEMS", "Items viewed along with an item."),
    ("aws-ecomm-frequently-bought-together", "RELATED_ITEMS", "Items bought along with an item."),
    ("aws-ecomm-popular-items-by-purchases", "POPULAR_ITEMS", "Items bought most."),
    ("aws-ecomm-popular-items-by-views", "POPULAR_ITEMS", "Items viewed most."),
    ("aws-ecomm-recommended-for-you", "USER_PERSONALIZATION", "Items a shopper will like."),
    ("aws-vod-because-you-watched-x", "RELATED_ITEMS", "Titles for who watched a title."),
    ("aws-vod-more-like-x", "RELATED_ITEMS", "Titles similar to a title."),
    ("aws-vod-most-popular", "POPULAR_ITEMS", "Titles watched most."),
    ("aws-vod-top-picks", "USER_PERSONALIZATION", "Titles a viewer will like."),
    ("aws-vod-trending-now", "POPULAR_ITEMS", "Titles whose popularity grows fastest."),
)


@cache
def catalogue() -> dict[str, Recipe]:
    """Return all recipes by ARN, in alphabetical order."""
    custom = [
        Recipe(name, RECIPES[name].type, description, since, transformation=transformation)
        for name, description, since, transformation in _CUSTOM
    ]
    domain = [
        Recipe(name, kind, description, "2021-11-29", _SHOP if name.startswith("aws-ecomm") else _VIDEO)
        for name, kind, description in _DOMAIN
    ]
    return {recipe.arn: recipe for recipe in sorted(custom + domain, key=lambda recipe: recipe.name)}


def require_recipe(arn: str) -> Recipe:
    """Return the recipe, or refuse with `ResourceNotFoundException`."""
    recipe = catalogue().get(arn)
    if recipe is None:
        legal = ", ".join(known.name for known in catalogue().values() if known.domain is None)
        raise _missing(arn, f"Recipes are named {PREFIX}recipe/<name> with one of: {legal}.")
    return recipe


@operation("ListRecipes")
def list_recipes(control: Control, params: dict[str, Any]) -> dict[str, Any]:
    domain, limit = params.get("domain"), params.get("maxResults", PAGE_SIZE)
    scope = f"recipe|{domain}"
    start = read_token(params.get("nextToken"), scope)
    found = [recipe for recipe in catalogue().values() if domain in (None, recipe.domain)]
    page = found[start : start + limit]
    answer: dict[str, Any] = {
        "recipes": [
            {"name": recipe.name, "recipeArn": recipe.arn, "domain": recipe.domain} | _standing(recipe)
            for recipe in page
        ]
    }
    if start + limit < len(found):
        answer["nextToken"] = make_token(start + limit, scope)
    return answer


@operation("DescribeRecipe")
def describe_recipe(control: Control, params: dict[str, Any]) -> dict[str, Any]:
    recipe = require_recipe(params["recipeArn"])
    answer = {
        "name": recipe.name,
        "recipeArn": recipe.arn,
        "algorithmArn": f"{PREFIX}algorithm/{recipe.algorithm}",
        "description": recipe.description,
        "recipeType": recipe.type,
    }
    if recipe.transformation:
        answer["featureTransformationArn"] = f"{PREFIX}feature-transformation/{recipe.transformation}"
    return {"recipe": answer | _standing(recipe)}


@operation("DescribeAlgorithm")
def describe_algorithm(control: Control, params: dict[str, Any]) -> dict[str, Any]:
    arn = params["algorithmArn"]
    found = [recipe for recipe in catalogue().values() if arn == f"{PREFIX}algorithm/{recipe.algorithm}"]
    if not found:
        raise _missing(arn, "DescribeRecipe tells the algorithmArn of a recipe.")
    recipe = found[0]
    values, _ = _parameters(recipe.name)
    ranges: dict[str, list[dict[str, Any]]] = {}
    for name, parameter in values.items():
        if isinstance(parameter.default, bool):
            entry = {"name": name, "values": ["true", "false"], "isTunable": parameter.tunable}
            ranges.setdefault("categoricalHyperParameterRanges", []).append(entry)
            continue
        entry = {
            "name": name,
            "minValue": parameter.low,
            "maxValue": parameter.high,
            "isTunable": parameter.tunable,
        }
        whole = isinstance(parameter.default, int)
        ranges.setdefault(f"{'integer' if whole else 'continuous'}HyperParameterRanges", []).append(entry)
    answer = {
        "name": recipe.algorithm,
        "algorithmArn": arn,
        "defaultHyperParameters": {name: _text(parameter.default) for name, parameter in values.items()},
        "defaultHyperParameterRanges": ranges,
    }
    standing = _standing(recipe)
    del standing["status"]  # algorithms have none
    return {"algorithm": answer | standing}


@operation("DescribeFeatureTransformation")
def describe_feature_transformation(control: Control, params: dict[str, Any]) -> dict[str, Any]:
    arn = params["featureTransformationArn"]
    name = arn.removeprefix(f"{PREFIX}feature-transformation/")
    found = [recipe for recipe in catalogue().values() if recipe.transformation == name]
    if not found:
        raise _missing(arn, "DescribeRecipe tells the featureTransformationArn of a recipe, where it has one.")
    # of the recipes that share it, the one with parameters of its own
    recipe = max(found, key=lambda candidate: len(_parameters(candidate.name)[1]))
    defaults = {key: _text(parameter.default) for key, parameter in _parameters(recipe.name)[1].items()}
    answer = {"name": name, "featureTransformationArn": arn, "defaultParameters": defaults}
    return {"featureTransformation": answer | _standing(recipe)}


def _parameters(recipe: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a recipe's algorithm hyperparameters and its feature transformation parameters."""
    known = PARAMETERS.get(recipe, {})
    featurization = {name: parameter for name, parameter in known.items() if name.endswith(_FEATURIZATION)}
    return {name: parameter for name, parameter in known.items() if name not in featurization}, featurization


def check_hyperparameters(recipe: str, algorithm: dict[str, str], featurization: dict[str, str]) -> dict[str, str]:
    """Return both maps as one, or refuse names and values that the recipe does not have."""
    merged = algorithm | featurization
    if recipe in PARAMETERS:
        try:
            resolve(recipe, merged)
        except WorkError as error:
            raise ApiError("InvalidInputException", error.reason) from error
    return merged


def _text(value: float | int | bool | str) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _standing(recipe: Recipe) -> dict[str, Any]:
    return {"status": ACTIVE, "creationDateTime": recipe.created, "lastUpdatedDateTime": recipe.created}


def _epoch(day: str) -> float:
    return datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()


def _missing(arn: str, advice: str) -> ApiError:
    return ApiError("ResourceNotFoundException", f"Resource Arn {arn} does not exist. {advice}")
