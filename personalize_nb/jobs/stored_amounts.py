"""How much input lies in S3, without reading all of it: the beginning is counted, the rest follows from its size."""

from __future__ import annotations

import json
from dataclasses import dataclass

from personalize_nb.contract import input_names
from personalize_nb.session import s3
from personalize_nb.session.s3 import Stored
from personalize_nb.session.session import Session

READ_BYTES = 8_000_000
_LIST = "itemList"


@dataclass(frozen=True)
class Amount:
    """How much input there is.

    Parameters
    ----------
    records
        Lines.
    listed
        Items of all `itemList`s together.
    exact
        Whether all of it was counted.
    """

    records: int
    listed: int
    exact: bool = True


def amount(session: Session, address: str, read_bytes: int = READ_BYTES) -> Amount:
    """Return how many records lie at an address, a file or the beginning of names.

    Parameters
    ----------
    session
        Where to look.
    address
        The `s3://` address.
    read_bytes
        How much of it is read; replaced in tests.
    """
    whole = s3.looked_at(session, address)  # else its output, whose name begins so, would count
    files = [one for one in ([whole] if whole else s3.stored(session, address)) if one.size and _is_input(one, address)]
    records = listed = seen = 0
    for file in files:
        if seen >= read_bytes:
            break
        body = s3.beginning(session, file.address, min(file.size, read_bytes - seen))
        cut = len(body) < file.size
        if cut:
            body = body[: body.rfind(b"\n") + 1] or body[: 0 if records else None]  # a part of a line is no record
        lines = [line for line in body.split(b"\n") if line.strip()]
        seen, records, listed = seen + len(body), records + len(lines), listed + sum(map(_items, lines))
        if cut:
            break
    total = sum(one.size for one in files)
    if seen >= total or not seen:
        return Amount(records, listed)
    return Amount(round(records * total / seen), round(listed * total / seen), exact=False)


def _is_input(file: Stored, address: str) -> bool:
    key, prefix = s3.split(file.address)[1], s3.split(address)[1]
    return not input_names.is_output(key) and not input_names.is_side_file(key, prefix)


def _items(line: bytes) -> int:
    try:
        found = json.loads(line).get(_LIST, ())
    except (ValueError, AttributeError):
        return 0  # a line that is no record; the job tells of it
    return len(found) if isinstance(found, list) else 0
