"""What the form asks the service for once and keeps until it is told to forget: choices, and names in use.

A form checks itself at every key press; no key press may cost a call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from personalize_nb import errors
from personalize_nb.contract import limits
from personalize_nb.contract.job_kinds import INFERENCE, JobKind
from personalize_nb.contract.recipes import recipe_of
from personalize_nb.jobs import manifests, theme_columns
from personalize_nb.jobs.request import no_batch
from personalize_nb.resources import durations
from personalize_nb.resources.durations import Expected
from personalize_nb.resources.filters import Filter, find_filter, list_filters
from personalize_nb.resources.solutions import SolutionVersion, find_solution_version, list_solution_versions
from personalize_nb.session.session import Session

NO_FILTER = ("no filter", "")


class Options:
    """Solutions, filters and names of one session.

    Parameters
    ----------
    session
        Where to look.

    Attributes
    ----------
    own
        Names that the form made up or used itself; nobody else has them, so nobody is asked.
    """

    def __init__(self, session: Session):
        self.own: set[str] = set()
        self._session = session
        self._newest: set[str] = set()
        self._versions: dict[str, SolutionVersion] = {}
        self._filters: dict[str, Filter] = {}
        self._texts: dict[str, Mapping[str, bool]] = {}
        self._names: dict[str, set[str]] = {}
        self._entries: dict[JobKind, list[dict[str, Any]]] = {}

    def forget(self) -> None:
        """Ask again for what may have changed: solutions are asked for by `solutions`, filters by `filters`."""
        self._filters.clear()
        self._names.clear()
        self._entries.clear()

    def solutions(self, wanted: SolutionVersion | str | None = None) -> list[tuple[str, str]]:
        """Return the ACTIVE solution versions that batch jobs of either kind take, label and ARN, the newest first.

        Raises
        ------
        RequestError
            Batch jobs do not take the one wanted.
        """
        row = None if wanted is None else recipe_of(find_solution_version(wanted, self._session).recipe)
        if row is not None and not (row.batch or row.segments):
            raise errors.RequestError([no_batch(row)])
        frame = list_solution_versions(self._session, arns=True)
        others = [
            name for name in frame["recipe"].unique() if (row := recipe_of(name)) and not (row.batch or row.segments)
        ]
        frame = frame[(frame["status"] == limits.ACTIVE) & ~frame["recipe"].isin(others)]
        self._newest = set(frame.drop_duplicates("solution")["solution_version_arn"])
        if frame.empty:
            raise errors.NotFoundError(
                "There is no ACTIVE solution version that batch jobs take; pnb.train(interactions, items, name='...') "
                "makes one."
            )
        return [
            (f"{row.solution} ({row.recipe}, {row.created:%Y-%m-%d %H:%M})", str(row.solution_version_arn))
            for row in frame.itertuples()
        ]

    def version(self, arn: str) -> SolutionVersion:
        """Return the solution version of an ARN."""
        if arn not in self._versions:
            self._versions[arn] = find_solution_version(arn, self._session)
        return self._versions[arn]

    def spelling(self, version: SolutionVersion) -> str:
        """Return the shortest text that finds a version: the solution's name stands for the newest one."""
        return version.name if version.arn in self._newest else version.arn.split(":solution/", 1)[-1]

    def filters(self) -> list[tuple[str, str]]:
        """Return the ACTIVE filters to choose from, after none."""
        frame = list_filters(self._session)
        names = frame.loc[frame["status"] == limits.ACTIVE, "name"]
        return [NO_FILTER, *((name, name) for name in names)]

    def first_solution(self, wanted: SolutionVersion | str | None, options: list[tuple[str, str]]) -> str:
        """Return the ARN to choose at first: the one wanted, by default the newest."""
        if wanted is None:
            return options[0][1]
        arn = find_solution_version(wanted, self._session).arn
        if arn not in dict(options).values():
            raise errors.NotFoundError(f"Solution version {arn!r} is not ACTIVE yet; wait for it, then make the form.")
        return arn

    def first_filter(self, wanted: Filter | None, options: list[tuple[str, str]]) -> str:
        """Return the name of the filter to choose at first, empty for none."""
        if wanted is not None and wanted.name not in dict(options):
            raise errors.NotFoundError(f"Filter {wanted.name!r} is {wanted.status}; wait until it is ACTIVE.")
        return wanted.name if wanted is not None else ""

    def filter(self, name: str) -> Filter | None:
        """Return the filter of a name, or None for no name."""
        if name and name not in self._filters:
            self._filters[name] = find_filter(name, self._session)
        return self._filters[name] if name else None

    def name_column(self, version: SolutionVersion, wanted: str | None = None) -> str:
        """Return the column of the items' names, as `theme_columns.name_column` does; the schema is read once."""
        if version.arn not in self._texts:
            self._texts[version.arn] = theme_columns.text_columns(version)
        return theme_columns.name_column(version, wanted, self._texts[version.arn])

    def taken(self, name: str, run: bool, kind: JobKind = INFERENCE) -> bool:
        """Tell whether another job has this name, or, for a run, another run."""
        if name in self.own:
            return False
        return name in self._used(kind.noun, lambda: self._jobs(kind)) or (
            run and name in self._used("runs", self._runs)
        )

    def _used(self, what: str, ask: Callable[[], set[str]]) -> set[str]:
        if what not in self._names:
            try:
                self._names[what] = ask()
            except errors.PersonalizeError:
                self._names[what] = set()  # who may not list is told by the start itself
        return self._names[what]

    def _jobs(self, kind: JobKind) -> set[str]:
        if kind not in self._entries:
            self._entries[kind] = list(self._session.pages(*kind.listing))
        return {entry["jobName"] for entry in self._entries[kind]}

    def expected(self, version: SolutionVersion, mode: str, kind: JobKind) -> Expected | None:
        """Return how long a job takes, as the jobs that are there did."""
        self._used(kind.noun, lambda: self._jobs(kind))
        return durations.expected(self._session, mode, version.arn, self._entries.get(kind, ()))

    def _runs(self) -> set[str]:
        return manifests.names(self._session)
