"""One row per recipe: what it reads, gives, takes and needs, as the developer guide says; and what learns it here.

A new recipe is a new row of `RECIPES`; the recipes of domains are in `domain_recipes`. Where the guide gives two types
for one recipe (Popularity-Count), its own page wins.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from personalize_nb.contract import hyperparameters as hp
from personalize_nb.contract.hyperparameters import Hyperparameters

ARN_PREFIX = "arn:aws:personalize:::"

USER_PERSONALIZATION = "USER_PERSONALIZATION"
PERSONALIZED_RANKING = "PERSONALIZED_RANKING"
RELATED_ITEMS = "RELATED_ITEMS"
POPULAR_ITEMS = "POPULAR_ITEMS"
USER_SEGMENTATION = "USER_SEGMENTATION"
PERSONALIZED_ACTIONS = "PERSONALIZED_ACTIONS"


@dataclass(frozen=True, kw_only=True)
class ListedRecipe:
    """What DescribeRecipe and ListRecipes show of every recipe.

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
    algorithm
        The name of its algorithm, where that is not its own.
    transformation
        Its feature transformation, where the guide names one.
    """

    name: str
    type: str
    description: str
    since: str
    domain: str | None = None
    algorithm: str | None = None
    transformation: str | None = None

    @property
    def arn(self) -> str:
        """The ARN; Amazon's own resources have no region and no account."""
        return f"{ARN_PREFIX}recipe/{self.name}"

    @property
    def algorithm_name(self) -> str:
        """The name in the ARN of its algorithm."""
        return self.algorithm or self.name


@dataclass(frozen=True, kw_only=True)
class Recipe(ListedRecipe):
    """One recipe of custom solutions.

    Parameters
    ----------
    input_keys
        What a line of a batch job's input holds, and a real-time request.
    family
        What learns it on the local service, a name in `local/recipes/families.py`; None where nothing does.
    hyperparameters
        What a solution may set, a table of `hyperparameters`.
    datasets
        The types of dataset that a training cannot do without.
    item_marks
        The marks that some field of the Items schema must bear.
    batch
        Whether batch inference jobs take it.
    scores
        Whether its recommendations have scores.
    themes
        Whether batch inference jobs make themes with it.
    exploration
        Whether it reads `itemExplorationConfig`.
    ranking_influence
        Whether it reads `rankingInfluence`.
    objective
        Whether it follows an `optimizationObjective`.
    events_config
        Whether it reads `eventsConfig`, rather than `eventType` and `eventValueThreshold`.
    trains_updates
        Whether a training may have the mode UPDATE.
    incremental_updates
        Whether a solution may ask for `performIncrementalUpdate`.
    same_for_all
        Whether everyone gets the same list, so that real-time requests need no key.
    tells_popular
        Whether real-time answers mark popular items that fill a list, in place of a score.
    interactions_quota, items_quota
        The quotas on what a training considers, by their names in `local/state/quotas.py`.
    """

    input_keys: tuple[str, ...]
    family: str | None
    hyperparameters: Hyperparameters = field(default_factory=dict)
    datasets: tuple[str, ...] = ("INTERACTIONS",)
    item_marks: tuple[str, ...] = ()
    batch: bool = True
    scores: bool = False
    themes: bool = False
    exploration: bool = False
    ranking_influence: bool = False
    objective: bool = False
    events_config: bool = False
    trains_updates: bool = False
    incremental_updates: bool = False
    same_for_all: bool = False
    tells_popular: bool = False
    interactions_quota: str = "interactions_considered"
    items_quota: str = "items_considered"

    @property
    def needs_interactions(self) -> bool:
        """Whether a training needs interactions, at least `limits.MIN_INTERACTIONS` of them."""
        return "INTERACTIONS" in self.datasets

    @property
    def segments(self) -> bool:
        """Whether batch segment jobs take it."""
        return self.type == USER_SEGMENTATION

    @property
    def by_attributes(self) -> bool:
        """Whether it is asked by attributes of items, of which a training then needs one that tells them apart."""
        return "itemAttributes" in self.input_keys

    @property
    def realtime(self) -> bool:
        """Whether a campaign can serve it: not what segment jobs ask, nor recommendations of actions."""
        return self.type not in (USER_SEGMENTATION, PERSONALIZED_ACTIONS)

    @property
    def instead_of_batch(self) -> str:
        """What to do with a model that batch inference jobs do not take, in words; empty where they take it."""
        if self.batch:
            return ""
        if self.segments:
            asked = "attributes" if self.by_attributes else "items"
            return f"pnb.segments({asked}, model) starts the batch segment job that takes it"
        if self.realtime:
            return "session.personalize.create_campaign(...) serves it in real time"
        return "neither batch jobs nor this toolkit's local service serve it; train another recipe"

    @property
    def ranks_lists(self) -> bool:
        """Whether it orders the items of a list, rather than choosing some of all."""
        return self.type == PERSONALIZED_RANKING

    @property
    def sees_events(self) -> bool:
        """Whether its batch jobs know the events that were put after the training."""
        return self.type in (USER_PERSONALIZATION, PERSONALIZED_RANKING)

    @property
    def tunable(self) -> Hyperparameters:
        """The hyperparameters that optimization may search."""
        return {name: parameter for name, parameter in self.hyperparameters.items() if parameter.tunable}


_USER, _RANK, _ITEM = ("userId",), ("userId", "itemList"), ("itemId",)
_PERCENTILES = "JSON-percentile-filtering"

RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            name="aws-user-personalization-v2",
            type=USER_PERSONALIZATION,
            description="Items a user will like, at scale.",
            since="2024-01-01",
            input_keys=_USER,
            family="user-personalization",
            hyperparameters=hp.TRANSFORMER,
            scores=True,
            events_config=True,
            tells_popular=True,
            interactions_quota="interactions_considered_v2",
            items_quota="items_considered_v2",
        ),
        Recipe(
            name="aws-user-personalization",
            type=USER_PERSONALIZATION,
            description="Items a user will like, with exploration.",
            since="2019-06-10",
            transformation=_PERCENTILES,
            input_keys=_USER,
            family="user-personalization",
            hyperparameters=hp.EXPLORING,
            scores=True,
            exploration=True,
            objective=True,
            trains_updates=True,
        ),
        Recipe(
            name="aws-hrnn",
            type=USER_PERSONALIZATION,
            description="Sequence model of users' histories (legacy).",
            since="2019-06-10",
            transformation=_PERCENTILES,
            input_keys=_USER,
            family="user-personalization",
            hyperparameters=hp.SEQUENTIAL,
            scores=True,
        ),
        Recipe(
            name="aws-hrnn-metadata",
            type=USER_PERSONALIZATION,
            description="Sequence model with metadata (legacy).",
            since="2019-06-10",
            transformation=_PERCENTILES,
            input_keys=_USER,
            family="user-personalization",
            hyperparameters=hp.SEQUENTIAL,
            scores=True,
        ),
        Recipe(
            name="aws-hrnn-coldstart",
            type=USER_PERSONALIZATION,
            description="Sequence model that also ranks new items (legacy).",
            since="2019-06-10",
            transformation=_PERCENTILES,
            input_keys=_USER,
            family="user-personalization",
            hyperparameters=hp.SEQUENTIAL,
            scores=True,
            trains_updates=True,
        ),
        Recipe(
            name="aws-popularity-count",
            type=USER_PERSONALIZATION,
            description="The items that most users interacted with.",
            since="2019-06-10",
            transformation="sims",
            input_keys=_USER,
            family="popularity-count",
            same_for_all=True,
        ),
        Recipe(
            name="aws-trending-now",
            type=POPULAR_ITEMS,
            description="Items whose popularity grows fastest.",
            since="2019-06-10",
            algorithm="aws-trending-now-custom",
            input_keys=_USER,
            family="trending-now",
            hyperparameters=hp.TRENDING_NOW,
            batch=False,
            same_for_all=True,
        ),
        Recipe(
            name="aws-personalized-ranking",
            type=PERSONALIZED_RANKING,
            description="Ranks a list of items for a user.",
            since="2019-06-10",
            transformation=_PERCENTILES,
            input_keys=_RANK,
            family="personalized-ranking",
            hyperparameters=hp.SEQUENTIAL,
            scores=True,
            objective=True,
        ),
        Recipe(
            name="aws-personalized-ranking-v2",
            type=PERSONALIZED_RANKING,
            description="Ranks a list of items for a user, at scale.",
            since="2024-01-01",
            input_keys=_RANK,
            family="personalized-ranking",
            hyperparameters=hp.TRANSFORMER,
            scores=True,
            events_config=True,
            interactions_quota="interactions_considered_v2",
            items_quota="items_considered_v2",
        ),
        Recipe(
            name="aws-similar-items",
            type=RELATED_ITEMS,
            description="Similar items by shared readers and metadata.",
            since="2021-07-15",
            input_keys=_ITEM,
            family="similar-items",
            hyperparameters=hp.SIMILAR_ITEMS,
            themes=True,
        ),
        Recipe(
            name="aws-sims",
            type=RELATED_ITEMS,
            description="Similar items by shared readers.",
            since="2019-06-10",
            transformation="sims",
            input_keys=_ITEM,
            family="sims",
            hyperparameters=hp.SIMS,
        ),
        Recipe(
            name="aws-semantic-similarity",
            type=RELATED_ITEMS,
            description="Items whose texts mean similar things.",
            since="2025-11-30",
            transformation="aws-semantic-similarity",
            input_keys=_ITEM,
            family="semantic-similarity",
            datasets=("ITEMS",),
            item_marks=("itemName", "textual"),
            ranking_influence=True,
            incremental_updates=True,
            items_quota="items_considered_semantic",
        ),
        Recipe(
            name="aws-item-affinity",
            type=USER_SEGMENTATION,
            description="Finds users with an affinity to an item.",
            since="2021-07-15",
            transformation="item-affinity",
            input_keys=_ITEM,
            family="user-segments",
            hyperparameters=hp.SEGMENTS,
            batch=False,
        ),
        Recipe(
            name="aws-item-attribute-affinity",
            type=USER_SEGMENTATION,
            description="Finds users with an affinity to attributes of items.",
            since="2021-08-25",
            transformation="item-attribute-affinity",
            input_keys=("itemAttributes",),
            family="user-segments",
            hyperparameters=hp.SEGMENTS,
            datasets=("INTERACTIONS", "ITEMS"),
            batch=False,
        ),
        Recipe(
            name="aws-next-best-action",
            type=PERSONALIZED_ACTIONS,
            description="Ranks the next best actions of a user.",
            since="2023-08-11",
            input_keys=_USER,
            family=None,
            batch=False,
        ),
    )
}


def recipe_of(name_or_arn: str) -> Recipe | None:
    """Return the row of a custom recipe by name or ARN, or None for one that is not in the table."""
    return RECIPES.get(name_or_arn.rsplit("/", 1)[-1])


def names_where(holds: Callable[[Recipe], object]) -> list[str]:
    """Return the names of the custom recipes of which something holds, in the table's order."""
    return [recipe.name for recipe in RECIPES.values() if holds(recipe)]
