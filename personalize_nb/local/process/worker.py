"""One worker process: takes work from the queue until its service is gone.

Started by the supervisor with a pipe as standard input; see there for the protocol. It runs at low priority, so
that the server stays quick while models train.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
from pathlib import Path

from personalize_nb.local.iam.authorization import Authorizer
from personalize_nb.local.iam.keys import Keys
from personalize_nb.local.s3.store import ObjectStore
from personalize_nb.local.state import layout, platform
from personalize_nb.local.state.quotas import configured_data
from personalize_nb.local.state.store import Store
from personalize_nb.local.tasks import tasks
from personalize_nb.local.tasks.run import WorkContext, perform

# an idle worker holds the memory of its libraries; starting a new one takes about two seconds
IDLE_SECONDS = 300.0


def command(root: Path, region: str, account: str) -> list[str]:
    """Return how the supervisor starts a worker of this process's service."""
    return [
        *(sys.executable, "-P", "-m", "personalize_nb.local.process.worker"),
        *("--path", str(root), "--region", region, "--account", account, "--parent", str(os.getpid())),
    ]


def main() -> None:
    """Work until the service closes standard input, or until nothing has come for a long time."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--path", type=Path, required=True)
    parser.add_argument("--region", required=True)
    parser.add_argument("--account", required=True)
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--only", nargs="+", choices=sorted(tasks.HEAVY), default=sorted(tasks.HEAVY))
    options = parser.parse_args()
    platform.end_with(options.parent)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s")
    # a terminal sends Ctrl-C to all its processes; the service decides when this one ends
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    platform.lower_priority()

    keys = Keys(options.path / layout.STATE, options.account, options.region)
    objects = ObjectStore(options.path / layout.OBJECTS, keyring=keys)
    context = WorkContext(
        root=options.path,
        store=Store(options.path / layout.STATE),
        objects=objects,
        region=options.region,
        account=options.account,
        quotas=configured_data(os.environ),
        authorizer=Authorizer(options.path / layout.STATE, objects, options.account, options.region),
    )
    called = threading.Event()
    threading.Thread(target=_listen, args=(called,), daemon=True).start()
    while True:
        called.clear()
        while (work := context.store.claim(os.getpid(), options.only)) is not None:
            perform(context, work, tasks.HEAVY)
        if not called.is_set():
            tasks.import_libraries()
        if not called.wait(IDLE_SECONDS):
            return


def _listen(called: threading.Event) -> None:
    while os.read(sys.stdin.fileno(), 4096):
        called.set()
    # the service is gone: whatever runs here is taken up again by the next one
    os._exit(1)


if __name__ == "__main__":
    main()
