"""The arguments of `pnb.recommend`, for all calls that take the same: `themes`, `segments`, `preflight`, the job form.

Type checkers read them in the TypedDicts below; `help`, `inspect.signature` and completion in notebooks see them
because the signatures are made of these and the table of parameters.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ForwardRef, TypedDict, TypeVar, cast

from personalize_nb.contract import parameters
from personalize_nb.contract.job_kinds import JobKind
from personalize_nb.errors import ArgumentError, meant

if TYPE_CHECKING:
    from personalize_nb.inputs.filter_columns import FilterValues
    from personalize_nb.resources.filters import Filter
    from personalize_nb.resources.solutions import SolutionVersion

_F = TypeVar("_F", bound=Callable[..., Any])


class SegmentParameters(TypedDict, total=False):
    """What jobs of both kinds take beside data, model and session."""

    num_results: int | None
    filter: Filter | str | Sequence[Filter | str | None] | None
    filter_values: FilterValues | None
    job_name: str | None
    tags: Mapping[str, str] | None
    role_arn: str | None
    output: str | None
    input_kms_key_arn: str | None
    output_kms_key_arn: str | None
    reuse: bool
    max_cost: float | None


class ThemeParameters(SegmentParameters, total=False):
    """What `recommend` takes beside data, model and session, where the mode is settled."""

    exploration_weight: float | None
    exploration_item_age_cut_off: float | None
    ranking_influence: Mapping[str, float] | None
    item_name: str | None
    at_once: int
    max_bytes: int | None
    max_records: int | None
    max_files: int | None


class JobParameters(ThemeParameters, total=False):
    """What `recommend` takes beside data, model and session."""

    mode: str


class RepeatParameters(TypedDict, total=False):
    """What `repeat` takes: what is asked, without the data, of which there are those of the first time."""

    solution_version: SolutionVersion | str
    num_results: int | None
    filter: Filter | str | None
    job_name: str | None
    exploration_weight: float | None
    exploration_item_age_cut_off: float | None
    ranking_influence: Mapping[str, float] | None
    mode: str
    item_name: str | None
    tags: Mapping[str, str] | None
    role_arn: str | None
    output: str | None
    input_kms_key_arn: str | None
    output_kms_key_arn: str | None
    max_cost: float | None


_LINES = "the input stays as it is, with its filter values; pnb.recommend() and pnb.segments() take another one"
_ABSENT = {"data": _LINES, "filter_values": _LINES}  # of what is repeated


def job_parameters(arguments: Mapping[str, Any]) -> JobParameters:
    """Return those of some arguments that are parameters of a job."""
    return cast(JobParameters, {name: arguments[name] for name in arguments if name in JobParameters.__annotations__})


def names_of(kind: JobKind) -> dict[str, str]:
    """Return what the fields of a request of a kind are called in the calls."""
    return {row.attribute: row.name for row in parameters.sent(kind).values()}


def with_parameters(
    shape: type[SegmentParameters] | type[RepeatParameters], *, checked: bool = True
) -> Callable[[_F], _F]:
    """Let a signature that ends in `**parameters: Unpack[shape]` show each of them, with its default, and mean it.

    A keyword that is not shown is refused, as one of a function that names its parameters.

    Parameters
    ----------
    shape
        The parameters.
    checked
        Whether keywords are judged here; False for what judges them itself.
    """
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
    absent = _ABSENT if shape is RepeatParameters else {}

    def show(function: _F) -> _F:
        signature = inspect.signature(function)
        own = [one for one in signature.parameters.values() if one.kind is not one.VAR_KEYWORD]
        legal = [one.name for one in (*own, *shown) if one.name != "self"]
        call = function.__qualname__.removesuffix(".__init__")

        @functools.wraps(function)
        def judging(*args: Any, **given: Any) -> Any:
            check_names(given, call, legal, absent)
            return function(*args, **given)

        made = judging if checked else function
        made.__dict__["__signature__"] = signature.replace(parameters=[*own, *shown])
        return cast(_F, made)

    return show


def check_names(given: Iterable[str], call: str, legal: Sequence[str], absent: Mapping[str, str] | None = None) -> None:
    """Refuse names that are no parameters of a call.

    Parameters
    ----------
    given
        The names.
    call
        What is called.
    legal
        The names there are.
    absent
        Why there are not some that others have.

    Raises
    ------
    ArgumentError
        There is no parameter of this name.
    """
    for name in given:
        if name in legal:
            continue
        if why := (absent or {}).get(name):
            raise ArgumentError(f"{call}() has no parameter {name!r}: {why}")
        raise ArgumentError(f"{call}() has no parameter {name!r}{meant(name, legal)}; legal are {', '.join(legal)}")
