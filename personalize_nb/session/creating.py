"""Making something of AWS once, though the answer may be lost: it is found again before it is asked for once more.

A Create whose answer does not come may have been carried out all the same, by AWS or by botocore's own second try,
which then ends in a name that is taken by ourselves.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from typing import TypeVar

from personalize_nb import errors
from personalize_nb.session import waiting

Made = TypeVar("Made")


def made(
    create: Callable[[], Made],
    find: Callable[[], Made | None],
    what: str,
    *,
    again: str = "",
    looks: int = 1,
    sleep: Callable[[float], object] = time.sleep,
) -> Made:
    """Create something and return it; what a lost answer left is found and returned in its place.

    Parameters
    ----------
    create
        Asks AWS for it.
    find
        Returns what an earlier try of this call has made, None where there is none; raises `AlreadyExistsError` for
        what somebody else has made.
    what
        It in words, for messages.
    again
        The code that does the same again.
    looks
        How often to look before it is asked for again: more than once for what has no name that AWS would refuse.
    sleep
        Replaced in tests.

    Raises
    ------
    AlreadyExistsError
        The name was taken before.
    """
    looked = -1  # nothing has been lost

    def ask() -> Made:
        nonlocal looked
        if looked >= 0:
            looked += 1
            if (found := find()) is not None:
                return found
            if looked < looks:
                raise lost[-1]
        try:
            return create()
        except errors.AlreadyExistsError as error:
            if looked < 0 and error.tries <= 1:
                raise
            if (found := find()) is not None:
                return found
            hidden = copy.copy(error)
            hidden.transient = True  # AWS does not show it yet
            raise hidden from error.__cause__
        except errors.QuotaError:
            raise  # nothing was made
        except errors.PersonalizeError as error:
            if waiting.passing(error) and not isinstance(error, errors.CredentialsError):
                looked = 0
                lost.append(error)
            raise

    lost: list[errors.PersonalizeError] = []
    return waiting.until_answered(ask, what, again=again, absent_passes=True, patience=2 + 3 * looks, sleep=sleep)
