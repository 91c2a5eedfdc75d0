"""A small world to train on: 80 readers, 60 books of three shelves, and readers who stay on their shelf.

Deterministic without random numbers, so that tests can say what must be learnt: a reader of one shelf is
recommended books of that shelf.
"""

from __future__ import annotations

import json

READERS, BOOKS = 80, 60
SHELVES = ("Sea", "Crime", "Garden")
WORDS = {
    "Sea": "A ship sails the stormy ocean, and its captain and sailors look for an island and a lost treasure.",
    "Crime": "A detective in London solves a murder, follows a clever thief and finds the stolen jewels.",
    "Garden": "A gardener plants roses and herbs, waits for the spring and teaches children to grow flowers.",
}

SCHEMAS = {
    "INTERACTIONS": [
        {"name": "USER_ID", "type": "string"},
        {"name": "ITEM_ID", "type": "string"},
        {"name": "TIMESTAMP", "type": "long"},
        {"name": "EVENT_TYPE", "type": "string"},
        {"name": "EVENT_VALUE", "type": ["float", "null"]},
    ],
    "ITEMS": [
        {"name": "ITEM_ID", "type": "string"},
        {"name": "TITLE", "type": "string", "itemName": True},
        {"name": "SHELF", "type": ["null", "string"], "categorical": True},
        {"name": "DESCRIPTION", "type": ["null", "string"], "textual": True},
        {"name": "PRICE", "type": ["null", "float"]},
        {"name": "CREATION_TIMESTAMP", "type": "long"},
    ],
    "USERS": [
        {"name": "USER_ID", "type": "string"},
        {"name": "AGE", "type": "int"},
    ],
}
RECORDS = {"INTERACTIONS": "Interactions", "ITEMS": "Items", "USERS": "Users"}
START = 1_700_000_000


def shelf(item_id: str) -> str:
    """Return the shelf of a book."""
    return SHELVES[int(item_id[1:]) % 3]


def taste(user_id: str) -> str:
    """Return the shelf a reader reads from."""
    return SHELVES[int(user_id[1:]) % 3]


def avro(dataset_type: str) -> str:
    """Return the schema text of a dataset."""
    return json.dumps(
        {
            "type": "record",
            "name": RECORDS[dataset_type],
            "namespace": "com.amazonaws.personalize.schema",
            "fields": SCHEMAS[dataset_type],
            "version": "1.0",
        }
    )


def csv(dataset_type: str) -> bytes:
    """Return the CSV file of a dataset."""
    header = ",".join(field["name"] for field in SCHEMAS[dataset_type])
    return "\n".join([header, *_ROWS[dataset_type]()]).encode() + b"\n"


def _interactions():
    for reader in range(READERS):
        for step in range(18):
            # mostly the reader's own shelf, now and then one of the popular books
            book = (reader % 3 + 3 * ((reader * 7 + step * step) % (BOOKS // 3))) if step % 9 else step % 4
            moment = START + step * 86_400 + reader
            yield f"u{reader},i{book},{moment},{'buy' if step % 5 == 0 else 'view'},{step % 5 + 1}.0"


def _items():
    for book in range(BOOKS):
        name = shelf(f"i{book}")
        text = WORDS[name].replace('"', '\\"')
        yield f'i{book},"{name} book {book}",{name}|Fiction,"{text} Volume {book}.",{book}.99,{START}'


def _users():
    for reader in range(READERS):
        yield f"u{reader},{20 + reader % 50}"


_ROWS = {"INTERACTIONS": _interactions, "ITEMS": _items, "USERS": _users}
