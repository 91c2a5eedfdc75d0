"""Pictures are the user's to draw on and to style, are read on light and dark pages, and leave nothing behind."""

import base64
import functools
import re
import subprocess
import sys

import matplotlib
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

import personalize_nb as pnb
from personalize_nb.errors import ArgumentError, MissingAttributeError
from personalize_nb.notebook import charts, figures
from personalize_nb.text import html
from personalize_nb.text.html import Markup

HOSTILE = (
    "a $x^{ b$ $",
    "_hidden",
    "two\nlines\tand \\\\frac{",
    "<svg onload=alert(1)>&amp;]]>",
    "\u202eturned \u05e9\u05dc\u05d5\u05dd",
    "\u65e5\u672c\u8a9e \U0001f4da",
    "long " * 40,
    "50% {} %s #",
)


def lists(users=4, length=12, shift=0):
    rows = [
        (f"u{user}", rank, f"i{(user * 3 + rank * (shift + 1)) % 40}", 1 / (rank + user + 1))
        for user in range(users)
        for rank in range(1, length + 1)
    ]
    return pd.DataFrame(rows, columns=["user_id", "rank", "item_id", "score"]).drop_duplicates(["user_id", "item_id"])


LISTS = lists()
ITEMS = pd.DataFrame({"item_id": [f"i{number}" for number in range(40)]})
HISTORY = pd.DataFrame({"user_id": "u1", "item_id": [f"i{number % 7}" for number in range(30)], "timestamp": range(30)})
TRUTH = pd.DataFrame({"user_id": ["u0", "u1", "u2"], "item_id": ["i3", "i9", "i30"]})


def compared(*names):
    sets = {name: lists(shift=place) for place, name in enumerate(names)}
    return pnb.compare(sets, truth=TRUTH, items=ITEMS, interactions=HISTORY, samples=20)


COMPARED = compared("last week", "today")
EVALUATED = pnb.evaluate(LISTS, TRUTH, interval=0.9, samples=20)
PICTURES = {
    "scores": lambda ax=None: pnb.plot_scores(LISTS, ax=ax),
    "coverage": lambda ax=None: pnb.plot_coverage(LISTS, ITEMS, ax=ax),
    "popularity": lambda ax=None: pnb.plot_popularity(LISTS, HISTORY, ax=ax),
    "scores of sets": lambda ax=None: pnb.plot_scores(COMPARED, ax=ax),
    "coverage of sets": lambda ax=None: pnb.plot_coverage(COMPARED, ax=ax),
    "popularity of sets": lambda ax=None: pnb.plot_popularity(COMPARED, ax=ax),
    "overlap": lambda ax=None: pnb.plot_overlap(COMPARED, ax=ax),
    "metrics": lambda ax=None: pnb.plot_metrics(COMPARED, ax=ax),
    "metrics of one": lambda ax=None: pnb.plot_metrics(EVALUATED, ax=ax),
    "tradeoff": lambda ax=None: pnb.plot_tradeoff(COMPARED, ax=ax),
    "moves": lambda ax=None: pnb.plot_moves(COMPARED, ax=ax),
}


@functools.cache
def picture(name):
    return PICTURES[name]()


def drawing(view):
    return base64.b64decode(re.search('src="data:image/svg[+]xml;base64,([^"]+)', view.html)[1]).decode()


