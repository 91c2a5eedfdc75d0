"""The server process: puts the parts together, keeps them running, and ends in order.

One service per folder, by a lock that the process holds as long as it lives. Everything it knows is on disk, so its
end, in order or by SIGKILL, loses nothing: the next start takes up the work.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import secrets
import signal
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import filelock
import psutil

from personalize_nb.contract.partitions import partition_of
from personalize_nb.errors import LocalServiceError
from personalize_nb.local.data.events import EventStore
from personalize_nb.local.data.schema import INTERACTIONS
from personalize_nb.local.errors import ApiError
from personalize_nb.local.http.endpoint import Endpoint
from personalize_nb.local.http.listener import PLACES
from personalize_nb.local.http.messages import Handler, Request, Response
from personalize_nb.local.iam.accounts import accounts_handlers, bucket_policy, ensure_default_role
from personalize_nb.local.iam.authorization import Authorizer
from personalize_nb.local.iam.keys import Keys
from personalize_nb.local.iam.kms import kms_handler
from personalize_nb.local.personalize.json_protocol import personalize_handler
from personalize_nb.local.personalize.operations.control import Control
from personalize_nb.local.personalize.service_quotas import service_quotas_handler
from personalize_nb.local.personalize.serving.models import Models
from personalize_nb.local.personalize.serving.registry import Serving
from personalize_nb.local.process import worker
from personalize_nb.local.process.discovery import (
    HEALTH_PATH,
    ServiceInfo,
    alive,
    check_record,
    healthy,
    is_garbled,
    proof,
    read_record,
    require_awake,
    write_record,
)
from personalize_nb.local.process.supervisor import Supervisor, end_orphans
from personalize_nb.local.s3.handler import s3_handler
from personalize_nb.local.s3.store import ObjectStore
from personalize_nb.local.s3.sweeping import LEFT_BY_KILLS, sweep
from personalize_nb.local.state import diskspace, durability, layout, model_folders, platform, versions, wholeness
from personalize_nb.local.state.facts import RecommenderFacts
from personalize_nb.local.state.kinds import DATASET, EVENT_INTERACTIONS, SOLUTION_VERSION
from personalize_nb.local.state.quotas import Quota, configured
from personalize_nb.local.state.resources import AnyResource
from personalize_nb.local.state.store import Store
from personalize_nb.local.state.versions import DataFiles, DatasetVersions, Replacement
from personalize_nb.local.state.wholeness import Identity
from personalize_nb.local.tasks import tasks
from personalize_nb.local.tasks.run import WorkContext, perform

log = logging.getLogger(__name__)

DEFAULT_REGION, DEFAULT_ACCOUNT = "us-east-1", "123456789012"
# a service that is just ending still holds the folder for a moment
_LOCK_SECONDS = 15.0
_LOOK_SECONDS = 2.0
# whoever starts a service looks at it first; on a busy machine that look may come late
_FIRST_USE_SECONDS = 60.0
# how the ids of AWS's own access keys begin, lasting and temporary ones
_AWS_KEYS = ("AKIA", "ASIA")
# open files of a service with many connections, and how many of them are left for everything else
_OPEN_FILES, _OTHER_FILES = 4096, 64
# how the names of operations begin that may have queued work
_QUEUEING = ("Create", "Update", "Start", "Stop")


class Service:
    """One local service; `run` returns when it has ended.

    Parameters
    ----------
    root
        The folder, already made and owned by this user.
    port
        On 127.0.0.1; 0 means the last one used in this folder if it is free, else any.
    region, account
        None means the folder's own, else the defaults.
    keys
        Access key and secret; None means the folder's own, else new ones. A key of AWS is accepted, and kept nowhere.
    idle_seconds
        End after this time without requests and work; 0 means never.
    workers
        Number of worker processes; None means two, or one on a machine with one core. An import that would wait for
        them gets one more.

    Raises
    ------
    LocalServiceError
        Another service runs here, or what is asked does not fit what the folder holds.
    """

    @diskspace.telling()
    def __init__(
        self,
        root: Path,
        *,
        port: int = 0,
        region: str | None = None,
        account: str | None = None,
        keys: tuple[str, str] | None = None,
        idle_seconds: float = 0,
        workers: int | None = None,
    ):
        self.root = root
        self._folder = layout.folder_identity(root)
        self._lock = _locked(root)
        before = read_record(root)
        diskspace.make_room(root, layout.DATABASES)
        held = wholeness.look(root) or before
        if held is None:
            check_record(root)
        identity = _identity(root, held, region, account)
        self.region, self.account = identity.region, identity.account
        if before is None and held is not None:
            _tell_lost_record(root, identity)
        elif before is not None and not before.is_at_home:
            # a copy with the keys and the port of the original would answer to the original's clients
            before = None
        access_key, secret_key = _kept_keys(keys, before)
        accepted = dict([keys or (access_key, secret_key), (access_key, secret_key)])
        layout.prepare(root)
        self._store = Store(root / layout.STATE)
        self._kms = Keys(root / layout.STATE, self.account, self.region)
        self._objects = ObjectStore(root / layout.OBJECTS, keyring=self._kms)
        self._event_store = EventStore(root)
        self._versions = DatasetVersions(root)
        end_orphans(self._store, root)
        self._versions.drop_former()
        self._versions.set_aside()
        self._store.together(partial(model_folders.set_aside, root))
        sweep(self._objects, LEFT_BY_KILLS if wholeness.was_killed(root) else None)
        wholeness.mark(root, identity)

        self._authorizer = Authorizer(root / layout.STATE, self._objects, self.account, self.region)
        context = WorkContext(root, self._store, self._objects, self.region, self.account, authorizer=self._authorizer)
        self._supervisor = Supervisor(
            self._store,
            worker.command(root, self.region, self.account),
            workers or min(2, os.cpu_count() or 1),
            lambda work: perform(context, work, tasks.LIGHT),
        )
        control = Control(
            self._store,
            self._objects,
            self.account,
            self.region,
            quotas=_quotas(),
            on_delete=self._discard,
            authorizer=self._authorizer,
        )
        serving = Serving(control, Models(root, self._event_store, self._versions), self._event_store)
        handlers: dict[str, Handler] = {
            "s3": s3_handler(self._objects, self.region, self.account, self._authorizer.has_identity),
            **accounts_handlers(root, self.account, self._authorizer.roles),
            "kms": kms_handler(self._kms),
            "servicequotas": service_quotas_handler(control.quotas, self.account, self.region),
            "personalize": self._personalize(personalize_handler(control, serving), secret_key),
        }
        self._idle_seconds = idle_seconds
        self._used_at = time.monotonic() + _FIRST_USE_SECONDS
        self._ending = threading.Event()
        self._endpoint = _endpoint(handlers, accepted, self.region, port, before, self._used)
        self.info = ServiceInfo(
            url=self._endpoint.url,
            region=self.region,
            account=self.account,
            access_key=access_key,
            secret_key=secret_key,
            pid=os.getpid(),
            started=psutil.Process().create_time(),
            path=root,
            role_arn=ensure_default_role(root, self.account, partition_of(self.region)),
            bucket=self._default_bucket(),
            folder=self._folder,
            durable=durability.is_durable(),
        )

    def run(self, announce: Callable[[], None]) -> None:
        """Serve until a signal, an idle time, or the loss of the folder ends it; call `announce` when ready."""
        for number in platform.ENDING:
            signal.signal(number, lambda *_: self._ending.set())
        self._supervisor.start()
        self._endpoint.start()
        write_record(self.info)
        log.info("serving %s at %s", self.root, self.info.url)
        announce()
        while not self._ending.wait(_LOOK_SECONDS):
            if self._forgotten():
                break
            # what cannot be looked at now is removed at another time
            with contextlib.suppress(OSError):
                layout.drop_gathered(self.root)
        log.info("ending")
        self._endpoint.stop()
        self._supervisor.stop()
        self._authorizer.close()
        self._kms.close()
        self._objects.close()
        self._event_store.close()
        self._versions.close()
        self._store.close()
        self._note_end()
        self._lock.release()

    def _note_end(self) -> None:
        """Mark the databases as of one time, so that none can be put back alone from earlier in this run."""
        try:
            if layout.folder_identity(self.root) == self._folder:
                wholeness.mark(self.root, Identity(self.account, self.region), ended=True)
        except (LocalServiceError, OSError, sqlite3.Error) as error:
            # a full disk, say: the databases are what a killed service leaves
            log.warning("the orderly end cannot be noted: %s", error)

    def _forgotten(self) -> bool:
        """Tell whether nobody needs the service: its folder is gone, or nothing has happened for long."""
        try:
            folder = layout.folder_identity(self.root)
            if is_garbled(self.root) and folder == self._folder:
                log.warning("the record in %s cannot be read; it is written again", self.root)
                write_record(self.info)
            current = read_record(self.root)
        except (LocalServiceError, OSError) as error:
            log.warning("the record cannot be looked at, which is no reason to end: %s", error)
            return False
        if current is None or current.pid != os.getpid() or folder != self._folder:
            log.warning("the record in %s is gone, or another folder is there; nobody can find this service", self.root)
            return True
        if self._endpoint.busy:
            return False
        quiet = time.monotonic() - self._used_at
        return bool(self._idle_seconds) and min(quiet, self._supervisor.idle_for()) > self._idle_seconds

    def _used(self) -> None:
        self._used_at = time.monotonic()

    def _personalize(self, handler: Handler, secret_key: str) -> Handler:
        """Answer health checks, and wake the supervisor after every call that may have queued work."""

        def answer(request: Request) -> Response:
            if request.method == "GET" and request.path == HEALTH_PATH:
                query = dict(request.query)
                nonce, here = query.get("nonce", ""), layout.folder_identity(self.root)
                if self._folder != here or query.get("folder", here) != here:
                    raise ApiError("ResourceNotFoundException", f"This service serves {str(self.root)!r}.", 404)
                body = json.dumps({"pid": os.getpid(), "proof": proof(secret_key, nonce)})
                return Response(200, {"Content-Type": "application/json"}, body.encode())
            response = handler.answer(request)
            if request.headers.get("x-amz-target", "").rpartition(".")[2].startswith(_QUEUEING):
                self._supervisor.wake()
            return response

        return replace(handler, answer=answer)

    def _discard(self, resource: AnyResource) -> None:
        """Remove what is kept for a resource that is being deleted: its files when that is committed."""
        if resource.kind == DATASET:
            group, kind = resource.body["datasetGroupArn"].rsplit("/", 1)[-1], resource.body["datasetType"]
            self._store.together(partial(versions.commit, self.root, [Replacement(group, kind, DataFiles())]))
            self._store.afterwards(self._versions.drop_former)
            self._event_store.forget(group, kind)
        elif resource.kind == EVENT_INTERACTIONS:
            self._event_store.forget(resource.body["datasetGroupArn"].rsplit("/", 1)[-1], INTERACTIONS)
        elif resource.kind == SOLUTION_VERSION:
            self._store.afterwards(partial(layout.discard_model, self.root, resource.arn))
        elif isinstance(resource.facts, RecommenderFacts):
            for model in filter(None, (resource.facts.model, resource.facts.former)):
                self._store.afterwards(partial(layout.discard_model, self.root, model))

    def _default_bucket(self) -> str:
        name = f"personalize-nb-{self.account}-{self.region}"
        if not self._objects.has_bucket(name):
            self._objects.create_bucket(name, self.region)
            self._objects.set_setting(name, "policy", bucket_policy(name, partition_of(self.region)))
        return name


def _quotas() -> dict[str, Quota]:
    try:
        return configured(os.environ)
    except ValueError as error:
        raise LocalServiceError(str(error)) from error


def _locked(root: Path) -> filelock.BaseFileLock:
    lock = filelock.FileLock(root / layout.LOCK, mode=0o600)
    before = read_record(root)
    require_awake(before)
    serving = before is not None and alive(before) and healthy(before)
    try:
        lock.acquire(timeout=0 if serving else _LOCK_SECONDS)
    except filelock.Timeout as error:
        # a copy of hard links shares the file, and with it the lock of the original
        if not serving and (root / layout.LOCK).stat().st_nlink > 1:
            raise LocalServiceError(
                f"the lock file of {str(root)!r} is shared with another folder, whose service runs: the copy has hard "
                "links; copy with cp -a instead, or stop the other service first"
            ) from error
        where = f" at {before.url} (process {before.pid})" if before and before.is_at_home else ""
        raise LocalServiceError(
            f"a local service already runs in {str(root)!r}{where}; use it, stop it with "
            f"`python -m personalize_nb.local --path {root} --stop`, or choose another path"
        ) from error
    return lock


def _identity(root: Path, held: Identity | ServiceInfo | None, region: str | None, account: str | None) -> Identity:
    """Return the folder's account and region, or for a new one those that are asked for."""
    if held is None:
        return Identity(account or DEFAULT_ACCOUNT, region or DEFAULT_REGION)
    for name, wanted, own in (("region", region, held.region), ("account", account, held.account)):
        if wanted is not None and wanted != own:
            raise LocalServiceError(
                f"the folder {str(root)!r} belongs to {name} {own!r}, got {wanted!r}: the ARNs in it would "
                f"no longer be found. Use {own!r}, or another path"
            )
    return Identity(held.account, held.region)


