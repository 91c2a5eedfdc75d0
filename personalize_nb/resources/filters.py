"""Filters by name: create, find, list, and what is known of one."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from personalize_nb import errors
from personalize_nb.contract.job_kinds import INFERENCE, SEGMENTS
from personalize_nb.resources import filter_texts
from personalize_nb.resources.solutions import SolutionVersion, find_solution_version
from personalize_nb.session import creating, waiting
from personalize_nb.session.connection import current
from personalize_nb.session.progress import Progress, choose
from personalize_nb.session.session import Session
from personalize_nb.text.public import public

if TYPE_CHECKING:
    import pandas as pd


@public
@dataclass(frozen=True)
class Filter:
    """A filter of the service: pass it, its name or its ARN to `pnb.recommend(..., filter=...)` or `pnb.segments`.

    Parameters
    ----------
    name, arn
        What it is called.
    expression
        What it says, in Amazon's language of filters.
    status
        `ACTIVE` when it can be used.
    dataset_group_arn
        The data that it filters.

    References
    ----------
    Amazon Personalize: CreateFilter, DescribeFilter; "Filter expressions" of its developer guide.

    Examples
    --------
    >>> import personalize_nb as pnb
    >>> expression = "INCLUDE ItemID WHERE Items.SUBJECTS IN ($SUBJECT) AND Items.YEAR > $YEAR"
    >>> wanted = pnb.create_filter("of-a-subject", expression, "books", progress=False)
    >>> wanted.placeholders, wanted.required, wanted.numbers
    (('SUBJECT', 'YEAR'), ('SUBJECT', 'YEAR'), ('YEAR',))
    """

    name: str
    arn: str
    expression: str
    status: str
    dataset_group_arn: str = field(repr=False, default="")

    @property
    def placeholders(self) -> tuple[str, ...]:
        """Names to give values for, without the `$`."""
        return filter_texts.placeholders(self.expression)

    @property
    def required(self) -> tuple[str, ...]:
        """The placeholders that must have a value on every line."""
        return filter_texts.required_placeholders(self.expression)

    @property
    def numbers(self) -> tuple[str, ...]:
        """The placeholders whose value must be one number."""
        return filter_texts.number_placeholders(self.expression)

    def __repr__(self) -> str:
        values = f", filter_values={{{', '.join(f'{name!r}: ...' for name in self.placeholders)}}}"
        call = (SEGMENTS if filter_texts.targets(self.expression) == {SEGMENTS.filtered} else INFERENCE).call
        step = f"{call}(..., filter={self.name!r}{values if self.placeholders else ''})"
        return f"<Filter {self.name} {self.status}: {step}>"


@public
def create_filter(
    name: str,
    expression: str,
    solution_version: SolutionVersion | str,
    *,
    tags: Mapping[str, str] | None = None,
    timeout: float | None = waiting.HOURS,
    progress: Progress | bool | None = None,
    session: Session | None = None,
) -> Filter:
    """Create a filter for the data a solution version was trained on, and wait until it is ACTIVE.

    A filter of that name with the same expression is used as it is.

    Parameters
    ----------
    name
        1 to 63 letters, digits, `-` and `_`; unique in the account and region.
    expression
        For example `INCLUDE ItemID WHERE Items.GENRE IN ($GENRE)`.
    solution_version
        A `SolutionVersion`, a solution's name, or an ARN of a solution version or dataset group.
    tags
        Tags of the filter.
    timeout
        Seconds to wait.
    progress
        False for silence, or a display of your own.
    session
        Where to work; by default the solution version's session, else that of `pnb.connect()`.

    Returns
    -------
    Filter
        The filter, ACTIVE.

    Raises
    ------
    AlreadyExistsError
        The name is taken by a filter with another expression.
    ServiceError
        The service refuses the expression; the message says where it breaks off.
    FailedError, WaitTimeoutError
        It cannot be made, or is not in time.

    References
    ----------
    Amazon Personalize: CreateFilter; "Filter expressions" of its developer guide.

    Examples
    --------
    >>> import personalize_nb as pnb
    >>> pnb.create_filter("modern", "INCLUDE ItemID WHERE Items.YEAR >= 1900", "books", progress=False)
    <Filter modern ACTIVE: pnb.recommend(..., filter='modern')>
    """
    waiting.check_timeout(timeout)
    session = current(session or getattr(solution_version, "session", None))
    group = _group_arn(solution_version, session)
    arn = session.arn("filter", name)
    shown = choose(progress)
    labels = {"tags": [{"tagKey": key, "tagValue": value} for key, value in tags.items()]} if tags else {}
    again = f"pnb.create_filter({name!r}, ...)"
    asked = {"name": name, "datasetGroupArn": group, "filterExpression": expression, **labels}

    def create() -> str:
        return str(session.call("create_filter", **asked)["filterArn"])

    def same() -> dict[str, Any] | None:
        with suppress(errors.NotFoundError):
            known = _described(arn, session)
            if (known["filterExpression"], known["datasetGroupArn"]) == (expression, group):
                return known
        return None

    try:
        creating.made(create, lambda: arn if same() else None, f"making filter {name!r}", again=again)
    except errors.AlreadyExistsError as error:
        if same() is None:
            known = _described(arn, session)
            raise errors.AlreadyExistsError(
                f"Filter {name!r} exists with another expression or dataset group: {known['filterExpression']}. "
                "Choose another name, or delete that one with session.personalize.delete_filter(filterArn=...)."
            ) from error
        shown.say(f"filter {name!r} exists already with this expression and is used")
    active = waiting.until_active(
        lambda: _described(arn, session),
        f"filter {name!r}",
        arn,
        again=again,
        timeout=timeout,
        progress=shown,
        pace=session.pace,
    )
    return _filter(active)


@public
def find_filter(name: Filter | str, session: Session | None = None) -> Filter:
    """Return a filter by name or ARN.

    Parameters
    ----------
    name
        A filter's name or ARN.
    session
        Where to look; by default the session of `pnb.connect()`.

    Returns
    -------
    Filter
        The filter; where `name` is one already, itself.

    Raises
    ------
    NotFoundError
        There is none of that name; the message names near ones.

    References
    ----------
    Amazon Personalize: DescribeFilter.

    Examples
    --------
    >>> import personalize_nb as pnb
    >>> pnb.find_filter("unread").expression
    'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("read")'
    """
    if isinstance(name, Filter):
        return name
    if not isinstance(name, str):
        raise errors.ArgumentError(f"a filter is a Filter, a name or an ARN, got {type(name).__name__}")
    session = current(session)
    arn = name if name.startswith("arn:") else session.arn("filter", name)
    try:
        known = _described(arn, session)
    except errors.NotFoundError as error:
        names = session.names("list_filters", "Filters")
        raise errors.NotFoundError(
            f"There is no filter {name!r}{errors.there_is(name, names)}"
            " pnb.create_filter(name, expression, solution_version) makes one."
        ) from error
    return _filter(known)


def _filter(known: Mapping[str, Any]) -> Filter:
    return Filter(
        known["name"], known["filterArn"], known["filterExpression"], known["status"], known["datasetGroupArn"]
    )


@public
def list_filters(session: Session | None = None) -> pd.DataFrame:
    """Return all filters of the account and region, newest first.

    Parameters
    ----------
    session
        Where to look; by default the session of `pnb.connect()`.

    Returns
    -------
    pandas.DataFrame
        Columns `name`, `status`, `expression`, `placeholders`, `created` (UTC).

    Raises
    ------
    AccessError
        They may not be listed.

    References
    ----------
    Amazon Personalize: ListFilters, DescribeFilter.

    Examples
    --------
    >>> import personalize_nb as pnb
    >>> pnb.list_filters().set_index("name").loc["unread", "status"]
    'ACTIVE'
    """
    from personalize_nb.text.listings import Listing

    session = current(session)
    rows = []
    for entry in session.pages("list_filters", "Filters"):
        expression = _described(entry["filterArn"], session)["filterExpression"]
        names = ", ".join(filter_texts.placeholders(expression))
        rows.append((entry["name"], entry["status"], expression, names, entry["creationDateTime"]))
    return Listing(rows, columns=["name", "status", "expression", "placeholders", "created"])


def _described(arn: str, session: Session) -> dict[str, Any]:
    described: dict[str, Any] = session.call("describe_filter", filterArn=arn)["filter"]
    return described


def _group_arn(solution_version: SolutionVersion | str, session: Session) -> str:
    if isinstance(solution_version, str) and ":dataset-group/" in solution_version:
        return solution_version
    return find_solution_version(solution_version, session).dataset_group_arn
