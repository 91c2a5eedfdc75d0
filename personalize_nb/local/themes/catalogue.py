"""The catalogue as themes see it: of each item a name, a description, categories, a maker and a year.

The columns are found from the Items schema: the name column is the job's, the description is the textual column,
categories are the categorical ones, a maker is an author, director, brand or artist, and the year is a column with
YEAR in its name or stands in the item's name.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import pyarrow as pa
import pyarrow.compute as pc

from personalize_nb.local.data.schema import ITEMS, Schema, TrainingData
from personalize_nb.local.errors import WorkError
from personalize_nb.local.themes.cells import read_column
from personalize_nb.local.themes.facets import CategoryColumn, Facet, classed
from personalize_nb.local.themes.languages import ENGLISH, language_of_catalogue
from personalize_nb.local.themes.lexicon import genre_table
from personalize_nb.local.themes.text import lemmas, plain_name, tokens

MAKER_COLUMN = re.compile(
    r"(^|_)(AUTHOR|DIRECTOR|BRAND|ARTIST|CREATOR|MAKER|DESIGNER|COMPOSER|MANUFACTURER|VENDOR|SUPPLIER|SELLER|PUBLISHER"
    r"|MARKE|HERSTELLER|MARQUE|FABRICANT|MARCA|FABRICANTE|PRODUTTORE|AUTEUR|AUTORE?)S?(_NAME)?$"
)

NO_CATEGORY = re.compile(
    r"ID$|URL|LINK|IMAGE|PHONE|EMAIL|SKU|ISBN|LANGUAGE|CURRENCY|PROMOT|PRICE|COUNTRY|_CODE$|_UNIT$|STATUS",
    re.IGNORECASE,
)
NAME_COLUMN = re.compile(r"(^|_)(NAME|TITLE)$")
MAX_CATEGORY_WORDS = 8
MAX_VALUES = 2000  # a categorical column with more values is an identifier, not a category
MEDIA = {
    "books": ("AUTHOR", "ISBN", "PUBLISHER", "PAGES"),
    "movies": ("DIRECTOR", "RUNTIME", "IMDB", "TMDB", "MOVIE", "FILM", "ACTORS", "CAST"),
    "albums": ("ALBUM", "ARTIST", "COMPOSER"),
    "recipes": ("RECIPE", "INGREDIENT", "CUISINE"),
    "games": ("GAME",),
    "apps": ("APP",),
    "jobs": ("JOB", "SALARY", "VACANCY"),
    "hotels": ("HOTEL",),
    "songs": ("SONG", "TRACK"),
    "podcasts": ("PODCAST",),
    "courses": ("COURSE",),
    "picks": ("PRODUCT", "BRAND", "PRICE", "SKU", "STOCK", "COLOU?R", "SIZE", "MATERIAL"),
}
SPOKEN_OF = {"movie": "movies", "film": "movies", "novel": "books", "book": "books", "album": "albums"}
# what a text calls its item by "this ...", where that is no word for goods of any kind
CALLED = {
    **SPOKEN_OF,
    **{noun: f"{noun}s" for noun in ("recipe", "game", "app", "hotel", "song", "podcast", "course", "job", "tour")},
}
PLACED = frozenset({"jobs", "hotels", "tours"})
SPOKEN_SHARE, CALLED_SHARE, GENRE_SHARE = 0.04, 0.05, 0.1
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
    """All items, ordered by id, the noun that names their kind ("movies"), what category values are, the language."""

    items: tuple[ItemText, ...]
    medium: str
    facets: Mapping[str, Facet] = field(default_factory=dict)
    language: str = ENGLISH

    @cached_property
    def rows(self) -> dict[str, int]:
        """Row of each item id."""
        return {item.id: row for row, item in enumerate(self.items)}

    @cached_property
    def fingerprint(self) -> str:
        """A hash of everything a theme can depend on."""
        digest = hashlib.sha256(repr((self.medium, self.language, sorted(self.facets.items()))).encode())
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
    columns = _columns(table, schema, item_name)
    descriptions = _strings(table, schema.textual)
    names = [name for name, _ in named]
    values = sorted({value for column in columns for cell in column.cells for value in cell})
    language = language_of_catalogue(names, descriptions, values)
    facets = classed(columns, names, language, _written_small(descriptions))
    categories = [_joined([column.cells[row] for column in columns]) for row in range(len(ids))]
    items = sorted(
        (
            ItemText(ids[row], names[row], descriptions[row], categories[row], makers[row], years[row])
            for row in range(len(ids))
        ),
        key=lambda item: item.id,
    )
    return Catalogue(tuple(items), medium or _medium(schema, items), facets, language)


def name_columns(schema: Schema) -> list[str]:
    """Guess which column a job will name: the one that is marked, else those that are called so, else the only text."""
    if schema.item_name is not None:
        return [schema.item_name]
    texts = [
        held.name
        for held in schema.fields
        if held.type == "string" and not held.textual and not held.categorical and not NO_CATEGORY.search(held.name)
    ]
    texts = [name for name in texts if not MAKER_COLUMN.search(name.upper())]
    called = [name for name in texts if NAME_COLUMN.search(name.upper())]
    return called or (texts if len(texts) == 1 else [])


def _strings(table: pa.Table, column: str) -> list[str]:
    texts: list[str] = pc.fill_null(pc.cast(table[column], pa.string()), "").to_pylist()
    return texts


def _makers(table: pa.Table, schema: Schema) -> list[str]:
    for held in schema.fields:
        if held.type == "string" and not held.textual and MAKER_COLUMN.search(held.name.upper()):
            return [_maker(text) for text in _strings(table, held.name)]
    return [""] * table.num_rows


def _maker(text: str) -> str:
    """Take the first of several makers, in writing order ("Austen, Jane" is Jane Austen)."""
    first = re.split(r"[|;]| & | and ", text)[0].strip()
    last, comma, given = first.partition(", ")
    return f"{given} {last}" if comma and given and "," not in given else first


def _years(table: pa.Table, schema: Schema, in_names: list[int]) -> list[int]:
    for held in schema.fields:
        if "YEAR" in held.name.upper() and not held.textual:
            found = [int(digits) if digits else 0 for digits in map(_four_digits, _strings(table, held.name))]
            if any(found):
                return found
    if sum(map(bool, in_names)) >= len(in_names) // 2:
        return in_names
    return [0] * table.num_rows


def _four_digits(text: str) -> str:
    match = re.match(r"-?\d{3,4}(?!\d)", text)
    return match.group() if match and 0 < int(match.group()) < 2100 else ""


def _columns(table: pa.Table, schema: Schema, item_name: str) -> list[CategoryColumn]:
    """Read the categorical columns; values that few items share stay, the statistics weigh them."""
    columns = []
    for held in schema.fields:
        unfit = held.name == item_name or held.textual or not held.categorical or held.type != "string"
        if unfit or NO_CATEGORY.search(held.name) or MAKER_COLUMN.search(held.name.upper()):
            continue
        cells = read_column(_strings(table, held.name))
        if 0 < len({value for cell in cells for value in cell}) <= MAX_VALUES:
            columns.append(
                CategoryColumn(held.name, [[value for value in cell if _is_category(value)] for cell in cells])
            )
    return columns


def _joined(cells: Sequence[Sequence[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for cell in cells for value in cell))


def _written_small(texts: Sequence[str]) -> Counter[str]:
    """Count the words that texts write without a capital."""
    return Counter(token.lower for text in dict.fromkeys(texts) for token in tokens(text) if not token.capital)


def _is_category(value: str) -> bool:
    known = genre_table().get(value.lower().replace("_", " "))
    if known is not None:
        return known.modifier is not None or known.head is not None
    return 0 < len(value.split()) <= MAX_CATEGORY_WORDS and any(letter.isalpha() for letter in value)


def _medium(schema: Schema, items: Sequence[ItemText]) -> str:
    """Name the kind of the items: by their columns, else by what their genres and descriptions speak of."""
    names = "|".join(schema.names).upper()
    for medium, marks in MEDIA.items():
        if any(re.search(rf"(^|_|\|){mark}S?(_|\||$)", names) for mark in marks):
            return medium
    genres: Counter[str] = Counter()
    spoken: Counter[str] = Counter()
    sample = items[:: max(1, len(items) // 2000)]
    for item in sample:
        known = (genre_table().get(value.lower()) for value in item.categories)
        genres.update({genre.medium for genre in known if genre is not None and genre.medium})
    told = list(dict.fromkeys(item.description for item in sample if item.description))
    for text in told:
        spoken.update({SPOKEN_OF[lemma] for lemma in lemmas(text) if lemma in SPOKEN_OF})
    if genres and max(genres.values()) >= GENRE_SHARE * len(sample):
        return min(genres, key=lambda medium: (-genres[medium] - spoken[medium], medium))
    called = Counter(medium for text in told for medium in _called(text))
    for votes, share in ((called, CALLED_SHARE), (spoken, SPOKEN_SHARE)):
        best = min(votes, key=lambda medium: (-votes[medium], medium), default=NEUTRAL_MEDIUM)
        if votes[best] >= max(min(3, len(told)), share * len(told), 1):
            return best
    return NEUTRAL_MEDIUM


def _called(text: str) -> set[str]:
    """Return what a text calls its item after "this"."""
    found, previous = set(), ""
    for token in tokens(text):
        if previous == "this" and token.lemma in CALLED:
            found.add(CALLED[token.lemma])
        previous = token.lower
    return found
