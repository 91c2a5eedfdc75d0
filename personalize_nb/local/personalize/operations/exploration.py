"""What batch jobs, campaigns and recommenders say about exploration: which recipes read it, which values are legal."""

from __future__ import annotations

from collections.abc import Mapping

from personalize_nb.contract.domain_recipes import DomainRecipe
from personalize_nb.contract.hyperparameters import EXPLORING
from personalize_nb.contract.recipes import Recipe, names_where
from personalize_nb.local.personalize.operations.control import invalid

WEIGHT, CUT_OFF = "explorationWeight", "explorationItemAgeCutOff"
# a job may say what a solution may
_RANGES = {WEIGHT: EXPLORING["exploration_weight"], CUT_OFF: EXPLORING["exploration_item_age_cut_off"]}


def check_exploration(recipe: Recipe | DomainRecipe, config: Mapping[str, str]) -> None:
    """Refuse an `itemExplorationConfig` that its recipe does not read, or whose values are out of range.

    Parameters
    ----------
    recipe
        The row of the recipe.
    config
        The map as requested; empty when there is none.
    """
    if config and not recipe.exploration:
        legal = " and ".join(names_where(lambda row: row.exploration))
        raise invalid(
            f"itemExplorationConfig is for recipe {legal} only, and for the domain recipes that answer for users; got "
            f"{recipe.name}."
        )
    for key, text in config.items():
        if key not in _RANGES:
            raise invalid(f"itemExplorationConfig has no key {key!r}; legal: {', '.join(_RANGES)}.")
        low, high = _RANGES[key].low, _RANGES[key].high
        words = f"from {low:g} to {high:g}" if key == WEIGHT else f"of days, at least {low:g},"
        try:
            fits = low <= float(text) <= high
        except ValueError:
            fits = False
        if not fits:
            raise invalid(f"{key} must be a number {words} in a string, got {text!r}.")
