"""What differs between operating systems: POSIX's way where a system has it, else one that every system has.

Files that only their owner can read, work inside the kernel, and processes: beside this one, below it, or in the
background. A name that not every Python has stands in this file only.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple, cast

import psutil

# For the background: instead of the number of a pipe. Whoever starts the process looks itself whether it is ready.
NO_PIPE = -1
# What asks a process to end; a terminal that closes says so on some systems only.
ENDING = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGHUP") if hasattr(signal, name))

_READY = b"ready"
_LOOK_SECONDS = 0.05
_NICENESS = 10
_SET_PARENT_DEATH_SIGNAL = 1

Outcome = Literal["ready", "ended", "late"]


# files


def open_private(path: str | os.PathLike[str], mode: str, **options: Any) -> IO[Any]:
    """Open a file that only its owner can read, where the system knows owners."""
    return open(path, mode, opener=partial(os.open, mode=0o600), **options)


def make_private(folder: Path) -> None:
    """Close a folder to all but its owner."""
    folder.chmod(0o700)


def keep_files_private() -> None:
    """Close every file that this process makes from now on to all but its owner."""
    os.umask(0o077)


def is_ours(status: os.stat_result) -> bool:
    """Tell whether a file belongs to this user; where files have no numbered owner its folder's rights must do."""
    return not hasattr(os, "getuid") or status.st_uid == os.getuid()


def sync_file(path: Path) -> None:
    """Wait until what a file holds would outlive a power cut."""
    with open(path, "rb+") as file:
        _sync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder would outlive a power cut, where the system can open folders for that."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _sync(opened)
    finally:
        os.close(opened)


def sync_tree(folder: Path) -> None:
    """Wait until all that lies in a folder would outlive a power cut."""
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            sync_file(path)
        elif path.is_dir() and not path.is_symlink():
            sync_folder(path)
    sync_folder(folder)


def _sync(opened: int) -> None:
    if sys.platform == "darwin":
        import fcntl  # not every system has it

        # what its fsync has written may still be in the memory of the disk
        with contextlib.suppress(OSError):
            fcntl.fcntl(opened, fcntl.F_FULLFSYNC)
            return
    os.fsync(opened)


def link(source: Path, target: Path) -> None:
    """Make `target` a second name of a file; OSError where that cannot be."""
    if not hasattr(os, "link"):
        raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP), os.fspath(source))
    os.link(source, target)


def copy_range(source: int, target: int, offset: int, length: int) -> int:
    """Append a stretch of one open file to another inside the kernel; return how many bytes it has copied."""
    done = 0
    if hasattr(os, "copy_file_range"):
        # across file systems, or one that cannot: the caller goes on from here in its own way
        with contextlib.suppress(OSError):
            while done < length:
                copied = os.copy_file_range(source, target, length - done, offset + done)
                if not copied:
                    break
                done += copied
    return done


# the machine


def boot() -> str:
    """Return which run of the machine this is: another one after a power cut."""
    known = Path("/proc/sys/kernel/random/boot_id")
    # elsewhere a clock that was set looks like another run
    return known.read_text().strip() if known.exists() else str(int(psutil.boot_time()))