def contrast(colour, page):
    def light(one):
        parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in to_rgb(one)]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    high, low = sorted((light(colour), light(page)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_small_and_has_an_alternative_and_a_table(name):
    view = picture(name)
    svg = drawing(view)
    assert len(svg) < 40_000 and svg.startswith("<svg") and "<dc:date>" not in svg
    alt = re.search('<img alt="([^"]+)"', view.html)[1]
    assert len(alt) > 40 and re.search(r"\d", alt)
    assert "<table" in view.html and "<script" not in view.html and "<style" not in view.html
    assert view._repr_mimebundle_() == {"text/html": html.output(view.html), "text/plain": repr(view)}


def test_a_picture_of_the_same_is_the_same():
    assert drawing(PICTURES["metrics"]()) == drawing(picture("metrics"))


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_read_on_light_and_dark_pages(name):
    ax = picture(name).ax
    assert ax.get_facecolor()[3] == ax.figure.get_facecolor()[3] == 0  # the page is seen through
    texts = [*ax.get_xticklabels(), *ax.get_yticklabels(), ax.xaxis.label, ax.yaxis.label]
    texts += ax.get_legend().get_texts() if ax.get_legend() else []
    colours = [text.get_color() for text in texts if text.get_text()]
    assert len(colours) > 4
    for page in ("#fff", "#111"):
        assert min(contrast(colour, page) for colour in colours) >= 4.1
        assert min(contrast(colour, page) for colour in figures.COLOURS) >= 3


def test_usual_cut_offs_are_ticks():
    deep = lists(length=30)
    assert [label.get_text() for label in pnb.plot_coverage(deep, ITEMS).ax.get_xticklabels()] == [
        *("1", "5", "10", "25", "30")
    ]
    assert re.findall(r">(5|10|25)</text>", drawing(pnb.plot_scores(deep))) == ["5", "10", "25"]
    assert [line.split()[0] for line in pnb.plot_scores(deep).text.splitlines()[1:]] == [
        *("1", "2", "3", "5", "10", "25", "30")
    ]


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_drawn_into_axes_of_the_user(name):
    figure = Figure(facecolor="#eee")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    before = dict(matplotlib.rcParams)
    view = PICTURES[name](ax=left)
    assert view.ax is left and left.has_data() and not right.has_data()
    assert "data:image/svg+xml" not in re.sub('alt=""[^>]*', "", view.html) and "<table" in view.html
    assert figure.get_facecolor()[:3] == to_rgb("#eee") and dict(matplotlib.rcParams) == before
    figure.canvas.draw()


def test_what_is_done_to_the_axes_is_shown():
    view = pnb.plot_scores(LISTS)
    before = drawing(view)
    view.ax.set_title("Spring")
    assert ">Spring</text>" in drawing(view) != before
    view.ax.figure.suptitle("Summer")
    assert ">Summer</text>" in drawing(view)


def test_the_style_of_the_user_holds_where_there_is_one():
    with matplotlib.rc_context({"text.color": "w", "figure.facecolor": "k", "axes.facecolor": "k", "xtick.color": "w"}):
        view = pnb.plot_scores(LISTS)
    # it is shown after the style has ended
    assert to_rgb(view.ax.get_facecolor()) == to_rgb("k") == to_rgb(view.ax.figure.get_facecolor())
    assert {label.get_color() for label in view.ax.get_xticklabels()} == {"w"}
    with matplotlib.rc_context({"axes.prop_cycle": matplotlib.cycler(color=["#aa0000"]), "figure.figsize": (7, 3)}):
        view = pnb.plot_scores(LISTS)
    assert view.ax.lines[0].get_color() == "#aa0000" and view.ax.figure.get_size_inches().tolist() == [7, 3]


def test_nothing_is_left_behind():
    code = (
        "import sys, pandas as pd, personalize_nb as pnb; pnb.plot_scores; print('matplotlib' in sys.modules)\n"
        "frame = pd.DataFrame({'user_id': 'u', 'rank': [1, 2], 'item_id': ['a', 'b'], 'score': [.5, .25]})\n"
        "view = pnb.plot_scores(frame); view.html; print('matplotlib.pyplot' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


@functools.cache
def hostile():
    return compared(*HOSTILE)


@pytest.mark.parametrize("name", [name for name in pnb.__all__ if name.startswith("plot_")])
def test_hostile_names_are_texts_and_break_nothing(name):
    draw = getattr(pnb, name)
    view = draw(hostile())
    assert "<svg onload" not in view.html and "<svg onload" not in drawing(view)
    figure = Figure()
    FigureCanvasAgg(figure)
    draw(hostile(), ax=figure.add_subplot())
    figure.canvas.draw()  # warnings are errors
    for made in filter(None, [view.ax.get_legend()]):
        names = [text.get_text() for text in made.get_texts()]
        assert set(names) - {"interactions"} <= {figures.spelled(one) for one in HOSTILE}
        assert all(len(text) <= 28 and "\n" not in text and "\u202e" not in text for text in names)


@pytest.mark.parametrize(
    ("ax", "told"),
    [
        (Figure(), r"got Figure .*\.gca\(\)"),
        (Figure().subplots(1, 2), r"got ndarray .*ax=axes\[0\]"),
        ("here", r"got str 'here'; figure, ax = plt.subplots\(\)"),
    ],
)
def test_what_is_no_axes_is_told(ax, told):
    with pytest.raises(ArgumentError, match=f"'ax' must be matplotlib axes, {told}"):
        pnb.plot_scores(LISTS, ax=ax)


def test_only_pictures_have_axes():
    with pytest.raises(MissingAttributeError, match="no picture"):
        _ = charts.View(Markup("<b>x</b>"), "x").ax
    assert charts.View(Markup("x"), "x") == charts.View(Markup("x"), "x") != charts.View(Markup("y"), "x")
