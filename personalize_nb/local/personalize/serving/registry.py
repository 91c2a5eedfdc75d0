"""The operations of the two real-time services by name, and what they need to answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from personalize_nb.local.errors import ApiError
from personalize_nb.local.personalize.operations.control import RECORDED

if TYPE_CHECKING:
    from personalize_nb.local.data.events import EventStore
    from personalize_nb.local.personalize.operations.control import Control
    from personalize_nb.local.personalize.serving.models import Models

ServedOperation = Callable[["Serving", dict[str, Any]], dict[str, Any] | None]

SERVED: dict[str, ServedOperation] = {}


@dataclass(frozen=True)
class Serving:
    """What the real-time services need: resources, models, and the rows put one by one."""

    control: Control
    models: Models
    event_store: EventStore

    def call(self, name: str, params: dict[str, Any]) -> dict[str, Any]:
        """Run one operation on parameters that fit the model.

        Raises
        ------
        ApiError
            The refusal, with AWS's code where it has one.
        """
        return find_served(name)(self, params) or {}


def served(name: str, recorded: bool = False) -> Callable[[ServedOperation], ServedOperation]:
    """Register a function as the meaning of one operation; `recorded` marks those that train nothing."""

    def register(function: ServedOperation) -> ServedOperation:
        SERVED[name] = function
        if recorded:
            RECORDED.add(name)
        return function

    return register


def find_served(name: str) -> ServedOperation:
    """Return what an operation means here, or refuse it by name."""
    function = SERVED.get(name)
    if function is None:
        raise ApiError(
            "UnsupportedOperationException",
            f"The local service does not answer {name}: it trains no recipes for actions. "
            f"It answers: {', '.join(sorted(SERVED))}.",
        )
    return function
