"""A choice of the service where Amazon's documentation is silent: what it is about, what is done, and where."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Decision:
    """One open question and what is done here.

    Parameters
    ----------
    subject
        What it is about.
    choice
        What the service does.
    where
        The module that does it, below `personalize_nb.local`; or one of `contract`.
    """

    subject: str
    choice: str
    where: str
