"""A clock whose waits are over at once, for work that is done in the test's own process.

A job may not end in the second of its creation, so a group with three datasets would sleep for three seconds.
"""

from __future__ import annotations

import time


class SkippingClock:
    """Tells the time of day, and is ahead of it by what it was asked to sleep."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def time(self) -> float:
        return time.time() + self._ahead

    def sleep(self, seconds: float) -> None:
        self._ahead += seconds
