"""The values that a filter's placeholders may have, as the data hold them that the model was trained on.

Nobody may read a dataset. `pnb.train` keeps the categories of what it imports in a small file of the bucket; of other
imports it is told where their data came from, and the beginning of those files is enough to suggest values, and to ask
whether another one is meant. Nothing is refused by it.
"""

from __future__ import annotations

import csv
import difflib
import io
import json
import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from personalize_nb import errors
from personalize_nb.contract import limits
from personalize_nb.resources.filters import Filter
from personalize_nb.session import s3
from personalize_nb.session.session import Session

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)

READ_BYTES = 1 << 20
_MOST_VALUES = 1000  # of a column; what has more is no category
_MOST_FILES = 4
_SHOWN = 8
_KINDS = {"ITEMS": "ITEMS", "USERS": "USERS", "CURRENTUSER": "USERS", "INTERACTIONS": "INTERACTIONS"}
_COMPARED = re.compile(
    r"\b(Items|Users|CurrentUser|Interactions)\s*\.\s*([A-Za-z_]\w*)\s*"
    r"(?:(?:NOT\s+)?IN\s*\(([^)]*)\)|(?:!=|<=|>=|<|>|=)\s*[\"']?(\$\w+)[\"']?)",
    re.IGNORECASE,
)
_NAME = re.compile(r"\$(\w+)")


@dataclass(frozen=True)
class ColumnValues:
    """Values of one column.

    Parameters
    ----------
    column
        Its name in the schema.
    values
        The most frequent first.
    complete
        Whether all of the data were read.
    """

    column: str
    values: tuple[str, ...] = ()
    complete: bool = False

    def question(self, placeholder: str, value: str) -> str:
        """Say what is strange about a value; nothing where it is known, or where nobody can tell.

        Examples
        --------
        >>> ColumnValues("GENRE", ("Poetry", "Drama"), True).question("GENRE", "Poetri")
        "$GENRE: no GENRE of the data is 'Poetri'; did you mean 'Poetry'?"
        """
        if not self.values or value in self.values:
            return ""
        by_case = {one.casefold(): one for one in reversed(self.values)}
        near = difflib.get_close_matches(value.casefold(), by_case, n=1, cutoff=0.75)
        if near:
            where = "the data" if self.complete else "the first data"
            return f"${placeholder}: no {self.column} of {where} is {value!r}; did you mean {by_case[near[0]]!r}?"
        if not self.complete:
            return ""
        some = ", ".join(map(repr, self.values[:_SHOWN])) + (", ..." if len(self.values) > _SHOWN else "")
        return f"${placeholder}: no {self.column} of the data is {value!r}; there are {some}."


@dataclass
class KnownValues:
    """What is known of the columns of one dataset group's data, read once.

    Parameters
    ----------
    dataset_group_arn
        The dataset group.
    session
        Reads it.
    items
        The items as a frame, which then need not be read.
    """

    dataset_group_arn: str
    session: Session
    items: pd.DataFrame | None = None
    _columns: dict[str, dict[str, ColumnValues]] = field(default_factory=dict)

    def of_filter(self, chosen: Filter) -> dict[str, ColumnValues]:
        """Return what is known of each placeholder of a filter, by its name."""
        found = {}
        for name, (kind, column) in compared(chosen.expression).items():
            if kind not in self._columns:
                self._columns[kind] = self._read(kind)
            known = self._columns[kind].get(column.upper())
            if known is not None and name not in chosen.numbers:
                found[name] = known
        return found

    def _read(self, kind: str) -> dict[str, ColumnValues]:
        if kind == "ITEMS" and self.items is not None:
            return _counted(_rows_of(self.items), complete=True)
        try:
            newest = _newest_import(self.dataset_group_arn, kind, self.session)
            if newest is None:
                return {}
            if kept := _kept(*newest, self.session):
                return kept
            tables = list(_beginnings(*newest, self.session))
            rows = (row for table, _ in tables for row in csv.DictReader(io.StringIO(table)))
            return _counted(rows, complete=bool(tables) and all(whole for _, whole in tables))
        except (errors.PersonalizeError, UnicodeDecodeError, csv.Error, KeyError):
            return {}  # who may not look is suggested nothing


def compared(expression: str) -> dict[str, tuple[str, str]]:
    """Return the dataset and the column that each placeholder of an expression is compared with.

    Examples
    --------
    >>> compared("INCLUDE ItemID WHERE Items.GENRE IN ($GENRE, $OTHER) AND Items.PRICE <= $PRICE")
    {'GENRE': ('ITEMS', 'GENRE'), 'OTHER': ('ITEMS', 'GENRE'), 'PRICE': ('ITEMS', 'PRICE')}
    """
    return {
        name: (_KINDS[found[1].upper()], found[2])
        for found in _COMPARED.finditer(expression)
        for name in _NAME.findall(found[3] or found[4] or "")
    }


