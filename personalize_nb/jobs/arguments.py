"""The arguments of `pnb.recommend`, for all calls that take the same: `themes`, `preflight` and the job form.

Type checkers read them in the TypedDicts below; `help`, `inspect.signature` and completion in notebooks see them
because the signatures are made of these and the table of parameters.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ForwardRef, TypedDict, TypeVar, cast

from personalize_nb.contract import parameters

if TYPE_CHECKING:
    from personalize_nb.inputs.filter_columns import FilterValues
    from personalize_nb.resources.filters import Filter

_F = TypeVar("_F", bound=Callable[..., Any])


class ThemeParameters(TypedDict, total=False):
    """What `recommend` takes beside data, model and session, where the mode is settled."""

    num_results: int | None
    filter: Filter | str | None
    filter_values: FilterValues | None
    job_name: str | None
    exploration_weight: float | None
    exploration_item_age_cut_off: float | None
    ranking_influence: Mapping[str, float] | None
    item_name: str | None
    tags: Mapping[str, str] | None
    role_arn: str | None
    output: str | None
    input_kms_key_arn: str | None
    output_kms_key_arn: str | None
    at_once: int
    max_cost: float | None


class JobParameters(ThemeParameters, total=False):
    """What `recommend` takes beside data, model and session."""

    mode: str


def job_parameters(arguments: Mapping[str, Any]) -> JobParameters:
    """Return those of some arguments that are parameters of a job."""
    return cast(JobParameters, {name: arguments[name] for name in arguments if name in JobParameters.__annotations__})


def with_parameters(shape: type[ThemeParameters]) -> Callable[[_F], _F]:
    """Let a signature that ends in `**parameters: Unpack[shape]` show each of them, with its default."""
    annotations: dict[str, ForwardRef] = shape.__annotations__
    shown = [
        inspect.Parameter(
            row.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=row.default,
            annotation=annotations[row.name].__forward_arg__,
        )
        for row in parameters.PARAMETERS
        if row.name in annotations
    ]

    def show(function: _F) -> _F:
        signature = inspect.signature(function)
        own = [one for one in signature.parameters.values() if one.kind is not one.VAR_KEYWORD]
        function.__dict__["__signature__"] = signature.replace(parameters=[*own, *shown])
        return function

    return show
