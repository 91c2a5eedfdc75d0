"""Segments: users for items and for attributes of items, from a frame to a frame, as one call."""

from __future__ import annotations

import pandas as pd
import pytest
import reading_world as world

import personalize_nb as pnb


def taste(users):
    """Return the shelves that readers keep to."""
    return [world.shelf_of(int(user.removeprefix("r"))) for user in users]


def test_users_of_items(session, affinity_model):
    job = pnb.segments(["b0", "b1"], affinity_model, num_results=10)
    frame = job.wait(progress=False).segments(items=world.items())
    assert list(frame.columns) == ["item_id", "rank", "user_id", "title"]
    assert frame.groupby("item_id", sort=False).size().to_dict() == {"b0": 10, "b1": 10}
    assert taste(frame["user_id"]) == ["sea"] * 10 + ["crime"] * 10


def test_users_of_attributes(session, attributes_model):
    wanted = pd.DataFrame({"shelf": ["garden", "sea"], "Year": [None, 1903.0]})
    job = pnb.segments(wanted, attributes_model, num_results=5)
    frame = job.wait(progress=False).segments()
    assert list(frame.columns) == ["item_attributes", "rank", "user_id"]
    assert frame["item_attributes"].unique().tolist() == [
        'ITEMS.SHELF = "garden"',
        'ITEMS.SHELF = "sea" AND ITEMS.YEAR = 1903',
    ]
    assert taste(frame["user_id"]) == ["garden"] * 5 + ["sea"] * 5
