"""A recipe by its name: `train` makes a model from imported data, `load` reads one from its folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from personalize_nb.contract.recipes import RECIPES, Recipe, names_where
from personalize_nb.local.data.schema import TrainingData
from personalize_nb.local.errors import WorkError
from personalize_nb.local.recipes.attributes import check_attributes
from personalize_nb.local.recipes.base import Codes, Model, Queries, Ranked
from personalize_nb.local.recipes.disk import kind_of
from personalize_nb.local.recipes.history import History, read_history
from personalize_nb.local.recipes.hyperparameters import resolve
from personalize_nb.local.recipes.personalization import PersonalizedRanking, UserPersonalization
from personalize_nb.local.recipes.popularity import PopularityCount
from personalize_nb.local.recipes.related import SimilarItems, Sims
from personalize_nb.local.recipes.segmentation import UserSegments
from personalize_nb.local.recipes.semantic import SemanticSimilarity
from personalize_nb.local.recipes.trending import TrendingNow

__all__ = ["Model", "Queries", "Ranked", "Codes", "load", "train", "train_on"]

# the families that the rows of recipes name; what a model's folder says of its kind
FAMILIES: dict[str, type[Model]] = {
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
    recipe, _ = _trainable(recipe_name)
    values = resolve(recipe_name, hyperparameters)
    report = progress or _silent
    history = read_history(
        data, event_type, event_value_threshold, events_config, objective, optional=not recipe.needs_interactions
    )
    if recipe.by_attributes:
        check_attributes(data)
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
    _, family = _trainable(recipe_name)
    return family.train(history, data, values, seed, progress)


def load(folder: Path) -> Model:
    """Read a model from the folder that `Model.save` wrote."""
    return FAMILIES[kind_of(folder)].restore(Path(folder))


def _trainable(recipe_name: str) -> tuple[Recipe, type[Model]]:
    """Return the row of a recipe and the family that learns it."""
    recipe = RECIPES.get(recipe_name)
    if recipe is None or recipe.family is None:
        legal = ", ".join(sorted(names_where(lambda row: row.family)))
        raise WorkError(f"Recipe {recipe_name!r} cannot be trained here; legal is one of {legal}.")
    return recipe, FAMILIES[recipe.family]
