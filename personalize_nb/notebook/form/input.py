"""The input of a form: what it was given, what a recipe makes of it, and how that is told."""

from __future__ import annotations

from collections.abc import Sized
from typing import TYPE_CHECKING, Any

from personalize_nb import errors
from personalize_nb.contract import columns as c
from personalize_nb.contract import recipes
from personalize_nb.errors import WARNING, Problem
from personalize_nb.inputs import queries
from personalize_nb.inputs.batch import KEYS, Batch
from personalize_nb.inputs.forms import given
from personalize_nb.inputs.given import Given
from personalize_nb.jobs import batches
from personalize_nb.jobs.request import KIND_OF_KEYS
from personalize_nb.resources.filters import Filter
from personalize_nb.resources.solutions import SolutionVersion
from personalize_nb.text.counts import counted

if TYPE_CHECKING:
    import pandas as pd

    from personalize_nb.inputs.forms import Data

_ALONE = ("users", "items")  # what ids without a name may be
_SHORT = 5  # ids that the call repeats; longer lists are `data`
_NEEDED = {"users": f"a column {c.USER_ID!r}", "items": f"a column {c.ITEM_ID!r}"}
_NEEDED["queries"] = "columns of the items' attributes"
_NEEDED["rankings"] = f"columns {c.USER_ID!r} and {c.ITEM_ID!r} or {c.ITEM_LIST!r}"


class Source:
    """Data that a form was made with.

    Parameters
    ----------
    data
        As for `pnb.recommend`.
    name
        How code names it, where it is neither short nor has another name.

    Attributes
    ----------
    findings
        Rows that cannot be used, as the last batch found them; None where all can be.
    """

    def __init__(self, data: Data | Batch, name: str = "data"):
        self.data = data
        self.findings: pd.DataFrame | None = None
        self._name = name
        self._read: Given | errors.InputError | None = None
        self._batches: dict[Any, Batch] = {}
        self._first_kind: str | None = None

    @property
    def columns(self) -> list[str]:
        """The names of the columns; none for ids without one, or where the data cannot be read."""
        try:
            return [] if isinstance(self.data, Batch) else self._given.columns
        except errors.InputError:
            return []

    @property
    def _given(self) -> Given:
        """The data, read at first use and only once: of an open file nothing is left the second time."""
        if self._read is None:
            try:
                self._read = queries.read(self.data) if queries.is_query(self.data) else given(self.data)
            except errors.InputError as error:
                self._read = error
        if isinstance(self._read, errors.InputError):
            raise self._read
        return self._read

    @property
    def code(self) -> str:
        """The data as a call names it: a few ids as they are, all else by its name."""
        if not isinstance(self.data, (list, tuple)) or len(self.data) > _SHORT:
            return self._name
        return repr(list(self.data)) if all(isinstance(one, (str, int)) for one in self.data) else self._name

    def kinds(self) -> tuple[str, ...]:
        """Return what the input can be taken for, the likeliest first: a ranking has users and items as well."""
        held = self._held_kind()
        if held is None:
            return _ALONE if self._is_ids() else ()
        return (held, *(one for one in _ALONE if held == "rankings" and self._named(one)))

    def _is_ids(self) -> bool:
        """Tell ids without a name, which may be those of users or of items."""
        return len(self.columns) == 1

    def batch(self, version: SolutionVersion, chosen: Filter | None, values: Any) -> Batch:
        """Return the checked batch; checked once for each recipe, filter and values, not at each key press."""
        wrong = self._wrong_kind(version)
        if wrong:
            raise errors.InputError(wrong)
        key = (version.recipe, chosen.name if chosen else "", repr(values))
        if key not in self._batches:
            self.findings = None
            read = self.data if isinstance(self.data, Batch) else self._given
            try:
                self._batches = {key: batches.batch_for(read, version, chosen, values)}
            except errors.InputError as error:
                self.findings = error.findings
                raise
        batch = self._batches[key]
        self._first_kind = self._first_kind or batch.kind
        return batch

    def _wrong_kind(self, version: SolutionVersion) -> str:
        """Say plainly that a recipe takes items where users were given, and the like."""
        facts = recipes.recipe_of(version.recipe)
        wanted = KIND_OF_KEYS.get(facts.input_keys) if facts else None
        held = self._held_kind()
        if wanted is None or held is None or wanted == held or (held == "rankings" and self._named(wanted)):
            return ""
        if isinstance(self.data, Batch):
            need = f"pnb.{wanted}(...) makes such input"
        else:
            need = f"they need {_NEEDED[wanted]}, the input has {self.columns}"
        return (
            f"The solution's recipe {version.recipe} takes {wanted}, the input holds {held}: {need}. Choose another "
            f"solution, or make the form with {wanted}."
        )

    def _held_kind(self) -> str | None:
        if isinstance(self.data, Batch):
            return self.data.kind
        names = {c.canonical(name) for name in self.columns}
        if c.ITEM_ATTRIBUTES in names:
            return "queries"
        if c.USER_ID in names:
            return "rankings" if names & {c.ITEM_ID, c.ITEM_LIST} else "users"
        return "items" if c.ITEM_ID in names else None

    def _named(self, kind: str) -> bool:
        """Tell whether the columns of a kind are there among others: rankings are users, too."""
        names = {c.canonical(name) for name in self.columns}
        return not isinstance(self.data, Batch) and KEYS[kind][0] in names

    def warnings(self, batch: Batch) -> list[Problem]:
        """Return what is worth a look: ids without a name that another solution would take for something else."""
        if self._held_kind() is not None or batch.kind == self._first_kind:
            return []
        text = f"The ids of the input are taken as {batch.kind} now; the solution chosen at first took "
        return [Problem("data", f"{text}{self._first_kind}.", WARNING)]

    def told(self, batch: Batch | None) -> list[str]:
        """Return lines that say what the input is and what was done to it."""
        if batch is None:
            if isinstance(self.data, Sized) and not isinstance(self.data, (str, Batch)):
                return [f"Input: {counted(len(self.data), 'row')}"]
            return [f"Input: {self._path()}"]
        told = [f"Input: {size(batch)}{self._path(', from ')}"]
        key = KEYS[batch.kind][0]
        if batch.kind == "queries":
            told.append(f"The first asks for {batch.table.column(key)[0].as_py()}.")
        elif len(self.columns) == 1 and c.canonical(self.columns[0]) != key and self._held_kind() is None:
            told.append(f"Column {self.columns[0]!r} is taken as {key!r}.")
        told += [f"{note}." for note in (() if isinstance(self.data, Batch) else self._given.notes)]
        for problem, rows in batch.findings.groupby("problem", sort=False).size().items():
            told.append(f"{counted(rows, 'row')}: {problem}.")
        return told

    def _path(self, before: str = "") -> str:
        text = isinstance(self.data, str) or hasattr(self.data, "__fspath__")
        return f"{before}{self.data}" if text else ""


def size(batch: Batch) -> str:
    """Return how many records a batch holds, in words: `5 users`."""
    return batch.size
