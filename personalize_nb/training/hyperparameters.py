"""A training's hyperparameters, judged before anything is made: names, values, and the ranges that are searched.

An import costs minutes at AWS, and a solution is refused only after it. So what DescribeAlgorithm tells of a recipe's
hyperparameters is asked first. Where that is not possible the developer guide's table counts, and a name that it does
not have is left to the service.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from personalize_nb import errors
from personalize_nb.contract import solution_config
from personalize_nb.contract.hyperparameters import Hyperparameter, Hyperparameters
from personalize_nb.contract.recipes import Recipe
from personalize_nb.errors import Problem
from personalize_nb.session.session import Session
from personalize_nb.training.configuration import MEMBER

_FEATURES = "featureTransformationParameters"


@dataclass(frozen=True)
class Known:
    """What is known of a recipe's hyperparameters.

    Parameters
    ----------
    algorithm
        Those of its algorithm whose values can be judged.
    features
        Those of its feature transformation.
    free
        Names of others.
    complete
        Whether there are no more, because the service said so.
    """

    algorithm: Hyperparameters
    features: Hyperparameters
    free: frozenset[str] = frozenset()
    complete: bool = False

    @property
    def tunable(self) -> Hyperparameters:
        """Those that optimization may search."""
        return {name: one for name, one in self.algorithm.items() if one.tunable}


def known(session: Session | None, recipe: Recipe, config: Mapping[str, Any]) -> Known:
    """Return what the table says of a recipe's hyperparameters, corrected by the service where it may be asked.

    Parameters
    ----------
    session
        Where to ask; None asks nobody.
    recipe
        The recipe.
    config
        The `solutionConfig`; what it does not mention is not asked for.
    """
    table = recipe.hyperparameters
    own = Known(
        {name: one for name, one in table.items() if not one.featurizes},
        {name: one for name, one in table.items() if one.featurizes},
    )
    asked = [member for member in (MEMBER, "hpoConfig", _FEATURES) if member in config]
    if session is None or not asked:
        return own
    try:
        arn = f"arn:{session.partition}:personalize:::recipe/{recipe.name}"
        described = session.call("describe_recipe", recipeArn=arn)["recipe"]
        if asked != [_FEATURES] and "algorithmArn" in described:
            answer = session.call("describe_algorithm", algorithmArn=described["algorithmArn"])["algorithm"]
            own = _corrected(own, answer)
        unknown = [name for name in config.get(_FEATURES, {}) if name not in own.features]
        arn = described.get("featureTransformationArn")
        if unknown and arn:
            answer = session.call("describe_feature_transformation", featureTransformationArn=arn)
            more = answer["featureTransformation"].get("defaultParameters", {})
            own = replace(own, free=own.free | set(more))
    except errors.PersonalizeError:  # not allowed, not reachable: what it would say, it says again later
        return own
    return own


def problems(recipe: Recipe, config: Mapping[str, Any], facts: Known) -> Iterator[Problem]:
    """Yield hyperparameters that the recipe does not have, and values outside of their range.

    Parameters
    ----------
    recipe
        The recipe.
    config
        What `configuration` returned.
    facts
        What `known` returned.
    """
    given = config.get(MEMBER, {})
    unknown = sorted(name for name in given if name not in facts.algorithm and name not in facts.free)
    if unknown and facts.complete:
        legal = sorted({*facts.algorithm, *facts.free})
        yield Problem("hyperparameters", f"{recipe.name} has no hyperparameter {unknown}; it has {legal}.")
    yield from _wrong(recipe, given, facts.algorithm, "Hyperparameter", "hyperparameters")
    features = config.get(_FEATURES, {})
    unknown = sorted(name for name in features if name not in facts.features and name not in facts.free)
    if unknown:
        has = f"it has {sorted(facts.features)}" if facts.features else "it has none"
        text = f"{recipe.name} has no feature transformation parameter {unknown}; {has}."
        yield Problem(_FEATURES, text)
    yield from _wrong(recipe, features, facts.features, "Feature transformation parameter", _FEATURES)
    yield from solution_config.hpo_problems(recipe, facts.tunable, "hpoConfig" in config, config.get("hpoConfig", {}))


def _wrong(
    recipe: Recipe, given: Mapping[str, str], legal: Hyperparameters, noun: str, field: str
) -> Iterator[Problem]:
    for name, text in given.items():
        if name in legal and not _within(text, name, legal[name]):
            told = f"{noun} {name!r} of {recipe.name} must be {_told(legal[name])}, got {text!r}."
            yield Problem(field, told)


def _corrected(table: Known, described: Mapping[str, Any]) -> Known:
    """Return the table's hyperparameters with the ranges and names of DescribeAlgorithm."""
    algorithm = dict(table.algorithm)
    for member, entries in described.get("defaultHyperParameterRanges", {}).items():
        kind = member.removesuffix("HyperParameterRanges")
        for entry in entries:
            algorithm[entry["name"]] = _row(kind, entry, algorithm.get(entry["name"]))
    names = frozenset(described.get("defaultHyperParameters", {}))
    return replace(table, algorithm=algorithm, free=names - set(algorithm), complete=bool(names))


def _row(kind: str, entry: Mapping[str, Any], row: Hyperparameter | None) -> Hyperparameter:
    tunable = bool(entry.get("isTunable")) or (row is not None and row.tunable)
    if kind == "categorical":
        values = tuple(entry.get("values", ()))
        truth = {value.lower() for value in values} == {"true", "false"}
        return Hyperparameter(True if truth else "", choices=() if truth else values, tunable=tunable)
    default = 0 if kind == "integer" else 0.0
    return Hyperparameter(default, entry["minValue"], entry["maxValue"], tunable=tunable)


def _within(text: str, name: str, hyperparameter: Hyperparameter) -> bool:
    try:
        hyperparameter.parse(name, text)
    except ValueError:
        return False
    return True


def _told(hyperparameter: Hyperparameter) -> str:
    if hyperparameter.kind == "categorical":
        return f"one of {', '.join(str(value).lower() for value in hyperparameter.values)}"
    number = "a whole number" if hyperparameter.kind == "integer" else "a number"
    return f"{number} from {hyperparameter.low:g} to {hyperparameter.high:g}"
