"""The simulated readers: age, tastes, favourite author, how much they read and when."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from personalize_nb.samples.draws import Dice, Urns
from personalize_nb.samples.library import DAY, DAYS, START, Library

# Age groups with their share of the readers (in percent), and the subjects each likes four times as much.
AGES: dict[str, tuple[int, tuple[str, ...]]] = {
    "under 18": (12, ("Adventure", "Animals", "Children's books", "Fairy tales and folklore", "Fantasy")),
    "18-29": (26, ("Coming of age", "Fantasy", "Ghosts and horror", "Gothic", "Romance", "Science fiction")),
    "30-44": (28, ("City life", "Crime", "Mystery", "Psychology", "Science fiction", "Social justice")),
    "45-59": (20, ("Historical fiction", "History", "Mystery", "Spies and intrigue", "Travel", "War")),
    "60 and over": (
        14,
        ("Manners and society", "Memoir and biography", "Nature", "Philosophy", "Poetry", "Sea stories"),
    ),
}

# The form a reader prefers follows from the subject that matters most to them; all other subjects mean novels.
FORMS: dict[str, tuple[str, ...]] = {
    "drama": ("Drama",),
    "non-fiction": (
        "Art and music",
        "Essays",
        "History",
        "Memoir and biography",
        "Philosophy",
        "Politics and economics",
        "Religion",
        "Science",
        "Travel",
    ),
    "poetry": ("Myths and epics", "Poetry"),
    "short stories": ("Fairy tales and folklore", "Ghosts and horror", "Short stories"),
}

SLOTS = (50, 25, 15, 10)  # how often each of a reader's four tastes decides, in percent

_HOURS = (3, 2, 1, 1, 1, 1, 2, 4, 5, 4, 4, 4, 6, 5, 4, 4, 5, 6, 8, 10, 13, 14, 11, 6)  # sessions by hour of the day


@dataclass(frozen=True)
class Readers:
    """The readers as numbers; `tastes` and `author` change while the simulation runs."""

    age: np.ndarray  # number of the age group
    tastes: np.ndarray  # readers x 4 subject numbers, strongest first
    form: list[str]
    author: np.ndarray  # favourite author
    reader: np.ndarray  # for each planned visit: whose it is; sorted by reader, then time
    timestamp: np.ndarray  # for each planned visit


def build(library: Library, count: int, dice: Dice) -> Readers:
    """Return `count` readers with their visits planned."""
    age = Urns(np.array([[share for share, _ in AGES.values()]])).draw(np.zeros(count, dtype=np.int64), dice)
    tastes = _tastes(library, age, dice)
    form_of = {subject: form for form, subjects in FORMS.items() for subject in subjects}
    form = [form_of.get(library.subjects[subject], "novel") for subject in tastes[:, 0]]
    by_subject = Urns(library.has_subject.T * library.popularity)
    author = library.author[by_subject.draw(tastes[:, 0], dice)]
    reader, timestamp = _visits(count, dice)
    return Readers(age, tastes, form, author, reader, timestamp)


def _tastes(library: Library, age: np.ndarray, dice: Dice) -> np.ndarray:
    """Return four subjects for each reader; the later ones tend to share books with the first."""
    books = library.has_subject.sum(axis=0)
    liked = np.array([[1 + 3 * (subject in likes) for subject in library.subjects] for _, likes in AGES.values()])
    by_age = Urns(liked * (books + 20))
    together = library.has_subject.T @ library.has_subject
    np.fill_diagonal(together, 0)
    by_neighbour = Urns(together + 1)

    tastes = np.empty((len(age), len(SLOTS)), dtype=np.int64)
    tastes[:, 0] = by_age.draw(age, dice)
    for slot in range(1, len(SLOTS)):
        related = dice.chance(np.full(len(age), 0.75))
        tastes[:, slot] = np.where(related, by_neighbour.draw(tastes[:, 0], dice), by_age.draw(age, dice))
    return tastes


def _visits(count: int, dice: Dice) -> tuple[np.ndarray, np.ndarray]:
    """Return whose and when each visit is: few heavy readers, many light ones, all in bursts."""
    visits = 7 + (14 * (1 / (0.08 + 0.92 * dice.uniform(count)) - 1)).astype(np.int64)
    sessions = 1 + visits // 4
    joined = dice.uniform(count)
    first_day = (joined * joined * 420).astype(np.int64)

    owner = np.repeat(np.arange(count), sessions)
    day = first_day[owner] + dice.below(DAYS - first_day[owner])
    hour = Urns(np.array([_HOURS])).draw(np.zeros(len(owner), dtype=np.int64), dice)
    begins = START + day * DAY + hour * 3_600 + dice.below(np.full(len(owner), 3_600))

    reader = np.repeat(np.arange(count), visits)
    first_session = np.cumsum(sessions) - sessions
    session = np.sort(first_session[reader] + dice.below(sessions[reader]))
    pauses = np.cumsum(40 + dice.below(np.full(len(reader), 860)))
    opens = np.searchsorted(session, session)  # the first visit of the same session
    timestamp = begins[session] + pauses - pauses[opens]
    order = np.lexsort((timestamp, reader))
    return reader[order], timestamp[order]
