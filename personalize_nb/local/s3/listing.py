"""One page of a bucket's keys, with keys that share a prefix up to a delimiter rolled into one entry.

A rolled-up prefix is jumped over by one index look-up, so a page costs its entries and not the keys below them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field

from personalize_nb.local.s3.records import ObjectInfo, after_prefix, info_from, require_bucket, scan_objects
from personalize_nb.local.s3.store import ObjectStore


@dataclass
class Page:
    """Entries in order; `last` is the key or prefix after which the next page begins when `truncated`."""

    objects: list[ObjectInfo] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)
    truncated: bool = False
    last: str = ""


def list_page(store: ObjectStore, bucket: str, prefix: str, delimiter: str, after: str, limit: int) -> Page:
    """Return the first `limit` entries after `after` (a key, or a prefix that the page before ended with)."""
    page = Page()
    with store.database.reading() as db:
        require_bucket(db, bucket)
        if not limit:
            return page
        for entry in _entries(db, bucket, prefix, delimiter, after):
            if len(page.objects) + len(page.prefixes) == limit:
                page.truncated = True
                break
            if isinstance(entry, str):
                page.prefixes.append(entry)
                page.last = entry
            else:
                page.objects.append(entry)
                page.last = entry.key
    return page


def _entries(
    db: sqlite3.Connection, bucket: str, prefix: str, delimiter: str, after: str
) -> Iterator[ObjectInfo | str]:
    start: str | None = ""
    if rolled(after, prefix, delimiter) == after:
        # The page before ended with this prefix: everything under it has been told.
        start = after_prefix(after)
    while start is not None:
        for row in scan_objects(db, bucket, prefix, after, start):
            common = rolled(row["key"], prefix, delimiter)
            if common:
                yield common
                start = after_prefix(common)
                break
            yield info_from(row)
        else:
            return


def rolled(key: str, prefix: str, delimiter: str) -> str | None:
    """Return what stands for a key and its like: the key up to the delimiter behind `prefix`; None for itself."""
    if not delimiter or not key.startswith(prefix):
        return None
    end = key.find(delimiter, len(prefix))
    return key[: end + len(delimiter)] if end >= 0 else None
