"""How many jobs may still be started: the quota is the account's, and others use it too."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from personalize_nb import errors
from personalize_nb.contract import limits
from personalize_nb.contract.job_kinds import INFERENCE, JobKind
from personalize_nb.resources.own_quota import own_quota
from personalize_nb.session.session import Session

_UNKNOWN = -1


@dataclass
class Room:
    """Room for the jobs of one queue beside those of everybody else on the account.

    Parameters
    ----------
    session
        Where they run.
    own
        Names of the queue's own jobs.
    at_once
        The most of them to have pending or in progress.
    kind
        Their kind, each of which has a quota of its own.

    Attributes
    ----------
    others
        How many jobs of others were pending or in progress when it was last looked.
    """

    session: Session
    own: Collection[str]
    at_once: int
    kind: JobKind = INFERENCE
    others: int = 0
    _quota: int | None = _UNKNOWN

    def left(self, running: int) -> int:
        """Return how many jobs may be started now.

        Parameters
        ----------
        running
            How many of the queue's own are pending or in progress.
        """
        wanted = self.at_once - running
        if wanted <= 0:
            return 0
        try:
            entries = self.session.pages(*self.kind.listing)
            unfinished = [one["jobName"] for one in entries if one["status"] not in limits.TERMINAL]
        except errors.AccessError:
            return wanted  # then only the service's refusal tells
        self.others = sum(name not in self.own for name in unfinished)
        if self._quota == _UNKNOWN:
            self._quota = own_quota(self.session, self.kind)
        if self._quota is not None:
            return max(0, min(wanted, self._quota - running - self.others))
        # the quota may have been raised, which the service alone knows: one is tried
        most = max(limits.MAX_JOBS_IN_PROGRESS, self.at_once)
        return min(wanted, max(1, most - running - self.others))
