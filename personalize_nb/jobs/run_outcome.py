"""What a run has written, read as if it were one job."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from personalize_nb import errors
from personalize_nb.contract import limits
from personalize_nb.jobs.manifests import Manifest
from personalize_nb.jobs.outcomes import ItemsOutcome
from personalize_nb.jobs.run_results import GroupOutput
from personalize_nb.jobs.run_states import JobStates
from personalize_nb.session import explanations
from personalize_nb.session.session import Session

if TYPE_CHECKING:
    import pandas as pd

    from personalize_nb.results.results import Results
    from personalize_nb.results.side_by_side import SideBySide
    from personalize_nb.results.titles import Items


class RunOutcome(ItemsOutcome):
    """A run, as far as its results go."""

    session: Session
    _manifest: Manifest
    _states: JobStates
    _results: Results | SideBySide | None

    @property
    @abstractmethod
    def name(self) -> str:
        """The run's name."""

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """Return the state of the run."""

    def results(self, *, sleep: Callable[[float], object] = time.sleep) -> Results | SideBySide:
        """Return what all jobs wrote, as one; the input of jobs that failed is among the errors.

        Parameters
        ----------
        sleep
            Replaced in tests.

        Returns
        -------
        Results or SideBySide
            Of several models or filters side by side, with a column that says which.

        Raises
        ------
        NotFoundError
            Not all jobs have ended.
        FailedError
            All of them failed.
        """
        described = self.describe()
        if described["status"] not in limits.TERMINAL:
            raise errors.NotFoundError(
                f"Run {self.name!r} is {described['status']}, {described['done']} of {described['jobs']} jobs are "
                "done; it has results once all have ended: run.wait()."
            )
        if described["failed"] == described["jobs"]:
            reason = described["failureReason"]
            told = explanations.told(reason)
            raise errors.FailedError(f"Run {self.name!r} ended in {limits.FAILED}: {told}", reason=reason)
        return self._read(described["ended"], sleep)

    def _read(self, ended: datetime, sleep: Callable[[float], object]) -> Results | SideBySide:
        if self._results is None:
            found = self._each(ended, sleep)
            if not any(one.labels for one in self._manifest.groups):
                self._results = found[0]
            else:
                from personalize_nb.results.side_by_side import SideBySide

                self._results = SideBySide(found, [one.labels for one in self._manifest.groups])
        return self._results

    def _each(self, ended: datetime, sleep: Callable[[float], object]) -> list[Results]:
        several = len(self._manifest.groups) > 1  # the others can be read where the output of one is gone
        return [one.results(ended, sleep, gone_is_told=several) for one in self.outputs()]

    def outputs(self) -> list[GroupOutput]:
        """Return where each question's jobs have input and output, and what is known of their ends; nobody is asked.

        Returns
        -------
        list of GroupOutput
            One for each question.
        """
        failures, ended = self._states.failures, self._states.ended
        groups = range(len(self._manifest.groups))
        return [GroupOutput(self._manifest, group, failures, ended, self.session) for group in groups]

    def segments(self, items: Items | None = None, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return the segments, a row per user, in input order.

        Parameters
        ----------
        items, columns
            As for `Results.segments`.

        Returns
        -------
        pandas.DataFrame
            Columns as of `Results.segments`.

        Raises
        ------
        NotFoundError
            The jobs made no segments.
        """
        return self.results().segments(items, columns)

    def errors(self) -> pd.DataFrame:
        """Return the input lines that failed or got no item, and why, also of failed jobs.

        Returns
        -------
        pandas.DataFrame
            Columns as of `Results.errors`.
        """
        described = self.describe()
        if described["status"] == limits.FAILED and not described["done"]:
            return self._read(described["ended"], time.sleep).errors()  # results there are none
        return self.results().errors()
