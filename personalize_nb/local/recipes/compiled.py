"""How this room compiles its loops: numba, without the GIL, kept on disk where it can be.

Kernels compile on first use, so that a process that only counts popularity never pays for them. They run on one
thread; callers hand disjoint ranges to a small pool (`over_ranges`), which keeps every result independent of the
number of threads.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from typing import Any, TypeVar, cast

import filelock
import numba
from numba.core.caching import FunctionCache

from personalize_nb.local.state import platform

Kernel = TypeVar("Kernel", bound=Callable[..., Any])

# Re-association only, so that dot products use vector registers; NaN and infinity keep their meaning.
_FAST = {"reassoc", "contract", "arcp", "nsz"}

# how many threads work was given; 0: as many as there are processors
_given: ContextVar[int] = ContextVar("threads", default=0)


class OneAtATime(FunctionCache):
    """What numba keeps of a kernel, written by one process at a time.

    numba numbers the files of a kernel's signatures without asking other processes: of two workers that first train at
    the same moment, one could find the machine code of the other's signature under its own.
    """

    def save_overload(self, sig: Any, data: Any) -> None:
        with filelock.FileLock(self.lock):
            super().save_overload(sig, data)  # type: ignore[no-untyped-call]  # numba has no types

    @property
    def lock(self) -> str:
        """The file that is locked meanwhile; one for all kernels of a folder."""
        return os.path.join(self.cache_path, "kernels.lock")


def compiled(function: Kernel) -> Kernel:
    """Compile a kernel; where no cache folder can be written it is compiled anew in each process."""
    kernel: Any = numba.njit(nogil=True, fastmath=_FAST)(function)
    with contextlib.suppress(RuntimeError):
        kernel._cache = OneAtATime(function)  # type: ignore[no-untyped-call]  # as `cache=True` sets its own
    return cast(Kernel, kernel)


def inlined(function: Kernel) -> Kernel:
    """Take a function into the kernels that call it, as if it were written there.

    Sums of floats that are compiled by themselves end in other bits when they come from the disk than when they are
    new, because the compiler sees another part of the program at once.
    """
    return cast(Kernel, numba.njit(inline="always")(function))


def workers() -> int:
    """Return how many threads work may use: what it is `limited` to, else a processor each, at most 8."""
    return _given.get() or max(1, min(8, platform.processors()))


@contextlib.contextmanager
def limited(threads: int) -> Iterator[None]:
    """Let work use so many threads and no more, where others share the processors out."""
    before = _given.set(threads)
    try:
        yield
    finally:
        _given.reset(before)


def over_ranges(work: Callable[[int, int], None], total: int, block: int) -> None:
    """Call `work(start, stop)` for consecutive blocks of `range(total)` on a thread pool."""
    starts = range(0, total, block)
    if len(starts) <= 1 or workers() == 1:
        for start in starts:
            work(start, min(start + block, total))
        return
    with ThreadPoolExecutor(workers()) as pool:
        for done in [pool.submit(work, start, min(start + block, total)) for start in starts]:
            done.result()
