"""The table of AWS's errors as a whole: looked up by code, by exception and by reason, and written as a page.

The words of a message count more than a code that says little, and less than one that says all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from personalize_nb import errors
from personalize_nb.session.aws_errors import AFTER, ASSUMING, BEFORE, LOGIN_CALLS
from personalize_nb.session.explanation import Explanation, first
from personalize_nb.session.failure_texts import TEXTS

TABLE = (*BEFORE, *TEXTS, *AFTER)
ON_THE_WAY = frozenset((*ASSUMING, *LOGIN_CALLS))


def of_call(names: Sequence[str], text: str, call: str) -> Explanation | None:
    """Return the row about a call that failed, or None; parameters as for `first`."""
    return first(TABLE, names, text, call)


def of_reason(reason: str) -> Explanation | None:
    """Return the row about a `failureReason`, or None."""
    return first(TEXTS, (), reason)


def told(reason: str | None) -> str:
    """Return a `failureReason` as AWS wrote it, with its cause and the next step where they are known.

    Examples
    --------
    >>> told("Nobody knows this.")
    'Nobody knows this.'
    >>> told("Invalid Data location.")
    "Invalid Data location. There is no file at the address of the import, or the address is wrong. Look at ..."
    >>> told(None)
    'the service gave no reason'
    """
    if not reason:
        return "the service gave no reason"
    row = of_reason(reason)
    return reason if row is None else sentences(reason, row.cause, row.step)


def sentences(text: str, *more: str) -> str:
    """Return a text with sentences behind it."""
    end = "" if text.endswith((".", "!", "?", "]", ")")) else "."
    return " ".join([text + end, *more])


def passes(error: errors.PersonalizeError) -> bool:
    """Tell an error that may pass (throttling, a lost connection, credentials that are renewed) from one that stays."""
    if error.transient is not None:
        return error.transient
    if isinstance(error, (errors.CredentialsError, errors.QuotaError)):
        return True
    row = first(TABLE, [error.code]) if error.code else None
    return row is not None and row.passes


def page() -> Iterator[str]:
    """Yield the lines of the table as a page shows it."""
    yield "| code, exception or words | error | what it comes from | what to do | passes |"
    yield "|---|---|---|---|---|"
    for row in TABLE:
        known = [f"`{name}`" for name in row.names]
        known += [f"of {', '.join(row.calls)}"] if row.calls else []
        known += [f"with `{row.text}`" if known else f"`{row.text}`"] if row.text else []
        cells = (" ".join(known), row.becomes.__name__, row.cause, row.step, "yes" if row.passes else "")
        yield "| " + " | ".join(_cell(cell) for cell in cells) + " |"


def _cell(text: str) -> str:
    for name, shown in _SHOWN.items():
        text = text.replace(f"{{{name}}}", shown)
    return text.replace("|", r"\|")


# what stands on the page where the message has what is so on this machine
_SHOWN = {
    "sso_login": "`aws sso login --profile NAME`",
    "aws_login": "`aws login --profile NAME`",
    "renewal": "as their source wants it, such as `aws sso login --profile NAME`",
    "proxies": "the proxy (`HTTPS_PROXY`)",
    "files": "`~/.aws/config`, `~/.aws/credentials`",
    "skew": "",
    "action": "the right to the call",
    "region": "of the session",
    "regions": "those that have it",
}
