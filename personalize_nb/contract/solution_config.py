"""Which training configurations a recipe can follow: the rules of `solutionConfig`, for service and toolkit.

What they say is judged by the recipe's row, its hyperparameters and the schemas of the datasets. Each rule yields a
`Problem` for everything that breaks it; the form (unknown members, types) is judged by botocore's model before.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from personalize_nb.contract.columns import REQUIRED_COLUMNS
from personalize_nb.contract.hyperparameters import Hyperparameter, Hyperparameters
from personalize_nb.contract.recipes import Recipe, names_where
from personalize_nb.errors import Problem

MAX_TRAINING_DAYS = 30
MAX_TRAINING_JOBS, MAX_PARALLEL_TRAINING_JOBS = 40, 10

Fields = Sequence[Mapping[str, Any]]


def problems(
    recipe: Recipe,
    config: Mapping[str, Any],
    schemas: Mapping[str, Fields],
    *,
    incremental: bool = False,
) -> Iterator[Problem]:
    """Yield what of a configuration a recipe cannot follow, but for its hyperparameters.

    Parameters
    ----------
    recipe
        Its row.
    config
        A `solutionConfig` of the right form.
    schemas
        The fields of each dataset's schema by dataset type, in upper case.
    incremental
        Whether the solution asks for `performIncrementalUpdate`.
    """
    threshold = config.get("eventValueThreshold")
    if threshold is not None and not is_number(threshold):
        text = f"eventValueThreshold must be a number in a string, got {threshold!r}."
        yield Problem("eventValueThreshold", text)
    yield from _events(recipe, config)
    if incremental and not recipe.incremental_updates:
        legal = _names(names_where(lambda row: row.incremental_updates))
        text = f"performIncrementalUpdate is for {legal} only, got recipe {recipe.name}."
        yield Problem("performIncrementalUpdate", text)
    yield from column_problems(config.get("trainingDataConfig", {}), schemas)
    schedule = config.get("autoTrainingConfig", {}).get("schedulingExpression")
    if schedule is not None and not 1 <= int(re.sub(r"\D", "", schedule) or 0) <= MAX_TRAINING_DAYS:
        text = f"schedulingExpression must be from rate(1 day) to rate({MAX_TRAINING_DAYS} days), got {schedule!r}."
        yield Problem("autoTrainingConfig", text)


def objective_problems(recipe: Recipe, objective: Mapping[str, Any], columns: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield why a recipe cannot follow an `optimizationObjective`, whatever the columns of its items.

    Parameters
    ----------
    recipe
        Its row.
    objective
        What is to be optimized.
    columns
        The `trainingDataConfig` beside it, which may leave the objective's column out.
    """
    if not objective:
        return
    name = objective.get("itemAttribute")
    if not recipe.objective:
        legal = _names(names_where(lambda row: row.objective))
        text = f"optimizationObjective is for {legal}, got recipe {recipe.name}."
        yield Problem("optimizationObjective", text)
    elif name is None:
        text = "optimizationObjective needs an itemAttribute: a number of the Items dataset."
        yield Problem("optimizationObjective", text)
    else:
        excluded, included = (_of_items(columns.get(f"{what}DatasetColumns", {})) for what in ("excluded", "included"))
        if name in (excluded or ()) or (included is not None and name not in included):
            yield Problem(
                "optimizationObjective",
                f"optimizationObjective needs the column {name} of the items, which trainingDataConfig leaves out of "
                "the training; keep it there, or name another column.",
            )


def _of_items(chosen: Mapping[str, Sequence[str]]) -> Sequence[str] | None:
    """Return the columns of the items in a choice; None where it says nothing of them."""
    return next((columns for kind, columns in chosen.items() if kind.upper() == "ITEMS"), None)


def is_number(text: str) -> bool:
    """Tell whether a text is a number that a comparison can use."""
    try:
        return not math.isnan(float(text))
    except ValueError:
        return False


def _events(recipe: Recipe, config: Mapping[str, Any]) -> Iterator[Problem]:
    if "eventsConfig" not in config:
        return
    if not recipe.events_config:
        legal = _names(names_where(lambda row: row.events_config))
        text = f"eventsConfig is for {legal}; {recipe.name} trains with eventType and eventValueThreshold."
        yield Problem("eventsConfig", text)
    rules = config["eventsConfig"].get("eventParametersList", [])
    named = [rule["eventType"] for rule in rules if "eventType" in rule]
    for name in dict.fromkeys(named):  # of two rules, one would silently not count
        if named.count(name) > 1:
            text = (
                f"eventsConfig has the event type {name!r} {named.count(name)} times; give each event type once, with "
                "one threshold and one weight."
            )
            yield Problem("eventsConfig", text)


