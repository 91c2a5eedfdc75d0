"""Whatever a value holds, it comes out as text; the shapes that shared notebooks keep are the only ones used."""

import re

import pytest

from personalize_nb.text import html

HOSTILE = '<img src=x onerror="alert(1)">&\''


@pytest.mark.parametrize(
    "shown",
    [
        html.table([[HOSTILE, HOSTILE]], [HOSTILE, "b"], note=HOSTILE),
        html.table([[HOSTILE, 1]]),
        html.lines(HOSTILE),
        html.alert([HOSTILE], heading=HOSTILE),
        html.code(HOSTILE),
        html.image("<svg/>", HOSTILE),
        html.join(["a", HOSTILE]),
    ],
)
def test_values_are_escaped(shown):
    assert "<img src=x" not in shown
    assert "&lt;img src=x onerror" in shown


def test_tables_use_only_what_sanitisers_keep():
    shown = html.table([["a", html.bar(0.5)]], ["name", "share"], numeric=[1], note="1 of 2 rows")
    assert set(re.findall(r"<(\w+)", shown)) <= {
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
    assert "var(" not in shown and "currentColor" not in shown


def test_no_messages_no_alert():
    assert html.alert([]) == ""


def test_bar_is_clipped_to_its_frame():
    assert html.bar(7.0) == html.bar(1.0)
    assert html.bar(-1.0) == html.bar(0.0)


def test_an_output_is_no_formula_and_escapes_what_it_is_given():
    shown = html.output(html.table([("filter", "$SUBJECT: <b>$YEAR</b>")]))
    assert shown.startswith('<div class="mathjax_ignore tex2jax_ignore"') and "$SUBJECT: &lt;b&gt;$YEAR" in shown


def test_an_output_wraps_where_sanitizers_know_one_way_only():
    style = html.output(html.lines("x")).partition(">")[0]
    # JupyterLab takes `anywhere` out of notebooks that are not trusted, and keeps what stands before it
    assert style.index("overflow-wrap:break-word") < style.index("overflow-wrap:anywhere")


def test_numbers_stay_on_their_line():
    assert html.table([("a", "1 (0 to 2)")], ("", "value"), numeric=[1]).count("white-space:nowrap") == 1
