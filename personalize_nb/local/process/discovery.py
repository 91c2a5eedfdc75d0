"""The record of a running service: how other processes of its owner find it and know that it is the one.

`service.json` holds address and keys and is readable by its owner only. A process that answers at the address is
trusted only after it has proved that it knows the secret: another user may have taken the port meanwhile.
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
from dataclasses import dataclass, field, replace
from pathlib import Path

import psutil

from personalize_nb.local.state import platform
from personalize_nb.local.state.layout import RECORD

HEALTH_PATH = "/_personalize_nb/health"
_ANSWER_BYTES = 4096
# the number of no process that anybody starts
_NOBODY = 0
# start times are counted from the machine's boot, whose time moves when the clock is set
_CLOCK_STEP_SECONDS = 60.0


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
    """
    try:
        with open(root / RECORD, encoding="utf-8") as stream:
            if not platform.is_ours(os.fstat(stream.fileno())):
                return None
            values = json.load(stream)
        info = ServiceInfo(**values | {"path": root})
        # that of a copied folder tells of the original's process, which is not to be used or ended in its place
        served = Path(values["path"])
        return replace(info, pid=_NOBODY, started=0.0) if served.is_dir() and not served.samefile(root) else info
    except (OSError, ValueError, TypeError):
        return None


def alive(info: ServiceInfo) -> bool:
    """Tell whether the process of the record still runs; a zombie or a later process of its number does not."""
    try:
        process = psutil.Process(info.pid)
        if abs(process.create_time() - info.started) > _CLOCK_STEP_SECONDS:
            return False
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def proof(secret_key: str, nonce: str) -> str:
    """Return what only a holder of the secret can answer to `nonce`."""
    return hmac.new(secret_key.encode(), f"personalize_nb health {nonce}".encode(), hashlib.sha256).hexdigest()


def healthy(info: ServiceInfo, timeout: float = 10) -> bool:
    """Ask the service for a proof that it is the one of the record."""
    # botocore costs 0.1 s to import; the process that starts the service has it soon anyway
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    nonce = secrets.token_hex(16)
    request = AWSRequest("GET", f"{info.url}{HEALTH_PATH}?nonce={nonce}")
    keys = Credentials(info.access_key, info.secret_key)
    SigV4Auth(keys, "personalize", info.region).add_auth(request)
    address = urllib.parse.urlsplit(info.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=timeout)
    try:
        connection.request("GET", f"{HEALTH_PATH}?nonce={nonce}", headers=dict(request.headers.items()))
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