def processors() -> int:
    """Return how many processors this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def lower_priority() -> None:
    """Let other processes go first."""
    if hasattr(os, "nice"):
        os.nice(_NICENESS)
    elif sys.platform == "win32":
        psutil.Process().nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)


def end_with(parent: int) -> None:
    """Make the kernel end this process with its parent, where it can; a pipe that closes does it everywhere else."""
    if not hasattr(os, "fork"):
        return  # the parent may be a launcher of Python and have another number
    if sys.platform == "linux":
        import ctypes  # costs milliseconds that only a worker has to spend

        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


class Child(NamedTuple):
    """A process below this one, and what it reads on its standard input."""

    process: subprocess.Popen[bytes]
    pipe: IO[bytes]


def spawn(command: Sequence[str]) -> Child:
    """Start a process below this one, with a pipe as its standard input.

    Unbuffered: a byte that a dying process did not take would be tried again, and fail, when its pipe is closed.
    """
    started, environment = _own(command, os.environ)
    flags = getattr(subprocess, "CREATE_NO_WINDOW", 0)
    process = subprocess.Popen(started, stdin=subprocess.PIPE, bufsize=0, env=environment, creationflags=flags)
    return Child(process, cast(IO[bytes], process.stdin))


def launch(
    command: Sequence[str],
    *,
    folder: Path,
    log: IO[bytes],
    environment: Mapping[str, str],
    timeout: float,
    is_ready: Callable[[], bool],
) -> Outcome:
    """Start a process that outlives this one and wait until it is ready, has ended, or takes too long.

    Parameters
    ----------
    command
        How to start it; `--ready-fd` and a number are added, for `detach` and `say_ready`.
    folder, log, environment
        Where it runs, where its words go, and its environment.
    timeout
        Seconds to wait.
    is_ready
        Tells whether it is, on systems where it cannot say so itself.

    Raises
    ------
    OSError, subprocess.SubprocessError
        It cannot be started.
    """
    started, environment = _own(command, environment)
    options: dict[str, Any] = {
        "stdin": subprocess.DEVNULL,
        "stdout": log,
        "stderr": log,
        "env": environment,
        "cwd": folder,
    }
    if hasattr(os, "fork"):
        return _launch_by_fork(started, options, timeout)
    return _launch_by_session(started, options, timeout, is_ready)


def detach(ready_fd: int) -> None:
    """Go into the background, in a process that `launch` has started."""
    if ready_fd == NO_PIPE:
        return
    if os.fork():
        # the first half ends at once and leaves the service to init: no zombie, no tie to the notebook's kernel
        os._exit(0)
    os.setsid()


def say_ready(ready_fd: int) -> None:
    """Tell `launch` that this process is ready."""
    if ready_fd != NO_PIPE:
        os.write(ready_fd, _READY)
        os.close(ready_fd)


def allow_open_files(wanted: int) -> int:
    """Let this process open so many files where the system has a limit, and return how many it may open."""
    try:
        import resource
    except ImportError:  # no such limits on this system
        return wanted
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    aim = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
    if now == resource.RLIM_INFINITY or now >= aim:
        return wanted if now == resource.RLIM_INFINITY else now
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (aim, most))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def _launch_by_fork(command: list[str], options: dict[str, Any], timeout: float) -> Outcome:
    """Wait for its word on a pipe; a process that dies closes the pipe."""
    deadline = time.monotonic() + timeout
    reader, writer = os.pipe()
    try:
        # the process forks itself into the background, so this only waits for its first half
        subprocess.run(
            [*command, "--ready-fd", str(writer)],
            pass_fds=[writer],
            check=True,
            timeout=timeout,
            **options,
        )
    except (OSError, subprocess.SubprocessError):
        os.close(reader)
        raise
    finally:
        os.close(writer)
    with os.fdopen(reader, "rb") as words:
        heard, _, _ = select.select([words], [], [], max(0.0, deadline - time.monotonic()))
        if not heard:
            return "late"
        return "ready" if words.read() == _READY else "ended"


def _launch_by_session(
    command: list[str], options: dict[str, Any], timeout: float, is_ready: Callable[[], bool]
) -> Outcome:
    """Start it apart from this process's terminal, and look again and again."""
    deadline = time.monotonic() + timeout
    flags = getattr(subprocess, "DETACHED_PROCESS", 0) | getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
    process = subprocess.Popen(
        [*command, "--ready-fd", str(NO_PIPE)], start_new_session=True, creationflags=flags, **options
    )
    # takes note of its end, whenever that is
    threading.Thread(target=process.wait, name="background", daemon=True).start()
    while not is_ready():
        if process.poll() is not None:
            return "ended"
        if time.monotonic() > deadline:
            return "late"
        time.sleep(_LOOK_SECONDS)
    return "ready"


def _own(command: Sequence[str], environment: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
    """Return a command and its environment such that the process has the number that its starter sees.

    In a virtual environment of Windows `sys.executable` is a launcher that starts Python as another process.
    """
    if sys.platform == "win32" and sys.prefix != sys.base_prefix and command[0] == sys.executable:
        return [getattr(sys, "_base_executable", sys.executable), *command[1:]], {
            **environment,
            "__PYVENV_LAUNCHER__": sys.executable,
        }
    return list(command), dict(environment)
