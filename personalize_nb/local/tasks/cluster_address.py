"""Which cluster of Dask answers batch inference jobs: the address of its scheduler, where a service is told one.

Given to `local.start` or by the environment variable `PERSONALIZE_NB_SCHEDULER`, kept in the service's folder, and read
by the worker at every job. Cheap to import.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path

from personalize_nb.errors import LocalServiceError
from personalize_nb.local.state import platform

VARIABLE = "PERSONALIZE_NB_SCHEDULER"
FILE = "cluster.json"
_ADDRESS = re.compile(r"(tcp|tls|ws|wss|ucx)://[^\s/@]+:\d{1,5}/?")


def checked(given: str) -> str:
    """Return an address as it is kept; an empty one is none.

    Raises
    ------
    LocalServiceError
        It is no address of a scheduler.

    Examples
    --------
    >>> checked(" tcp://10.0.0.1:8786 ")
    'tcp://10.0.0.1:8786'
    """
    address = given.strip() if isinstance(given, str) else given
    if not isinstance(address, str) or (address and not _ADDRESS.fullmatch(address)):
        raise LocalServiceError(
            f"'scheduler' must be the address of a Dask scheduler such as 'tcp://10.0.0.1:8786' "
            f"(client.scheduler.address), or empty for none, got {given!r} (scheduler=, or {VARIABLE})"
        )
    return address


def asked(environment: Mapping[str, str]) -> str | None:
    """Return what an environment says of a scheduler; None where it says nothing."""
    return checked(environment[VARIABLE]) if environment.get(VARIABLE, "").strip() else None


def keep(root: Path, address: str) -> None:
    """Write the address into the folder of a service, which takes it from its next job on."""
    target, draft = root / FILE, root / f"{FILE}.{os.getpid()}"
    with platform.open_private(draft, "w", encoding="utf-8") as stream:
        json.dump({"scheduler": address}, stream)
    os.replace(draft, target)


def kept(root: Path) -> str:
    """Return the address that a service was told; empty where there is none, or none that can be read."""
    try:
        return checked(json.loads((root / FILE).read_text(encoding="utf-8"))["scheduler"])
    except (OSError, ValueError, KeyError, TypeError, LocalServiceError):
        return ""
