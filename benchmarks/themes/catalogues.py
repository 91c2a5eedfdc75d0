"""The catalogues to measure on: the bundled books always, MovieLens with overviews where its folder is found."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa

from benchmarks.themes.groups import Draw, Tastes
from personalize_nb import samples
from personalize_nb.local.data.schema import Field, Schema, TrainingData
from personalize_nb.local.themes.index import Index

FOLDER = "ml-latest-small"
BESIDE = Path(__file__).parents[2].parent / "shared" / "data" / FOLDER
GOOD_RATING = 3.5


@dataclass(frozen=True)
class MeasuredCatalogue:
    """Items as the service imports them, and who liked which."""

    name: str
    data: TrainingData
    likes: pd.DataFrame  # user, item
    kinds: dict[str, float]  # name of a set of groups -> how much the texts count in drawing it
    tags: dict[str, list[str]]

    def draws(self, index: Index) -> dict[str, Callable[[int, int], Draw]]:
        """Return a function of (count, seed) for each set of groups."""
        tastes = Tastes(index, self.likes, self.tags)
        return {kind: tastes.drawing(text_share) for kind, text_share in self.kinds.items()}


def found() -> Iterator[MeasuredCatalogue]:
    """Yield the catalogues that this machine has."""
    folder = Path(os.environ.get("MOVIELENS", BESIDE))
    if (folder / "overviews.csv").is_file():
        yield _films(folder)
    yield _books()


def _films(folder: Path) -> MeasuredCatalogue:
    films = pd.read_csv(folder / "movies.csv", dtype=str).merge(pd.read_csv(folder / "overviews.csv", dtype=str))
    ratings = pd.read_csv(folder / "ratings.csv", dtype={"movieId": str, "userId": str})
    tags = pd.read_csv(folder / "tags.csv", dtype=str, keep_default_na=False)
    return MeasuredCatalogue(
        name="films",
        data=_data(
            {"ITEM_ID": films.movieId, "TITLE": films.title, "GENRES": films.genres, "DESCRIPTION": films.overview}
        ),
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
        data=_data(columns),
        likes=sample.interactions[["user_id", "item_id"]].set_axis(["user", "item"], axis=1),
        kinds={"books, by text": 1.0, "books, co-occurrence alone": 0.0},
        tags={},
    )


def _data(columns: dict[str, pd.Series]) -> TrainingData:
    fields = tuple(
        Field(name, "string", categorical=name in ("GENRES", "SUBJECTS"), textual=name == "DESCRIPTION")
        for name in columns
    )
    table = pa.table({name: pa.array(column.astype(str).tolist()) for name, column in columns.items()})
    return TrainingData(None, table, None, {"ITEMS": Schema("ITEMS", fields)})