def column_problems(config: Mapping[str, Any], schemas: Mapping[str, Fields]) -> Iterator[Problem]:
    """Yield why a choice of training columns does not fit the datasets, or leaves out what every training needs.

    Parameters
    ----------
    config
        A `trainingDataConfig`.
    schemas
        The fields of each dataset's schema; columns of a dataset that is not there yet are not checked.
    """
    member = "trainingDataConfig"
    choices = {name: config.get(name, {}) for name in ("excludedDatasetColumns", "includedDatasetColumns")}
    for name, chosen in choices.items():
        for kind, columns in chosen.items():
            if kind.upper() not in REQUIRED_COLUMNS:
                text = f"{member} has no dataset type {kind!r}; legal: {', '.join(REQUIRED_COLUMNS)}."
                yield Problem(member, text)
            known = [one["name"] for one in schemas.get(kind.upper(), ())]
            for column in columns:
                if known and column not in known:
                    near = difflib.get_close_matches(column.upper(), known, n=1)
                    meant = f" (did you mean {near[0]}?)" if near else ""
                    yield Problem(
                        member,
                        f"{name} names the column {column!r}, which the {kind} dataset does not have{meant}; legal: "
                        f"{', '.join(known)}.",
                    )
    included = {kind.upper(): columns for kind, columns in choices["includedDatasetColumns"].items()}
    for kind, columns in choices["excludedDatasetColumns"].items():
        for column in columns:
            if column in REQUIRED_COLUMNS.get(kind.upper(), ()):
                text = f"The required column {column} of {kind} cannot be excluded from training."
                yield Problem(member, text)
            elif column in included.get(kind.upper(), ()):
                yield Problem(
                    member,
                    f"trainingDataConfig includes and excludes the column {column} of {kind}; name it in one of "
                    "includedDatasetColumns and excludedDatasetColumns.",
                )


def hpo_problems(
    recipe: Recipe, tunable: Hyperparameters, perform: bool, config: Mapping[str, Any]
) -> Iterator[Problem]:
    """Yield why hyperparameters cannot be searched as wanted.

    Parameters
    ----------
    recipe
        What is trained.
    tunable
        What may be searched, with its bounds: the recipe's own, or what DescribeAlgorithm says.
    perform
        Whether the solution asks for `performHPO`.
    config
        Its `hpoConfig`.
    """
    if perform and not tunable:
        able = ", ".join(names_where(lambda row: row.tunable))
        text = f"performHPO is for recipes whose hyperparameters can be tuned ({able}), not for {recipe.name}."
        yield Problem("hpoConfig", text)
    resources = config.get("hpoResourceConfig", {})
    most = {"maxNumberOfTrainingJobs": MAX_TRAINING_JOBS, "maxParallelTrainingJobs": MAX_PARALLEL_TRAINING_JOBS}
    for member, bound in most.items():
        value = resources.get(member, "1")
        if not (re.fullmatch("0*[0-9]{1,9}", value) and 1 <= int(value[-9:]) <= bound):
            text = f"{member} must be a whole number from 1 to {bound} in a string, got {value!r}."
            yield Problem("hpoConfig", text)
    ranges = config.get("algorithmHyperParameterRanges", {})
    entries = [
        (kind, entry)
        for kind in ("integer", "continuous", "categorical")
        for entry in ranges.get(f"{kind}HyperParameterRanges", [])
    ]
    names = [entry.get("name") for _, entry in entries]
    for name in dict.fromkeys(names):
        if name not in tunable:
            legal = f"legal: {', '.join(sorted(tunable))}" if tunable else "none of this recipe can"
            text = f"The hyperparameter {name!r} of {recipe.name} cannot be tuned; {legal}."
            yield Problem("hpoConfig", text)
        elif names.count(name) > 1:
            yield Problem("hpoConfig", f"The hyperparameter {name!r} has more than one range.")
    for kind, entry in entries:
        if entry.get("name") in tunable:
            yield from _range(kind, entry, tunable[entry["name"]])


def _range(kind: str, entry: Mapping[str, Any], hyperparameter: Hyperparameter) -> Iterator[Problem]:
    name = entry["name"]
    if hyperparameter.kind != kind:
        text = f"{name} is in {kind}HyperParameterRanges; it belongs into {hyperparameter.kind}HyperParameterRanges."
        yield Problem("hpoConfig", text)
    elif kind == "categorical":
        if not entry.get("values"):
            yield Problem("hpoConfig", f"The range of {name} has no values.")
        for text in entry.get("values", ()):
            try:
                hyperparameter.parse(name, text)
            except ValueError as error:
                yield Problem("hpoConfig", str(error))
    else:
        least, most = hyperparameter.low, hyperparameter.high
        low, high = entry.get("minValue", least), entry.get("maxValue", most)
        if not least <= low <= high <= most:
            text = f"The range of {name} must lie within {least:g} to {most:g}, got {low:g} to {high:g}."
            yield Problem("hpoConfig", text)


def _names(names: Sequence[str]) -> str:
    return " and ".join(names)
