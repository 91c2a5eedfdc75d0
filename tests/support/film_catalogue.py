"""A catalogue of films in three kinds, whose texts say what they are about."""

from __future__ import annotations

import random

import pyarrow as pa

from personalize_nb.local.data.schema import Field, Schema, TrainingData

KINDS = {
    "Crime|Thriller": (
        ["detectives", "gangsters", "a bank robber", "undercover cops"],
        [
            "hunt a gangster through the harbour",
            "plan a robbery",
            "betray the gangsters they serve",
            "bribe a detective",
        ],
    ),
    "Romance|Comedy": (
        ["two florists", "a bride", "wedding planners", "a shy baker"],
        ["ruin a wedding", "plan weddings by the lake", "meet a bride at a wedding", "bake a cake for brides"],
    ),
    "Sci-Fi|Adventure": (
        ["robots", "a lost astronaut", "three astronauts", "a rusty robot"],
        ["cross the galaxy", "repair a spaceship", "build robots on a moon", "race spaceships with an astronaut"],
    ),
}


def catalogue(size: int = 120, seed: int = 3) -> TrainingData:
    """Return a catalogue of films in three kinds, `size` in all."""
    chance = random.Random(seed)
    rows = []
    for number in range(size):
        genres, (heroes, deeds) = sorted(KINDS.items())[number % len(KINDS)]
        text = f"In this film {chance.choice(heroes)} {chance.choice(deeds)} and {chance.choice(deeds)}."
        rows.append((f"i{number:03}", f"Story {number} (19{70 + number % 30})", genres, text))
    ids, titles, genres, texts = (list(column) for column in zip(*rows, strict=True))
    fields = (
        Field("ITEM_ID", "string"),
        Field("TITLE", "string"),
        Field("GENRES", "string", categorical=True),
        Field("DESCRIPTION", "string", textual=True),
    )
    table = pa.table({"ITEM_ID": ids, "TITLE": titles, "GENRES": genres, "DESCRIPTION": texts})
    return TrainingData(None, table, None, {"ITEMS": Schema("ITEMS", fields)})


def groups_of(kinds: int = 3, per_kind: int = 12) -> tuple[list[str], list[list[str]]]:
    """Return one seed and group of every kind."""
    members = [[f"i{number:03}" for number in range(kind, 3 * (per_kind + 1), 3)] for kind in range(kinds)]
    return [group[0] for group in members], [group[1:] for group in members]
