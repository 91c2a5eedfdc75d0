"""Which folders of trained models a state names, and what becomes of the others.

A model is written before its resource is ACTIVE and removed after its resource is gone: a process that is killed
between the two leaves one that nothing names.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from personalize_nb.contract.limits import ACTIVE
from personalize_nb.local.state import layout
from personalize_nb.local.state.lifecycle import DURING, INACTIVE, START_PENDING, STOP_PENDING

# of what has a model that must be there: a recommender keeps its own while it is stopped and started
_TRAINED = {ACTIVE, INACTIVE, START_PENDING, STOP_PENDING, *(during for during, _ in DURING.values())}


def served(db: sqlite3.Connection) -> dict[str, str]:
    """Return the ARNs of what answers from a model, by the model's name."""
    return {model: arn for arn, status, model in _named(db) if status in _TRAINED}


def unnamed(root: Path, db: sqlite3.Connection) -> list[Path]:
    """Return the folders of models that no resource names, whatever its status."""
    named = {name for _, _, model in _named(db) for name in (model, f"{model}.part")}
    return [path for path in sorted((root / "models").glob("*")) if path.name not in named]


def set_aside(root: Path, db: sqlite3.Connection) -> None:
    """Move models that no resource names to `lost+found`, for the start of a service."""
    nameless = unnamed(root, db)
    for folder in nameless:
        layout.set_aside(root, folder)
    layout.tell_aside(root, len(nameless))


def _named(db: sqlite3.Connection) -> Iterator[tuple[str, str, str]]:
    """Yield ARN, status and name of every model that a resource has, had before, or will have after its update."""
    sql = "SELECT arn, status, body FROM resources WHERE kind IN ('solution_version', 'recommender')"
    for arn, status, text in db.execute(sql):
        with contextlib.suppress(ValueError):  # said elsewhere
            body = json.loads(text)
            planned = (body.get("_update") or {}).get("changes", {}).get("_model")
            if "_model" in body:
                yield arn, status, body["_model"]
            for name in (body.get("_former"), planned):
                if name:
                    yield arn, "", name
