"""The hyperparameters of a training: what the solution gives, checked, and the defaults of the recipe's row."""

from __future__ import annotations

from collections.abc import Mapping

from personalize_nb.contract.hyperparameters import Value
from personalize_nb.contract.recipes import RECIPES
from personalize_nb.local.errors import WorkError


def resolve(recipe_name: str, texts: Mapping[str, str] | None) -> dict[str, Value]:
    """Return all hyperparameters of a recipe, with values for the texts of a solution in place of defaults.

    Raises
    ------
    WorkError
        A name that the recipe does not have, or a value out of its range.
    """
    hyperparameters = RECIPES[recipe_name].hyperparameters
    values = {name: hyperparameter.default for name, hyperparameter in hyperparameters.items()}
    for name, text in (texts or {}).items():
        if name not in hyperparameters:
            legal = f"legal is: {', '.join(sorted(hyperparameters))}" if hyperparameters else "the recipe has none"
            raise WorkError(f"Unknown hyperparameter {name!r} of recipe {recipe_name}; {legal}.")
        try:
            values[name] = hyperparameters[name].parse(name, str(text))
        except ValueError as error:
            raise WorkError(str(error)) from error
    return values
