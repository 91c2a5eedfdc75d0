"""Promotions: a share of the recommended items comes from a filter of its own, at random places.

Chance depends on who asks, so that the same request gives the same list.
"""

from __future__ import annotations

import random
import zlib
from typing import Any

from personalize_nb.local.personalize.operations.control import invalid

DEFAULT_PERCENT = 20


def promote(
    items: list[dict[str, Any]],
    found: list[dict[str, Any]],
    promotion: dict[str, Any],
    wanted: int,
    seed: str,
) -> list[dict[str, Any]]:
    """Return the items with the promoted ones among them.

    Parameters
    ----------
    items
        What would be recommended without the promotion, best first.
    found
        What the promotion's filter lets through, best first.
    promotion
        As requested.
    wanted
        How many items the request asks for.
    seed
        Who asks.
    """
    for member in ("name", "filterArn"):
        if member not in promotion:
            raise invalid(f"A promotion needs a {member}.")
    count = min(len(found), round(wanted * promotion.get("percentPromotedItems", DEFAULT_PERCENT) / 100))
    promoted = [item | {"promotionName": promotion["name"]} for item in found[:count]]
    taken = {item["itemId"] for item in promoted}
    others = [item for item in items if item["itemId"] not in taken][: wanted - count]
    total = len(promoted) + len(others)
    places = set(random.Random(zlib.crc32(seed.encode())).sample(range(total), len(promoted)))
    first, second = iter(promoted), iter(others)
    return [next(first) if place in places else next(second) for place in range(total)]
