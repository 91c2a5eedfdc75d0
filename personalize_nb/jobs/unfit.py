"""What is said of a recipe that jobs of a kind do not take: the way there is instead."""

from __future__ import annotations

from personalize_nb.contract import recipes
from personalize_nb.contract.parameters import THEMES
from personalize_nb.errors import Problem


def no_batch(facts: recipes.Recipe) -> Problem:
    """Return the problem of giving a batch inference job a recipe that it does not take, with the way there is."""
    text = f"Batch inference jobs do not work with the recipe {facts.name}: {facts.instead_of_batch}."
    return Problem("solution_version_arn", text)


def no_segments(facts: recipes.Recipe) -> Problem:
    """Return the problem of giving a batch segment job a recipe that it does not take, with the way there is."""
    legal = ", ".join(recipes.names_where(lambda row: row.segments))
    instead = (
        f"pnb.recommend(ids, model) starts the job that takes {facts.name}" if facts.batch else facts.instead_of_batch
    )
    text = f"Batch segment jobs take models of {legal}, this one is of {facts.name}: {instead}."
    return Problem("solution_version_arn", text)


def no_themes(recipe: str) -> Problem:
    """Return the problem of asking a recipe for themes that makes none."""
    return Problem("mode", THEMES.refused(recipe))
