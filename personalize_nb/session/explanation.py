"""One row of the table of AWS's errors, and how the right row is found.

A row is known by AWS's code or the name of botocore's exception, by the words of the message, or by both; the first row
that fits is taken. The rows stand in `aws_errors` (codes and exceptions) and `failure_texts` (messages and reasons).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from personalize_nb import errors


@dataclass(frozen=True)
class Explanation:
    """What an error of AWS comes from and what to do about it.

    Parameters
    ----------
    names
        AWS's codes, or botocore's exceptions, an exception standing for those derived from it; none for any.
    becomes
        The toolkit's error.
    cause
        A sentence with what it comes from.
    step
        A sentence or two with what to do next. `{renewal}`, `{proxies}` and the like are filled in where it is told.
    text
        A pattern that the message must hold, in any case.
    calls
        The operations it is about; none for any.
    passes
        Whether the same call may work a moment later, so that a wait sits it out.
    """

    names: tuple[str, ...]
    becomes: type[errors.PersonalizeError]
    cause: str
    step: str
    text: str = ""
    calls: tuple[str, ...] = ()
    passes: bool = False

    def fits(self, names: Iterable[str], text: str, call: str) -> bool:
        """Tell whether this row is about an error of these names."""
        if self.names and not set(self.names).intersection(names):
            return False
        if self.calls and call not in self.calls:
            return False
        return not self.text or re.search(self.text, text, re.IGNORECASE) is not None


def first(rows: Iterable[Explanation], names: Sequence[str], text: str = "", call: str = "") -> Explanation | None:
    """Return the first row that fits, or None.

    Parameters
    ----------
    rows
        The table.
    names
        The code; of an exception its own name and those of its bases.
    text
        The message.
    call
        The operation that ended in it.
    """
    return next((row for row in rows if row.fits(names, text, call)), None)
