"""The catalogues to measure on: the bundled books always, films and shops where their folders are found.

`$THEMES_DATA` is a folder with a folder per catalogue (`items*.csv`, plain or gzipped; perhaps `interactions.csv`);
without it, `../shared/data` beside the repository. `$MOVIELENS` is MovieLens' small set with overviews; without it, the
folder `ml-latest-small` among the others. What is not there is skipped.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pandas as pd
import pyarrow as pa

from benchmarks.themes import shops
from benchmarks.themes.groups import Draw, Item, Tastes
from personalize_nb import samples
from personalize_nb.local.data.schema import Field, Schema, TrainingData

FOLDER = "ml-latest-small"
BESIDE = Path(__file__).parents[2].parent / "shared" / "data"
GOOD_RATING = 3.5
TEXTS = ("ITEM_ID", "TITLE", "DESCRIPTION")


@dataclass(frozen=True)
class MeasuredCatalogue:
    """Items as the service imports them, and who liked which."""

    name: str
    items: pd.DataFrame  # ITEM_ID, TITLE, categories, DESCRIPTION: upper case, text only
    categories: tuple[str, ...]  # columns with values that "|" parts
    kinds: dict[str, float]  # name of a set of groups -> how much the texts count in drawing it
    likes: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=["user", "item"]))
    tags: dict[str, list[str]] = field(default_factory=dict)

    @cached_property
    def data(self) -> TrainingData:
        """The items as a training reads them."""
        fields = tuple(
            Field(name, "string", categorical=name in self.categories, textual=name == "DESCRIPTION")
            for name in self.items
        )
        table = pa.table({name: pa.array(self.items[name].tolist(), pa.string()) for name in self.items})
        return TrainingData(None, table, None, {"ITEMS": Schema("ITEMS", fields)})

    @cached_property
    def read(self) -> tuple[Item, ...]:
        """The items as the measures see them, ordered by id: every value of every category, as it is written."""
        values = [self.items[name].str.split("|").tolist() for name in self.categories]
        rows = zip(*(self.items[name].tolist() for name in TEXTS), *values, strict=True)
        return tuple(
            sorted(
                (
                    Item(item, title, text, tuple(value.strip() for cell in cells for value in cell if value.strip()))
                    for item, title, text, *cells in rows
                ),
                key=lambda item: item.id,
            )
        )

    @cached_property
    def draws(self) -> dict[str, Callable[[int, int], Draw]]:
        """A function of (count, seed) for each set of groups."""
        tastes = Tastes(self.read, self.likes, self.tags)
        return {kind: tastes.drawing(text_share) for kind, text_share in self.kinds.items()}


def found(wanted: str = "") -> Iterator[MeasuredCatalogue]:
    """Yield the catalogues that this machine has and whose names contain a text."""
    folder = Path(os.environ.get("THEMES_DATA", BESIDE))
    films = Path(os.environ.get("MOVIELENS", folder / FOLDER))
    if (films / "overviews.csv").is_file() and wanted in "films":
        yield _films(films)
    for shop in shops.found(folder):
        if wanted in shop.name and shop.folder.name != FOLDER:
            yield _shop(shop)
    if wanted in "books":
        yield _books()


def _films(folder: Path) -> MeasuredCatalogue:
    films = pd.read_csv(folder / "movies.csv", dtype=str).merge(pd.read_csv(folder / "overviews.csv", dtype=str))
    ratings = pd.read_csv(folder / "ratings.csv", dtype={"movieId": str, "userId": str})
    tags = pd.read_csv(folder / "tags.csv", dtype=str, keep_default_na=False)
    columns = {"ITEM_ID": films.movieId, "TITLE": films.title, "GENRES": films.genres, "DESCRIPTION": films.overview}
    return MeasuredCatalogue(
        name="films",
        items=pd.DataFrame(columns).astype(str),
        categories=("GENRES",),
        likes=ratings[ratings.rating >= GOOD_RATING][["userId", "movieId"]].set_axis(["user", "item"], axis=1),
        kinds={"films, half co-occurrence, half text": 0.5, "films, co-occurrence alone": 0.0},
        tags=tags.groupby("movieId").tag.apply(list).to_dict(),
    )


def _books() -> MeasuredCatalogue:
    sample = samples.books()
    books = sample.items
    columns = {
        "ITEM_ID": books.item_id,
        "TITLE": books.title,
        "AUTHOR": books.author,
        "YEAR": books.year.astype(str),
        "SUBJECTS": books.subjects,
        "DESCRIPTION": books.description,
    }
    return MeasuredCatalogue(
        name="books",
        items=pd.DataFrame(columns).astype(str),
        categories=("SUBJECTS",),
        likes=sample.interactions[["user_id", "item_id"]].set_axis(["user", "item"], axis=1),
        kinds={"books, by text": 1.0, "books, co-occurrence alone": 0.0},
    )


def _shop(shop: shops.Shop) -> MeasuredCatalogue:
    items, categories = shop.items()
    likes = shop.likes()
    by_both = {f"{shop.name}, half co-occurrence, half text": 0.5}
    kinds = by_both if len(likes) else {f"{shop.name}, by text": 1.0}
    return MeasuredCatalogue(name=shop.name, items=items, categories=categories, kinds=kinds, likes=likes)
