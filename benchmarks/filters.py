"""Filters at scale: a million users, a hundred thousand items, twenty million interactions, the best 25 items each.

Beside our sets (shared masks with each user's exceptions) stands the plain way: the same answers as one mask per user.
Both rank with the same compiled kernel over the same sparse model, and both must return the same items. Figures are
users per second for filter and ranking together, in blocks as a batch job makes them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa

from benchmarks.harness import OURS, Row, interleave, rows
from personalize_nb.local.data.allowed import Allowed
from personalize_nb.local.data.schema import Field, Schema, TrainingData
from personalize_nb.local.filters.binding import bind
from personalize_nb.local.filters.bound import BoundFilter
from personalize_nb.local.filters.expression import parse
from personalize_nb.local.recipes.ranking import rank_rows
from personalize_nb.local.recipes.scoring import ScoredCatalogue, States

TITLE = "Filters on a million users and a hundred thousand items"
USERS, ITEMS, EVENTS, NEIGHBOURS, RESULTS = 1_000_000, 100_000, 20, 64, 25
GENRES, PRICES = 200, 5000
ASKED, ASKED_PLAIN, BLOCK, CELLS = 40_000, 400, 8192, 32_000_000
PLAIN, RATE = "a mask per user", "users/s"

KINDS = {
    "no filter": None,
    "one category for all": 'INCLUDE ItemID WHERE Items.GENRE IN ("g7")',
    "a category in each line": "INCLUDE ItemID WHERE Items.GENRE IN ($GENRE)",
    "a price in each line": "INCLUDE ItemID WHERE Items.PRICE <= $PRICE",
    "without what the user bought": 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("buy")',
    "only what the user met": "INCLUDE ItemID WHERE Interactions.EVENT_TYPE IN (*)",
    "category, price, not met": (
        "INCLUDE ItemID WHERE Items.GENRE IN ($GENRE) AND Items.PRICE > 10 | EXCLUDE ItemID WHERE "
        "Interactions.EVENT_TYPE IN (*)"
    ),
    "for some users only": 'EXCLUDE ItemID WHERE Items.GENRE IN ("g1", "g2") IF CurrentUser.AGE < 18',
    "like the current item": "INCLUDE ItemID WHERE Items.GENRE IN CurrentItem.GENRE",
}

SCHEMAS = {
    "INTERACTIONS": Schema(
        "INTERACTIONS",
        (
            Field("USER_ID", "string"),
            Field("ITEM_ID", "string"),
            Field("TIMESTAMP", "long"),
            Field("EVENT_TYPE", "string"),
        ),
    ),
    "ITEMS": Schema(
        "ITEMS", (Field("ITEM_ID", "string"), Field("GENRE", "string", categorical=True), Field("PRICE", "double"))
    ),
    "USERS": Schema("USERS", (Field("USER_ID", "string"), Field("AGE", "int"))),
}


@dataclass(frozen=True)
class FilterWorld:
    """The data, a sparse model of its items, and everybody's latest items."""

    data: TrainingData
    item_ids: pa.StringArray
    catalogue: ScoredCatalogue
    events: np.ndarray
    genre: np.ndarray


def names(letter: str, numbers: np.ndarray) -> pa.StringArray:
    padded = pa.compute.utf8_lpad(pa.array(numbers).cast(pa.string()), 7, "0")
    return pa.compute.binary_join_element_wise(letter, padded, "")


def make_world(scale: float) -> FilterWorld:
    rng = np.random.default_rng(0)
    n_users, n_items = max(100, int(USERS * scale)), max(1000, int(ITEMS * scale))
    events = (n_items * rng.power(0.5, (n_users, EVENTS))).astype(np.int32)
    item_ids = names("i", np.arange(n_items))
    users = names("u", np.arange(n_users))
    genre = rng.integers(0, GENRES, n_items)
    interactions = pa.table(
        {
            "USER_ID": users.take(pa.array(np.repeat(np.arange(n_users), EVENTS))),
            "ITEM_ID": item_ids.take(pa.array(events.ravel())),
            "TIMESTAMP": np.tile(np.arange(EVENTS), n_users),
            "EVENT_TYPE": pa.array(["view", "buy"]).take(pa.array((rng.random(events.size) < 0.3).astype(np.int8))),
        }
    )
    genres = pa.compute.binary_join_element_wise("g", pa.array(genre).cast(pa.string()), "")
    items = pa.table({"ITEM_ID": item_ids, "GENRE": genres, "PRICE": rng.integers(1, PRICES, n_items).astype(float)})
    people = pa.table({"USER_ID": users, "AGE": pa.array(rng.integers(10, 80, n_users), pa.int32())})
    prior = rng.exponential(size=n_items)
    prior /= prior.sum()
    catalogue = ScoredCatalogue(
        ptr=np.arange(n_items + 1, dtype=np.int64) * NEIGHBOURS,
        idx=np.sort(rng.integers(0, n_items, (n_items, NEIGHBOURS), np.int32), axis=1).ravel(),
        val=rng.exponential(1.0, n_items * NEIGHBOURS).astype(np.float32),
        prior=prior,
        by_prior=np.argsort(-prior, kind="stable"),
        prior_mass=1.0,
    )
    return FilterWorld(TrainingData(interactions, items, people, SCHEMAS), item_ids, catalogue, events, genre)


