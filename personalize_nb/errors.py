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
     ├── LocalServiceError (RuntimeError) the embedded service could not start, stop or be reached
     ├── ArgumentError (TypeError)        an argument that a call does not take, or of a type that it does not take
     └── MissingAttributeError (AttributeError) an attribute that a thing does not have
    Interrupted (KeyboardInterrupt)       the user's own stop; says what goes on and how to look again

Messages say what was wrong, the value received, what is legal and what to do next. An error that a call ended in
has its `.operation`, AWS's `.code` and `.request_id`, and its message ends with that id: AWS's support asks for it.
In notebooks these errors are shown as messages, with the user's own line; `%tb` shows the whole traceback.

Examples
--------
>>> try:
...     raise NotFoundError("There is no job 'weekly'.")
... except PersonalizeError as error:
...     error.add("pnb.list_jobs() lists them.")
...     told = error.of_call("DescribeBatchInferenceJob", request_id="1a2b", host_id="")
>>> print(told)
There is no job 'weekly'. pnb.list_jobs() lists them. (request id 1a2b)
>>> told.operation, told.request_id, told.host_id
('DescribeBatchInferenceJob', '1a2b', '')

What each of them has beside its message, and what Python calls them:

>>> RequestError([Problem("job_name", "'job_name' is 1 to 63 letters, got 'a b'.")]).problems[0].field
'job_name'
>>> InputError("Row 3 has no id.").findings, ServiceError("Rate exceeded.", code="ThrottlingException").code
(None, 'ThrottlingException')
>>> FailedError("No.", reason="no access").reason, WaitTimeoutError("No.", status="CREATE IN_PROGRESS").status
('no access', 'CREATE IN_PROGRESS')
>>> [kind.__bases__[-1].__name__ for kind in (AccessError, CredentialsError, QuotaError, LocalServiceError)]
['PermissionError', 'PermissionError', 'RuntimeError', 'RuntimeError']
>>> [kind.__bases__[-1].__name__ for kind in (AlreadyExistsError, ArgumentError, MissingAttributeError)]
['ValueError', 'TypeError', 'AttributeError']
>>> [kind.__bases__[-1].__name__ for kind in (UnknownCheckError, Interrupted, Told)]
['KeyError', 'KeyboardInterrupt', 'BaseException']
"""

from __future__ import annotations

import difflib
import linecache
import sys
import traceback
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import BuiltinFunctionType, FunctionType, MethodType, TracebackType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    import pandas as pd

ERROR, WARNING = "error", "warning"

_PACKAGE = f"{Path(__file__).parent}/"
# How many of the user's own lines a message is shown with, the innermost ones.
_LINES = 3
# How much of a value is told, and of how many parts.
_SHOWN, _FEW = 200, 20
# From where a name may be another one misspelt, one of two letters first: 'profile' for 'prefix' is none.
_ALIKE_SHORT, _ALIKE = 0.5, 0.65
# Where no line is the user's: packages, and what IPython makes of a cell that is a magic's.
_INSTALLED, _MAGIC = ("/site-packages/", "/dist-packages/"), "get_ipython().run_cell_magic("


class Told(BaseException):
    """What IPython shows as a message: its type, what it says, the user's own line. Programs see a usual traceback."""

    _shown = 0

    def _render_traceback_(self) -> list[str]:
        # IPython asks for it each time it shows the error; the second time is the user's `%tb`
        shell = sys.modules["IPython"].get_ipython()
        if shell is None or self._shown == id(self.__traceback__):
            return _whole(shell, self)
        self._shown = id(self.__traceback__)  # a number, because errors are pickled; raised again it is another one
        told = Exception(str(self))  # without its causes
        for note in getattr(self, "__notes__", ()):
            told.add_note(note)
        shown = "".join(shell.InteractiveTB.get_exception_only(type(self), told)).rstrip()
        lines = [f"  {line}" for line in _own_lines(self.__traceback__, shell)]
        return ["\n".join([shown, "", *lines, "  %tb in the next cell shows the whole traceback."])]


def _whole(shell: Any, error: BaseException) -> list[str]:
    """Return the traceback that IPython shows of other errors."""
    if shell is None:
        return traceback.format_exception(error)
    rendered: list[str] = shell.InteractiveTB.structured_traceback(type(error), error, error.__traceback__)
    return rendered


def _own_lines(begun: TracebackType | None, shell: Any) -> Iterable[str]:
    """Return the user's own lines on the way to where the package was entered, each with its place."""

    def walk() -> Iterator[str]:
        step = begun
        while step is not None and not (file := step.tb_frame.f_code.co_filename).startswith(_PACKAGE):
            line = _own_line(file, step, shell)
            if not any(there in file for there in _INSTALLED) and _MAGIC not in line:
                yield line
            step = step.tb_next

    return list(walk())[-_LINES:]


