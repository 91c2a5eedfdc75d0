"""A cluster of Dask with two worker processes, and what kills one of them in the middle of its work."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager


@contextmanager
def running():
    """Give a client of a cluster on this machine: two processes of one thread, as whose master nobody else is taken."""
    import distributed

    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0", memory_limit=0) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def killing_once(marker):
    """Return a function that kills the process that calls it first; the file says that it has happened."""
    ours = os.getpid()

    def strike():
        if os.getpid() == ours:
            return
        try:
            os.close(os.open(marker, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return
        os.kill(os.getpid(), signal.SIGKILL)

    return strike


def kill_one(client):
    """Kill one worker of a cluster, with all that it holds."""
    pids = client.run(os.getpid)
    os.kill(next(iter(pids.values())), signal.SIGKILL)
