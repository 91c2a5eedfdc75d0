"""How the embedded service says no.

`ApiError` is an answer: the caller of an operation sees its code and message. `WorkError` is an ending: a resource
whose background work cannot succeed ends in `CREATE FAILED` with this reason. `DamagedError` is both, and the end of
a start: a file of the folder is not what the service has written.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from personalize_nb.errors import LocalServiceError


class ApiError(Exception):
    """A refusal that a client receives as a typed exception.

    Parameters
    ----------
    code
        The name of the exception, as AWS spells it, for example `ResourceNotFoundException` or `NoSuchKey`.
    message
        What was wrong, the value received, what is legal.
    status
        The HTTP status; every exception in Personalize's model has 400.
    """

    def __init__(self, code: str, message: str, status: int = 400):
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


class WorkError(Exception):
    """Background work ends in `CREATE FAILED`; `.reason` becomes the resource's `failureReason`."""

    def __init__(self, reason: str):
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Damage:
    """What is wrong with one file of a service's folder.

    Parameters
    ----------
    path
        The file.
    cause
        What is wrong with it.
    repair
        What to do.
    harmless
        Whether nothing is lost or answered wrongly by it: something is left over, say.
    """

    path: Path
    cause: str
    repair: str
    harmless: bool = False

    def __str__(self) -> str:
        """Say all of it in one line."""
        if self.harmless:
            return f"{str(self.path)!r} is worth a look: {self.cause}. {self.repair}."
        return f"{str(self.path)!r} is damaged: {self.cause}. {self.repair}."


class DamagedError(ApiError, LocalServiceError):
    """A file of the service's folder is lost, cut or altered; said in the same words wherever it is met.

    Its status is one that clients do not try again by themselves.

    Parameters
    ----------
    path
        The file.
    cause
        What is wrong with it.
    repair
        What to do.
    """

    def __init__(self, path: str | os.PathLike[str], cause: str, repair: str):
        self.damage = Damage(Path(path), cause, repair)
        super().__init__("DamagedState", f"The local service's file {self.damage}", 507)

    def __str__(self) -> str:
        """Leave out the code, which says nothing to whoever starts a service."""
        return self.message
