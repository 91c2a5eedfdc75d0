"""The members of a line of output, as the service writes them and as the developer guide says that it writes them."""

from __future__ import annotations

import pyarrow as pa

from personalize_nb.contract import columns as c

ITEMS, SCORES, THEME, RELEVANCE = "recommendedItems", "scores", "theme", "itemsThemeRelevanceScores"
# what the service writes, and what the developer guide says that it writes
USERS = ("usersList", "recommendedUsers")
IDS = (ITEMS, *USERS)
VALUES = "filterValues"
DAMAGED = "damaged"
# Each becomes a column; no filter expression has as many, but a damaged file can.
MOST_PLACEHOLDERS = 100
KEYS = {key: pa.list_(pa.string()) if key == "itemList" else pa.string() for key in c.JSON_KEYS}
