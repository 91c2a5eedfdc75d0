"""The sample that ships with the package: a real catalogue and simulated readers."""

from __future__ import annotations

from importlib import resources

import pandas as pd

from personalize_nb.errors import InputError
from personalize_nb.samples.base import Sample
from personalize_nb.samples.generator import simulate
from personalize_nb.text.public import public

NOTE = "Real public-domain books, described in our own words; the readers and all interactions are simulated."

_COLUMNS = {
    "item_id": "str",
    "title": "str",
    "author": "str",
    "year": "int64",
    "subjects": "str",
    "description": "str",
}


@public
def books(readers: int = 2_400, seed: int = 1) -> Sample:
    """Return a library of public-domain books and its simulated readers.

    The catalogue holds real books: title, author, year of first publication or performance (negative before the
    common era, and near enough where the date is not known), subjects and a short description.

    **The readers are simulated**: nobody's reading was recorded. Interactions are `view`, `read` and `favorite`
    events over eighteen months that end on 2026-07-01; `event_value` is the share of the book that was read. A few
    dozen books were added recently (`creation_timestamp`), some so late that nobody has opened them.

    Parameters
    ----------
    readers
        How many readers to simulate, at least 1.
    seed
        The same seed (a whole number from 0) gives the same data on every machine.

    Returns
    -------
    Sample
        Three frames and a note: `interactions`, `items`, `users`.

    Raises
    ------
    InputError
        `readers` or `seed` is no number that is legal.

    Examples
    --------
    >>> import personalize_nb as pnb
    >>> sample = pnb.samples.books(readers=50)
    >>> list(sample.users)
    ['user_id', 'age_group', 'favorite_form']
    """
    if readers < 1 or seed < 0:
        raise InputError(f"readers must be at least 1 and seed at least 0; got readers={readers!r}, seed={seed!r}.")
    folder = resources.files("personalize_nb.samples")
    with folder.joinpath("books.csv").open(encoding="utf-8") as lines:
        catalogue = pd.read_csv(lines, dtype=_COLUMNS, keep_default_na=False)
    famous = folder.joinpath("famous.txt").read_text(encoding="utf-8").splitlines()
    interactions, items, users = simulate(catalogue, catalogue["title"].isin(famous).to_numpy(), readers, seed)
    return Sample(interactions, items, users, NOTE)
