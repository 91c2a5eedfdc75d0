"""Whatever a value holds, it comes out as text; the shapes that shared notebooks keep are the only ones used."""

import re

import pytest

from personalize_nb import markup

HOSTILE = '<img src=x onerror="alert(1)">&\''


@pytest.mark.parametrize(
    "html",
    [
        markup.table([[HOSTILE, HOSTILE]], [HOSTILE, "b"], note=HOSTILE),
        markup.table([[HOSTILE, 1]]),
        markup.lines(HOSTILE),
        markup.alert([HOSTILE], heading=HOSTILE),
        markup.code(HOSTILE),
        markup.image("<svg/>", HOSTILE),
        markup.join(["a", HOSTILE]),
    ],
)
def test_values_are_escaped(html):
    assert "<img src=x" not in html
    assert "&lt;img src=x onerror" in html


def test_tables_use_only_what_sanitisers_keep():
    html = markup.table([["a", markup.bar(0.5)]], ["name", "share"], numeric=[1], note="1 of 2 rows")
    assert set(re.findall(r"<(\w+)", html)) <= {
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "div",
        "i",
        "img",
    }
    assert "var(" not in html and "currentColor" not in html


def test_no_messages_no_alert():
    assert markup.alert([]) == ""


def test_bar_is_clipped_to_its_frame():
    assert markup.bar(7.0) == markup.bar(1.0)
    assert markup.bar(-1.0) == markup.bar(0.0)
