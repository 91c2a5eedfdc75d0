"""Catalogues of shops from a folder of CSV files, read as somebody would who has not looked closely.

Every column of few values is marked categorical, sizes, codes and flags too: that is what people do, and a theme must
bear it. Where a shop has no descriptions, the title stands in, for a dataset without a textual column has no themes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

ITEMS = re.compile(r"items(?:_(?P<part>\w+))?\.csv(\.gz)?$")
NO_CATEGORY = re.compile(r"(^|_)(id|title|description|price|weight|date|min_price)(_|$)")
TWIN = re.compile(r"_(ar|da|de|es|fr|he|it|ja|ko|nl|pl|pt|ru|sv|th|tr|zh\w*)$")
TRANSLATIONS = "translations.csv"
STYLES = "parent_id"  # variants of one product bear its id
MOST_VALUES, LEAST_ITEMS = 400, 2
GOOD_VALUE = 7  # of ten


@dataclass(frozen=True)
class Shop:
    """One catalogue: a file of items, perhaps in another language, perhaps one item for all variants of a style."""

    name: str
    folder: Path
    file: str
    language: str = ""
    styles: bool = False

    def items(self) -> tuple[pd.DataFrame, tuple[str, ...]]:
        """Return the items with upper-case columns, and which of them are categories."""
        frame = _read(self.folder / self.file)
        if self.language:
            told = _read(self.folder / TRANSLATIONS)
            told = told[told.language == self.language].set_index("item_id")
            frame = frame[frame.item_id.isin(told.index)]
            frame = frame.assign(**{name: frame.item_id.map(told[name]) for name in ("title", "description")})
        if self.styles:
            frame = frame[~frame[STYLES].duplicated() | (frame[STYLES] == "")]
            frame = frame.drop(columns=["size", "colour"], errors="ignore")  # of the variant that happens to be first
        frame = frame[frame.title.str.strip() != ""].drop_duplicates("item_id")
        if "category_1" in frame:
            frame = frame[frame.category_1.str.strip() != ""]  # parts that a shop does not sell
        chosen = [name for name in frame if _is_category(frame, str(name))]
        text = frame.description if "description" in frame else frame.title
        items = frame[["item_id", "title", *chosen]].assign(description=text)
        return items.rename(columns=str.upper), tuple(str(name).upper() for name in chosen)

    def likes(self) -> pd.DataFrame:
        """Return who liked which item; empty where nobody knows."""
        files = [path for path in self.folder.glob("interactions.csv*") if self.file.startswith("items.csv")]
        if not files or self.language:
            return pd.DataFrame(columns=["user", "item"])
        events = _read(files[0])
        if "event_type" in events:
            events = events[events.event_type != "return"]
        if "value" in events and "quantity" not in events:
            events = events[events.value.astype(float) >= GOOD_VALUE]
        return events[["user_id", "item_id"]].drop_duplicates().set_axis(["user", "item"], axis=1)


def found(folder: Path) -> Iterator[Shop]:
    """Yield the shops of a folder, each language and each grain as one of its own."""
    for path in sorted(folder.glob("*/items*.csv*")):
        named = ITEMS.fullmatch(path.name)
        if named is None:
            continue
        short = path.parent.name.removesuffix("_multilingual")
        part = named.group("part")
        yield Shop(f"{short} {part}" if part else short, path.parent, path.name)
        if part:
            continue
        head = _read(path, 1)
        if STYLES in head:
            yield Shop(f"{short} styles", path.parent, path.name, styles=True)
        if (path.parent / TRANSLATIONS).is_file():
            own = {"en", *(other.stem.partition("_")[2].lower() for other in path.parent.glob("items_*.csv"))}
            for language in sorted(set(_read(path.parent / TRANSLATIONS).language)):
                if language.lower() not in own:
                    yield Shop(f"{short} {language}", path.parent, path.name, language=language)


def _read(path: Path, rows: int | None = None) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, keep_default_na=False, nrows=rows)


def _is_category(frame: pd.DataFrame, name: str) -> bool:
    base = TWIN.sub("", name)
    if NO_CATEGORY.search(name) or (base != name and base in frame):
        return False
    values = frame[name][frame[name] != ""].str.split("|").explode()
    return 2 <= values.nunique() <= MOST_VALUES and len(values) >= LEAST_ITEMS * values.nunique()