def _own_line(file: str, step: TracebackType, shell: Any) -> str:
    cell = shell.compile.format_code_name(file)
    where = f"{cell[0]} {cell[1]}" if cell else file
    text = linecache.getline(file, step.tb_lineno).strip()
    return f"{where}, line {step.tb_lineno}{f': {text}' if text else ''}"


class PersonalizeError(Told, Exception):
    """Base of every error raised by the toolkit."""

    _operation = _request_id = _host_id = ""
    code = ""
    """AWS's code of the error, or the name of botocore's exception; empty where there was no call."""
    transient: bool | None = None
    """Whether the same call may work a moment later; None where nothing is known of it."""
    tries = 0
    """How often botocore had tried the call before it ended in this error."""

    def of_call(self, operation: str, request_id: str, host_id: str = "", tries: int = 0) -> Self:
        """Remember the call that ended in this error.

        Parameters
        ----------
        operation, request_id, host_id, tries
            Its name and its ids as AWS has them, and how often it was tried before.

        Returns
        -------
        PersonalizeError
            Itself.
        """
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
        """Add to the message what only the caller knows, for example what stays and what to do next.

        Parameters
        ----------
        text
            Sentences.
        """
        message = BaseException.__str__(self)
        self.args = (f"{message}{'' if message.endswith(('.', ']', ')')) else '.'} {text}", *self.args[1:])

    def __str__(self) -> str:
        message = BaseException.__str__(self)  # a KeyError would quote it
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
    """One rule that a request breaks.

    Parameters
    ----------
    field
        The parameter's name, as in `JobRequest`.
    text
        A sentence with what is legal and what was given.
    level
        `error`, which forbids sending, or `warning`.

    Examples
    --------
    >>> problem = Problem("num_results", "'num_results' is 1 to 500, got 900.")
    >>> print(problem.level, problem)
    error 'num_results' is 1 to 500, got 900.
    """

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


class UnknownCheckError(NotFoundError, KeyError):
    """A report of `preflight` has no such check."""


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


class ArgumentError(PersonalizeError, TypeError):
    """A call does not take this argument, lacks one, or got one of a type that it does not take."""


class MissingAttributeError(PersonalizeError, AttributeError):
    """A thing does not have this attribute; the message names near ones."""

    def __init__(self, message: str, name: str = ""):
        super().__init__(message)
        self.name = name  # Python adds a suggestion of its own where it is not told


class Interrupted(Told, KeyboardInterrupt):
    """The user has stopped a call; the message says what goes on without it, and how to look at it again.

    No `PersonalizeError`: what goes on after an error must not go on after a stop.
    """


def meant(name: str, legal: Iterable[str]) -> str:
    """Return " (did you mean 'x'?)" with the legal name that is nearest to a name, or nothing where none is near.

    Parameters
    ----------
    name
        The name that is not legal.
    legal
        The names that are.

    Examples
    --------
    >>> meant("numResults", ["num_results", "filter"]), meant("color", ["num_results"])
    (" (did you mean 'num_results'?)", '')
    """

    def likeness(one: str) -> tuple[float, float]:
        left, right = (text.replace("_", "").lower() for text in (name, one))
        return difflib.SequenceMatcher(None, left, right).ratio(), difflib.SequenceMatcher(None, name, one).ratio()

    near = max(legal, key=likeness, default="")
    return f" (did you mean {near!r}?)" if likeness(near)[0] >= (_ALIKE_SHORT if len(name) < 3 else _ALIKE) else ""


def received(value: Any) -> str:
    """Return a value as a message tells what it got: as code, or only its type where that would be long.

    Parameters
    ----------
    value
        The value.

    Examples
    --------
    >>> received("many"), received(list(range(100)))
    ("'many'", 'a list of 100')
    """
    if isinstance(value, str | bytes | int | float | complex | None) or (
        isinstance(value, list | tuple | set | dict) and len(value) < _FEW
    ):
        told = repr(value)
        return told if len(told) <= _SHOWN or isinstance(value, str) else f"{told[:_SHOWN]}..."
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if isinstance(value, FunctionType | BuiltinFunctionType | MethodType):
        return f"the function {value.__name__}"
    name = type(value).__name__
    size = f" of {len(value):,}" if isinstance(value, list | tuple | set | dict) else ""
    return f"{'an' if name[0] in 'AEIOaeio' else 'a'} {name}{size}"


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


if not TYPE_CHECKING:  # a type checker would take any name to be there

    def __getattr__(name):
        if name.startswith("_"):
            raise AttributeError(f"pnb.errors has no attribute {name!r}", name=name)
        own = (one for one, thing in globals().items() if getattr(thing, "__module__", "") == __name__)
        legal = sorted(one for one in own if one[0].isupper())
        raise MissingAttributeError(f"pnb.errors has no {name!r}{meant(name, legal)}; it has {', '.join(legal)}.", name)
