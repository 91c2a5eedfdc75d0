"""GetRecommendations and GetPersonalizedRanking: one query to the model of a campaign or recommender.

Context is accepted and has no effect: no recipe here learns from it.
"""

from __future__ import annotations

import uuid
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from personalize_nb.contract.domain_recipes import DOMAIN_RECIPES, DomainRecipe
from personalize_nb.contract.limits import ACTIVE, DEFAULT_NUM_RESULTS, MAX_REALTIME_RESULTS
from personalize_nb.contract.recipes import RECIPES, Recipe
from personalize_nb.local.personalize.operations.campaigns import serving_version
from personalize_nb.local.personalize.operations.control import invalid
from personalize_nb.local.personalize.operations.filters import check_expression
from personalize_nb.local.personalize.serving.promotions import promote
from personalize_nb.local.personalize.serving.registry import Serving, served
from personalize_nb.local.state.facts import ModelFacts
from personalize_nb.local.state.kinds import CAMPAIGN, DATASET, FILTER, RECOMMENDER, SOLUTION_VERSION, Body, Own
from personalize_nb.local.state.resources import Resource

if TYPE_CHECKING:
    from personalize_nb.local.data.allowed import Allowed
    from personalize_nb.local.recipes.base import Ranked

MAX_WITH_METADATA = 50


@dataclass(frozen=True)
class ServedModel:
    """What answers a request: the facts of its solution version or recommender, its configuration and use case."""

    facts: ModelFacts
    config: Mapping[str, Any]
    group_arn: str | None
    use_case: DomainRecipe | None = None

    @property
    def recipe(self) -> Recipe:
        return RECIPES[self.facts.recipe]

    @property
    def needed(self) -> tuple[str, ...]:
        """The members that a request for recommendations must have."""
        keys = () if self.recipe.same_for_all else self.recipe.input_keys
        return ("userId", *keys) if self._asks_for_user and "userId" not in keys else keys

    @property
    def _asks_for_user(self) -> bool:
        return self.use_case is not None and self.use_case.needs_user

    @property
    def automatic_filter(self) -> str | None:
        """What the use case leaves out before any filter of the request, in the words of one."""
        if self.use_case is None or self.use_case.leaves_out is None:
            return None
        return f'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("{self.use_case.leaves_out}")'


@served("GetRecommendations")
def get_recommendations(serving: Serving, params: dict[str, Any]) -> dict[str, Any]:
    endpoint = _endpoint(serving, params)
    recipe = endpoint.recipe
    if recipe.ranks_lists:
        raise invalid(f"The recipe {recipe.name} ranks lists of items; call GetPersonalizedRanking.")
    missing = [key for key in endpoint.needed if not params.get(key)]
    if missing:
        raise invalid(f"Required fields for the provided recipe are {', '.join(missing)}")
    most = MAX_WITH_METADATA if "metadataColumns" in params else MAX_REALTIME_RESULTS
    # 0 asks for the default, as leaving it out does
    wanted = params.get("numResults") or DEFAULT_NUM_RESULTS
    if wanted > most:
        raise invalid(f"numResults must be from 1 to {most}, got {wanted}.")

    def ask(arn: str | None, values: dict[str, str] | None, count: int) -> list[dict[str, Any]]:
        return _items(_rank(serving, endpoint, params, arn, values, count), recipe)

    items = ask(params.get("filterArn"), params.get("filterValues"), wanted)
    if params.get("promotions"):
        promotion = params["promotions"][0]
        found = ask(promotion.get("filterArn"), promotion.get("filterValues"), wanted)
        items = promote(items, found, promotion, wanted, seed=params.get("userId") or params.get("itemId") or "")
    _add_metadata(serving, endpoint, params, items)
    return {"itemList": items, "recommendationId": _recommendation_id()}


@served("GetPersonalizedRanking")
def get_personalized_ranking(serving: Serving, params: dict[str, Any]) -> dict[str, Any]:
    endpoint = _endpoint(serving, params)
    recipe = endpoint.recipe
    if not recipe.ranks_lists:
        raise invalid(f"The recipe {recipe.name} ranks no lists; call GetRecommendations.")
    most = MAX_WITH_METADATA if "metadataColumns" in params else MAX_REALTIME_RESULTS
    if not 1 <= len(params["inputList"]) <= most:
        raise invalid(f"inputList must have 1 to {most} items, got {len(params['inputList'])}.")
    ranked = _rank(serving, endpoint, params, params.get("filterArn"), params.get("filterValues"), most)
    items = _items(ranked, recipe)
    _add_metadata(serving, endpoint, params, items)
    return {"personalizedRanking": items, "recommendationId": _recommendation_id()}


def _endpoint(serving: Serving, params: dict[str, Any]) -> ServedModel:
    campaign, recommender = params.get("campaignArn"), params.get("recommenderArn")
    if (campaign is None) == (recommender is None):
        raise invalid("Give either campaignArn or recommenderArn.")
    if recommender is not None:
        served_by = _answering(serving.control.require(RECOMMENDER, recommender))
        use_case = DOMAIN_RECIPES[served_by.body["recipeArn"].rsplit("/", 1)[-1]]
        return ServedModel(served_by.facts, served_by.body.get("recommenderConfig", {}), served_by.group_arn, use_case)
    asked = _answering(serving.control.require(CAMPAIGN, params["campaignArn"]))
    version = serving.control.require(SOLUTION_VERSION, serving_version(serving.control, asked))
    return ServedModel(version.facts, asked.body.get("campaignConfig", {}), asked.group_arn)


