"""The record of a running service: how other processes of its owner find it and know that it is the one.

`service.json` holds address and keys and is readable by its owner only. A process that answers at the address is
trusted only after it has proved that it knows the secret: another user may have taken the port meanwhile. And only
when it serves this very folder: the record of a copied folder names the service of the original.
"""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import http.client
import json
import os
import secrets
import urllib.parse
from dataclasses import dataclass, field
from pathlib import Path

import filelock
import psutil

from personalize_nb.errors import LocalServiceError
from personalize_nb.local.state import platform
from personalize_nb.local.state.layout import LOCK, RECORD, STATE, folder_identity

HEALTH_PATH = "/_personalize_nb/health"
_ANSWER_BYTES = 4096
# start times are counted from the machine's boot, whose time moves when the clock is set
_CLOCK_STEP_SECONDS = 60.0
_KINDS: dict[str, type | tuple[type, ...]] = {
    **dict.fromkeys(("url", "region", "account", "access_key", "secret_key", "role_arn", "bucket", "folder"), str),
    "pid": int,
    "started": (int, float),
}


@dataclass(frozen=True)
class ServiceInfo:
    """How to reach one local service.

    Parameters
    ----------
    url, region, account, access_key, secret_key
        What any AWS client needs; `environment()` gives it as variables.
    pid, started
        The server process and its start time, which tells it from a later process of the same number.
    path
        The folder with all of its state.
    role_arn, bucket
        A role and a bucket that are ready for jobs.
    folder
        Which folder the service found at `path` when it started, whatever its name; a copy is another one.
    durable
        Whether what it has acknowledged outlives a power cut.
    """

    url: str
    region: str
    account: str
    access_key: str
    secret_key: str = field(repr=False)
    pid: int
    started: float = field(repr=False)
    path: Path
    role_arn: str
    bucket: str
    durable: bool = False
    folder: str = field(default="", repr=False)

    @property
    def is_at_home(self) -> bool:
        """Whether the record lies in the folder that its service found, and not in a copy of it."""
        return bool(self.folder) and self.folder == folder_identity(self.path)

    def environment(self) -> dict[str, str]:
        """Return the environment variables with which any AWS client uses this service."""
        bypass = os.environ.get("NO_PROXY") or os.environ.get("no_proxy") or ""
        hosts = [host for host in bypass.split(",") if host]
        no_proxy = ",".join(hosts if "127.0.0.1" in hosts else [*hosts, "127.0.0.1"])
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            # keys of the service come without a token; one left over from real AWS would be sent along
            "AWS_SESSION_TOKEN": "",
            "AWS_DEFAULT_REGION": self.region,
            "AWS_REGION": self.region,
            # a proxy for the outside world cannot reach this machine's own 127.0.0.1
            "NO_PROXY": no_proxy,
            "no_proxy": no_proxy,
        }


def write_record(info: ServiceInfo) -> None:
    """Write `service.json`, at once and for the owner's eyes only."""
    target = info.path / RECORD
    draft = info.path / f"{RECORD}.{os.getpid()}"
    with platform.open_private(draft, "w", encoding="utf-8") as stream:
        json.dump(dataclasses.asdict(info) | {"path": str(info.path)}, stream, indent=1)
    platform.sync_file(draft)
    os.replace(draft, target)


def read_record(root: Path) -> ServiceInfo | None:
    """Return what the last service of this folder wrote, whether it still runs or not.

    A record that belongs to another user is no record: its address and keys are that user's choice.

    Raises
    ------
    LocalServiceError
        There may be a record, which cannot be read: only a missing file is a missing record.
    """
    try:
        return _read(root)
    except (FileNotFoundError, NotADirectoryError, ValueError, TypeError):
        return None
    except OSError as error:
        do = "give this user the right to read it, or close some files"
        if isinstance(error, IsADirectoryError):
            do = "move away the folder that lies in its place, which is not the service's"
        raise LocalServiceError(
            f"{str(root / RECORD)!r}, which says whether a local service runs there, cannot be read: {error}; "
            f"{do}, then try again"
        ) from error


def is_garbled(root: Path) -> bool:
    """Tell whether there is a record of this user's, and it says nothing that makes sense."""
    try:
        _read(root)
    except (ValueError, TypeError):
        return True
    except OSError:
        return False
    return False


