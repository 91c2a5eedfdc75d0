"""Work done ahead of who waits for it: the next block comes, and others are looked at, while one is used.

Order is kept, a few blocks are under way at a time, so that memory is bounded, and nothing goes on when nobody reads
on. What fails, fails where its block would have come.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TypeVar

Given = TypeVar("Given")
Made = TypeVar("Made")

_THREADS = "personalize_nb-ahead"


def ahead(blocks: Iterable[Given], count: int = 2) -> Iterator[Given]:
    """Yield blocks that are taken in a thread, up to so many of them before they are asked for.

    Parameters
    ----------
    blocks
        Where they come from; closed in the end.
    count
        How many may wait.
    """
    source = iter(blocks)
    end: list[Given] = []
    pool = ThreadPoolExecutor(1, thread_name_prefix=_THREADS)  # one thread: blocks are taken in order
    take = partial(_next, source, end)
    under_way = deque(pool.submit(take) for _ in range(count))
    try:
        while (found := under_way.popleft().result()) is not end:
            under_way.append(pool.submit(take))
            yield found[0]
    finally:
        _closed(pool, source)


def in_order(work: Callable[[Given], Made], given: Iterable[Given], threads: int) -> Iterator[Made]:
    """Yield what is made of each one given, several at a time, in the order in which they were given.

    Parameters
    ----------
    work
        Makes something of one; called in threads.
    given
        Taken by who reads; closed in the end.
    threads
        How many are worked on at a time.
    """
    source = iter(given)
    pool = ThreadPoolExecutor(threads, thread_name_prefix=_THREADS)
    under_way: deque[Future[Made]] = deque()
    try:
        for one in source:
            under_way.append(pool.submit(work, one))
            if len(under_way) > threads:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()
    finally:
        _closed(pool, source)


def _next(source: Iterator[Given], end: list[Given]) -> list[Given]:
    for found in source:
        return [found]
    return end


def _closed(pool: ThreadPoolExecutor, source: Iterator[Given]) -> None:
    pool.shutdown(wait=True, cancel_futures=True)  # also when nobody reads on
    if isinstance(source, Generator):
        source.close()