@dataclass
class Asked:
    """Queries of one kind of filter."""

    users: list[str]
    items: list[str]
    values: list[dict[str, str]]
    codes: np.ndarray

    def block(self, part: slice) -> Asked:
        return Asked(self.users[part], self.items[part], self.values[part], self.codes[part])


def ask(world: FilterWorld, count: int) -> Asked:
    rng = np.random.default_rng(1)
    codes = rng.integers(0, len(world.events), count)
    genres, prices = rng.integers(0, GENRES, count).tolist(), rng.integers(1, PRICES, count).tolist()
    values = [{"GENRE": f'"g{genre}"', "PRICE": f'"{price}"'} for genre, price in zip(genres, prices, strict=True)]
    users = world.data.users["USER_ID"].take(pa.array(codes)).to_pylist()
    items = world.item_ids.take(pa.array(rng.integers(0, len(world.item_ids), count))).to_pylist()
    return Asked(users, items, values, codes)


def rank(world: FilterWorld, asked: Asked, allowed: Allowed | None) -> np.ndarray:
    states = world.events[asked.codes]
    ptr = np.arange(len(states) + 1, dtype=np.int64) * EVENTS
    nothing = np.zeros(len(states) + 1, np.int64), np.empty(0, np.int32), np.empty(0)
    decay = np.tile(np.exp(-np.arange(EVENTS)[::-1] / 8.0), len(states)).astype(np.float32)
    scored = States(ptr, states.ravel(), decay, *nothing, np.zeros(len(states)))
    return rank_rows(world.catalogue, scored, RESULTS, allowed)[0]


def blocks(bound: BoundFilter | None, asked: Asked, rows_at_once: int) -> Iterator[Asked]:
    """Cut queries as a batch job does."""
    for start in range(0, len(asked.users), rows_at_once):
        part = asked.block(slice(start, start + rows_at_once))
        if bound is None:
            yield part
            continue
        for piece in bound.slices(part.items, part.values, CELLS):
            yield part.block(piece)


def ours(world: FilterWorld, bound: BoundFilter | None, asked: Asked) -> np.ndarray:
    found = []
    for part in blocks(bound, asked, BLOCK):
        allowed = None if bound is None else bound.allowed(part.users, part.items, part.values)[0]
        found.append(rank(world, part, allowed))
    return np.concatenate(found)


def plain(world: FilterWorld, bound: BoundFilter | None, asked: Asked) -> np.ndarray:
    found = []
    for part in blocks(None, asked, max(1, CELLS // len(world.item_ids))):
        cells = np.ones((len(part.users), len(world.item_ids)), bool)
        if bound is not None:
            cells = bound.allowed(part.users, part.items, part.values)[0].cells()
        found.append(rank(world, part, Allowed.dense(cells)))
    return np.concatenate(found)


def timed(way: Callable[[FilterWorld, BoundFilter | None, Asked], np.ndarray], *given) -> dict[str, float]:
    begun = time.perf_counter()
    way(*given)
    return {RATE: len(given[2].users) / (time.perf_counter() - begun)}


def run(rounds: int, scale: float) -> list[Row]:
    world = make_world(scale)
    many, few = ask(world, max(100, int(ASKED * scale))), ask(world, max(20, int(ASKED_PLAIN * scale)))
    found = []
    for kind, text in KINDS.items():
        bound = None if text is None else bind(parse(text), world.data, world.item_ids)
        # compiled and indexed before the clock runs, and the same answers
        if not np.array_equal(ours(world, bound, few), plain(world, bound, few)):
            raise AssertionError(f"the two ways answer {text!r} differently")
        contenders = {OURS: partial(timed, ours, world, bound, many), PLAIN: partial(timed, plain, world, bound, few)}
        found += rows(kind, interleave(contenders, rounds), more_is_better=[RATE])
    return found