def _tell_lost_record(root: Path, identity: Identity) -> None:
    """Say in the log that a folder's record is lost, and whose it is nevertheless; what is left of it is kept."""
    record, how = root / layout.RECORD, "is gone"
    if record.exists():
        layout.set_aside(root, record)
        how = f"cannot be read, and is kept as {str(layout.lost_path(root, record))!r}"
    log.warning(
        "%r %s: region %s and account %s are known from the databases, but the folder's keys and port are lost, so "
        "clients that were given them need the new ones",
        str(record),
        how,
        identity.region,
        identity.account,
    )


def _kept_keys(given: tuple[str, str] | None, before: ServiceInfo | None) -> tuple[str, str]:
    """Return the keys that the folder keeps and shows: those given, else those of earlier runs, else new ones.

    Secrets of real AWS accounts are accepted and never kept; whatever needs kept keys gets the folder's own.
    """
    former = (before.access_key, before.secret_key) if before is not None else None
    for keys in (given, former):
        if keys is not None and not keys[0].upper().startswith(_AWS_KEYS):
            return keys
    return f"LOCAL{secrets.token_hex(8).upper()[:15]}", secrets.token_urlsafe(30)


def _endpoint(
    handlers: dict[str, Handler],
    credentials: dict[str, str],
    region: str,
    port: int,
    before: ServiceInfo | None,
    used: Callable[[], None],
) -> Endpoint:
    """Listen on the port that is asked for, or on the last one when it is free, or on any."""
    # each connection may need another file while it is served
    places = min(PLACES, (platform.allow_open_files(_OPEN_FILES) - _OTHER_FILES) // 2)

    def listen(candidate: int) -> Endpoint:
        return Endpoint(handlers, credentials, region, port=candidate, on_request=used, places=places)

    if not port and before is not None:
        with contextlib.suppress(OSError):
            return listen(int(before.url.rsplit(":", 1)[-1]))
    try:
        return listen(port)
    except OSError as error:
        raise LocalServiceError(
            f"port {port} of 127.0.0.1 cannot be used: {error}; choose another one, or 0 for any"
        ) from error
