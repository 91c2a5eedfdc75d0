"""The embedded Amazon Personalize: one process per folder, on 127.0.0.1, with its state on disk.

`start` finds the running service of a folder or starts one that outlives this process, `attach` only finds it,
`stop` ends it; nothing is lost by stopping or killing it. What is kept can be looked through (`check`), mended in a
copy (`repair`), kept in a file (`snapshot`, `restore`) and removed (`reset`). Its rooms import nothing of
the client but `errors` and `contract`.
"""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import filelock
import psutil

from personalize_nb.errors import LocalServiceError
from personalize_nb.local.errors import Damage
from personalize_nb.local.process.discovery import (
    ServiceInfo,
    alive,
    healthy,
    is_suspended,
    read_record,
    require_awake,
)
from personalize_nb.local.state import durability, layout, platform
from personalize_nb.local.tasks import cluster_address, theme_settings
from personalize_nb.local.upkeep import folders
from personalize_nb.local.upkeep.checking import check
from personalize_nb.local.upkeep.mending import Mended, repair
from personalize_nb.local.upkeep.snapshots import restore, snapshot

log = logging.getLogger(__name__)

__all__ = [
    "Damage",
    "Mended",
    "ServiceInfo",
    "attach",
    "check",
    "check_there",
    "repair",
    "reset",
    "restore",
    "serves",
    "snapshot",
    "start",
    "stop",
]

_PROFILES = frozenset({"AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CA_BUNDLE"})
_LOG_TAIL = 2000
# how the line begins in which a service says why it does not start
REFUSAL = "personalize_nb.local: "
_REGION, _ACCOUNT = re.compile(r"[a-z]{2,4}(-[a-z]+)+-\d{1,2}"), re.compile(r"\d{12}", re.ASCII)


def start(
    path: str | os.PathLike[str],
    *,
    region: str | None = None,
    account: str | None = None,
    idle_seconds: float = 3600,
    timeout: float = 60,
    themes: str | Mapping[str, Any] | None = None,
    durable: bool | None = None,
    scheduler: str | None = None,
) -> ServiceInfo:
    """Find the service of a folder, or start it as a process of its own.

    Parameters
    ----------
    path
        The folder of the service; made when it does not exist.
    region, account
        What the service calls itself; the folder's own when it has served before, else `us-east-1` and
        `123456789012`.
    idle_seconds
        The service ends after this time without requests and work; 0 means never.
    timeout
        Seconds to wait until it answers.
    themes
        What writes themes, from the next job on: the name of a generator, or `generator` with its options, such as
        `{"generator": "openai", "model": "llama3.2"}`, and `items_per_file` to lift the limit of 100 items; by
        default `PERSONALIZE_NB_THEMES`, else what the folder holds.
    durable
        Whether what it acknowledges outlives a power cut, at the cost of a wait for the disk in every write; by
        default `PERSONALIZE_NB_DURABLE` (`1` or `0`), else not. The death of a process loses nothing in either mode.
    scheduler
        The address of a Dask scheduler, `tcp://10.0.0.1:8786`, whose workers answer batch inference jobs from the next
        one on, with the same output; they see this folder under the same path. An empty text ends it. By default
        `PERSONALIZE_NB_SCHEDULER`, else what the folder holds.

    Raises
    ------
    LocalServiceError
        It did not start, or it serves another region or account or in another mode, or a setting is not legal; the
        message says why.
    """
    check_identity(region, account)
    durable = durability.asked(os.environ) if durable is None else durable
    chosen = themes or theme_settings.from_environment(os.environ)
    settings = theme_settings.parse(chosen) if chosen else None
    address = cluster_address.asked(os.environ) if scheduler is None else cluster_address.checked(scheduler)
    root = layout.claim_folder(Path(path))
    try:
        if address is not None:
            cluster_address.keep(root, address)
        if settings is not None:
            theme_settings.keep(root, settings)
        running = attach(root)
        if running is None:
            # two kernels that start at the same moment get one service
            with filelock.FileLock(root / layout.START_LOCK, timeout=timeout, mode=0o600):
                running = attach(root) or _launch(root, region, account, idle_seconds, timeout, durable)
    except filelock.Timeout as error:
        raise LocalServiceError(
            f"another process has been starting the local service in {str(root)!r} for {timeout:g} s; "
            f"see {layout.LOG} in that folder"
        ) from error
    except OSError as error:
        raise layout.unusable(root, error) from error
    for name, wanted in (("region", region), ("account", account)):
        if wanted is not None and getattr(running, name) != wanted:
            raise LocalServiceError(
                f"the local service in {str(root)!r} has {name} {getattr(running, name)!r}, not {wanted!r}; "
                f"use another path, or the same {name}"
            )
    if durable is not None and running.durable != durable:
        raise LocalServiceError(
            f"the local service in {str(root)!r} runs with durable={running.durable}, not {durable}; stop it first: "
            "the next start takes the mode that it is given"
        )
    return running


def check_identity(region: str | None, account: str | None) -> None:
    """Raise LocalServiceError for a region or an account that AWS could not have; None is the folder's own."""
    if region is not None and not _REGION.fullmatch(region):
        raise LocalServiceError(f"'region' must look like 'us-east-1', got {region!r}")
    if account is not None and not (isinstance(account, str) and _ACCOUNT.fullmatch(account)):
        raise LocalServiceError(f"'account' must be a text of 12 digits, such as '123456789012', got {account!r}")


