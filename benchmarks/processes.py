"""Server processes under measurement: what they cost while something is done with them."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

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
