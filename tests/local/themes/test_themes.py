"""Themes through their door: groups of items in, printable texts and calibrated scores out."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from film_catalogue import catalogue, groups_of

from personalize_nb.local.data.schema import Field, Schema, TrainingData
from personalize_nb.local.errors import WorkError
from personalize_nb.local.themes.generators import Draft, Proposal
from personalize_nb.local.themes.maker import ThemeMaker
from personalize_nb.local.themes.rules import problems


@pytest.fixture(scope="module")
def maker(tmp_path_factory: pytest.TempPathFactory) -> ThemeMaker:
    return ThemeMaker.build(catalogue(), "TITLE", tmp_path_factory.mktemp("cache"))


def test_a_theme_names_what_the_group_shares(maker: ThemeMaker) -> None:
    crime, romance, space = (themed.theme for themed in maker.make(*groups_of()))
    assert crime.startswith("Crime thrillers about ")
    assert romance.startswith("Romantic comedies about ") and ("wedding" in romance or "bride" in romance)
    assert space.startswith("Sci-fi adventures about ")


def test_every_theme_passes_the_rules(maker: ThemeMaker) -> None:
    for themed in maker.make(*groups_of()):
        assert problems(themed.theme) == []


def test_scores_descend_within_amazons_range_and_items_follow_them(maker: ThemeMaker) -> None:
    seeds, groups = groups_of()
    for themed, group in zip(maker.make(seeds, groups), groups, strict=True):
        assert sorted(themed.items) == sorted(group)
        assert themed.scores == sorted(themed.scores, reverse=True)
        assert all(-0.2 <= score <= 0.6 for score in themed.scores)


def test_an_item_of_another_kind_scores_below_the_threshold(maker: ThemeMaker) -> None:
    seeds, groups = groups_of()
    polluted = [*groups[0][:8], *groups[1][:2]]
    themed = maker.make(seeds[:1], [polluted])[0]
    assert set(themed.items[-2:]) == set(groups[1][:2])
    assert max(themed.scores[-2:]) < 0.1


def test_the_order_of_a_group_and_of_the_job_does_not_matter(maker: ThemeMaker) -> None:
    seeds, groups = groups_of()
    plain = [themed.theme for themed in maker.make(seeds, groups)]
    turned = [themed.theme for themed in maker.make(seeds[::-1], [group[::-1] for group in groups[::-1]])]
    assert turned[::-1] == plain


def test_different_groups_of_a_job_bear_different_themes(maker: ThemeMaker) -> None:
    crime = [f"i{number:03}" for number in range(0, 90, 3)]
    themed = maker.make([crime[0], crime[12]], [crime[1:12], crime[13:24]])
    assert themed[0].theme != themed[1].theme


def test_jobs_of_a_run_choose_what_one_job_would(maker: ThemeMaker) -> None:
    ids = [f"i{number:03}" for number in range(0, 120, 3)]
    seeds, groups = ids[:8], [ids[start + 1 : start + 12] for start in range(0, 24, 3)]
    together = [one.theme for one in maker.make(seeds, groups)]
    pairs = list(zip(seeds, groups, strict=True))
    first = maker.make(seeds[:4], groups[:4], pairs[4:])
    second = maker.make(seeds[4:], groups[4:], pairs[:4])
    assert [one.theme for one in (*first, *second)] == together


def test_unknown_items_still_get_a_theme_and_come_last(maker: ThemeMaker) -> None:
    seeds, groups = groups_of()
    themed = maker.make(["nobody", seeds[0]], [["x1", "x2"], [*groups[0], "x3"]])
    assert themed[0].fallback == "unknown items" and problems(themed[0].theme) == []
    assert themed[1].items[-1] == "x3"


def test_an_empty_job_is_no_trouble(maker: ThemeMaker) -> None:
    assert maker.make([], []) == []
    assert maker.make(["i000"], [[]])[0].items == []


def test_an_index_is_read_back_from_the_cache(maker: ThemeMaker, tmp_path: Path) -> None:
    first = ThemeMaker.build(catalogue(), "TITLE", tmp_path)
    names = sorted(path.name for path in tmp_path.iterdir())
    again = ThemeMaker.build(catalogue(), "TITLE", tmp_path)
    assert again.make(*groups_of()) == first.make(*groups_of()) == maker.make(*groups_of())
    assert sorted(path.name for path in tmp_path.iterdir()) == names and len(names) == 1


def test_another_catalogue_gets_another_index(tmp_path: Path) -> None:
    ThemeMaker.build(catalogue(seed=3), "TITLE", tmp_path)
    ThemeMaker.build(catalogue(seed=4), "TITLE", tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("size", [1, 2, 5, 20])
def test_tiny_catalogues_read_plainly(size: int, tmp_path: Path) -> None:
    maker = ThemeMaker.build(catalogue(size), "TITLE", tmp_path)
    ids = [f"i{number:03}" for number in range(size)]
    themed = maker.make(ids[:1], [ids])[0]
    assert problems(themed.theme) == []
    assert len(themed.scores) == size


def test_missing_columns_are_named() -> None:
    data = catalogue(6)
    with pytest.raises(WorkError, match="'NAME' is not in the Items dataset"):
        ThemeMaker.build(data, "NAME", Path("unused"))
    plain = Schema("ITEMS", tuple(Field(field.name, "string") for field in data.schemas["ITEMS"].fields))
    with pytest.raises(WorkError, match="textual field"):
        ThemeMaker.build(TrainingData(None, data.items, None, {"ITEMS": plain}), "TITLE", Path("unused"))
    with pytest.raises(WorkError, match="Items dataset"):
        ThemeMaker.build(TrainingData(None, None, None, {}), "TITLE", Path("unused"))


def shop(size: int = 90) -> TrainingData:
    """Return a catalogue of products in three kinds."""
    chance = random.Random(5)
    kinds = [
        (
            "Music",
            "Electric Guitar",
            ["A guitar for beginners with maple wood.", "A loud guitar for beginners and studios."],
        ),
        (
            "Home",
            "Wall Clock",
            ["A quiet clock with Roman numerals.", "A round clock for kitchens with large numerals."],
        ),
        (
            "Garden",
            "Watering Can",
            ["A can for gardeners with a long spout.", "A zinc can for balconies and gardeners."],
        ),
    ]
    ids, names, groups, texts = [], [], [], []
    for number in range(size):
        group, kind, descriptions = kinds[number % 3]
        ids.append(f"p{number:02}")
        names.append(f"{chance.choice(['Retro', 'Classic', 'Compact', 'Elegant'])} {kind}")
        groups.append(group)
        texts.append(chance.choice(descriptions))
    fields = (
        Field("ITEM_ID", "string"),
        Field("PRODUCT_NAME", "string"),
        Field("CATEGORY", "string", categorical=True),
        Field("PRODUCT_DESCRIPTION", "string", textual=True),
    )
    columns = dict(zip((field.name for field in fields), (ids, names, groups, texts), strict=True))
    return TrainingData(None, pa.table(columns), None, {"ITEMS": Schema("ITEMS", fields)})


def test_products_are_named_by_their_kind_and_never_told_about(tmp_path: Path) -> None:
    maker = ThemeMaker.build(shop(), "PRODUCT_NAME", tmp_path)
    groups = [[f"p{number:02}" for number in range(kind, 60, 3)] for kind in range(3)]
    guitars, clocks, cans = (themed.theme for themed in maker.make(["p00", "p01", "p02"], groups))
    assert (
        guitars.startswith("Electric guitars") and clocks.startswith("Wall clocks") and cans.startswith("Watering cans")
    )
    assert not any("about" in theme or problems(theme) for theme in (guitars, clocks, cans))


def test_one_author_is_theme_enough(tmp_path: Path) -> None:
    data = catalogue(60)
    names = ["Austen, Jane" if number % 3 == 0 else f"Writer {number}" for number in range(60)]
    schema = Schema("ITEMS", (*data.schemas["ITEMS"].fields, Field("AUTHOR", "string")))
    table = data.items.append_column("AUTHOR", pa.array(names))
    maker = ThemeMaker.build(TrainingData(None, table, None, {"ITEMS": schema}), "TITLE", tmp_path)
    themed = maker.make(["i000"], [[f"i{number:03}" for number in range(0, 45, 3)]])[0]
    assert themed.theme.endswith(" by Jane Austen")


class Writer:
    """A generator that writes what it is told."""

    name, deterministic, needs_network = "writer", True, False

    def __init__(self, *texts: str):
        self.texts = texts

    def prepare(self, index: object) -> None:
        self.prepared = True

    def generate(self, requests):
        for _ in requests:
            yield Proposal(tuple(Draft(text) for text in self.texts), 0.9)


def test_another_generator_can_write_the_themes(tmp_path: Path) -> None:
    maker = ThemeMaker.build(catalogue(), "TITLE", tmp_path, generator=Writer('"Robots among the stars."\nSure!'))
    themed = maker.make(["i002"], [[f"i{number:03}" for number in range(5, 50, 3)]])[0]
    assert (themed.theme, themed.generator, themed.replaced) == ("Robots among the stars", "writer", None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "one",
        "visit https://example.org today",
        "Films about i004 and friends",
        "Comedies about",
        "x " * 40,
        "<b>Robots</b> in love",
    ],
)
def test_texts_that_break_a_rule_are_replaced_by_the_default(text: str, tmp_path: Path) -> None:
    maker = ThemeMaker.build(catalogue(), "TITLE", tmp_path, generator=Writer(text))
    themed = maker.make(*groups_of())[0]
    assert themed.generator == "extractive-1" and themed.theme.startswith("Crime thrillers")


PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from film_catalogue import catalogue, groups_of
from personalize_nb.local.themes.maker import ThemeMaker
print(repr(ThemeMaker.build(catalogue(), "TITLE", Path(sys.argv[2])).make(*groups_of())))
"""


def test_bytes_do_not_depend_on_hash_seed_or_threads(tmp_path: Path) -> None:
    answers = set()
    for number, (seed, threads) in enumerate((("1", "1"), ("2", "2"))):
        environment = os.environ | {"PYTHONHASHSEED": seed, "OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads}
        arguments = [
            sys.executable,
            "-c",
            PROGRAM,
            str(Path(__file__).parents[2] / "support"),
            str(tmp_path / str(number)),
        ]
        answers.add(subprocess.run(arguments, env=environment, check=True, capture_output=True).stdout)
    assert len(answers) == 1 and b"thrillers" in answers.pop()
