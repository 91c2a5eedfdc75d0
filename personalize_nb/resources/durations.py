"""How long a job takes, as the account's earlier jobs of the kind did: nobody promises it, and accounts differ."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from personalize_nb import errors
from personalize_nb.contract import limits
from personalize_nb.contract.job_kinds import INFERENCE, SEGMENTS
from personalize_nb.contract.parameters import BATCH_SEGMENT, named
from personalize_nb.session.session import Session
from personalize_nb.text.counts import counted, spoken

_MOST = 20  # the newest: what AWS needed years ago tells little
_ENOUGH = 3  # jobs of the same solution, before those of others count


@dataclass(frozen=True)
class Expected:
    """How long a job is expected to take.

    Parameters
    ----------
    seconds
        The median of the earlier jobs.
    shortest, longest
        Of the earlier jobs.
    jobs
        How many they are.
    same_solution
        Whether they are of the same solution.
    """

    seconds: float
    shortest: float
    longest: float
    jobs: int
    same_solution: bool

    def times(self, rounds: int) -> Expected:
        """Return what several jobs take, one after the other."""
        if rounds <= 1:
            return self
        seconds = (self.seconds * rounds, self.shortest * rounds, self.longest * rounds)
        return Expected(*seconds, self.jobs, self.same_solution)

    def end(self, began: datetime) -> datetime:
        """Return when work ends that began at this time."""
        return began + timedelta(seconds=self.seconds)

    def told(self, began: datetime) -> str:
        """Say when work ends that began at this time, and how that is known."""
        of = f"{counted(self.jobs, 'earlier job')} of this {'solution' if self.same_solution else 'account'}"
        span = f", which took {_span(self.shortest, self.longest)}" if self.jobs > 1 else ""
        end = self.end(began).astimezone(UTC)
        return f"about {end:%Y-%m-%d %H:%M} UTC, after {spoken(self.seconds)}, as {of}{span}"


def expected(
    session: Session, mode: str, solution_version_arn: str, entries: Iterable[Mapping[str, Any]] | None = None
) -> Expected | None:
    """Return how long a job takes; None where there is no earlier one of the kind, or jobs may not be listed.

    Parameters
    ----------
    session
        Whose jobs are looked at.
    mode
        The job's mode: themes take longer.
    solution_version_arn
        Its model; jobs of the same solution count first.
    entries
        What the service lists of the kind, where they are known already.
    """
    kind = SEGMENTS if mode == BATCH_SEGMENT else INFERENCE
    if entries is None:
        try:
            entries = list(session.pages(*kind.listing))
        except errors.CredentialsError:
            raise
        except errors.PersonalizeError:
            return None
    row = named("mode")
    ended = [one for one in entries if one["status"] == limits.ACTIVE]
    if kind == INFERENCE:
        ended = [one for one in ended if (row.taken(one) or row.default) == mode]
    ended.sort(key=lambda one: one["creationDateTime"], reverse=True)
    solution = _solution(solution_version_arn)
    own = [one for one in ended if _solution(one["solutionVersionArn"]) == solution]
    same = len(own) >= _ENOUGH or len(own) == len(ended)
    seconds = [
        (one["lastUpdatedDateTime"] - one["creationDateTime"]).total_seconds()
        for one in (own if same else ended)[:_MOST]
    ]
    if not seconds:
        return None
    return Expected(statistics.median(seconds), min(seconds), max(seconds), len(seconds), same)


def _solution(version_arn: str) -> str:
    return version_arn.rsplit("/", 1)[0]


def _span(shortest: float, longest: float) -> str:
    low, high = spoken(shortest), spoken(longest)
    return low if low == high else f"{low} to {high}"
