"""Figures, slices and bounds of a Dask DataFrame are those of the whole frame, wherever it is cut."""

import numpy as np
import pandas as pd
import pytest

import personalize_nb as pnb
from personalize_nb.errors import InputError

SOME = np.random.default_rng(1)
LISTS = pd.DataFrame(
    [(f"u{user}", rank, f"i{item}") for user in range(30) for rank, item in enumerate(SOME.permutation(20)[:6], 1)],
    columns=["user_id", "rank", "item_id"],
)
TRUTH = pd.DataFrame(
    [(f"u{user}", f"i{SOME.integers(20)}", f"w{user % 3}") for user in range(35) for _ in range(2)],
    columns=["user_id", "item_id", "week"],
)
ITEMS = pd.DataFrame({"item_id": [f"i{item}" for item in range(24)], "genre": ["x|y", "y", "z", "x"] * 6})
HISTORY = pd.DataFrame({"user_id": [f"u{i % 33}" for i in range(99)], "item_id": [f"i{i * i % 22}" for i in range(99)]})
USERS = pd.DataFrame({"user_id": [f"u{user}" for user in range(33)], "age": range(33), "activity": "any"})
BESIDE = {"items": ITEMS, "interactions": HISTORY, "category": "genre", "users": USERS, "cut_offs": [2, 5]}


@pytest.fixture(scope="module")
def cut():
    """Give the lists in partitions, one of which has no list."""
    dask = pytest.importorskip("dask", reason="Dask, the extra `distributed`, is not on this machine")
    frames = pytest.importorskip("dask.dataframe", reason="Dask, the extra `distributed`, is not on this machine")
    with dask.config.set(scheduler="synchronous"):
        parts = [LISTS.iloc[begin:end] for begin, end in ((0, 60), (60, 66), (66, 66), (66, len(LISTS)))]
        yield frames.concat([frames.from_pandas(part, npartitions=1) for part in parts])


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"interval": 0.9, "samples": 30},
        {"by": "week", "seed": 3},
        {"by": "genre", "interval": 0.8, "samples": 20},
        {"by": "age"},
        {"by": "popularity"},
        {"by": "activity"},  # a column of the users
    ],
    ids=str,
)
def test_measures_are_those_of_the_whole_frame(cut, options):
    expected = pnb.evaluate(LISTS, TRUTH, **BESIDE, **options)
    found = pnb.distributed.evaluate(cut, TRUTH, **BESIDE, **options).compute()
    same = pd.testing.assert_series_equal if isinstance(expected, pd.Series) else pd.testing.assert_frame_equal
    same(found, expected)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"by": "activity", "interactions": HISTORY}, "all users at once.*users=.*pnb.evaluate"),
        ({"by": "colour"}, r"'by' must be a column of the truth.*got 'colour'"),
        ({"interval": 2}, "interval"),
    ],
)
def test_what_is_wrong_is_told_before_anything_runs(cut, options, told):
    with pytest.raises(InputError, match=told):
        pnb.distributed.evaluate(cut, TRUTH, **options)


def test_it_takes_what_evaluate_takes():
    import inspect

    mine, whole = (inspect.signature(one).parameters for one in (pnb.distributed.evaluate, pnb.evaluate))
    assert [(row.name, row.default) for row in mine.values()] == [(row.name, row.default) for row in whole.values()]
