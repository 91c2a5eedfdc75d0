"""A training's configuration, checked before anything is made: names, ranges, the form of `solutionConfig`.

An import costs minutes at AWS, and a solution is refused only after it. So what DescribeAlgorithm tells of a recipe's
hyperparameters is asked first; those it gives no range for are left to the service.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from personalize_nb import errors
from personalize_nb.contract import limits
from personalize_nb.session.session import Session

_MEMBER = "algorithmHyperParameters"


def configuration(given: Mapping[str, Any] | None, solution_config: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return `solutionConfig` with the hyperparameters in it, all values as the texts that the API wants.

    Parameters
    ----------
    given
        Hyperparameters as the user writes them: numbers, truth values, texts.
    solution_config
        The rest of it, in the API's spelling; it may hold hyperparameters as well.

    Raises
    ------
    InputError
        The API's model knows no such configuration.
    """
    import botocore.validate

    config = dict(solution_config or {})
    inner = config.get(_MEMBER)
    if inner is None or isinstance(inner, Mapping):
        values = {str(key): _text(value) for key, value in {**(inner or {}), **(given or {})}.items()}
        config |= {_MEMBER: values} if values else {}
    shape = limits.service_model().operation_model("CreateSolution").input_shape.members["solutionConfig"]
    report = botocore.validate.ParamValidator().validate(config, shape)
    if report.has_errors():
        raise errors.InputError(f"'solution_config' is no solutionConfig of CreateSolution: {report.generate_report()}")
    return config


def check(session: Session, recipe: str, config: Mapping[str, Any]) -> None:
    """Refuse hyperparameters that the recipe's algorithm does not have, and values outside of their range.

    Parameters
    ----------
    session
        Where DescribeAlgorithm is asked; where it may not be, the service judges later.
    recipe
        The recipe's name.
    config
        What `configuration` returned.

    Raises
    ------
    InputError
        Every wrong name and value, with what is legal.
    """
    given = config.get(_MEMBER)
    if not given:
        return
    try:
        described = _algorithm(session, recipe)
    except (errors.AccessError, errors.NotFoundError):
        return
    known = sorted(described.get("defaultHyperParameters", {}))
    unknown = sorted(set(given) - set(known))
    if known and unknown:
        raise errors.InputError(f"{recipe} has no hyperparameter {unknown}; it has {known}.")
    legal = {
        entry["name"]: (kind.removesuffix("HyperParameterRanges"), entry)
        for kind, entries in described.get("defaultHyperParameterRanges", {}).items()
        for entry in entries
    }
    wrong = [
        f"Hyperparameter {name!r} of {recipe} must be {_told(*legal[name])}, got {text!r}."
        for name, text in given.items()
        if name in legal and not _within(text, *legal[name])
    ]
    if wrong:
        raise errors.InputError("\n".join(wrong))


def _algorithm(session: Session, recipe: str) -> Mapping[str, Any]:
    arn = f"arn:{session.partition}:personalize:::recipe/{recipe}"
    algorithm = session.call("describe_recipe", recipeArn=arn)["recipe"].get("algorithmArn")
    return session.call("describe_algorithm", algorithmArn=algorithm)["algorithm"] if algorithm else {}


def _within(text: str, kind: str, entry: Mapping[str, Any]) -> bool:
    if kind == "categorical":
        return text.lower() in [value.lower() for value in entry["values"]]
    try:
        value = int(text) if kind == "integer" else float(text)
    except ValueError:
        return False
    return bool(entry["minValue"] <= value <= entry["maxValue"])


def _told(kind: str, entry: Mapping[str, Any]) -> str:
    if kind == "categorical":
        return f"one of {', '.join(entry['values'])}"
    number = "a whole number" if kind == "integer" else "a number"
    return f"{number} from {entry['minValue']:g} to {entry['maxValue']:g}"


def _text(value: Any) -> Any:
    """Return a value as the API spells it; `None` and what holds several values stay, for the model to refuse."""
    if value is None or isinstance(value, (list, tuple, dict, set)):
        return value
    text = str(value)
    return text.lower() if text in ("True", "False") else text