def check_record(root: Path) -> None:
    """Refuse a folder whose record is there and cannot be read, for folders whose databases do not say whose they are.

    Raises
    ------
    LocalServiceError
        The file, what is wrong with it, and what to do.
    """
    if not (root / STATE).exists():
        return
    try:
        _read(root)
    except FileNotFoundError:
        return
    except (OSError, ValueError, TypeError) as error:
        raise LocalServiceError(
            f"{str(root / RECORD)!r}, which holds the keys, the region and the account of this folder, cannot be read: "
            f"{error}. Restore it from a backup; or move it away and start with the region and the account that the "
            "folder had (by default us-east-1 and 123456789012), and the service makes new keys; or choose another "
            "folder"
        ) from error


def _read(root: Path) -> ServiceInfo | None:
    with open(root / RECORD, encoding="utf-8") as stream:
        if not platform.is_ours(os.fstat(stream.fileno())):
            return None
        values = json.load(stream)
    if not isinstance(values, dict):
        raise TypeError(f"it is a JSON object, got {type(values).__name__}")
    known = {each.name: values[each.name] for each in dataclasses.fields(ServiceInfo) if each.name in values}
    # versions that did not write down their folder wrote down where it was
    known.setdefault("folder", folder_identity(Path(str(values.get("path", "")))))
    info = ServiceInfo(**known | {"path": root})
    wrong = [name for name, kind in _KINDS.items() if not isinstance(getattr(info, name), kind)]
    if wrong:
        raise TypeError(f"{wrong[0]!r} cannot be {getattr(info, wrong[0])!r}")
    return info


def alive(info: ServiceInfo) -> bool:
    """Tell whether the process of the record still runs; a zombie or a later process of its number does not."""
    try:
        process = psutil.Process(info.pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        # a clock that was set moves the start times of all that runs; the lock does not move
        return abs(process.create_time() - info.started) <= _CLOCK_STEP_SECONDS or _is_locked(info.path)
    except psutil.Error:
        return False


def is_suspended(pid: int) -> bool:
    """Tell whether a signal has stopped a process, which then does nothing until another one continues it."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_STOPPED
    except psutil.Error:
        return False


def require_awake(info: ServiceInfo | None) -> None:
    """Refuse to wait for the answer of a service that is suspended.

    Raises
    ------
    LocalServiceError
        Its process, and what to do.
    """
    if info is not None and info.is_at_home and is_suspended(info.pid) and alive(info):
        raise LocalServiceError(
            f"the local service in {str(info.path)!r} (process {info.pid}) is suspended by a signal and answers "
            f"nobody: continue it with `kill -CONT {info.pid}`, or end it with `python -m personalize_nb.local --path "
            f"{info.path} --stop`; the next start goes on with what it has kept"
        )


def _is_locked(root: Path) -> bool:
    """Tell whether somebody serves a folder, or is about to."""
    if not (root / LOCK).exists():
        return False
    try:
        with filelock.FileLock(root / LOCK, timeout=0, mode=0o600):
            return False
    except filelock.Timeout:
        return True


def proof(secret_key: str, nonce: str) -> str:
    """Return what only a holder of the secret can answer to `nonce`."""
    return hmac.new(secret_key.encode(), f"personalize_nb health {nonce}".encode(), hashlib.sha256).hexdigest()


def healthy(info: ServiceInfo, timeout: float = 10) -> bool:
    """Ask the service for a proof that it is the one of the record, and that it serves the folder of the record."""
    # botocore costs 0.1 s to import; the process that starts the service has it soon anyway
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    nonce, folder = secrets.token_hex(16), folder_identity(info.path)
    target = f"{HEALTH_PATH}?nonce={nonce}&folder={folder}"
    request = AWSRequest("GET", f"{info.url}{target}")
    keys = Credentials(info.access_key, info.secret_key)
    SigV4Auth(keys, "personalize", info.region).add_auth(request)
    address = urllib.parse.urlsplit(info.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=timeout)
    try:
        connection.request("GET", target, headers=dict(request.headers.items()))
        answer = connection.getresponse()
        body = answer.read(_ANSWER_BYTES)
        if answer.status != 200:
            return False
        given = json.loads(body).get("proof", "")
    except (OSError, http.client.HTTPException, ValueError, AttributeError):
        return False
    finally:
        connection.close()
    return hmac.compare_digest(str(given).encode(), proof(info.secret_key, nonce).encode())
