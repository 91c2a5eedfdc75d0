"""Pictures say the same in HTML and in text, and refuse frames they cannot draw."""

import base64
import re

import pandas as pd
import pytest

import personalize_nb as pnb
from personalize_nb.errors import InputError
from personalize_nb.notebook import charts, figures, list_plots

RECOMMENDATIONS = pd.DataFrame(
    {
        "user_id": ["u1"] * 3 + ["u2"] * 3,
        "rank": [1, 2, 3] * 2,
        "item_id": ["a", "b", "c", "a", "b", "d"],
        "score": [0.5, 0.3, 0.1, 0.4, 0.2, 0.1],
    }
)
HISTORY = RECOMMENDATIONS[["user_id", "item_id"]].assign(timestamp=range(6))
CATALOGUE = pd.DataFrame({"item_id": list("abc"), "title": ["Ant", "Bee", "Cat"]})


def test_curves_name_their_axes():
    for view, axes in (
        (list_plots.plot_scores(RECOMMENDATIONS), ("rank", "score: median, middle 80 %")),
        (list_plots.plot_coverage(RECOMMENDATIONS, CATALOGUE), ("length of the lists", "share of the catalogue")),
    ):
        svg = base64.b64decode(re.search('base64,([^"]+)', view.html)[1]).decode()
        assert all(f">{axis}</text>" in svg for axis in axes)


def test_one_item_is_recommended():
    assert "1 of 1 item is recommended" in list_plots.plot_coverage(RECOMMENDATIONS, ["a"]).text


def test_scores_by_rank():
    view = list_plots.plot_scores(RECOMMENDATIONS)
    assert "0.45" in view.text and "0.45" in view.html
    assert 'src="data:image/svg+xml;base64,' in view.html
    assert view._repr_mimebundle_()["text/plain"] == repr(view)


def test_scores_are_needed():
    with pytest.raises(InputError, match="no scores to plot"):
        list_plots.plot_scores(RECOMMENDATIONS.assign(score=float("nan")))


def test_coverage_counts_each_item_once():
    view = list_plots.plot_coverage(RECOMMENDATIONS, ["a", "b", "c", "d", "e", "f", "g", "h"])
    assert "4 of 8 items" in view.text
    assert view.text.splitlines()[1].endswith("12.5%")
    assert view.text.splitlines()[-1].endswith("50.0%")


def test_items_asked_about_do_not_count_as_recommended():
    asked = RECOMMENDATIONS.rename(columns={"item_id": "recommended_item_id"}).assign(item_id="h")
    assert "4 of 8 items" in list_plots.plot_coverage(asked, ["a", "b", "c", "d", "e", "f", "g", "h"]).text
    assert list_plots.plot_popularity(asked, pd.DataFrame({"item_id": ["a"]})).text.startswith("Popularity: 33%")


def test_popularity_by_tenth():
    interactions = pd.DataFrame({"item_id": [f"i{i}" for i in range(10) for _ in range(10 - i)]})
    recommended = pd.DataFrame({"item_id": ["i0", "i0", "i9", "new"]})
    view = list_plots.plot_popularity(recommended, interactions)
    assert view.text.splitlines()[0].startswith("Popularity: 50% of recommendations")
    assert view.text.splitlines()[-1].endswith("50.0%")


def test_missing_column_is_named():
    with pytest.raises(InputError, match="'rank'"):
        list_plots.plot_coverage(pd.DataFrame({"item_id": ["a"]}), ["a"])


def test_text_bar_length():
    assert charts.text_bar(0.5, 4) == "██  "
    assert charts.text_bar(2.0, 4) == "████"
    assert charts.text_bar(0.0, 4) == "    "


def test_whole_numbers_are_the_ids_that_results_spell_as_text():
    lists = RECOMMENDATIONS.assign(item_id=list("123124"))
    catalogue = pd.DataFrame({"ITEM_ID": range(1, 9)})
    assert "4 of 8 items" in list_plots.plot_coverage(lists, catalogue).text
    assert "4 of 8 items" in list_plots.plot_coverage(lists, range(1, 9)).text
    assert list_plots.plot_popularity(lists, pd.DataFrame({"itemId": [1]})).text.startswith("Popularity: 33%")


