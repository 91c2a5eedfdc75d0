"""What solutions say about hyperparameter optimization: names that can be tuned, ranges within the legal ones.

hpoObjective is accepted and has no effect, as on AWS. performHPO is refused for recipes without anything to tune
(AWS tunes the -v2 recipes by itself, at automatic trainings).
"""

from __future__ import annotations

from typing import Any

from personalize_nb.local.errors import WorkError
from personalize_nb.local.personalize.operations.control import invalid
from personalize_nb.local.recipes.hyperparameters import PARAMETERS, Parameter

MAX_TRAINING_JOBS, MAX_PARALLEL_TRAINING_JOBS = 40, 10
_KINDS = {"integerHyperParameterRanges": int, "continuousHyperParameterRanges": float}


def check_hpo(recipe: str, perform: bool, config: dict[str, Any]) -> None:
    """Refuse a request for HPO, or its configuration, that the recipe cannot follow."""
    tunable = {name: parameter for name, parameter in PARAMETERS.get(recipe, {}).items() if parameter.tunable}
    if perform and not tunable:
        able = ", ".join(name for name, known in PARAMETERS.items() if any(entry.tunable for entry in known.values()))
        raise invalid(f"performHPO is for recipes whose hyperparameters can be tuned ({able}), not for {recipe}.")
    resources = config.get("hpoResourceConfig", {})
    for key, most in (
        ("maxNumberOfTrainingJobs", MAX_TRAINING_JOBS),
        ("maxParallelTrainingJobs", MAX_PARALLEL_TRAINING_JOBS),
    ):
        value = resources.get(key, "1")
        if not value.isdecimal() or not 1 <= int(value) <= most:
            raise invalid(f"{key} must be a whole number from 1 to {most} in a string, got {value!r}.")
    ranges = config.get("algorithmHyperParameterRanges", {})
    names = [entry.get("name") for entries in ranges.values() for entry in entries]
    for name in names:
        if name not in tunable:
            legal = ", ".join(sorted(tunable)) or "none"
            raise invalid(f"The hyperparameter {name!r} of {recipe} cannot be tuned; legal: {legal}.")
        if names.count(name) > 1:
            raise invalid(f"The hyperparameter {name!r} has more than one range.")
    for entry in ranges.get("categoricalHyperParameterRanges", ()):
        _check_choices(entry, tunable[entry["name"]])
    for member, kind in _KINDS.items():
        for entry in ranges.get(member, ()):
            _check_range(member, kind, entry, tunable[entry["name"]])


def _check_choices(entry: dict[str, Any], parameter: Parameter) -> None:
    if not entry.get("values"):
        raise invalid(f"The range of {entry['name']} has no values.")
    for text in entry["values"]:
        try:
            parameter.parse(entry["name"], text)
        except WorkError as error:
            raise invalid(error.reason) from error


def _check_range(member: str, kind: type, entry: dict[str, Any], parameter: Parameter) -> None:
    name = entry["name"]
    if type(parameter.default) is not kind:
        fitting = {int: "integer", float: "continuous", bool: "categorical"}[type(parameter.default)]
        raise invalid(f"{name} is in {member}; it belongs into {fitting}HyperParameterRanges.")
    low, high = entry.get("minValue", parameter.low), entry.get("maxValue", parameter.high)
    if not parameter.low <= low <= high <= parameter.high:
        raise invalid(
            f"The range of {name} must lie within {parameter.low:g} to {parameter.high:g}, got {low:g} to {high:g}."
        )
