"""Interactions whose right answers are known: two tastes that never mix, chains that say what comes next."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from personalize_nb.local.data.schema import Field, Schema, TrainingData

DAY = 86_400
START = 1_600_000_000
ITEMS_PER_TASTE = 30


def item(taste: str, number: int) -> str:
    return f"{taste}{number:02d}"


def planted(users: int = 80, steps: int = 15, seed: int = 3, events: bool = False) -> TrainingData:
    """Readers of `a` and of `b`; each walks its taste's items round a circle, with a skip now and then.

    Items `a90`, `b90` exist in the metadata only. `a00` and `b00` are popular: every walk of the taste starts there.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for user in range(users):
        taste = "ab"[user % 2]
        place = int(rng.integers(1, ITEMS_PER_TASTE))
        walk = [0]
        while len(walk) < steps:
            walk.append(place)
            place = (place + (1 if rng.random() < 0.8 else 2)) % ITEMS_PER_TASTE or 1
        for step, number in enumerate(walk):
            rows.append(
                (f"u{user:03d}", item(taste, number), START + step * DAY + user, "read" if step % 2 else "click")
            )
    names = ["USER_ID", "ITEM_ID", "TIMESTAMP"] + (["EVENT_TYPE"] if events else [])
    interactions = pa.table({name: [row[at] for row in rows] for at, name in enumerate(names)})
    interactions = interactions.sort_by("TIMESTAMP")
    ids = [item(taste, number) for taste in "ab" for number in [*range(ITEMS_PER_TASTE), 90]]
    items = pa.table(
        {
            "ITEM_ID": ids,
            "GENRE": ["alpha|any" if name[0] == "a" else "beta|any" for name in ids],
            "CREATION_TIMESTAMP": [START + 10 * DAY if name.endswith("90") else START - 400 * DAY for name in ids],
        }
    )
    fields = {
        "INTERACTIONS": tuple(Field(name, "long" if name == "TIMESTAMP" else "string") for name in names),
        "ITEMS": (
            Field("ITEM_ID", "string"),
            Field("GENRE", "string", categorical=True),
            Field("CREATION_TIMESTAMP", "long"),
        ),
    }
    schemas = {kind: Schema(kind, columns) for kind, columns in fields.items()}
    return TrainingData(interactions, items, None, schemas)
