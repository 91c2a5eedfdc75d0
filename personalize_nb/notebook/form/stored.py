"""Input that lies in S3 already, as a form sees it: how much there is, what its first lines hold, what is odd there.

A look costs two calls and is taken when an address is settled, not at each key press; counting reads more of the files
and is done when it is asked for.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from personalize_nb import errors
from personalize_nb.contract import input_names
from personalize_nb.errors import WARNING, Problem
from personalize_nb.jobs import stored_amounts
from personalize_nb.jobs.request import KIND_OF_KEYS
from personalize_nb.jobs.stored_amounts import Amount
from personalize_nb.session import s3
from personalize_nb.session.s3 import Stored
from personalize_nb.session.session import Session
from personalize_nb.text.counts import counted, size

_READ_BYTES = 1 << 16
_MOST_FILES = 1000
_ENOUGH = 5  # lines that are shown, and that are told of as odd
_VALUES = "filterValues"


@dataclass(frozen=True)
class InputInS3:
    """What is known of input in S3.

    Parameters
    ----------
    address
        Where it lies.
    files, bytes
        How much it is.
    complete
        Whether all files were listed.
    kind
        What its first line holds: `users`, `items`, `rankings` or `queries`; None where it is none of these.
    lines
        The first lines.
    odd
        Lines that are no records of this kind: their number from 1, themselves, and what is wrong.
    placeholders
        The filter values that the first line brings.
    problem
        Why it could not be looked at, or what is missing.
    missing
        Whether nothing lies there.
    amount
        How many records there are, once they were counted.
    """

    address: str
    files: int = 0
    bytes: int = 0
    complete: bool = True
    kind: str | None = None
    lines: tuple[str, ...] = ()
    odd: tuple[tuple[int, str, str], ...] = ()
    placeholders: tuple[str, ...] = ()
    problem: str = ""
    missing: bool = False
    amount: Amount | None = None

    def counted(self, session: Session) -> InputInS3:
        """Return the same with its records counted."""
        return replace(self, amount=stored_amounts.amount(session, self.address))

    def told(self) -> list[str]:
        """Return lines that say how much it is."""
        if self.problem:
            return []
        least = "" if self.complete else "at least "
        told = [f"Input: {least}{counted(self.files, 'file')}, {least}{size(self.bytes)}, in S3"]
        if self.amount is not None:
            about = "" if self.amount.exact else "about "
            told[0] = f"{told[0]}, {about}{counted(self.amount.records, 'record')}"
        told.append(f"The first line holds {self.kind}." if self.kind else "What the first line holds is not known.")
        return told

    def problems(self) -> list[Problem]:
        """Return what a job would fail of, and what is worth a look."""
        if self.problem:
            return [Problem("data", self.problem)] if self.missing else [Problem("data", self.problem, WARNING)]
        if not self.odd:
            return []
        number, line, wrong = self.odd[0]
        more = f", and {counted(len(self.odd) - 1, 'other line')} of the first" if len(self.odd) > 1 else ""
        return [Problem("data", f"Line {number} of the input {wrong}{more}: {_short(line)}", WARNING)]


def look(session: Session, address: str) -> InputInS3:
    """Look at what lies at an address; what may not be looked at is no error: the service role may read it.

    Parameters
    ----------
    session
        Who looks.
    address
        A file, or the beginning of names.
    """
    try:
        bucket, key = s3.split(address)
        found, complete = s3.listed(session, bucket, key, most=_MOST_FILES)
    except errors.CredentialsError:
        raise
    except errors.NotFoundError as error:
        return InputInS3(address, problem=_absent(address, error), missing=True)
    except errors.PersonalizeError as error:
        return InputInS3(address, problem=f"Input {address!r} could not be looked at: {error}")
    files = [one for one in found if _is_input(one, key)]
    if not files:
        text = f"Nothing lies at {address!r}: name a file, or a folder ending in /, that holds the input."
        return InputInS3(address, problem=text, missing=True)
    known = InputInS3(address, len(files), sum(one.size for one in files), complete)
    try:
        body = s3.beginning(session, files[0].address, _READ_BYTES) if files[0].size else b""
    except errors.CredentialsError:
        raise
    except errors.PersonalizeError:
        return known
    return _read(known, body, cut=len(body) < files[0].size)


def _absent(address: str, error: errors.PersonalizeError) -> str:
    if not s3.is_s3(address) or getattr(error, "code", "") != "NoSuchBucket":
        return str(error)
    bucket = s3.split(address)[0]
    return f"There is no bucket {bucket!r}: look at its spelling, or browse for one that is there."


def _is_input(file: Stored, prefix: str) -> bool:
    key = s3.split(file.address)[1]
    return not key.endswith("/") and not input_names.is_output(key) and not input_names.is_side_file(key, prefix)


def _read(known: InputInS3, body: bytes, cut: bool) -> InputInS3:
    """Read the first lines; the last one of a file that was cut is none."""
    text = body.decode("utf-8-sig", "replace")
    lines = text.split("\n")
    lines = [line for line in (lines[:-1] if cut and len(lines) > 1 else lines) if line.strip()]
    records = [_record(line) for line in lines]
    keys = next((_keys(one) for one in records if isinstance(one, Mapping)), ())
    kind = KIND_OF_KEYS.get(keys)
    values = next((one.get(_VALUES) for one in records if isinstance(one, Mapping)), None)
    return replace(
        known,
        kind=kind,
        lines=tuple(lines[:_ENOUGH]),
        odd=tuple(_odd(lines, records, keys))[:_ENOUGH],
        placeholders=tuple(map(str, values)) if isinstance(values, Mapping) else (),
    )


def _record(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError as error:
        return f"is no JSON ({error})"


def _keys(record: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(key for key in ("userId", "itemId", "itemList", "itemAttributes") if key in record)


def _odd(lines: list[str], records: list[Any], keys: tuple[str, ...]) -> Iterator[tuple[int, str, str]]:
    for number, (line, record) in enumerate(zip(lines, records, strict=True), 1):
        if isinstance(record, str) and record.startswith("is no JSON"):
            yield number, line, record
        elif not isinstance(record, Mapping):
            yield number, line, "is no JSON object"
        elif _keys(record) != keys or not keys:
            held = " and ".join(_keys(record)) or "none of userId, itemId, itemList, itemAttributes"
            wanted = " and ".join(keys)
            yield number, line, f"holds {held}, not {wanted}" if keys else f"holds {held}"


def _short(line: str, most: int = 120) -> str:
    return line if len(line) <= most else f"{line[:most]}..."
