"""How themes read where evidence is thin: the bundled books, small catalogues, other languages, sensitive words."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from personalize_nb import samples
from personalize_nb.local.data.schema import Field, Schema, TrainingData
from personalize_nb.local.themes import grammar
from personalize_nb.local.themes.facets import CategoryColumn, classed
from personalize_nb.local.themes.genres import as_head, as_subject
from personalize_nb.local.themes.maker import Themed, ThemeMaker
from personalize_nb.local.themes.phrases import SUBJECT
from personalize_nb.local.themes.rules import problems

GOTHIC = ["Carmilla", "The Turn of the Screw", "The Sandman", "The Picture of Dorian Gray", "Frankenstein"]
MIXED = ["Middlemarch", "Ivanhoe", "The Three Musketeers", "David Copperfield", "Meditations", "White Fang"]
SEA = ["Robinson Crusoe", "Moby-Dick", "Typee", "Twenty Thousand Leagues Under the Seas", "The Odyssey"]


def books(size: int | None = None) -> TrainingData:
    """Return the bundled books, or the first of them, as the service imports them."""
    frame = samples.books().items[:size]
    columns = {
        "ITEM_ID": frame.item_id,
        "TITLE": frame.title,
        "AUTHOR": frame.author,
        "YEAR": frame.year.astype(str),
        "SUBJECTS": frame.subjects,
        "DESCRIPTION": frame.description,
    }
    fields = tuple(
        Field(name, "string", categorical=name == "SUBJECTS", textual=name == "DESCRIPTION") for name in columns
    )
    table = pa.table({name: pa.array(column.tolist(), pa.string()) for name, column in columns.items()})
    return TrainingData(None, table, None, {"ITEMS": Schema("ITEMS", fields)})


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> ThemeMaker:
    return ThemeMaker.build(books(), "TITLE", tmp_path_factory.mktemp("cache"))


def named(maker: ThemeMaker, seed: str, titles: list[str]) -> Themed:
    ids = {item.name: item.id for item in maker.index.catalogue.items}
    return maker.make([ids[seed]], [[ids[title] for title in titles if title in ids]])[0]


def test_a_group_of_one_kind_is_named_by_it(shelf: ThemeMaker) -> None:
    assert named(shelf, "Dracula", GOTHIC).theme.startswith("Gothic ghost stories")
    assert "sea" in named(shelf, "Treasure Island", SEA).theme.lower()


def test_a_mixed_group_gets_no_narrow_noun(shelf: ThemeMaker) -> None:
    themed = named(shelf, "Walden", MIXED)
    assert themed.fallback is not None and " about " not in themed.theme
    assert themed.confidence <= 0.1


def test_a_subject_of_the_catalogue_counts_more_than_a_word(shelf: ThemeMaker) -> None:
    themed = named(shelf, "Emma", ["Pride and Prejudice", "Sense and Sensibility", "Mansfield Park", "Persuasion"])
    assert themed.theme.startswith("Romances about") or themed.theme.endswith("by Jane Austen")


@pytest.mark.parametrize(
    "wanted, theme",
    [
        (("City life", "Satire", "Manners and society"), "City life satires about manners and society"),
        (("Sea stories", "War", "Adventure"), "Sea adventures about war"),
        (("Social justice", "Politics and economics"), "Social justice books about politics and economics"),
    ],
)
def test_what_categories_say_together_comes_before_words_of_a_few_texts(
    wanted: tuple[str, ...], theme: str, shelf: ThemeMaker
) -> None:
    ids = [item.id for item in shelf.index.catalogue.items if len(set(wanted) & set(item.categories)) > 1]
    assert shelf.make(ids[:1], [ids[1:]])[0].theme == theme


def test_two_kinds_that_few_items_join_are_named_beside_each_other(shelf: ThemeMaker) -> None:
    items = shelf.index.catalogue.items
    romances = [item.id for item in items if "Romance" in item.categories and "Poetry" not in item.categories]
    poetry = [item.id for item in items if "Poetry" in item.categories and "Romance" not in item.categories]
    theme = shelf.make(romances[:1], [[*romances[1:40:4], *poetry[:40:4]]])[0].theme
    assert theme.startswith(("Poetry and romances", "Romances and poetry"))


@pytest.mark.parametrize(
    ("value", "head", "subject"),
    [
        ("Vampires", None, "vampires"),
        ("Time Travel", None, "time travel"),
        ("Civil War", None, "civil war"),
        ("World War II", None, "World War II"),
        ("Christmas", None, "Christmas"),
        ("Parenting", None, "parenting"),
        ("Urban Fantasy", "urban fantasy", None),
        ("Paranormal Romance", "paranormal romances", None),
        ("British Literature", "British literature", None),
        ("Contemporary", "contemporary books", None),
        ("Comics", "comics", None),
        ("Audiobook", None, None),
        ("Childrens", None, None),
        ("Adult", None, None),
        ("20th Century", None, None),
        ("Book Club", None, None),
    ],
)
def test_scraped_genres_are_heads_or_subjects_by_what_they_are(
    value: str, head: str | None, subject: str | None
) -> None:
    columns = [CategoryColumn("GENRES", [[value]] * 6 + [["Vampires"]] * 6 + [["Magic"]] * 6)]
    role = classed(columns, [""] * 18, "en", {})[value].role
    made = grammar.head((value,), "books") if role == "attribute" or as_head(value) else None
    assert (made, as_subject(value, "books") if role == "kind" else None) == (head, subject)


def test_scores_do_not_pile_up_at_the_top(shelf: ThemeMaker) -> None:
    for themed in (named(shelf, "Dracula", GOTHIC), named(shelf, "Treasure Island", SEA)):
        assert max(themed.scores) < 0.6
        assert len(set(themed.scores)) == len(themed.scores)


@pytest.mark.parametrize("size", [40, 100, 250])
def test_small_catalogues_read_well(size: int, tmp_path: Path) -> None:
    maker = ThemeMaker.build(books(size), "TITLE", tmp_path)
    ids = [item.id for item in maker.index.catalogue.items]
    groups = [ids[start : start + 12] for start in range(0, size - 12, 7)]
    themed = maker.make([group[0] for group in groups], [group[1:] for group in groups])
    assert [problems(one.theme) for one in themed] == [[]] * len(themed)
    assert len({one.theme for one in themed}) == len(themed)


def test_texts_in_another_language_give_no_nouns(tmp_path: Path) -> None:
    data = books(120)
    german = pa.array(["Ein alter Kapitän sucht den Schatz, und die Mannschaft verschwindet in der Nacht."] * 120)
    table = data.items.set_column(data.items.column_names.index("DESCRIPTION"), "DESCRIPTION", german)
    maker = ThemeMaker.build(TrainingData(None, table, None, data.schemas), "TITLE", tmp_path)
    # what is left are values of the category column
    assert {phrase.slot for phrase in maker.index.phrases} == {SUBJECT}
    assert not any("kapit" in phrase.key for phrase in maker.index.phrases)
    ids = [item.id for item in maker.index.catalogue.items]
    assert problems(maker.make(ids[:1], [ids[1:13]])[0].theme) == []


def test_sensitive_words_are_never_printed(tmp_path: Path) -> None:
    data = books(120)
    text = pa.array(["A prostitute and a terrorist plan a suicide in the brothel by the river."] * 120)
    table = data.items.set_column(data.items.column_names.index("DESCRIPTION"), "DESCRIPTION", text)
    maker = ThemeMaker.build(TrainingData(None, table, None, data.schemas), "TITLE", tmp_path)
    printed = {phrase.key for phrase in maker.index.phrases}
    assert not printed & {"prostitute", "terrorist", "suicide", "brothel"}
