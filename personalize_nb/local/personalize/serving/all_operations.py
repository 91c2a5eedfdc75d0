"""Every operation of the two real-time services: importing this registers them."""

from __future__ import annotations

from personalize_nb.local.personalize.serving import events, recommendations
from personalize_nb.local.personalize.serving.registry import SERVED, find_served

MODULES = (events, recommendations)

__all__ = ["MODULES", "SERVED", "find_served"]
