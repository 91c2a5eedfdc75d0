"""Every error a user of the toolkit can meet, as one tree.

PersonalizeError
 ├── InputError (ValueError)          a frame or file the job could not use; `.findings` says which rows
 ├── RequestError (ValueError)        a job request that breaks rules; `.problems` lists all of them
 ├── NotFoundError (LookupError)      a resource, object or name that does not exist
 ├── AlreadyExistsError (ValueError)  a name that is taken
 ├── QuotaError (RuntimeError)        a quota of the service is used up for now
 ├── AccessError (PermissionError)    roles, policies or settings do not allow it
 ├── CredentialsError (PermissionError) AWS credentials have run out, are wrong or are not there
 ├── ServiceError (RuntimeError)      any other refusal by the service; `.code`
 ├── FailedError (RuntimeError)       a resource ended in CREATE FAILED; `.arn`, `.reason`
 ├── WaitTimeoutError (TimeoutError)  waiting ended, the work goes on; `.arn`, `.status`
 └── LocalServiceError (RuntimeError) the embedded service could not start, stop or be reached

Messages say what was wrong, the value received, what is legal and what to do next. An error that a call ended in
has its `.operation`, AWS's `.code` and `.request_id`, and its message ends with that id: AWS's support asks for it.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    import pandas as pd

ERROR, WARNING = "error", "warning"


class PersonalizeError(Exception):
    """Base of every error raised by the toolkit."""

    _operation = _request_id = _host_id = ""
    code = ""
    """AWS's code of the error, or the name of botocore's exception; empty where there was no call."""
    transient: bool | None = None
    """Whether the same call may work a moment later; None where nothing is known of it."""
    tries = 0
    """How often botocore had tried the call before it ended in this error."""

    def of_call(self, operation: str, request_id: str, host_id: str = "", tries: int = 0) -> Self:
        """Remember the call that ended in this error, and return the error."""
        self._operation, self._request_id, self._host_id, self.tries = operation, request_id, host_id, tries
        return self

    @property
    def operation(self) -> str:
        """The call that ended in this error, named as AWS names it; empty where there was none."""
        return self._operation or self._of_cause("operation")

    @property
    def request_id(self) -> str:
        """AWS's id of that call, for its support; empty where it gave none."""
        return self._request_id or self._of_cause("request_id")

    @property
    def host_id(self) -> str:
        """The second id that S3 gives a call (`x-amz-id-2`)."""
        return self._host_id or self._of_cause("host_id")

    def _of_cause(self, name: str) -> str:
        cause = self.__cause__  # a name that is not found is often told in other words than the service's
        return str(getattr(cause, name)) if isinstance(cause, PersonalizeError) else ""

    def add(self, text: str) -> None:
        """Add to the message what only the caller knows, for example what stays and what to do next."""
        message = super().__str__()
        self.args = (f"{message}{'' if message.endswith(('.', ']', ')')) else '.'} {text}", *self.args[1:])

    def __str__(self) -> str:
        message = super().__str__()
        return f"{message} (request id {self.request_id})" if self.request_id else message


class InputError(PersonalizeError, ValueError):
    """A frame or file cannot become job input; nothing was uploaded.

    Parameters
    ----------
    message
        One sentence per kind of finding, with the repair.
    findings
        The findings row by row (a pandas frame with `row`, `column`, `value`, `problem`; of lines of a file that cannot
        be read, with `line`, `value`, `problem`), where there are rows.
    """

    def __init__(self, message: str, findings: pd.DataFrame | None = None):
        super().__init__(message)
        self.findings = findings


@dataclass(frozen=True)
class Problem:
    """One rule that a request breaks: the field, and a sentence with what is legal and what was given."""

    field: str
    text: str
    level: str = ERROR

    def __str__(self) -> str:
        return self.text


class RequestError(PersonalizeError, ValueError):
    """A job request breaks rules of the API; nothing was sent. `.problems` lists every one."""

    def __init__(self, problems: Sequence[Problem]):
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class NotFoundError(PersonalizeError, LookupError):
    """The named resource, object or column does not exist."""


class AlreadyExistsError(PersonalizeError, ValueError):
    """The name is taken."""


class QuotaError(PersonalizeError, RuntimeError):
    """A quota of the service is used up; try again when other work has ended."""


class AccessError(PersonalizeError, PermissionError):
    """The caller's policy, the service role or a bucket policy does not allow the call."""


class CredentialsError(PersonalizeError, PermissionError):
    """The caller's AWS credentials have run out, are wrong or are not there; with new ones the same call works.

    No `AccessError`: what goes on without a right that is lacking would go wrong with credentials that have ended.
    """


class ServiceError(PersonalizeError, RuntimeError):
    """The service refused a call for another reason; the original is the `__cause__`."""

    def __init__(self, message: str, code: str = "", operation: str = ""):
        super().__init__(message)
        self.code = code
        self._operation = operation


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
