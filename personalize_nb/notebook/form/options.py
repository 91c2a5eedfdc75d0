"""What the form asks the service for once and keeps until it is told to forget: choices, and names in use.

A form checks itself at every key press; no key press may cost a call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from personalize_nb import errors
from personalize_nb.contract import limits
from personalize_nb.contract.job_kinds import INFERENCE, SEGMENTS, JobKind
from personalize_nb.contract.recipes import recipe_of
from personalize_nb.errors import Problem
from personalize_nb.jobs import manifests, theme_columns
from personalize_nb.jobs.unfit import no_batch
from personalize_nb.notebook.form.offers import Version, offered
from personalize_nb.resources import durations
from personalize_nb.resources.durations import Expected
from personalize_nb.resources.filter_texts import targets
from personalize_nb.resources.filters import Filter, find_filter
from personalize_nb.resources.known_values import ColumnValues, KnownValues
from personalize_nb.resources.solutions import SolutionVersion, find_solution_version, list_solution_versions
from personalize_nb.session import s3, s3_levels
from personalize_nb.session.session import Session

if TYPE_CHECKING:
    import pandas as pd

NO_FILTER = ("no filter", "")


class Options:
    """Solutions, filters and names of one session.

    Parameters
    ----------
    session
        Where to look.
    items
        The items as a frame, whose values are suggested to filters; by default those of the training data are.

    Attributes
    ----------
    own
        Names that the form made up or used itself; nobody else has them, so nobody is asked.
    """

    def __init__(self, session: Session, items: pd.DataFrame | None = None):
        self.own: set[str] = set()
        self._session, self._items = session, items
        self._offered: list[Version] = []
        self._names_of_filters: dict[str, list[str]] = {}
        self._known: dict[str, KnownValues] = {}
        self._missing: dict[str, bool] = {}
        self._newest: set[str] = set()
        self._versions: dict[str, SolutionVersion] = {}
        self._filters: dict[str, Filter] = {}
        self._texts: dict[str, Mapping[str, bool]] = {}
        self._names: dict[str, set[str]] = {}
        self._entries: dict[JobKind, list[dict[str, Any]]] = {}

    def forget(self) -> None:
        """Ask again for what may have changed; solutions are asked for by `solutions`."""
        for kept in (self._filters, self._names_of_filters, self._known, self._missing):
            kept.clear()
        self._names.clear()
        self._entries.clear()

    def solutions(
        self, wanted: SolutionVersion | str | None = None, kinds: Sequence[str] = (), chosen: Filter | None = None
    ) -> list[tuple[str, str]]:
        """Return the ACTIVE solution versions that batch jobs of either kind take, label and ARN, what fits first.

        Parameters
        ----------
        wanted
            The one that code asks for.
        kinds
            What the input can be taken for.
        chosen
            The filter that code asks for: what is of its dataset group comes first.

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
        self._offered = [
            Version(solution, recipe, created.to_pydatetime(), arn, arn in self._newest)
            for solution, recipe, created, arn in zip(
                *(frame[name] for name in ("solution", "recipe", "created", "solution_version_arn")), strict=True
            )
        ]
        return self.fitting(kinds, chosen)

    def fitting(self, kinds: Sequence[str], chosen: Filter | None = None) -> list[tuple[str, str]]:
        """Return the same versions in the order in which they fit an input; nobody is asked."""
        found = offered(self._offered, kinds)
        if chosen is None:
            return found
        own = self._solutions_of(chosen.dataset_group_arn)
        return sorted(found, key=lambda one: one[1].rsplit("/", 1)[0] not in own)  # stable: what fits stays first

    def _solutions_of(self, group: str) -> set[str]:
        listed = self._session.pages("list_solutions", "solutions", datasetGroupArn=group)
        return {one["solutionArn"] for one in listed}

    def fits(self, arn: str, kinds: Sequence[str]) -> bool:
        """Tell whether a version takes an input of one of these kinds."""
        return all(one.rank(kinds) < 2 for one in self._offered if one.arn == arn)

    def version(self, arn: str) -> SolutionVersion:
        """Return the solution version of an ARN."""
        if arn not in self._versions:
            self._versions[arn] = find_solution_version(arn, self._session)
        return self._versions[arn]

    def spelling(self, version: SolutionVersion) -> str:
        """Return the shortest text that finds a version: the solution's name stands for the newest one."""
        return version.name if version.arn in self._newest else version.arn.split(":solution/", 1)[-1]

    def filters(self, version: SolutionVersion) -> list[tuple[str, str]]:
        """Return the ACTIVE filters that jobs of a version take, after none: those of its data and of what it makes."""
        facts = recipe_of(version.recipe)
        kind = SEGMENTS if facts is not None and facts.segments else INFERENCE
        group = version.dataset_group_arn
        if group not in self._names_of_filters:
            listed = self._session.pages("list_filters", "Filters", datasetGroupArn=group)
            self._names_of_filters[group] = [one["name"] for one in listed if one["status"] == limits.ACTIVE]
        found = [self.filter(name) for name in self._names_of_filters[group]]
        legal = [one.name for one in found if one is not None and not targets(one.expression) - {kind.filtered}]
        return [NO_FILTER, *((name, name) for name in legal)]

    def known_values(self, version: SolutionVersion, chosen: Filter | None) -> dict[str, ColumnValues]:
        """Return what the data hold that a filter's placeholders are compared with, by placeholder; read once."""
        group = version.dataset_group_arn
        if chosen is None or not chosen.placeholders:
            return {}
        if group not in self._known:
            self._known[group] = KnownValues(group, self._session, self._items)
        return self._known[group].of_filter(chosen)

    def forget_buckets(self) -> None:
        """Look for buckets again."""
        self._missing.clear()

    def missing_bucket(self, address: str) -> str:
        """Say that the bucket of an address is not there; each is looked for once."""
        bucket = address.removeprefix("s3://").partition("/")[0]
        if not s3.is_s3(address) or not bucket:
            return ""
        if bucket not in self._missing:
            self._missing[bucket] = s3_levels.is_missing(self._session, bucket)
        return f"there is no bucket {bucket!r}" if self._missing[bucket] else ""

    def first_solution(self, wanted: SolutionVersion | str | None, options: list[tuple[str, str]]) -> str:
        """Return the ARN to choose at first: the one wanted, by default the newest."""
        if wanted is None:
            return options[0][1]
        arn = find_solution_version(wanted, self._session).arn
        if arn not in dict(options).values():
            raise errors.NotFoundError(f"Solution version {arn!r} is not ACTIVE yet; wait for it, then make the form.")
        return arn

    def first_filter(self, wanted: Filter | None, version: SolutionVersion) -> str:
        """Return the name of the filter to choose at first, empty for none.

        Raises
        ------
        NotFoundError
            It is not ACTIVE.
        RequestError
            Jobs of the version do not take it.
        """
        if wanted is None:
            return ""
        if wanted.status != limits.ACTIVE:
            raise errors.NotFoundError(f"Filter {wanted.name!r} is {wanted.status}; wait until it is ACTIVE.")
        legal = [name for _, name in self.filters(version) if name]
        if wanted.name not in legal:
            group = wanted.dataset_group_arn.rsplit("/", 1)[-1]
            whose = (
                f"is on {min(targets(wanted.expression), default='nothing')}"
                if wanted.dataset_group_arn == version.dataset_group_arn
                else f"is of dataset group {group!r}"
            )
            text = (
                f"Filter {wanted.name!r} {whose}, so that jobs of solution {version.name!r} do not take it; they take "
                f"{', '.join(map(repr, legal)) or 'none that there is'}."
            )
            raise errors.RequestError([Problem("filter_arn", text)])
        return wanted.name

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
