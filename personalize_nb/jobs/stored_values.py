"""Filter values in input that lies in S3, as far as its first lines tell."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from personalize_nb import errors
from personalize_nb.results import output_files
from personalize_nb.session import s3
from personalize_nb.session.session import Session

_LOOKED_AT = 1 << 16  # bytes


def known(required: Collection[str], path: str, session: Session) -> dict[str, Any]:
    """Return what a `RequestContext` holds of the values that a filter must have; nothing where none may be seen.

    Parameters
    ----------
    required
        The placeholders that each line must fill.
    path
        The input.
    session
        Reads it.
    """
    if not required:
        return {}
    try:
        files = output_files.input_files(session, path)
        block = next(iter(s3.line_blocks(session, files[0].address, _LOOKED_AT)), b"") if files else b""
        lines = [json.loads(line) for line in bytes(block).splitlines() if line.strip()]
        values = [{name.lower() for name in line.get("filterValues") or ()} for line in lines]
    except (errors.PersonalizeError, ValueError, AttributeError, TypeError):
        return {}  # the job says what it cannot read
    if not values:
        return {}
    missing = {name: sum(name.lower() not in one for one in values) for name in required}
    return {"required_values": tuple(required), "missing_values": missing, "records": len(values)}
