"""MovieLens as AWS's own workshop turned it into Personalize data; the folder is the user's, nothing of it is kept."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from personalize_nb import samples
from personalize_nb.local.data.schema import Field, Schema, TrainingData
from personalize_nb.local.recipes.history import History, read_history

_BESIDE = Path(__file__).parents[2].parent / "shared" / "data" / "ml-latest-small"
# The workshop leaves out ratings of one star and below.
_LEAST_RATING = 1.5


@dataclass(frozen=True)
class FilmWorld:
    """The datasets as a training gets them, and the interactions read."""

    data: TrainingData
    history: History


def folder() -> Path:
    """Where the films are: `MOVIELENS`, or beside the project."""
    return Path(os.environ.get("MOVIELENS", _BESIDE))


def read(path: Path) -> FilmWorld:
    """Read the folder; interactions are events of two types, items have genres, a year and perhaps a text."""
    sample = samples.movielens(path)
    events = sample.interactions[sample.interactions["event_value"] >= _LEAST_RATING]
    events = events[["user_id", "item_id", "timestamp", "event_type"]].sort_values("timestamp", kind="stable")
    columns = [name for name in ("item_id", "genres", "year", "description") if name in sample.items.columns]
    films = sample.items[columns].sort_values("item_id")
    data = TrainingData(_table(events), _table(films), None, {})
    schemas = {
        "INTERACTIONS": Schema("INTERACTIONS", tuple(_field(name, data.interactions) for name in _names(events))),
        "ITEMS": Schema("ITEMS", tuple(_field(name, data.items) for name in _names(films))),
    }
    data = TrainingData(data.interactions, data.items, None, schemas)
    return FilmWorld(data, read_history(data))


def _names(frame) -> list[str]:
    return [name.upper() for name in frame.columns]


def _table(frame) -> pa.Table:
    return pa.Table.from_pandas(frame.rename(columns=str.upper), preserve_index=False)


def _field(name: str, table: pa.Table) -> Field:
    number = pa.types.is_integer(table[name].type) or pa.types.is_floating(table[name].type)
    return Field(name, "double" if number else "string", True, name == "GENRES", name == "DESCRIPTION")
