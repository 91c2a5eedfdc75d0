"""The bundled sample is what it says it is, the same everywhere, and there is something to learn in it."""

from __future__ import annotations

import hashlib
from importlib import resources

import numpy as np
import pandas as pd
import pytest

import personalize_nb as pnb
from personalize_nb.errors import InputError, NotFoundError
from personalize_nb.samples.library import END, START

SUBJECTS = {
    "Adventure",
    "American frontier",
    "Animals",
    "Art and music",
    "Children's books",
    "City life",
    "Coming of age",
    "Country life",
    "Crime",
    "Drama",
    "Essays",
    "Fairy tales and folklore",
    "Family life",
    "Fantasy",
    "Ghosts and horror",
    "Gothic",
    "Historical fiction",
    "History",
    "Humor",
    "Manners and society",
    "Memoir and biography",
    "Mystery",
    "Myths and epics",
    "Nature",
    "Philosophy",
    "Poetry",
    "Politics and economics",
    "Psychology",
    "Religion",
    "Romance",
    "Satire",
    "Science",
    "Science fiction",
    "Sea stories",
    "Short stories",
    "Social justice",
    "Spies and intrigue",
    "Travel",
    "Utopias and dystopias",
    "War",
}


@pytest.fixture(scope="module")
def library():
    return pnb.samples.books()


def digest(frame: pd.DataFrame) -> str:
    return hashlib.sha256(frame.to_csv(index=False, lineterminator="\n").encode()).hexdigest()


def test_the_catalogue_is_sound(library):
    books = library.items
    assert len(books) >= 430
    assert books["item_id"].is_unique
    assert not books.duplicated(["title", "author"]).any()
    assert books["year"].between(-1300, 1928).all()  # public domain in the United States
    words = books["description"].str.split().str.len()
    assert words.between(15, 45).all()
    assert books["description"].str.endswith(".").all()
    assert books["description"].is_unique
    text = books[["title", "author", "description"]]
    assert all((text[name] == text[name].str.strip()).all() and (text[name] != "").all() for name in text)


def test_subjects_come_from_a_fixed_vocabulary(library):
    lists = library.items["subjects"].str.split("|")
    assert lists.str.len().between(2, 4).all()
    assert set(lists.explode()) == SUBJECTS
    assert all(len(set(row)) == len(row) for row in lists)


def test_the_data_files_are_small():
    folder = resources.files("personalize_nb.samples")
    sizes = [len(folder.joinpath(name).read_bytes()) for name in ("books.csv", "famous.txt")]
    assert sum(sizes) < 1_000_000


def test_every_famous_title_is_in_the_catalogue(library):
    famous = resources.files("personalize_nb.samples").joinpath("famous.txt").read_text(encoding="utf-8").splitlines()
    assert set(famous) <= set(library.items["title"])


def test_size_and_columns(library):
    assert len(library.users) >= 2_000
    assert len(library.interactions) >= 60_000
    assert list(library.interactions) == ["user_id", "item_id", "timestamp", "event_type", "event_value"]
    assert list(library.users) == ["user_id", "age_group", "favorite_form"]
    assert list(library.items) == [
        "item_id",
        "title",
        "author",
        "year",
        "subjects",
        "description",
        "creation_timestamp",
    ]
    for frame in (library.interactions, library.items, library.users):
        assert not frame.isna().any().any()


def test_it_says_that_readers_are_simulated(library):
    assert "simulated" in library.note
    assert "simulated" in repr(library)
    assert "\n" not in repr(library)


def test_interactions_are_consistent(library):
    events = library.interactions
    assert set(events["user_id"]) == set(library.users["user_id"])
    assert set(events["item_id"]) <= set(library.items["item_id"])
    assert set(events["event_type"]) == {"view", "read", "favorite"}
    assert events["event_value"].between(0.05, 1).all()
    assert events["timestamp"].is_monotonic_increasing
    assert events["timestamp"].between(START, END + 86_400).all()
    assert not events.duplicated(["user_id", "item_id"]).any()
    created = library.items.set_index("item_id")["creation_timestamp"]
    assert (events["timestamp"].to_numpy() >= events["item_id"].map(created).to_numpy()).all()


def test_the_same_seed_gives_the_same_bytes(library):
    again = pnb.samples.books()
    for name in ("interactions", "items", "users"):
        assert digest(getattr(again, name)) == digest(getattr(library, name))
    assert digest(pnb.samples.books(seed=2).interactions) != digest(library.interactions)


def test_the_bytes_are_those_of_every_other_machine():
    """A changed digest means changed data for everybody: intended only when catalogue or simulation changed."""
    sample = pnb.samples.books(readers=100, seed=3)
    numbers = sample.interactions["timestamp"].to_numpy(dtype="<i8").tobytes()
    names = "\n".join(sample.interactions["item_id"] + sample.interactions["event_type"]).encode()
    assert hashlib.sha256(numbers + names).hexdigest()[:16] == "814648b5e35e8005"


def test_some_books_are_new_and_some_are_cold(library):
    counts = library.interactions["item_id"].value_counts().reindex(library.items["item_id"], fill_value=0)
    new = (library.items["creation_timestamp"] > END - 160 * 86_400).to_numpy()
    assert 24 <= new.sum() <= 80
    assert (counts == 0).sum() >= 5
    assert counts[new].mean() < counts[~new].mean()