def attach(path: str | os.PathLike[str]) -> ServiceInfo | None:
    """Return the running service of a folder, or None.

    It has proved that it knows the folder's secret and serves this folder: the service of a folder that was copied
    does not serve the copy.

    Raises
    ------
    LocalServiceError
        Its process is suspended, or its record cannot be read.
    """
    info = read_record(Path(path).expanduser().absolute())
    require_awake(info)
    return info if info is not None and alive(info) and healthy(info) else None


def serves(info: ServiceInfo) -> bool:
    """Tell whether a service that was found before still serves its folder; unlike `attach` it asks no network."""
    return info.is_at_home and read_record(info.path) == info and alive(info)


def check_there(info: ServiceInfo) -> None:
    """Refuse to start the service of a folder again that is no longer there: it would begin anew, without anything.

    Raises
    ------
    LocalServiceError
        The folder, and what to do.
    """
    if not (info.path / layout.STATE).exists():
        raise LocalServiceError(
            f"the folder {str(info.path)!r} of the local service is gone (moved or deleted?). Move it back; or make a "
            "session where it is now, with pnb.connect(pnb.Session.local(path)); a new session at the old path begins "
            "without anything"
        )


def stop(path: str | os.PathLike[str], *, timeout: float = 30) -> bool:
    """End the service of a folder; unfinished work goes on at the next start.

    Parameters
    ----------
    path
        The folder of the service.
    timeout
        Seconds until a service that does not end by itself is killed.

    Returns
    -------
    bool
        Whether one was running.
    """
    info = read_record(Path(path).expanduser().absolute())
    if info is None or not info.is_at_home or not alive(info):
        return False
    try:
        process = psutil.Process(info.pid)
        # whoever has the number of a service that is gone must not be ended in its place
        with filelock.FileLock(info.path / layout.LOCK, timeout=0):
            return False
    except psutil.NoSuchProcess:
        return False
    except filelock.Timeout:
        log.debug("process %d serves %s", info.pid, info.path)
    except OSError as error:
        raise layout.unusable(info.path, error) from error
    for end in (process.terminate, process.kill):
        try:
            end()
            if is_suspended(info.pid):
                # until it goes on it does not hear that it is to end
                process.resume()
            # the service holds this lock as long as it lives
            with filelock.FileLock(info.path / layout.LOCK, timeout=timeout):
                return True
        except psutil.NoSuchProcess:
            return True
        except filelock.Timeout:
            continue
    raise LocalServiceError(
        f"the local service in {str(info.path)!r} (process {info.pid}) does not end, even when killed; "
        "the disk it waits for may be gone"
    )


def reset(path: str | os.PathLike[str]) -> list[Path]:
    """Stop the service of a folder and remove everything that it has kept there; nothing brings it back.

    Parameters
    ----------
    path
        The folder of the service; it stays, empty.

    Returns
    -------
    list of Path
        What was in the folder besides, which stays.

    Raises
    ------
    LocalServiceError
        There is no such folder, or nothing of a service in it.
    """
    root = folders.existing(path)
    stop(root)
    return folders.empty(root)


def _launch(
    root: Path, region: str | None, account: str | None, idle_seconds: float, timeout: float, durable: bool | None
) -> ServiceInfo:
    """Start the service in the background and wait until it answers."""
    # -P: nothing in the present folder may pass for a module of the service
    command = [sys.executable, "-P", "-m", "personalize_nb.local", "--path", str(root)]
    command += ["--idle-seconds", str(idle_seconds)]
    command += ["--region", region] if region else []
    command += ["--account", account] if account else []
    command += ["--durable" if durable else "--no-durable"]
    layout.turn_log(root)
    with platform.open_private(root / layout.LOG, "ab") as log:
        written = log.tell()
        try:
            outcome = platform.launch(
                command,
                folder=root,
                log=log,
                environment=_environment(),
                timeout=timeout,
                is_ready=lambda: attach(root) is not None,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise LocalServiceError(f"the local service cannot be started: {error}{_log_tail(root)}") from error
    running = attach(root) if outcome == "ready" else None
    if running is None:
        if reason := _own_words(root, written):
            raise LocalServiceError(f"the local service in {str(root)!r} did not start: {reason}")
        why = f"it was not ready after {timeout:g} s" if outcome == "late" else "it ended before it was ready"
        raise LocalServiceError(f"the local service in {str(root)!r} did not start: {why}{_log_tail(root)}")
    return running


def _environment() -> dict[str, str]:
    """Return this environment without the user's own keys, which the service must not take for its own.

    Where profiles and a container's credentials are found stays: a generator of themes may need them for Bedrock.
    """
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("AWS_") or name in _PROFILES or name.startswith("AWS_CONTAINER_")
    }


def _own_words(root: Path, written: int) -> str:
    """Return why a service would not start, as it has told since the log had this length; empty when it did not."""
    with open(root / layout.LOG, encoding="utf-8", errors="replace") as log:
        log.seek(written)
        told = [line.removeprefix(REFUSAL).strip() for line in log if line.startswith(REFUSAL)]
    return told[-1] if told else ""


def _log_tail(root: Path) -> str:
    try:
        text = (root / layout.LOG).read_text(encoding="utf-8", errors="replace")[-_LOG_TAIL:].strip()
    except OSError:
        return ""
    return f". The end of {layout.LOG}:\n{text}" if text else ""
