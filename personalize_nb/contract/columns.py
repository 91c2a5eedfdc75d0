"""Names of the columns of every frame we take or give, and the spellings accepted on the way in."""

from __future__ import annotations

USER_ID = "user_id"
ITEM_ID = "item_id"
ITEM_LIST = "item_list"
ITEM_ATTRIBUTES = "item_attributes"
FILTER_VALUES = "filter_values"
RANK = "rank"
SCORE = "score"
THEME = "theme"
RECOMMENDED_ITEM_ID = "recommended_item_id"
RELEVANCE = "relevance"
ERROR = "error"
LINE = "line"
FILE = "file"

# What `preflight` says: what was checked, how bad it is, what was found, what to do, and the policy to paste.
REPORT = ("check", "level", "found", "to_do", "policy")

# Columns of an items frame that hold names a person reads, in the order they are looked for.
NAME_COLUMNS = ("title", "name", "item_name", "item_title", "product_name", "product_title")

# Columns without which there is no dataset of a type, as Amazon spells both.
REQUIRED_COLUMNS = {
    "INTERACTIONS": ("USER_ID", "ITEM_ID", "TIMESTAMP"),
    "ITEMS": ("ITEM_ID",),
    "USERS": ("USER_ID",),
    "ACTIONS": ("ACTION_ID",),
    "ACTION_INTERACTIONS": ("USER_ID", "ACTION_ID", "TIMESTAMP", "EVENT_TYPE"),
}

# Amazon's keys in JSON lines, and the columns they become.
JSON_KEYS = {"userId": USER_ID, "itemId": ITEM_ID, "itemList": ITEM_LIST, "itemAttributes": ITEM_ATTRIBUTES}
JSON_NAMES = {column: key for key, column in JSON_KEYS.items()}


def canonical(name: object) -> str:
    """Return our spelling of a column name: `USER_ID`, `userId` and `user_id` are one column.

    Names that are not ours are returned as they are.
    """
    text = str(name)
    folded = text.replace("_", "").replace(" ", "").lower()
    known = {
        column.replace("_", ""): column for column in (USER_ID, ITEM_ID, ITEM_LIST, ITEM_ATTRIBUTES, FILTER_VALUES)
    }
    return known.get(folded, text)
