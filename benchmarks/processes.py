"""Processes under measurement: what they cost while something is done with them, or in them."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import psutil

_RESET_PEAK = "5"
MB = 1_000_000


class Watched:
    """A running process, and what it spends between two looks."""

    def __init__(self, pid: int):
        self._process = psutil.Process(pid)

    def spends(self, task: Callable[[], None]) -> dict[str, float]:
        """Do the task; wall seconds, CPU seconds of the process, and its peak memory meanwhile in MB."""
        folder = Path(f"/proc/{self._process.pid}")
        measurable = (folder / "clear_refs").exists()
        if measurable:
            (folder / "clear_refs").write_text(_RESET_PEAK)
        before, started = self._cpu(), time.perf_counter()
        task()
        seconds, cpu = time.perf_counter() - started, self._cpu() - before
        if measurable:
            status = (folder / "status").read_text()
            peak = int(status.partition("VmHWM:")[2].split()[0]) * 1024
        else:  # without Linux's high-water mark: what it holds at the end
            peak = self._process.memory_info().rss
        return {"seconds": seconds, "cpu": cpu, "peak": peak / MB}

    def _cpu(self) -> float:
        times = self._process.cpu_times()
        return times.user + times.system


def apart(task: Callable[..., Callable[[], None]], *arguments: Any) -> dict[str, float]:
    """Do a task in a new process, where no other contender has left anything; what it cost there.

    `task` is called there with the arguments and imports and opens what it needs; what it returns is measured.
    """
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_measured, task, *arguments).result()


def _measured(task: Callable[..., Callable[[], None]], *arguments: Any) -> dict[str, float]:
    return Watched(os.getpid()).spends(task(*arguments))
