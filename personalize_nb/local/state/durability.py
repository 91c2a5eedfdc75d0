"""Whether what is acknowledged outlives a power cut, or only the death of processes: the mode `durable`.

A process that is killed loses nothing in either mode: what it wrote is the system's. In `durable` the disk has bodies,
the names of their files, and every commit before an answer goes out. The choice is one for all of a service's
processes, which inherit it with their environment.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from personalize_nb.errors import LocalServiceError
from personalize_nb.local.state import platform

VARIABLE = "PERSONALIZE_NB_DURABLE"
_LEGAL = {"1": True, "0": False, "": None}


def asked(environment: Mapping[str, str]) -> bool | None:
    """Return what an environment asks for; None where it says nothing.

    Raises
    ------
    LocalServiceError
        It says something else than yes or no.
    """
    given = environment.get(VARIABLE, "")
    if given not in _LEGAL:
        raise LocalServiceError(f"{VARIABLE} must be 1 or 0, got {given!r}; leave it out for the default, 0")
    return _LEGAL[given]


def choose(durable: bool) -> None:
    """Set the mode of this process and of those that it starts."""
    os.environ[VARIABLE] = "1" if durable else "0"


def is_durable() -> bool:
    """Tell in which mode this process works."""
    return bool(asked(os.environ))


def settle_file(path: Path) -> None:
    """Wait, where that is promised, until what a file holds would outlive a power cut."""
    if is_durable():
        platform.sync_file(path)


def settle_names(folder: Path) -> None:
    """Wait, where that is promised, until the names in a folder would outlive a power cut."""
    if is_durable():
        platform.sync_folder(folder)
