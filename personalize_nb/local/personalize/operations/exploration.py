"""What batch jobs, campaigns and recommenders say about exploration: which recipes read it, which values are legal."""

from __future__ import annotations

from collections.abc import Mapping

from personalize_nb.contract.domain_recipes import DomainRecipe
from personalize_nb.contract.recipes import Recipe, names_where
from personalize_nb.local.personalize.operations.control import invalid

WEIGHT, CUT_OFF = "explorationWeight", "explorationItemAgeCutOff"


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
        if key not in (WEIGHT, CUT_OFF):
            raise invalid(f"itemExplorationConfig has no key {key!r}; legal: {WEIGHT}, {CUT_OFF}.")
        low, high, words = (0.0, 1.0, "from 0 to 1") if key == WEIGHT else (1.0, 1e6, "of days, at least 1,")
        try:
            fits = low <= float(text) <= high
        except ValueError:
            fits = False
        if not fits:
            raise invalid(f"{key} must be a number {words} in a string, got {text!r}.")
