"""A MovieLens folder as the same three frames; the folder stays the user's, nothing of it ships here."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from personalize_nb.errors import InputError, NotFoundError
from personalize_nb.samples.base import Sample
from personalize_nb.text.public import public

WATCHED_ABOVE = 3.0

_NO_GENRES = "(no genres listed)"
_WHERE_TO_GET_IT = "https://grouplens.org/datasets/movielens/"


@public
def movielens(folder: str | Path) -> Sample:
    r"""Read a MovieLens folder (`ratings.csv`, `movies.csv`) as interactions, items and users.

    As in AWS's own workshop, ratings become events: every rating is one interaction, `watch` when it is above 3
    stars and `click` otherwise, and `event_value` is the rating. (The workshop drops ratings of 1 star and below and
    counts a film that was liked twice, once as `click`; here each rating stays one row.) The year is taken from the
    title, genres stay separated by `|`. An optional `overviews.csv` (`movieId`, `overview`) adds `description`.
    MovieLens says nothing about its users, so `users` has only their ids.

    Parameters
    ----------
    folder
        An unpacked MovieLens data set such as `ml-latest-small`. Its terms of use are in its README.

    Returns
    -------
    Sample
        Three frames and a note.

    Raises
    ------
    NotFoundError
        The folder or one of its files is missing; the message names it.
    InputError
        A file lacks a column or holds text where numbers belong.

    References
    ----------
    GroupLens' data sets; the rule for events is that of AWS's workshop.

    Examples
    --------
    >>> from pathlib import Path
    >>> import personalize_nb as pnb
    >>> _ = Path("movies.csv").write_text("movieId,title,genres\n1,A Film (1999),Comedy|Drama\n")
    >>> _ = Path("ratings.csv").write_text("userId,movieId,rating,timestamp\n1,1,4.5,964982703\n")
    >>> pnb.samples.movielens(".").interactions[["user_id", "item_id", "event_type"]]
      user_id item_id event_type
    0       1       1      watch
    """
    path = Path(folder).expanduser()
    if not path.is_dir():
        raise NotFoundError(
            f"There is no folder {str(path)!r}. Unpack a data set of {_WHERE_TO_GET_IT} and pass its folder."
        )
    ratings = _read(
        path / "ratings.csv", {"userId": "str", "movieId": "str", "rating": "float64", "timestamp": "int64"}
    )
    movies = _read(path / "movies.csv", {"movieId": "str", "title": "str", "genres": "str"})
    interactions = pd.DataFrame(
        {
            "user_id": ratings["userId"],
            "item_id": ratings["movieId"],
            "timestamp": ratings["timestamp"],
            "event_type": (ratings["rating"] > WATCHED_ABOVE).map({True: "watch", False: "click"}).astype("str"),
            "event_value": ratings["rating"],
        }
    )
    items = _items(movies)
    if (path / "overviews.csv").exists():
        overviews = _read(path / "overviews.csv", {"movieId": "str", "overview": "str"})
        texts = overviews.drop_duplicates("movieId").rename(columns={"movieId": "item_id", "overview": "description"})
        items = items.merge(texts, on="item_id", how="left")
    users = pd.DataFrame({"user_id": ratings["userId"].drop_duplicates().reset_index(drop=True)})
    interactions = interactions.sort_values("timestamp", kind="stable", ignore_index=True)
    return Sample(interactions, items, users, f"MovieLens ratings from {path.name}, for research use only.")


def _items(movies: pd.DataFrame) -> pd.DataFrame:
    """Return movies with the year taken out of the title, as MovieLens writes it: `Toy Story (1995)`."""
    parts = movies["title"].str.strip().str.extract(r"^(?P<title>.*?)(?:\s*\((?P<year>\d{4})(?:[-–]\d{0,4})?\))?$")
    return pd.DataFrame(
        {
            "item_id": movies["movieId"],
            "title": parts["title"],
            "year": parts["year"].astype("Int64"),
            "genres": movies["genres"].where(movies["genres"] != _NO_GENRES),
        }
    )


def _read(file: Path, columns: dict[str, str]) -> pd.DataFrame:
    """Read the named columns of a CSV file (either kind of line end, with or without a byte order mark)."""
    if not file.is_file():
        raise NotFoundError(
            f"{file.name} is missing in {str(file.parent)!r}. A MovieLens folder holds ratings.csv and movies.csv; "
            f"unpack the whole data set of {_WHERE_TO_GET_IT}."
        )
    try:
        return pd.read_csv(file, usecols=list(columns), dtype=columns, encoding="utf-8-sig")
    except (ValueError, pd.errors.ParserError) as error:
        raise InputError(
            f"{file.name} in {str(file.parent)!r} cannot be read: {error}. "
            f"It needs the columns {', '.join(columns)} as MovieLens writes them."
        ) from error
