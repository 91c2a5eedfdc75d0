"""A Python without POSIX's names, for all that is imported after this: on the path, it makes every process such a one.

The standard library, psutil and filelock have a way of their own on each system, so they keep what they had here.
"""

import os
import select
import signal
import subprocess
import sys
import types

import filelock
import psutil

GONE = {
    os: (
        *("fork", "forkpty", "register_at_fork", "setsid", "getpgid", "setpgid", "killpg", "nice", "wait3", "wait4"),
        *("getuid", "geteuid", "getgid", "getegid", "fchmod", "fchown", "chown", "lchown", "mkfifo", "sync"),
        *("link", "copy_file_range", "sched_getaffinity", "pread", "pwrite", "O_DIRECTORY", "O_NOFOLLOW"),
    ),
    signal: ("SIGKILL", "SIGHUP", "SIGCHLD", "SIGUSR1", "SIGALRM", "pause", "alarm", "sigwait"),
    select: ("poll", "epoll"),
}

KEEPERS = {library.__name__ for library in (subprocess, psutil, filelock)}

for module in GONE:
    whole = types.SimpleNamespace(**vars(module))
    for name, library in list(sys.modules.items()):
        if name.split(".")[0] in KEEPERS:
            vars(library).update({key: whole for key, value in vars(library).items() if value is module})
for module, names in GONE.items():
    for name in names:
        delattr(module, name)
for name in ("fcntl", "resource", "pwd", "grp", "termios"):
    sys.modules[name] = None  # ImportError

if folder := os.environ.get("ELSEWHERE"):
    with open(os.path.join(folder, str(os.getpid())), "x"):
        pass  # this process has been here
