"""Filters by name: create, find, list, their placeholders, and values quoted as a batch line wants them.

AWS wants each value of a placeholder inside escaped double quotes, comma separated, in one string. Nobody should
write that by hand: `quoted(["comedy", "drama"])` is the whole rule.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from personalize_nb import errors
from personalize_nb.contract.job_kinds import INFERENCE, SEGMENTS
from personalize_nb.resources.solutions import SolutionVersion, find_solution_version
from personalize_nb.resources.value_texts import texts
from personalize_nb.session import creating, waiting
from personalize_nb.session.connection import current
from personalize_nb.session.progress import Progress, choose
from personalize_nb.session.session import Session
from personalize_nb.text.elements import is_list
from personalize_nb.text.public import public
from personalize_nb.text.values import missing

if TYPE_CHECKING:
    import pandas as pd

_PLACEHOLDER = re.compile(r"\$([A-Za-z0-9_]+)")
# a placeholder beside <, <=, > or >=; = and IN take text as well
_ORDERED = re.compile(r"[<>]=?\s*[\"']?\$([A-Za-z0-9_]+)")
_FIELD = re.compile(r"(?i)\b(Items|Interactions|Users|CurrentUser)\s*\.\s*([A-Za-z_]\w*)")
_STRINGS = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'")
_PART = r"\"(?:[^\"\\]|\\.)*\""
_READY = re.compile(rf"\s*{_PART}(?:\s*,\s*{_PART})*\s*", re.DOTALL)


def quoted(value: object) -> str | None:
    """Return filter values as the one string a batch line holds, or None for a missing value.

    Parameters
    ----------
    value
        A text, number, bool, date or a list of them. A text alone, `"Action|Comedy"`, is two values, as in Amazon's
        data, and one that is quoted already is kept; in a list each text is one value exactly as it is.

    Raises
    ------
    InputError
        It is of another type, or infinite.

    Examples
    --------
    >>> quoted(["comedy", "drama"])
    '"comedy","drama"'
    >>> quoted(9.0)
    '"9"'
    >>> quoted(["rock|pop", "Paris, London"])
    '"rock|pop","Paris, London"'
    """
    if isinstance(value, str):
        if _READY.fullmatch(value):
            return value
        parts = [part.strip() for part in value.split("|")] if "|" in value else texts(value)
    else:
        parts = texts(value)
    return ",".join(f'"{_escaped(text)}"' for text in parts if text) or None


def values(text: str) -> list[str]:
    r"""Return the values of a quoted string; a text that is not quoted is the only one.

    Examples
    --------
    >>> values('"comedy","rock|pop"')
    ['comedy', 'rock|pop']
    """
    if not _READY.fullmatch(text):
        return [text] if text else []
    return [re.sub(r"\\(.)", r"\1", part[1:-1], flags=re.DOTALL) for part in re.findall(_PART, text, re.DOTALL)]


def unquoted(text: str) -> str:
    r"""Return the values of a quoted string, joined by `|` as Amazon's data joins them.

    Where that would be read as other values, the text stays as it is.

    Examples
    --------
    >>> unquoted('"comedy","drama"')
    'comedy|drama'
    >>> unquoted('"rock|pop"')
    '"rock|pop"'
    """
    parts = values(text)
    joined = "|".join(parts)
    return joined if values(quoted(joined) or "") == parts else text


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def lacks_parts(value: Any) -> bool:
    """Tell a list in which a value is missing or empty; it is left out."""
    if isinstance(value, str) or not is_list(value):
        return False
    return any(missing(one) or (isinstance(one, str) and not one) for one in value)


def placeholders(expression: str) -> tuple[str, ...]:
    """Return the names of an expression's placeholders, in order, without the `$`.

    Examples
    --------
    >>> placeholders('INCLUDE ItemID WHERE Items.GENRE IN ($GENRE) AND Items.PRICE <= $PRICE')
    ('GENRE', 'PRICE')
    """
    return tuple(dict.fromkeys(_PLACEHOLDER.findall(_bare(expression))))


def number_placeholders(expression: str) -> tuple[str, ...]:
    """Return the placeholders that stand for one number, because `<`, `<=`, `>` or `>=` compares with them.

    Examples
    --------
    >>> number_placeholders('INCLUDE ItemID WHERE Items.GENRE IN ($GENRE) AND Items.PRICE <= $PRICE')
    ('PRICE',)
    """
    return tuple(dict.fromkeys(_ORDERED.findall(_bare(expression))))


def fields(expression: str) -> tuple[tuple[str, str], ...]:
    """Return dataset and column of each field of an expression, in upper case and in order.

    Examples
    --------
    >>> fields('INCLUDE ItemID WHERE Items.GENRE IN ($GENRE) IF CurrentUser.AGE > 17')
    (('ITEMS', 'GENRE'), ('USERS', 'AGE'))
    """
    found = ((kind.upper(), column.upper()) for kind, column in _FIELD.findall(_bare(expression)))
    return tuple(dict.fromkeys(("USERS" if kind == "CURRENTUSER" else kind, column) for kind, column in found))


def targets(expression: str) -> frozenset[str]:
    """Return what a filter chooses from: `items`, `users` or `actions`.

    Examples
    --------
    >>> sorted(targets('EXCLUDE UserID WHERE Users.AGE < 18'))
    ['users']
    """
    found = re.findall(r"(?i)\b(?:INCLUDE|EXCLUDE)\s+(Item|User|Action)ID\b", _bare(expression))
    return frozenset(f"{one.lower()}s" for one in found)


def uses_events(expression: str) -> bool:
    """Tell whether a filter looks at what users did.

    Examples
    --------
    >>> uses_events('EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("read")')
    True
    """
    return re.search(r"(?i)\binteractions\s*\.", _bare(expression)) is not None


def _bare(expression: str) -> str:
    """Return an expression without its texts; one that is just a placeholder stays: AWS writes `("$CATEGORY")` too."""
    return _STRINGS.sub(lambda found: found[0] if _PLACEHOLDER.fullmatch(found[0][1:-1]) else '""', expression)


def required_placeholders(expression: str) -> tuple[str, ...]:
    """Return the placeholders that every line must fill: those of the INCLUDE parts."""
    parts = re.split(r"(?i)(?=\b(?:INCLUDE|EXCLUDE)\s+(?:Item|User|Action)ID\b)", expression)
    needed = (name for part in parts if part.upper().startswith("INCLUDE") for name in placeholders(part))
    return tuple(dict.fromkeys(needed))


@public
@dataclass(frozen=True)
class Filter:
    """A filter of the service: pass it, its name or its ARN to `pnb.recommend(..., filter=...)` or `pnb.segments`."""

    name: str
    arn: str
    expression: str
    status: str
    dataset_group_arn: str = field(repr=False, default="")

    @property
    def placeholders(self) -> tuple[str, ...]:
        """Names to give values for, without the `$`."""
        return placeholders(self.expression)

    @property
    def required(self) -> tuple[str, ...]:
        """The placeholders that must have a value on every line."""
        return required_placeholders(self.expression)

    @property
    def numbers(self) -> tuple[str, ...]:
        """The placeholders whose value must be one number."""
        return number_placeholders(self.expression)

    def __repr__(self) -> str:
        values = f", filter_values={{{', '.join(f'{name!r}: ...' for name in self.placeholders)}}}"
        call = (SEGMENTS if targets(self.expression) == {SEGMENTS.filtered} else INFERENCE).call
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

    Raises
    ------
    AlreadyExistsError
        The name is taken by a filter with another expression.
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

    Raises
    ------
    NotFoundError
        There is none of that name; the message names near ones.
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
    """Return all filters of the account and region: name, status, expression, placeholders, creation time."""
    from personalize_nb.text.listings import Listing

    session = current(session)
    rows = []
    for entry in session.pages("list_filters", "Filters"):
        expression = _described(entry["filterArn"], session)["filterExpression"]
        names = ", ".join(placeholders(expression))
        rows.append((entry["name"], entry["status"], expression, names, entry["creationDateTime"]))
    return Listing(rows, columns=["name", "status", "expression", "placeholders", "created"])


def _described(arn: str, session: Session) -> dict[str, Any]:
    described: dict[str, Any] = session.call("describe_filter", filterArn=arn)["filter"]
    return described


def _group_arn(solution_version: SolutionVersion | str, session: Session) -> str:
    if isinstance(solution_version, str) and ":dataset-group/" in solution_version:
        return solution_version
    return find_solution_version(solution_version, session).dataset_group_arn