def _answering(resource: Resource[Body, Own]) -> Resource[Body, Own]:
    """Return a campaign or recommender, or refuse one that is not ACTIVE."""
    if resource.status != ACTIVE:
        raise invalid(f"{resource.arn} has status {resource.status}; it answers when it is {ACTIVE}.")
    return resource


def _rank(
    serving: Serving,
    endpoint: ServedModel,
    params: dict[str, Any],
    filter_arn: str | None,
    values: dict[str, str] | None,
    count: int,
) -> Ranked:
    from personalize_nb.local.recipes.base import Queries

    recipe, model = endpoint.recipe, serving.models.model(endpoint.facts)
    allowed, includes = (None, False) if filter_arn is None else _allowed(serving, endpoint, params, filter_arn, values)
    if endpoint.automatic_filter is not None:
        # nothing limits how long ago an item was taken, unlike what the filters of users see
        automatic = serving.models.filter(endpoint.automatic_filter, endpoint.facts, newest=None)
        new, _ = automatic.allowed([params.get("userId")], None, [None])
        allowed = new if allowed is None else allowed & new
    exploration = endpoint.config.get("itemExplorationConfig", {}) if recipe.exploration else {}
    weight, cut_off = exploration.get("explorationWeight"), exploration.get("explorationItemAgeCutOff")
    keys = recipe.input_keys
    return model.rank(
        Queries(
            users=[params.get("userId") or ""] if "userId" in keys else None,
            items=[params["itemId"]] if "itemId" in keys else None,
            item_lists=[params["inputList"]] if "itemList" in keys else None,
            num_results=count,
            allowed=allowed,
            unknown_allowed=not includes,
            exploration_weight=None if weight is None else float(weight),
            exploration_cut_off_days=None if cut_off is None else float(cut_off),
            ranking_influence=endpoint.config.get("rankingInfluence") if recipe.ranking_influence else None,
            seed=zlib.crc32(endpoint.facts.model.encode()),
        )
    )


def _allowed(
    serving: Serving, endpoint: ServedModel, params: dict[str, Any], arn: str, values: dict[str, str] | None
) -> tuple[Allowed, bool]:
    """Return what the filter allows, and whether it has an INCLUDE."""
    found = serving.control.require(FILTER, arn)
    if found.status != ACTIVE:
        raise invalid(f"{arn} has status {found.status}; a filter can be used when it is {ACTIVE}.")
    if found.group_arn != endpoint.group_arn:
        raise invalid(f"{arn} belongs to {found.group_arn}, which is not the dataset group of this request.")
    text = found.body["filterExpression"]
    check_expression(text, endpoint.facts.schemas, endpoint.recipe.type)
    bound = serving.models.filter(text, endpoint.facts)
    datasets = serving.control.store.list(DATASET, group_arn=endpoint.group_arn)
    problem = bound.expression.unmet({dataset.body["datasetType"] for dataset in datasets})
    if problem is not None:
        raise invalid(problem)
    if bound.expression.needs_user and not params.get("userId"):
        raise invalid(f"The filter {text!r} reads what a user did or is, and the request has no userId; give one.")
    allowed, errors = bound.allowed([params.get("userId")], [params.get("itemId")], [values])
    for problem in errors.values():
        raise invalid(f"The filter cannot be applied: {problem}.")
    return allowed, bound.expression.includes


def _items(ranked: Ranked, recipe: Recipe) -> list[dict[str, Any]]:
    items = [{"itemId": item} for item in ranked.items[0].as_py()]
    if recipe.scores and ranked.scores is not None:
        for item, score in zip(items, ranked.scores[0].as_py(), strict=True):
            if score == 0.0 and recipe.tells_popular:
                item["reason"] = ["Popular item"]
            else:
                item["score"] = round(score, 7)
    return items


def _add_metadata(serving: Serving, endpoint: ServedModel, params: dict[str, Any], items: list[dict[str, Any]]) -> None:
    """Give each item the columns of the Items dataset that the request names, as strings."""
    wanted = params.get("metadataColumns")
    if not wanted:
        return
    if not endpoint.config.get("enableMetadataWithRecommendations"):
        raise invalid("metadataColumns needs enableMetadataWithRecommendations in the campaign's configuration.")
    [(kind, columns)] = wanted.items()
    table = serving.models.data(endpoint.facts).items
    if kind.upper() != "ITEMS" or table is None:
        raise invalid(f"metadataColumns can name columns of ITEMS only, where items are imported; got {kind!r}.")
    names = {name.upper(): name for name in table.column_names}
    unknown = [column for column in columns if column.upper() not in names]
    if unknown:
        raise invalid(
            f"metadataColumns names unknown columns {', '.join(unknown)}; legal: {', '.join(names.values())}."
        )
    import pyarrow as pa
    import pyarrow.compute as pc

    rows = pc.index_in(pa.array([item["itemId"] for item in items], pa.string()), value_set=table["ITEM_ID"])
    chosen = {column: table[names[column.upper()]].take(rows).cast(pa.string()).to_pylist() for column in columns}
    for place, item in enumerate(items):
        found = {column: values[place] for column, values in chosen.items()}
        item["metadata"] = {column: text for column, text in found.items() if text is not None}


def _recommendation_id() -> str:
    # 40 characters, which is what PutEvents accepts
    return f"RID-{uuid.uuid4()}"
