"""A recipe by its name: `train` makes a model from imported data, `load` reads one from its folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from personalize_nb.local.data.schema import TrainingData
from personalize_nb.local.errors import WorkError
from personalize_nb.local.recipes.base import Codes, Model, Queries, Ranked
from personalize_nb.local.recipes.disk import META
from personalize_nb.local.recipes.history import History, read_history
from personalize_nb.local.recipes.hyperparameters import PARAMETERS, resolve
from personalize_nb.local.recipes.personalization import PersonalizedRanking, UserPersonalization
from personalize_nb.local.recipes.popularity import PopularityCount
from personalize_nb.local.recipes.related import SimilarItems, Sims
from personalize_nb.local.recipes.segmentation import UserSegments
from personalize_nb.local.recipes.semantic import SemanticSimilarity
from personalize_nb.local.recipes.trending import TrendingNow

__all__ = ["Model", "Queries", "Ranked", "Codes", "load", "train", "train_on"]

_MODELS: dict[str, type[Model]] = {
    model.kind: model
    for model in (
        UserPersonalization,
        PersonalizedRanking,
        SimilarItems,
        Sims,
        SemanticSimilarity,
        PopularityCount,
        TrendingNow,
        UserSegments,
    )
}
# recipes that learn from items, with or without interactions
WITHOUT_INTERACTIONS = frozenset({"aws-semantic-similarity"})
_RECIPES: dict[str, type[Model]] = {
    "aws-user-personalization": UserPersonalization,
    "aws-user-personalization-v2": UserPersonalization,
    "aws-hrnn": UserPersonalization,
    "aws-hrnn-metadata": UserPersonalization,
    "aws-hrnn-coldstart": UserPersonalization,
    "aws-personalized-ranking": PersonalizedRanking,
    "aws-personalized-ranking-v2": PersonalizedRanking,
    "aws-similar-items": SimilarItems,
    "aws-sims": Sims,
    "aws-semantic-similarity": SemanticSimilarity,
    "aws-popularity-count": PopularityCount,
    "aws-trending-now": TrendingNow,
    "aws-item-affinity": UserSegments,
    "aws-item-attribute-affinity": UserSegments,
}


def _silent(done: int, total: int) -> None:
    """Report progress to nobody."""


def train(
    recipe_name: str,
    data: TrainingData,
    *,
    hyperparameters: Mapping[str, str] | None = None,
    event_type: str | None = None,
    event_value_threshold: float | None = None,
    events_config: Mapping[str, Any] | None = None,
    objective: Mapping[str, str] | None = None,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Model:
    """Train a recipe on the datasets of a group; equal data, parameters and seed give an equal model.

    Parameters
    ----------
    recipe_name
        For example `aws-user-personalization`.
    data
        The imported datasets.
    hyperparameters
        `algorithmHyperParameters` and `featureTransformationParameters` as the API carries them: strings.
    event_type, event_value_threshold, events_config, objective
        What the solution says about events, and its `optimizationObjective`.
    seed
        Decides which users are held back while parameters are fitted.
    progress
        Called with (steps done, steps in all).

    Raises
    ------
    WorkError
        The recipe is not one of ours, a hyperparameter is illegal, or the data are too few; in Amazon's words
        where they are known.
    """
    values = resolve(_known(recipe_name), hyperparameters)
    report = progress or _silent
    optional = recipe_name in WITHOUT_INTERACTIONS
    history = read_history(data, event_type, event_value_threshold, events_config, objective, optional)
    report(1, 4)
    model = train_on(recipe_name, history, data, values, seed, report)
    report(4, 4)
    return model


def train_on(
    recipe_name: str,
    history: History,
    data: TrainingData,
    values: dict[str, Any],
    seed: int = 0,
    progress: Callable[[int, int], None] = _silent,
) -> Model:
    """Train on a history that was read already; the hold-out metrics train on a part of one."""
    kind = _RECIPES[_known(recipe_name)]
    if kind is PopularityCount:
        return PopularityCount.train(history)
    return kind.train(history, data, values, seed, progress)


def load(folder: Path) -> Model:
    """Read a model from the folder that `Model.save` wrote."""
    kind = json.loads((Path(folder) / META).read_text(encoding="utf-8"))["facts"]["kind"]
    return _MODELS[kind].restore(Path(folder))


def _known(recipe_name: str) -> str:
    if recipe_name not in _RECIPES:
        raise WorkError(
            f"Recipe {recipe_name!r} cannot be trained here; legal is one of {', '.join(sorted(PARAMETERS))}."
        )
    return recipe_name
