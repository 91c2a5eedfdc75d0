"""How goods are named: by kinds in any column, in the catalogue's language, never by codes, flags and leftovers."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from personalize_nb.local.data.schema import Field, Schema, TrainingData
from personalize_nb.local.themes.catalogue import read_catalogue
from personalize_nb.local.themes.cells import is_code, read_column
from personalize_nb.local.themes.facets import AUDIENCE, COLOUR, KIND, MATERIAL
from personalize_nb.local.themes.maker import Themed, ThemeMaker
from personalize_nb.local.themes.passages import repeated_passages
from personalize_nb.local.themes.rules import problems

EACH = 12
Shop = dict[str, tuple[str, ...]]  # what a product is called -> its values in all columns


def data(shop: Shop, columns: tuple[str, ...], text: str = "") -> TrainingData:
    """Return a shop with a dozen variants of each product, whose sizes and flags are categories too."""
    rows = []
    for place, (name, values) in enumerate(shop.items()):
        for number in range(EACH):
            size, flag = ("XS", "S", "M", "L", "38", "One")[number % 6], ("F", "M", "Any")[(number + place) % 3]
            told = f"{text} {name.lower()} {number} {place}" if text else ""
            rows.append((f"p{place:02}{number:02}", f"{name} {number}", told, size, flag, *values))
    fixed = ("ITEM_ID", "TITLE", "DESCRIPTION", "C1", "C2")
    names = (*fixed, *columns)
    fields = tuple(
        Field(name, "string", categorical=name not in fixed[:3], textual=name == "DESCRIPTION") for name in names
    )
    cells = {name: pa.array(list(cell), pa.string()) for name, cell in zip(names, zip(*rows, strict=True), strict=True)}
    return TrainingData(None, pa.table(cells), None, {"ITEMS": Schema("ITEMS", fields)})


def theme(made: TrainingData, *products: int, tmp_path: Path) -> Themed:
    """Return the theme of all variants of some products."""
    maker = ThemeMaker.build(made, "TITLE", tmp_path)
    ids = [f"p{place:02}{number:02}" for place in products for number in range(EACH)]
    return maker.make(ids[:1], [ids[1:]])[0]


CLOTHES: Shop = {
    "Aira Rain Jacket": ("Women", "Tops", "Jackets", "Nylon"),
    "Bolt Running Jacket": ("Women", "Tops", "Jackets", "Nylon"),
    "Cairn Hoodie": ("Men", "Tops", "Hoodies & Sweatshirts", "Cotton"),
    "Dune Sweatshirt": ("Men", "Tops", "Hoodies & Sweatshirts", "Cotton"),
    "Ebb Yoga Pant": ("Women", "Bottoms", "Pants", "Polyester"),
    "Fell Hiking Pant": ("Men", "Bottoms", "Pants", "unknown"),
    "Gale Trail Short": ("Men", "Bottoms", "Shorts", "Cotton"),
    "Haze Gym Short": ("Women", "Bottoms", "Shorts", "N/A"),
}
LEVELS = ("X", "LEVEL_A", "LEVEL_B", "STUFF")


@pytest.mark.parametrize(
    ("products", "title"),
    [
        ((0, 1), "Women's jackets"),
        ((2, 3), "Men's hoodies and sweatshirts"),
        ((4, 5), "Pants"),
        ((6, 7), "Shorts"),
        ((4, 5, 6, 7), "Bottoms"),
    ],
)
def test_the_deeper_category_is_the_head_whatever_its_column_is_called(products, title, tmp_path: Path) -> None:
    assert theme(data(CLOTHES, LEVELS), *products, tmp_path=tmp_path).theme == title


def test_values_are_classed_once_for_a_catalogue() -> None:
    facets = read_catalogue(data(CLOTHES, LEVELS), "TITLE").facets
    roles = {value: facet.role for value, facet in facets.items()}
    assert {roles["Jackets"], roles["Tops"]} == {KIND} and roles["Women"] == AUDIENCE and roles["Cotton"] == MATERIAL
    assert facets["Jackets"].quality > facets["Tops"].quality
    assert not {"XS", "38", "Any", "F", "unknown", "N/A"} & set(facets)


LANGUAGES = [
    ("fr", "Pour la ville et pour les vacances avec une doublure.", "Casque", "Gant", "Casques", "Gants"),
    ("es", "Para la ciudad y el verano con una bolsa.", "Casco", "Guante", "Cascos", "Guantes"),
    ("de", "Für die Stadt und den Urlaub mit dem Fahrrad.", "Helme", "Handschuhe", "Helme", "Handschuhe"),
    ("pt", "Para a cidade e os dias de sol com uma bolsa.", "Capacete", "Luva", "Capacetes", "Luvas"),
    ("it", "Per la città e gli amici con una borsa.", "Caschi", "Guanti", "Caschi", "Guanti"),
    ("pl", "Idealny do miasta i na wakacje.", "Kaski", "Rękawice", "Kaski", "Rękawice"),
]


@pytest.mark.parametrize(("language", "text", "first", "second", "head", "other"), LANGUAGES)
def test_no_english_stands_around_other_languages(language, text, first, second, head, other, tmp_path: Path) -> None:
    shop: Shop = {"Alba": (first,), "Brio": (first,), "Cima": (second,), "Duna": (second,)}
    made = data(shop, ("SORTE",), text)
    assert read_catalogue(made, "TITLE").language == ("" if language == "pl" else language)
    assert theme(made, 0, 1, tmp_path=tmp_path).theme == head
    assert theme(made, 2, 3, tmp_path=tmp_path).theme == other
    mixed = theme(made, 0, 1, 2, 3, tmp_path=tmp_path).theme
    assert not {"and", "more", "for", "like", "picks", "these"} & set(mixed.lower().split())


@pytest.mark.parametrize(
    ("language", "text", "value", "head"),
    [
        ("fr", "Pour la ville et pour les vacances avec une doublure.", "Vélo de route", "Vélos de route"),
        ("es", "Para la ciudad y el verano con una bolsa.", "Bicicleta de montaña", "Bicicletas de montaña"),
        ("pt", "Para a cidade e os dias de sol com uma bolsa.", "Luva à prova de água", "Luvas à prova de água"),
        ("de", "Für die Stadt und den Urlaub mit dem Fahrrad.", "Taschen für Damen", "Taschen für Damen"),
    ],
)
def test_short_words_of_other_languages_are_words(language, text, value, head, tmp_path: Path) -> None:
    made = data({"Alba": (value,), "Brio": (value,), "Cima": ("Xaki",), "Duna": ("Xaki",)}, ("SORTE",), text)
    assert theme(made, 0, 1, tmp_path=tmp_path).theme == head


@pytest.mark.parametrize(
    ("names", "heads"),
    [
        (("Sofa", "Armchair"), ("Sofas", "Armchairs")),
        (("Oil Filter", "Brake Pad"), ("Oil filters", "Brake pads")),
        (("Lipstick", "Hair Brush"), ("Lipsticks", "Hair brushes")),
        (("Floor Lamp - Red", "Wall Clock, 12in"), ("Floor lamps", "Wall clocks")),
    ],
)
def test_names_tell_the_kind_where_no_column_does(names, heads, tmp_path: Path) -> None:
    shop: Shop = {f"{maker} {name}": ("B2",) for name in names for maker in ("Orlo", "Vesta")}
    made = data(shop, ("CODE_A",), "A fine thing for the home and for your friends, it is")
    assert tuple(theme(made, place, place + 1, tmp_path=tmp_path).theme for place in (0, 2)) == heads


def test_groups_of_many_kinds_get_a_true_title_that_keeps_the_rules(tmp_path: Path) -> None:
    themed = theme(data(CLOTHES, LEVELS), 0, 2, 4, 6, tmp_path=tmp_path)
    assert not problems(themed.theme) and "picks" not in themed.theme.lower()
    assert themed.theme in ("Tops and bottoms", "Bottoms and tops") or themed.fallback


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["Lamps|Rugs", "Rugs"], [["Lamps", "Rugs"], ["Rugs"]]),
        (["['Soup', 'Salad']", "['Soup']"], [["Soup", "Salad"], ["Soup"]]),
        (["Home > Rugs", "Home > Lamps"], [["Home", "Rugs"], ["Home", "Lamps"]]),
        (["wool, silk", "silk, linen", "linen, wool"], [["wool", "silk"], ["silk", "linen"], ["linen", "wool"]]),
        (["home_decor", "wall_clocks"], [["home decor"], ["wall clocks"]]),
        (["WallClocks", "FloorLamps"], [["Wall Clocks"], ["Floor Lamps"]]),
        (["mens-hats", "mens-shoes"], [["mens hats"], ["mens shoes"]]),
        (["Bed &amp; bath", "Kitchen®"], [["Bed & bath"], ["Kitchen"]]),
        (["Paper (pads, notes, ...)", "Pens"], [["Paper"], ["Pens"]]),
        (["Bags", "Sonstiges", "autres", "Otros", "n/a", "-"], [["Bags"], [], [], [], [], []]),
        (["yes", "no", "yes"], [[], [], []]),
        (["XS", "M", "XL", "One"], [[], [], [], []]),
    ],
)
def test_cells_are_read_as_people_write_them(cells: list[str], values: list[list[str]]) -> None:
    assert read_column(cells) == values


@pytest.mark.parametrize("value", ["XS", "L", "38", "36/38", "hardware1", "A-12", "8GB", "0101"])
def test_codes_are_codes(value: str) -> None:
    assert is_code(value)


@pytest.mark.parametrize(
    "value", ["TV", "Bag", "Tea", "TEA", "Öl & Essig", "Год", "20th century", "3D printers", "Été"]
)
def test_words_are_no_codes(value: str) -> None:
    assert not is_code(value)


def test_colours_stand_before_a_kind_and_never_alone(tmp_path: Path) -> None:
    shop: Shop = {
        "Xyra Lamp": ("Lamps", "Red"), "Orba Lamp": ("Lamps", "Blue"),
        "Pico Rug": ("Rugs", "Red"), "Quill Rug": ("Rugs", "Blue"),
    }  # fmt: skip
    made = data(shop, ("A", "B"))
    assert read_catalogue(made, "TITLE").facets["Red"].role == COLOUR
    assert theme(made, 0, tmp_path=tmp_path).theme == "Red lamps"
    assert theme(made, 1, 3, tmp_path=tmp_path).theme != "Blue"


def test_notes_of_editors_are_read_past_but_not_what_one_kind_says_of_itself() -> None:
    notes = [(f"Editors of this list note: edition {number}. About {number}.", "AB"[number % 2]) for number in range(8)]
    own = [(f"Hikers cross the high mountain pass {number}", "C") for number in range(8)]
    found = {" ".join(passage) for passage in repeated_passages({text: (kind,) for text, kind in (*notes, *own)})}
    assert "editors of this list note" in found and "hikers cross the high mountain" not in found
