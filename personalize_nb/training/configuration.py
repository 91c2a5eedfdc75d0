"""The form of a training's configuration: `solutionConfig` in the API's spelling, all numbers as the texts it wants.

What the API's model says of its members is judged here; what a recipe can follow, in `contract.solution_config` and
`hyperparameters`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from personalize_nb import errors
from personalize_nb.contract import limits, releases

MEMBER = "algorithmHyperParameters"
_TOLD = {
    "performHPO": "it is sent by itself where 'hpoConfig' is given, and {'hpoConfig': {}} searches all there is",
    "performAutoML": "train takes one recipe",
    "performAutoTraining": "train trains once",
    "eventType": "pnb.train takes it as event_type='...'",
    "recipeArn": "pnb.train takes it as recipe='...'",
}


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
    inner = config.get(MEMBER)
    if inner is None or isinstance(inner, Mapping):
        values = {str(key): _text(value) for key, value in {**(inner or {}), **(given or {})}.items()}
        config |= {MEMBER: values} if values else {}
    shape = limits.service_model().operation_model("CreateSolution").input_shape.members["solutionConfig"]
    config = {name: _spelled(value, shape.members.get(name)) for name, value in config.items()}
    report = botocore.validate.ParamValidator().validate(config, shape)
    wrong = list(releases.too_new("CreateSolution", {"solutionConfig": config}))
    wrong = wrong or ([report.generate_report(), *_unknown(config, shape)] if report.has_errors() else [])
    wrong = wrong or list(_beyond(config, shape, ""))
    if wrong:
        told = "\n".join(wrong)
        raise errors.InputError(f"'solution_config' is no solutionConfig of CreateSolution: {told}")
    return config


def _spelled(value: Any, shape: Any) -> Any:
    """Return a value with the numbers in it as texts, where the API wants texts."""
    kind = getattr(shape, "type_name", None)
    if kind == "string":
        return _text(value)
    if kind == "structure" and isinstance(value, Mapping):
        return {name: _spelled(inner, shape.members.get(name)) for name, inner in value.items()}
    if kind == "map" and isinstance(value, Mapping):
        return {str(name): _spelled(inner, shape.value) for name, inner in value.items()}
    if kind == "list" and isinstance(value, (list, tuple)):
        return [_spelled(inner, shape.member) for inner in value]
    return value


def _unknown(value: Any, shape: Any) -> Iterator[str]:
    """Yield what unknown members may have been meant as, at any depth."""
    if shape.type_name == "structure" and isinstance(value, Mapping):
        for name, inner in value.items():
            if name in shape.members:
                yield from _unknown(inner, shape.members[name])
                continue
            folded = {one.lower(): one for one in shape.members}
            near = difflib.get_close_matches(str(name).replace("_", "").lower(), folded, n=1)
            if name in _TOLD:
                yield f"{name!r}: {_TOLD[name]}."
            elif near:
                yield f"Did you mean {folded[near[0]]!r} by {name!r}?"
    elif shape.type_name == "map" and isinstance(value, Mapping):
        for inner in value.values():
            yield from _unknown(inner, shape.value)
    elif shape.type_name == "list" and isinstance(value, (list, tuple)):
        for inner in value:
            yield from _unknown(inner, shape.member)


def _beyond(value: Any, shape: Any, path: str) -> Iterator[str]:
    """Yield values that the model's bounds, patterns and lists of legal values exclude; botocore sends them all."""
    most, least = shape.metadata.get("max"), shape.metadata.get("min")
    if shape.type_name == "structure":
        for name, inner in value.items():
            yield from _beyond(inner, shape.members[name], f"{path}.{name}".lstrip("."))
    elif shape.type_name == "map":
        yield from _too_many(value, most, path)
        for name, inner in value.items():
            yield from _beyond(name, shape.key, f"{path} (its key {name!r})")
            yield from _beyond(inner, shape.value, f"{path}.{name}")
    elif shape.type_name == "list":
        yield from _too_many(value, most, path)
        for place, inner in enumerate(value):
            yield from _beyond(inner, shape.member, f"{path}[{place}]")
    elif shape.type_name == "string":
        yield from _text_beyond(value, shape, path)
    elif (least is not None and value < least) or (most is not None and value > most):
        bounds = (("at least", least), ("at most", most))
        legal = " and ".join(f"{word} {bound}" for word, bound in bounds if bound is not None)
        yield f"{path} must be {legal}, got {value!r}."


def _text_beyond(value: str, shape: Any, path: str) -> Iterator[str]:
    rule = limits.string_rule(shape.name)
    if rule.values and value not in rule.values:
        yield f"{path} must be one of {', '.join(rule.values)}, got {value!r}."
    elif not rule.allows(value):
        bound = f", of {rule.min_length} to {rule.max_length} characters" if rule.max_length is not None else ""
        pattern = f" of the pattern {rule.pattern}" if rule.pattern else ""
        yield f"{path} must be a text{pattern}{bound}, got {value[:80]!r}."


def _too_many(value: Any, most: int | None, path: str) -> Iterator[str]:
    if most is not None and len(value) > most:
        yield f"{path} may have {most} entries, got {len(value)}."


def _text(value: Any) -> Any:
    """Return a value as the API spells it; `None` and what holds several values stay, for the model to refuse."""
    if value is None or isinstance(value, (list, tuple, dict, set, bytes)):
        return value
    text = str(value)
    return text.lower() if text in ("True", "False") else text