@pytest.mark.parametrize(
    ("draw", "told"),
    [
        (
            lambda: list_plots.plot_scores(RECOMMENDATIONS.head(0)),
            "'recommendations' is empty, so there is nothing to show",
        ),
        (lambda: list_plots.plot_scores(None), "'recommendations' must be a DataFrame, got NoneType"),
        (lambda: list_plots.plot_coverage(RECOMMENDATIONS, []), "'items' is empty"),
        (lambda: list_plots.plot_coverage(RECOMMENDATIONS, None), "'items' must be a DataFrame"),
        (lambda: list_plots.plot_coverage(RECOMMENDATIONS.head(0), ["a"]), "nothing to show"),
        (lambda: list_plots.plot_popularity(RECOMMENDATIONS.head(0), HISTORY), "nothing to show"),
        (lambda: list_plots.plot_popularity(RECOMMENDATIONS, HISTORY.head(0)), "'interactions' is empty"),
        (lambda: list_plots.plot_popularity(RECOMMENDATIONS, CATALOGUE), "each of its 3 items once and no user"),
    ],
)
def test_nothing_to_draw_is_told(draw, told):
    with pytest.raises(InputError, match=told):
        draw()


@pytest.mark.parametrize(
    ("draw", "told"),
    [
        (lambda: list_plots.plot_coverage(CATALOGUE, RECOMMENDATIONS), "swapped: 'items' holds recommendations"),
        (lambda: list_plots.plot_coverage(HISTORY, RECOMMENDATIONS), r"swapped.* Call plot_coverage\(recommendations,"),
        (lambda: list_plots.plot_coverage(["a"], RECOMMENDATIONS), "swapped"),
        (lambda: list_plots.plot_coverage(RECOMMENDATIONS, RECOMMENDATIONS), "^'items' holds recommendations"),
        (lambda: list_plots.plot_popularity(HISTORY, RECOMMENDATIONS), "swapped: 'interactions' holds recommendations"),
        (lambda: list_plots.plot_popularity(CATALOGUE, RECOMMENDATIONS), "swapped"),
        (lambda: list_plots.plot_popularity(HISTORY, HISTORY), "'recommendations' holds interactions"),
        (lambda: list_plots.plot_popularity(RECOMMENDATIONS, RECOMMENDATIONS), "^'interactions' holds recommendations"),
        (lambda: list_plots.plot_popularity(RECOMMENDATIONS), "'interactions' must be a DataFrame, and none is given"),
        (lambda: list_plots.plot_scores(CATALOGUE), r"no column \['rank', 'score'\].*job.recommendations"),
    ],
)
def test_swapped_arguments_are_noticed(draw, told):
    with pytest.raises(InputError, match=told):
        draw()


def test_a_catalogue_may_have_a_rank_of_its_own():
    assert "3 of 3 items" in list_plots.plot_coverage(RECOMMENDATIONS, CATALOGUE.assign(rank=[1, 2, 3])).text


@pytest.mark.parametrize("length", [6, 40])
@pytest.mark.parametrize("number", [2, 4, 8])
def test_a_legend_leaves_the_axes_their_room(number, length):
    figure_names = [f"{place}{'x' * (length - 1)}" for place in range(number)]

    def draw(axes, spell):
        lines = [axes.plot([0, 1], [place, 1])[0] for place in range(number)]
        figures.named_ticks(axes.yaxis, ["a metric with a long name"])
        figures.legend(axes, lines, [spell(name) for name in figure_names])

    axes = figures.drawn(draw)
    whole, inside, legend = (one.get_window_extent() for one in (axes.figure, axes, axes.get_legend()))
    assert inside.width > 0.5 * whole.width and legend.x1 <= whole.x1 and legend.y1 <= whole.y1


def test_sets_have_one_scale():
    lists = [pd.DataFrame({"user_id": "u", "rank": range(1, 5), "item_id": list(items)}) for items in ("abcd", "aefg")]
    few = lists[0].assign(user_id="v", item_id=list("abcd"))
    many = pd.concat([lists[0], lists[1].assign(user_id="v")])
    catalogue = pd.DataFrame({"item_id": list("abcdefghij")})
    found = pnb.compare({"few": pd.concat([lists[0], few]), "many": many}, items=catalogue)
    text = pnb.plot_coverage(found).text
    bars = {
        name: part.count("█") for name, part in zip(("few", "many"), text.split("few:")[1].split("many:"), strict=True)
    }
    assert bars["few"] < bars["many"]