def store(session: Session, import_job_arn: str, categories: Mapping[str, Sequence[str]]) -> None:
    """Keep the categories of what an import job has imported; where that may not be, they are not suggested.

    Parameters
    ----------
    session
        Whose bucket keeps them.
    import_job_arn
        The import job.
    categories
        The values of each column.
    """
    kept = {name: list(values) for name, values in categories.items() if len(values) <= _MOST_VALUES}
    if not kept:
        return
    try:
        s3.upload(session, io.BytesIO(json.dumps(kept).encode()), _address(session, import_job_arn))
    except errors.PersonalizeError as error:
        log.info("the categories of %s are not kept, so that forms cannot suggest them: %s", import_job_arn, error)


def _address(session: Session, import_job_arn: str) -> str:
    return session.location("values", f"{import_job_arn.rsplit('/', 1)[-1]}.json")


def _newest_import(dataset_group_arn: str, kind: str, session: Session) -> tuple[str, bool] | None:
    """Return the import job that a dataset has its data of, and whether it is the only one."""
    datasets = session.pages("list_datasets", "datasets", datasetGroupArn=dataset_group_arn)
    arn = next((one["datasetArn"] for one in datasets if one["datasetType"].upper() == kind), None)
    if arn is None:
        return None
    listed = session.pages("list_dataset_import_jobs", "datasetImportJobs", datasetArn=arn)
    jobs = [one for one in listed if one["status"] == limits.ACTIVE]
    if not jobs:
        return None
    newest = max(jobs, key=lambda one: one["creationDateTime"])
    whole = len(jobs) == 1 or newest.get("importMode") == "FULL"  # which replaces what was there
    return newest["datasetImportJobArn"], whole


def _kept(job: str, whole: bool, session: Session) -> dict[str, ColumnValues]:
    if not session.bucket:
        return {}
    with suppress(errors.PersonalizeError, ValueError, AttributeError, TypeError):
        kept = json.loads(s3.beginning(session, _address(session, job), READ_BYTES))
        return {name.upper(): ColumnValues(name, tuple(map(str, values)), whole) for name, values in kept.items()}
    return {}


def _beginnings(job: str, whole: bool, session: Session) -> Iterator[tuple[str, bool]]:
    """Yield the first lines of what was imported, and whether these are all; few calls, few bytes."""
    described = session.call("describe_dataset_import_job", datasetImportJobArn=job)["datasetImportJob"]
    files, all_listed = s3.listed(session, *s3.split(described["dataSource"]["dataLocation"]), most=_MOST_FILES)
    left = READ_BYTES
    for file in (one for one in files if one.size):
        body = s3.beginning(session, file.address, left)
        read = len(body) >= file.size
        yield (body if read else body[: body.rfind(b"\n") + 1]).decode("utf-8-sig"), read and all_listed and whole
        left -= len(body)
        if left <= 0:
            return


def _rows_of(frame: pd.DataFrame) -> Iterator[Mapping[str, Any]]:
    texts = frame.astype("string").astype(object).where(frame.notna(), None)
    names = [str(name) for name in frame.columns]
    return (dict(zip(names, row, strict=True)) for row in texts.itertuples(index=False, name=None))


def _counted(rows: Iterator[Mapping[str, Any]], complete: bool) -> dict[str, ColumnValues]:
    """Return the values of each column that has few; several in a text are separated by `|`, as in Amazon's data."""
    counts: dict[str, dict[str, int]] = {}
    for row in rows:
        for name, text in row.items():
            if not isinstance(name, str) or not isinstance(text, str) or not text:
                continue
            own = counts.setdefault(name.upper(), {})
            for part in text.split("|"):
                if len(own) <= _MOST_VALUES:
                    own[part] = own.get(part, 0) + 1
    return {
        name: ColumnValues(name, tuple(by_frequency(own)), complete)
        for name, own in counts.items()
        if len(own) <= _MOST_VALUES and any(count > 1 for count in own.values())
    }


def by_frequency(counts: Mapping[str, int]) -> list[str]:
    """Return values, the most frequent first.

    Examples
    --------
    >>> by_frequency({"Drama": 1, "Poetry": 7, "Crime": 1})
    ['Poetry', 'Crime', 'Drama']
    """
    return sorted(counts, key=lambda value: (-counts[value], value))
