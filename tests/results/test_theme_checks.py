"""What a shop would not publish is found, with its reason; what it would is not."""

import pandas as pd
import pytest

import personalize_nb as pnb

KINDS = {
    "Jackets": "rain, with a hood and a zip and sleeves",
    "Socks": "wool, with warm heels and toes",
    "Lamps": "reading, with a shade and a bulb",
    "Kettles": "tea, with a spout and a lid",
}
COLOURS = ["Red", "Green", "Silver"]


def shop(language="en"):
    texts = {
        "en": "A good {kind} that is for {use} and made by Tarnwick in the north of the country for all of you.",
        "de": "Eine gute Ware, die für {use} und von Tarnwick in dem Norden und nicht mit {kind}.",
    }
    rows = []
    for kind, use in KINDS.items():
        for number in range(15):
            rows.append(
                {
                    "item_id": f"{kind[0]}{number}",
                    "title": f"{kind[:-1]} number {number}",
                    "kind": kind,
                    "brand": "Tarnwick" if number % 2 else "Ostvale",
                    "colour": COLOURS[number % 3],
                    "size": ["XS", "L", "Any"][number % 4 % 3],
                    "stock": ["R", "Q7", "LL"][number % 5 % 3],
                    "year": str(1990 + number),
                    "description": texts[language].format(kind=kind.lower(), use=use),
                }
            )
    return pd.DataFrame(rows)


def found(title, items=None, ids=None, seed="J0"):
    items = shop() if items is None else items
    ids = ids or [f"J{number}" for number in range(1, 15)]
    themes = pd.DataFrame({"item_id": seed, "theme": title, "recommended_item_id": ids, "relevance": 0.3})
    quality = pnb.theme_quality(themes, items)
    checks = quality.checks.iloc[0]
    assert quality.themes.loc[0, "publishable"] == (checks["why"] == "")
    return {name for name in checks.index[2:-1] if checks[name]}, checks["why"]


@pytest.mark.parametrize(
    "title",
    [
        "Jackets for rain",
        "Jackets by Tarnwick",
        "Red and green jackets",
        "Jackets for fans of Number number",
        "Jackets by A. Tarnwick",
        "Jackets from the 1990s and 2000s",
    ],
)
def test_good_titles_pass(title):
    checks, why = found(title, ids=[f"J{number}" for number in range(1, 15) if number % 3 < 2])
    assert not checks - {"subject"}, why  # Tarnwick is said of the whole shop


def test_the_narrowest_kind_that_all_items_share_is_asked_for():
    items = shop().assign(department=["Outdoor goods"] * 45 + ["House"] * 15)
    ids = [f"J{number}" for number in range(1, 10)]
    checks, why = found("Outdoor goods", items, ids)
    assert checks == {"breadth"} and why == "all of the items are 'Jackets'"
    assert "breadth" not in found("Jackets", items, ids)[0]
    mixed = [f"{kind}{number}" for kind in "JS" for number in range(7)]
    assert not found("Outdoor goods", items, mixed)[0]


@pytest.mark.parametrize(
    "title, check, why",
    [
        ("Jackets xs", "codes", "'xs' is a code"),
        ("Q7 jackets", "codes", "'Q7' is a code"),
        ("L jackets", "codes", "'L' is a code"),
        ("LL jackets", "codes", "'LL' is a code"),
        ("Any jackets", "missing", "'Any' stands for no value"),
        ("Unknown jackets", "missing", "no value"),
        ("Jacket picks", "head", "names no kind"),
        ("Reds for rain", "head", "a quality, no thing"),
        ("Rainy", "head", "no noun"),
        ("Good jacket for rain", "head", "is one, not many"),
        ("Lamps for rain", "head", "'Lamps' is said of 0% of the items"),
        ("Books about jackets", "head", "nothing says that these are Books"),
        ("Lamps jackets", "head", "plural before"),
        ("Jackets and socks", "breadth", "two kinds"),
        ("Jacket number 0 and more", "breadth", "one item"),
        ("Tarnwick", "head", "who makes"),
        ("Jackets with sunny", "subject", "no noun"),
        ("Jackets about audiobooks", "subject", "a format"),
        ("Jackets for tea", "subject", "said of 0% of the items"),
        ("Jackets for country", "subject", "said of 100% of the catalogue"),
        ("Jackets from the 1970s", "period", "0% of the items are from 1970s"),
        ("Jackets by tarnwick", "names", "'tarnwick' is a name"),
        ("Jackets for fans of JACKET NUMBER", "names", "in capitals"),
        ("jackets for rain", "form", "small letter"),
    ],
)
def test_each_fault_has_its_check(title, check, why):
    checks, told = found(title)
    assert check in checks and why in told


def test_fans_of_another_kind_of_thing_are_none():
    checks, _ = found("Jackets for fans of Kettle number 3", seed="K3")
    assert "fans" in checks


def test_no_english_stands_around_another_language():
    german = shop("de")
    assert "language" in found("Jackets picks for fans of Jacket number 0", german)[0]
    assert "language" in found("Silver Ware", german)[0]  # a colour of a column beside a word of the texts
    assert "language" not in found("Jackets", german)[0]
    assert "language" not in found("Jackets für rain", german)[0]


def test_titles_that_say_the_same_in_other_words_are_doubles():
    groups = [("J0", "Red jackets for rain", "J"), ("S0", "Rain jackets, red", "S"), ("L0", "Lamps for reading", "L")]
    themes = pd.concat(
        pd.DataFrame(
            {"item_id": seed, "theme": title, "recommended_item_id": [f"{kind}{n}" for n in range(9)], "relevance": 0.3}
        )
        for seed, title, kind in groups
    )
    quality = pnb.theme_quality(themes, shop())
    assert quality.themes["duplicates"].tolist() == [1, 1, 0]
    assert (quality.checks["doubled"] != "").tolist() == [True, True, False]


def test_groups_that_cohere_and_groups_that_do_not():
    themes = pd.DataFrame(
        {
            "item_id": ["J0"] * 8 + ["K0"] * 8,
            "theme": ["Jackets for rain"] * 8 + ["Kettles"] * 8,
            "recommended_item_id": [f"J{n}" for n in range(8)] + [f"{kind}{n}" for kind in "JSLK" for n in (3, 4)],
            "relevance": 0.3,
        }
    )
    close, apart = pnb.theme_quality(themes, shop()).themes["coherence"]
    assert close > 0.3 > apart


def test_a_catalogue_of_few_words_has_no_likeness_and_no_error():
    items = pd.DataFrame({"item_id": ["a", "b"], "title": ["x", "y"]})
    themes = pd.DataFrame({"item_id": "a", "theme": "Things", "recommended_item_id": ["b", "zz"], "relevance": 0.3})
    quality = pnb.theme_quality(themes, items)
    assert quality.checks.loc[0, "head"] == "it names no kind of thing"