def test_readers_and_books_are_skewed(library):
    by_book = np.sort(library.interactions["item_id"].value_counts().to_numpy())[::-1]
    by_reader = library.interactions["user_id"].value_counts()
    assert by_book[: len(library.items) // 10].sum() > 0.25 * by_book.sum()
    assert by_reader.max() > 5 * by_reader.median()


def test_visits_come_in_bursts(library):
    times = library.interactions.sort_values(["user_id", "timestamp"]).groupby("user_id")["timestamp"].diff().dropna()
    assert (times < 1_800).mean() > 0.5
    assert (times > 86_400).mean() > 0.15


def test_order_beats_taste_beats_popularity_beats_chance(library):
    """Rank each reader's last book from the others: what a recommender can learn is really there."""
    scores = hits_at_10(library)
    assert scores["popularity"] > 3 * scores["chance"]
    assert scores["neighbours"] > 1.3 * scores["popularity"]
    assert scores["last book"] > 2 * scores["popularity"]


def hits_at_10(sample) -> dict[str, float]:
    events = sample.interactions.sort_values(["user_id", "timestamp"])
    user = pd.factorize(events["user_id"])[0]
    item = pd.Index(sample.items["item_id"]).get_indexer(events["item_id"])
    last = np.r_[user[1:] != user[:-1], True]
    users, items = user.max() + 1, len(sample.items)
    target, user, item = item[last], user[~last], item[~last]

    seen = np.zeros((users, items), dtype=np.float32)
    seen[user, item] = 1
    age = np.bincount(user).cumsum()[user] - 1 - np.arange(len(user))
    recent = np.zeros_like(seen)
    recent[user, item] = 0.8**age
    count = seen.sum(axis=0)
    together = seen.T @ seen
    np.fill_diagonal(together, 0)
    cosine = together / np.sqrt(np.outer(count, count) + 1)
    follows = np.zeros((items, items), dtype=np.float32)
    same = user[1:] == user[:-1]
    np.add.at(follows, (item[:-1][same], item[1:][same]), 1)
    follows = (follows + 3 * count / count.sum()) / (follows.sum(axis=1, keepdims=True) + 3)
    newest = item[np.bincount(user).cumsum() - 1]

    def hits(score: np.ndarray) -> float:
        score = np.where(seen > 0, -np.inf, score)
        rank = (score > score[np.arange(users), target][:, None]).sum(axis=1)
        return float((rank < 10).mean())

    return {
        "chance": 10 / items,
        "popularity": hits(np.tile(count, (users, 1))),
        "neighbours": hits(recent @ cosine),
        "last book": hits(follows[newest]),
    }


@pytest.mark.parametrize("options", [{"readers": 0}, {"seed": -1}])
def test_impossible_numbers_are_refused(options):
    with pytest.raises(InputError, match="at least"):
        pnb.samples.books(**options)


@pytest.fixture
def movielens_folder(tmp_path):
    (tmp_path / "ratings.csv").write_bytes(
        b"userId,movieId,rating,timestamp\r\n2,10,3.0,200\r\n1,10,3.5,100\r\n1,007,0.5,300\r\n"
    )
    (tmp_path / "movies.csv").write_bytes(
        'movieId,title,genres\r\n10,"Voyage, A (1902)",Fantasy|Sci-Fi\r\n'
        "007,Élan Vital,(no genres listed)\r\n12,Serial (2006–2007) ,Drama\r\n".encode()
    )
    return tmp_path


def test_movielens_becomes_the_same_frames(movielens_folder):
    sample = pnb.samples.movielens(movielens_folder)
    assert sample.interactions.to_dict("list") == {
        "user_id": ["1", "2", "1"],
        "item_id": ["10", "10", "007"],
        "timestamp": [100, 200, 300],
        "event_type": ["watch", "click", "click"],
        "event_value": [3.5, 3.0, 0.5],
    }
    assert list(sample.items["title"]) == ["Voyage, A", "Élan Vital", "Serial"]
    assert list(sample.items["year"].fillna(0)) == [1902, 0, 2006]
    assert list(sample.items["genres"].isna()) == [False, True, False]
    assert "description" not in sample.items
    assert set(sample.users["user_id"]) == {"1", "2"}


def test_movielens_takes_overviews_as_descriptions(movielens_folder):
    (movielens_folder / "overviews.csv").write_bytes(b'movieId,overview\r\n10,"A rocket, a moon."\r\n99,Unknown.\r\n')
    items = pnb.samples.movielens(movielens_folder).items.set_index("item_id")
    assert items.loc["10", "description"] == "A rocket, a moon."
    assert items["description"].isna().sum() == 2


@pytest.mark.parametrize("name", ["ratings.csv", "movies.csv"])
def test_movielens_names_the_missing_file(movielens_folder, name):
    (movielens_folder / name).unlink()
    with pytest.raises(NotFoundError, match=name):
        pnb.samples.movielens(movielens_folder)


def test_movielens_names_the_missing_folder(tmp_path):
    with pytest.raises(NotFoundError, match="absent"):
        pnb.samples.movielens(tmp_path / "absent")


@pytest.mark.parametrize("content", ["userId,movieId,stars\n1,2,3\n", "userId,movieId,rating,timestamp\n1,2,x,4\n", ""])
def test_movielens_names_the_broken_file(movielens_folder, content):
    (movielens_folder / "ratings.csv").write_text(content)
    with pytest.raises(InputError, match="ratings.csv"):
        pnb.samples.movielens(str(movielens_folder))


@pytest.mark.movielens
def test_the_real_movielens(real_movielens):
    sample = pnb.samples.movielens(real_movielens)
    assert (len(sample.interactions), len(sample.items), len(sample.users)) == (100_836, 9_742, 610)
    assert sample.items["year"].isna().sum() < 20
    assert sample.items["description"].notna().sum() > 7_000
