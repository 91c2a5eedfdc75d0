"""Frames of our calls are shown with texts on the left, are plain frames, and nobody else's are touched."""

import re

import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell

import personalize_nb as pnb
from personalize_nb.notebook import formatters

LISTS = pd.DataFrame({"user_id": ["u", "u"], "rank": [1, 2], "item_id": ["a", "<td>"]})


@pytest.fixture
def html():
    """Give what a notebook shows of a thing."""
    shell = InteractiveShell.instance()
    try:
        assert formatters.register()
        yield lambda thing: shell.display_formatter.format(thing)[0].get("text/html")
    finally:
        InteractiveShell.clear_instance()


@pytest.fixture
def found():
    return pnb.compare({"old": LISTS, "new": LISTS})


def _sides(html):
    """For each row whether its cells are on the left."""
    rows = re.findall(r"<tr.*?</tr>", html, re.DOTALL)
    return [["left" in cell for cell in re.findall(r"<t[dh][^>]*>", row)] for row in rows]


@pytest.mark.parametrize(
    "part",
    [
        lambda frame: frame,
        lambda frame: frame.head(1),
        lambda frame: frame[frame["gain"] == 0],
        lambda frame: frame.sort_values("gain").reset_index(drop=True),
        lambda frame: frame.rename(columns={"before": "were"}),
    ],
)
def test_texts_of_a_call_stand_on_the_left_numbers_on_the_right(html, found, part):
    frame = part(found.items())
    assert type(frame) is pd.DataFrame
    texts = [pd.api.types.is_string_dtype(dtype) for dtype in frame.dtypes]
    assert any(texts) and not all(texts)
    assert all(row[1:] == texts for row in _sides(html(frame)))
    assert "&lt;td&gt;" in html(frame) and html(frame).count("<table") == 1


def test_an_index_of_texts_stands_on_the_left_too(html, found):
    assert all(row[0] for row in _sides(html(found.summary()))[1:])
    several = _sides(html(found.items().set_index(["list", "item_id"])))
    assert several[2][:3] == [True, True, False] and several[3] == [True] + [False] * 7  # `list` stands once
    with pd.option_context("display.max_columns", 4):
        cut = _sides(html(found.items()))[1]
    assert len(cut) == 6 and cut[1:4] == [True, True, True] and not any(cut[4:])


def test_other_frames_and_options_are_those_of_pandas(html, found):
    own = pd.DataFrame({"a": ["x"], "b": 1})
    assert html(own) == own._repr_html_() and "left" not in html(own)
    with pd.option_context("display.notebook_repr_html", False):
        assert html(found.items()) is None
    pd.testing.assert_frame_equal(pd.concat([found.items(), own]), pd.concat([pd.DataFrame(found.items().copy()), own]))


def test_whoever_shows_frames_already_goes_on():
    shell = InteractiveShell.instance()
    try:
        shell.display_formatter.formatters["text/html"].for_type(pd.DataFrame, lambda frame: "theirs")
        formatters.register()
        assert shell.display_formatter.format(LISTS)[0]["text/html"] == "theirs"
    finally:
        InteractiveShell.clear_instance()
