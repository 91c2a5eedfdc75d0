"""Every error a user of the toolkit can meet, as one tree.

PersonalizeError
 ├── InputError (ValueError)          a frame or file the job could not use; `.findings` says which rows
 ├── RequestError (ValueError)        a job request that breaks rules; `.problems` lists all of them
 ├── NotFoundError (LookupError)      a resource, object or name that does not exist
 ├── AlreadyExistsError (ValueError)  a name that is taken
 ├── QuotaError (RuntimeError)        a quota of the service is used up for now
 ├── AccessError (PermissionError)    credentials, roles or policies do not allow it
 ├── ServiceError (RuntimeError)      any other refusal by the service; `.code`, `.operation`
 ├── FailedError (RuntimeError)       a resource ended in CREATE FAILED; `.arn`, `.reason`
 ├── WaitTimeoutError (TimeoutError)  waiting ended, the work goes on; `.arn`, `.status`
 └── LocalServiceError (RuntimeError) the embedded service could not start, stop or be reached

Messages say what was wrong, the value received, what is legal and what to do next.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any


class PersonalizeError(Exception):
    """Base of every error raised by the toolkit."""

    def add(self, text: str) -> None:
        """Add to the message what only the caller knows, for example what stays and what to do next."""
        told = str(self)
        self.args = (f"{told}{'' if told.endswith(('.', ']', ')')) else '.'} {text}", *self.args[1:])


class InputError(PersonalizeError, ValueError):
    """A frame or file cannot become job input; nothing was uploaded.

    Parameters
    ----------
    message
        One sentence per kind of fault, with the repair.
    findings
        The faults row by row (a pandas frame with `row`, `column`, `value`, `problem`), where there are rows.
    """

    def __init__(self, message: str, findings: Any = None):
        super().__init__(message)
        self.findings = findings


class RequestError(PersonalizeError, ValueError):
    """A job request breaks rules of the API; nothing was sent. `.problems` lists every one."""

    def __init__(self, problems: Sequence[Any]):
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class NotFoundError(PersonalizeError, LookupError):
    """The named resource, object or column does not exist."""


class AlreadyExistsError(PersonalizeError, ValueError):
    """The name is taken."""


class QuotaError(PersonalizeError, RuntimeError):
    """A quota of the service is used up; try again when other work has ended."""


class AccessError(PersonalizeError, PermissionError):
    """The caller's credentials, the service role or a bucket policy do not allow the call."""


class ServiceError(PersonalizeError, RuntimeError):
    """The service refused a call for another reason; the original is the `__cause__`."""

    def __init__(self, message: str, code: str = "", operation: str = ""):
        super().__init__(message)
        self.code = code
        self.operation = operation


class FailedError(PersonalizeError, RuntimeError):
    """A job or resource ended in `CREATE FAILED`; `.reason` is the service's own text."""

    def __init__(self, message: str, arn: str = "", reason: str = ""):
        super().__init__(message)
        self.arn = arn
        self.reason = reason


class WaitTimeoutError(PersonalizeError, TimeoutError):
    """The wait ended before the work did; the work goes on and can be waited for again."""

    def __init__(self, message: str, arn: str = "", status: str = ""):
        super().__init__(message)
        self.arn = arn
        self.status = status


class LocalServiceError(PersonalizeError, RuntimeError):
    """The embedded service could not be started, stopped or reached."""


def there_is(name: str, names: Sequence[str], most: int = 3) -> str:
    """Return how a sentence "There is no ..." goes on: with the names there are, the nearest first.

    Parameters
    ----------
    name
        The name, or the ARN, that was not found.
    names
        All there are.
    most
        How many of them to list.

    Examples
    --------
    >>> there_is("boks", ["films", "books"]), there_is("boks", ["a", "books", "b"], most=1), there_is("boks", [])
    ("; there is 'books', 'films'.", "; there is 'books', ...", '.')
    """
    near = difflib.get_close_matches(name.rsplit("/", 1)[-1], names, n=most, cutoff=0)
    if not near:
        return "."
    return f"; there is {', '.join(map(repr, near))}{', ...' if len(names) > len(near) else '.'}"
