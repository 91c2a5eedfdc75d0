"""Measures of themes are counts that can be checked by hand, for themes of any maker."""

import numpy as np
import pandas as pd
import pytest
import reading_world

import personalize_nb as pnb
from personalize_nb.errors import InputError

ITEMS = pd.DataFrame(
    {
        "item_id": list("abcdef"),
        "title": ["Sea voyages", "The sea", "A voyage home", "Roses", "Garden tools", None],
        "shelf": pd.Categorical(["sea", "sea", "sea", "garden", "garden", "garden"]),
        "year": range(6),
    }
)


def frame(*groups):
    rows = [(seed, theme, item, score) for seed, theme, scored in groups for item, score in scored.items()]
    return pd.DataFrame(rows, columns=["item_id", "theme", "recommended_item_id", "relevance"])


SEA = {"a": 0.5, "b": 0.3, "c": 0.1, "d": -0.1}
GARDEN = {"d": 0.4, "e": 0.2, "f": 0.0}


def test_coverage_lift_and_relevance():
    measured = pnb.theme_quality(frame(("a", "Tales of sea voyages.", SEA)), ITEMS, text=["title"]).themes.iloc[0]
    assert (measured["items"], measured["words"], measured["form"], measured["duplicates"]) == (4, 4, "", 0)
    assert measured["coverage"] == 0.5  # sea: a b; voyage: a c; of four items
    assert measured["base"] == pytest.approx(1 / 3)
    assert measured["lift"] == pytest.approx(1.5)
    assert measured["mean_relevance"] == pytest.approx(0.2)
    assert measured["relevant"] == 0.75


def test_all_columns_of_text_are_read_by_default():
    measured = pnb.theme_quality(frame(("d", "Garden picks", GARDEN)), ITEMS).themes.iloc[0]
    assert measured["coverage"] == 1


def test_a_theme_of_different_groups_is_a_duplicate_and_of_the_same_group_is_not():
    found = pnb.theme_quality(
        frame(("a", "Sea stories", SEA), ("b", "sea stories", SEA), ("d", "Sea Stories", GARDEN)), ITEMS
    )
    assert found.themes["duplicates"].tolist() == [1, 1, 2]
    assert found.summary["distinct"] == 1
    assert found.summary["duplicate_share"] == 1


@pytest.mark.parametrize(
    "theme, told",
    [
        ("Movies with a strong female lead", ""),
        ("The best movies of 1995", ""),
        ("For your sweet tooth.", ""),
        ("Sea", ""),
        ("sea voyages", "small letter"),
        ("Sea voyages for the", "ends with 'the'"),
        ("Visit www.sea.example now", "marks"),
        ("Sea stories of the seas", "repeats a word"),
        ("Sea " * 9, "has 9 words"),
        ("Extraordinarily uncharacteristic counterrevolutionary institutionalisation", "characters"),
    ],
)
def test_form(theme, told):
    form = pnb.theme_quality(frame(("a", theme, SEA)), ITEMS).themes.loc[0, "form"]
    assert told in form and bool(told) == bool(form)


def test_the_report_reads_well_and_warns_of_frames_that_are_cut():
    cut = pnb.theme_quality(frame(("a", "Sea voyages", {"a": 0.5, "b": 0.3, "zz": 0.2})), ITEMS)
    assert "mean coverage" in repr(cut) and repr(cut).endswith(
        "<ThemeQuality: .themes has a row per theme, .checks what is wrong with each, .summary these figures>"
    )
    assert "may be cut already" in cut.notes[0] and "1 recommended item is not in the items frame" in cut.notes[1]
    assert pnb.theme_quality(frame(("a", "Sea voyages", SEA)), ITEMS).notes == ()


def test_an_empty_frame_has_no_themes():
    assert pnb.theme_quality(frame(), ITEMS).summary["themes"] == 0


@pytest.mark.parametrize(
    "themes, items, text, told",
    [
        (ITEMS, ITEMS, None, r"no column \['theme'"),
        (frame(("a", "x y", SEA)), ITEMS[["title"]], None, r"'items' has no column \['item_id'\]"),
        (frame(("a", "x y", SEA)), ITEMS[["item_id", "year"]], None, "no column of text"),
        (frame(("a", "x y", SEA)), ITEMS, ["name"], r"no column \['name'\]"),
    ],
)
def test_missing_columns_are_named(themes, items, text, told):
    with pytest.raises(InputError, match=told):
        pnb.theme_quality(themes, items, text=text)


def test_themes_of_a_real_job(books_model):
    job = pnb.themes(["b0", "b1", "b2"], books_model, num_results=8).wait(progress=False)
    found = pnb.theme_quality(job.themes(threshold=None, minimum_items=0), reading_world.items())
    assert found.themes["item_id"].tolist() == ["b0", "b1", "b2"]
    assert found.summary["good_form_share"] == 1
    assert found.summary["mean_coverage"] > 0.3 and found.summary["median_lift"] > 1.5


def test_a_full_stop_and_spaces_make_no_other_theme():
    measured = pnb.theme_quality(frame(("a", "Sea voyages.", SEA), ("d", " Sea  voyages", GARDEN)), ITEMS)
    assert measured.themes["theme"].tolist() == ["Sea voyages"] * 2
    assert measured.themes["duplicates"].tolist() == [1, 1]
    assert measured.summary["distinct"] == 1 and (measured.themes["form"] == "").all()


def test_items_without_a_score_and_inputs_without_a_theme_are_told_of():
    groups = (
        ("a", "Sea voyages", {"b": 0.3, "c": None, "d": 0.05}),
        ("b", None, {"c": 0.4}),
        ("c", "Roses", {"d": None}),
    )
    measured = pnb.theme_quality(frame(*groups), ITEMS)
    assert measured.themes["item_id"].tolist() == ["a", "c"]
    assert measured.themes.loc[0, ["items", "mean_relevance", "relevant"]].tolist() == [3, pytest.approx(0.175), 0.5]
    assert np.isnan(measured.themes.loc[1, "relevant"])
    assert measured.summary["mean_relevance"] == pytest.approx(0.175)
    assert "1 input item has no theme" in repr(measured) and "2 recommended items have no relevance" in repr(measured)
    assert "cut already" not in repr(measured)


def test_relevances_as_text_are_read_and_words_are_refused():
    themes = frame(("a", "Sea voyages", SEA))
    as_text = themes.assign(relevance=themes["relevance"].astype(str))
    assert pnb.theme_quality(as_text, ITEMS).summary["mean_relevance"] == pytest.approx(0.2)
    with pytest.raises(InputError, match="must hold numbers, got 'high' in 4 of 4 rows"):
        pnb.theme_quality(themes.assign(relevance="high"), ITEMS)
