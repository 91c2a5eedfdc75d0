"""What solutions say about hyperparameter optimization: names that can be tuned, ranges within the legal ones.

hpoObjective is accepted and has no effect, as on AWS. performHPO is refused for recipes without anything to tune
(AWS tunes the -v2 recipes by itself, at automatic trainings).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from personalize_nb.contract.hyperparameters import Hyperparameter
from personalize_nb.contract.recipes import Recipe, names_where
from personalize_nb.local.http import numbers
from personalize_nb.local.personalize.operations.control import invalid

if TYPE_CHECKING:
    from types_boto3_personalize import type_defs as shapes

MAX_TRAINING_JOBS, MAX_PARALLEL_TRAINING_JOBS = 40, 10


def check_hpo(recipe: Recipe, perform: bool, config: shapes.HPOConfigOutputTypeDef) -> None:
    """Refuse a request for HPO, or its configuration, that the recipe cannot follow."""
    tunable = recipe.tunable
    if perform and not tunable:
        able = ", ".join(names_where(lambda row: row.tunable))
        raise invalid(f"performHPO is for recipes whose hyperparameters can be tuned ({able}), not for {recipe.name}.")
    resources = config.get("hpoResourceConfig", {})
    _check_jobs("maxNumberOfTrainingJobs", resources.get("maxNumberOfTrainingJobs", "1"), MAX_TRAINING_JOBS)
    _check_jobs("maxParallelTrainingJobs", resources.get("maxParallelTrainingJobs", "1"), MAX_PARALLEL_TRAINING_JOBS)
    ranges = config.get("algorithmHyperParameterRanges", {})
    integers = ranges.get("integerHyperParameterRanges", [])
    continuous = ranges.get("continuousHyperParameterRanges", [])
    choices = ranges.get("categoricalHyperParameterRanges", [])
    names = [entry.get("name") for entry in (*integers, *continuous, *choices)]
    for name in names:
        if name not in tunable:
            legal = ", ".join(sorted(tunable)) or "none"
            raise invalid(f"The hyperparameter {name!r} of {recipe.name} cannot be tuned; legal: {legal}.")
        if names.count(name) > 1:
            raise invalid(f"The hyperparameter {name!r} has more than one range.")
    for choice in choices:
        _check_choices(choice, tunable[choice["name"]])
    for integer in integers:
        _check_range("integer", integer, tunable[integer["name"]])
    for number in continuous:
        _check_range("continuous", number, tunable[number["name"]])


def _check_jobs(member: str, value: str, most: int) -> None:
    if not (value.isascii() and value.isdecimal()) or not 1 <= numbers.capped(value) <= most:
        raise invalid(f"{member} must be a whole number from 1 to {most} in a string, got {value!r}.")


def _check_choices(entry: shapes.CategoricalHyperParameterRangeOutputTypeDef, hyperparameter: Hyperparameter) -> None:
    if not entry.get("values"):
        raise invalid(f"The range of {entry['name']} has no values.")
    for text in entry["values"]:
        try:
            hyperparameter.parse(entry["name"], text)
        except ValueError as error:
            raise invalid(str(error)) from error


def _check_range(
    kind: str,
    entry: shapes.IntegerHyperParameterRangeTypeDef | shapes.ContinuousHyperParameterRangeTypeDef,
    hyperparameter: Hyperparameter,
) -> None:
    name = entry["name"]
    if hyperparameter.kind != kind:
        raise invalid(
            f"{name} is in {kind}HyperParameterRanges; it belongs into {hyperparameter.kind}HyperParameterRanges."
        )
    least, most = hyperparameter.low, hyperparameter.high
    low, high = entry.get("minValue", least), entry.get("maxValue", most)
    if not least <= low <= high <= most:
        raise invalid(f"The range of {name} must lie within {least:g} to {most:g}, got {low:g} to {high:g}.")
