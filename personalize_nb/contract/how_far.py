"""How far work is: a header of an answer that only the embedded service sends.

Amazon tells a status and nothing more. boto3 and every other client of AWS pass over headers that they do not know, so
the service may say what it knows, and who asks takes a percentage where there is one; nothing else differs.
"""

from __future__ import annotations

import re

# In lower case, as botocore hands headers on.
HEADER = "x-personalize-nb-progress"

_WRITTEN = re.compile(r"(\d{1,18})/(\d{1,18})", re.ASCII)


def written(done: int, total: int) -> str:
    """Return the header's value: how much is done, of how much.

    Examples
    --------
    >>> written(30, 100)
    '30/100'
    """
    return f"{done}/{total}"


def read(value: object) -> tuple[int, int] | None:
    """Return how much is done, of how much; None of a value that does not say it.

    Examples
    --------
    >>> read("30/100"), read("soon"), read(None)
    ((30, 100), None, None)
    """
    found = _WRITTEN.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return None
    done, total = int(found[1]), int(found[2])
    return (min(done, total), total) if total else None
