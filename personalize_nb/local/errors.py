"""How the embedded service says no.

`ApiError` is an answer: the caller of an operation sees its code and message. `WorkError` is an ending: a resource
whose background work cannot succeed ends in `CREATE FAILED` with this reason.
"""

from __future__ import annotations


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
