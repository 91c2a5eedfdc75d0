"""The catalogue as themes see it: of each item a name, a description, categories, a maker and a year.

The columns are found from the Items schema: the name column is the job's, the description is the textual column,
categories are the categorical ones, a maker is an author, director, brand or artist, and the year is a column with
YEAR in its name or stands in the item's name.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa
import pyarrow.compute as pc

from personalize_nb.local.data.schema import ITEMS, Schema, TrainingData
from personalize_nb.local.errors import WorkError
from personalize_nb.local.themes.lexicon import genre_table
from personalize_nb.local.themes.text import lemmas, plain_name

MAKER_COLUMN = re.compile(r"(^|_)(AUTHOR|DIRECTOR|BRAND|ARTIST|CREATOR|MAKER|DESIGNER|COMPOSER)S?(_NAME)?$")
NO_CATEGORY = re.compile(
    r"ID$|URL|LINK|IMAGE|PHONE|EMAIL|SKU|ISBN|LANGUAGE|CURRENCY|PROMOT|PRICE|COUNTRY", re.IGNORECASE
)
NAME_COLUMN = re.compile(r"(^|_)(NAME|TITLE)$")
MAX_CATEGORY_WORDS = 4
MAX_VALUES = 2000  # a categorical column with more values is an identifier, not a category
MEDIA = {
    "books": ("AUTHOR", "ISBN", "PUBLISHER", "PAGES"),
    "movies": ("DIRECTOR", "RUNTIME", "IMDB", "TMDB", "MOVIE", "FILM", "ACTORS", "CAST"),
    "albums": ("ALBUM", "ARTIST", "COMPOSER"),
    "picks": ("PRODUCT", "BRAND", "PRICE", "SKU", "STOCK", "COLOR"),
}
SPOKEN_OF = {"movie": "movies", "film": "movies", "novel": "books", "book": "books", "album": "albums"}
NEUTRAL_MEDIUM = "picks"


@dataclass(frozen=True)
class ItemText:
    """What may be said of one item."""

    id: str
    name: str
    description: str
    categories: tuple[str, ...]
    maker: str
    year: int


@dataclass(frozen=True)
class Catalogue:
    """All items, ordered by id, and the noun that names their kind ("movies")."""

    items: tuple[ItemText, ...]
    medium: str

    @cached_property
    def rows(self) -> dict[str, int]:
        """Row of each item id."""
        return {item.id: row for row, item in enumerate(self.items)}

    @cached_property
    def fingerprint(self) -> str:
        """A hash of everything a theme can depend on."""
        digest = hashlib.sha256(self.medium.encode())
        for item in self.items:
            digest.update(repr(item).encode())
        return digest.hexdigest()


def read_catalogue(data: TrainingData, item_name: str, medium: str | None = None) -> Catalogue:
    """Gather the items of a dataset group.

    Parameters
    ----------
    data
        The imported datasets; the items dataset must be there.
    item_name
        The column with the items' names (`themeGenerationConfig.fieldsForThemeGeneration.itemName`).
    medium
        The plural noun for the items, where the caller knows it better than the columns tell.

    Raises
    ------
    WorkError
        There are no items, or the name column or the textual column is missing.
    """
    table, schema = data.items, data.schemas.get(ITEMS)
    if table is None or schema is None:
        raise WorkError("Theme generation needs an Items dataset; import one with item names and descriptions.")
    if item_name not in table.column_names:
        raise WorkError(
            f"The item name field '{item_name}' is not in the Items dataset; its fields are {', '.join(schema.names)}."
        )
    if schema.textual is None:
        raise WorkError('Theme generation needs a textual field ("textual": true) in the Items schema; it has none.')
    ids = _strings(table, "ITEM_ID")
    named = [plain_name(name) for name in _strings(table, item_name)]
    makers = _makers(table, schema)
    years = _years(table, schema, [year for _, year in named])
    categories = _categories(table, schema, item_name)
    descriptions = _strings(table, schema.textual)
    items = sorted(
        (
            ItemText(ids[row], named[row][0], descriptions[row], categories[row], makers[row], years[row])
            for row in range(len(ids))
        ),
        key=lambda item: item.id,
    )
    return Catalogue(tuple(items), medium or _medium(schema, items))


def name_columns(schema: Schema) -> list[str]:
    """Guess which column a job will name: the one that is marked, else those that are called so, else the only text."""
    if schema.item_name is not None:
        return [schema.item_name]
    texts = [
        field.name
        for field in schema.fields
        if field.type == "string" and not field.textual and not field.categorical and not NO_CATEGORY.search(field.name)
    ]
    texts = [name for name in texts if not MAKER_COLUMN.search(name.upper())]
    called = [name for name in texts if NAME_COLUMN.search(name.upper())]
    return called or (texts if len(texts) == 1 else [])


def _strings(table: pa.Table, column: str) -> list[str]:
    texts: list[str] = pc.fill_null(pc.cast(table[column], pa.string()), "").to_pylist()
    return texts


def _makers(table: pa.Table, schema: Schema) -> list[str]:
    for field in schema.fields:
        if field.type == "string" and not field.textual and MAKER_COLUMN.search(field.name.upper()):
            return [_maker(text) for text in _strings(table, field.name)]
    return [""] * table.num_rows


def _maker(text: str) -> str:
    """Take the first of several makers, in writing order ("Austen, Jane" is Jane Austen)."""
    first = re.split(r"[|;]| & | and ", text)[0].strip()
    last, comma, given = first.partition(", ")
    return f"{given} {last}" if comma and given and "," not in given else first


def _years(table: pa.Table, schema: Schema, in_names: list[int]) -> list[int]:
    for field in schema.fields:
        if "YEAR" in field.name.upper() and not field.textual:
            found = [int(digits) if digits else 0 for digits in map(_four_digits, _strings(table, field.name))]
            if any(found):
                return found
    if sum(map(bool, in_names)) >= len(in_names) // 2:
        return in_names
    return [0] * table.num_rows


def _four_digits(text: str) -> str:
    match = re.match(r"-?\d{3,4}(?!\d)", text)
    return match.group() if match and 0 < int(match.group()) < 2100 else ""


def _categories(table: pa.Table, schema: Schema, item_name: str) -> list[tuple[str, ...]]:
    """Join the values of all categorical columns; values that few items share stay, the statistics weigh them."""
    gathered: list[list[str]] = [[] for _ in range(table.num_rows)]
    for field in schema.fields:
        unfit = field.name == item_name or field.textual or not field.categorical or field.type != "string"
        if unfit or NO_CATEGORY.search(field.name) or MAKER_COLUMN.search(field.name.upper()):
            continue
        column = [[part.strip() for part in text.split("|")] for text in _strings(table, field.name)]
        counts = Counter(value for values in column for value in values)
        if len(counts) > MAX_VALUES:
            continue
        for row, values in enumerate(column):
            gathered[row].extend(value for value in values if _is_category(value))
    return [tuple(dict.fromkeys(values)) for values in gathered]


def _is_category(value: str) -> bool:
    known = genre_table().get(value.lower().replace("_", " "))
    if known is not None:
        return known.modifier is not None or known.head is not None
    return 0 < len(value.split()) <= MAX_CATEGORY_WORDS and any(letter.isalpha() for letter in value)


def _medium(schema: Schema, items: Sequence[ItemText]) -> str:
    """Name the kind of the items: by their columns, else by what their genres and descriptions speak of."""
    names = "|".join(schema.names).upper()
    for medium, marks in MEDIA.items():
        if any(re.search(rf"(^|_|\|){mark}", names) for mark in marks):
            return medium
    votes: Counter[str] = Counter()
    for item in items[:: max(1, len(items) // 2000)]:
        for value in item.categories:
            genre = genre_table().get(value.lower())
            if genre is not None and genre.medium:
                votes[genre.medium] += 1
        votes.update({SPOKEN_OF[lemma] for lemma in lemmas(item.description) if lemma in SPOKEN_OF})
    best = min(votes, key=lambda medium: (-votes[medium], medium), default=NEUTRAL_MEDIUM)
    return best if votes[best] >= max(3, len(items) // 200) else NEUTRAL_MEDIUM
