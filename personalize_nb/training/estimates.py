"""What a training would come to: what is imported, what is trained on, and the hours that such trainings took."""

from __future__ import annotations

import statistics
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from personalize_nb import errors
from personalize_nb.contract import limits
from personalize_nb.resources.estimate import Estimate
from personalize_nb.session.connection import connected, current
from personalize_nb.session.rates import HOURS, IMPORTED, INTERACTIONS, Rates
from personalize_nb.session.session import Session
from personalize_nb.text.public import public
from personalize_nb.training import csv_text, schemas
from personalize_nb.training.existing import read as read_group
from personalize_nb.training.plan import TrainingPlan, plan

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from personalize_nb.inputs.forms import Data

_GB = 1e9
_MOST = 5  # trainings of the recipe, the newest


@public
def estimate_training_cost(
    interactions: Data | None = None,
    items: Data | None = None,
    users: Data | None = None,
    *,
    name: str = "personalize-nb",
    dataset_group: str | None = None,
    recipe: str = "aws-user-personalization",
    textual: str | bool | None = None,
    categorical: Collection[str] = (),
    event_type: str | None = None,
    hyperparameters: Mapping[str, Any] | None = None,
    solution_config: Mapping[str, Any] | None = None,
    tags: Mapping[str, str] | None = None,
    rates: Rates | pd.DataFrame | Iterable[Mapping[str, Any]] | str | Path | None = None,
    session: Session | None = None,
) -> Estimate:
    """Return what `pnb.train` would come to with the same arguments; nothing is imported or made.

    It counts the GB of the import, the interactions, before any filter of events, and the training hours that the
    account's earlier trainings of the recipe were billed, where there are any: nobody can know hours beforehand.

    Parameters
    ----------
    interactions, items, users, name, dataset_group, recipe, textual, categorical, event_type, hyperparameters
        As for `pnb.train`.
    solution_config, tags
        As for `pnb.train`.
    rates
        Prices in place of `session.rates`; whatever makes a `pnb.Rates`.
    session
        Where it would be trained; by default that of `pnb.connect()`, and none where nothing is connected.

    Returns
    -------
    Estimate
        Shows quantities and cost; `.frame()` has them one by one.

    Raises
    ------
    InputError
        The frames, the recipe and the configuration do not go together, as for `pnb.train`.

    References
    ----------
    What Amazon Personalize bills of CreateDatasetImportJob and CreateSolutionVersion; see `Rates`.

    Examples
    --------
    >>> import personalize_nb as pnb
    >>> books = pnb.samples.books()
    >>> sorted(pnb.estimate_training_cost(books.interactions).quantities)
    ['imported_gb', 'interactions'...]
    """
    asked = connected() if session is None else current(session)
    if dataset_group is not None:
        asked = current(session)
    planned = plan(
        interactions,
        items,
        users,
        name=name,
        recipe=recipe,
        textual=textual,
        categorical=categorical,
        event_type=event_type,
        hyperparameters=hyperparameters,
        solution_config=solution_config,
        tags=tags,
        existing=None if dataset_group is None or asked is None else read_group(dataset_group, asked),
        session=asked,
    )
    planned.refuse()
    prices = Rates.of(rates) if rates is not None or asked is None else asked.rates
    return of_plan(planned, asked, prices)


def of_plan(planned: TrainingPlan, session: Session | None, rates: Rates | None) -> Estimate:
    """Return what a training comes to.

    Parameters
    ----------
    planned
        The training.
    session
        Whose earlier trainings tell the hours; None for nobody's.
    rates
        Prices.
    """
    size = sum(len(block) for dataset in planned.datasets for block in csv_text.blocks(dataset.table))
    quantities: dict[str, float] = {IMPORTED: size / _GB}
    rows = [dataset.table.num_rows for dataset in planned.datasets if dataset.type == schemas.INTERACTIONS]
    if rows:
        quantities[INTERACTIONS] = rows[0]
    hours = None if session is None else _hours(planned.recipe, session)
    if hours is not None:
        quantities[HOURS] = hours
    return Estimate(quantities, rates, exact=hours is None)


def _hours(recipe: str, session: Session) -> float | None:
    """Return the median of the hours that trainings of a recipe were billed; None where none is known."""
    try:
        solutions = {
            one["solutionArn"]
            for one in session.pages("list_solutions", "solutions")
            if one.get("recipeArn", "").rsplit("/", 1)[-1] == recipe
        }
        versions = [
            one
            for one in session.pages("list_solution_versions", "solutionVersions")
            if one["status"] == limits.ACTIVE and one["solutionVersionArn"].rsplit("/", 1)[0] in solutions
        ]
        versions.sort(key=lambda one: one["creationDateTime"], reverse=True)
        arns = [one["solutionVersionArn"] for one in versions[:_MOST]]
        told = [session.call("describe_solution_version", solutionVersionArn=arn)["solutionVersion"] for arn in arns]
    except errors.CredentialsError:
        raise
    except errors.PersonalizeError:
        return None
    hours = [float(one["trainingHours"]) for one in told if "trainingHours" in one]
    return statistics.median(hours) if hours else None
