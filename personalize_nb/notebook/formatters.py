"""Jobs, runs, models and measures as notebooks show them, built from their one-line reprs, so showing asks nobody.

The classes live in rooms that know no HTML. So IPython is told their names here, and loads nothing until one
of them is the value of a cell. The package imports this where IPython runs, hence no imports that cost.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

_STEPWISE = (
    ("jobs.job", "BatchInferenceJob"),
    ("jobs.segment_job", "BatchSegmentJob"),
    ("jobs.run", "Run"),
    ("resources.solutions", "SolutionVersion"),
)


def register() -> bool:
    """Tell the running IPython how to show our objects; answer whether there is one."""
    get_ipython: Callable[[], Any] = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)
    shell = get_ipython()
    if shell is None:
        return False
    formatter = shell.display_formatter.formatters["text/html"]
    for module, name in _STEPWISE:
        formatter.for_type_by_name(f"personalize_nb.{module}", name, stepwise)
    formatter.for_type_by_name("personalize_nb.results.theme_quality", "ThemeQuality", quality)
    formatter.for_type_by_name("personalize_nb.results.compared", "Comparison", compared)
    pandas = sys.modules.get("pandas")
    if pandas is None or pandas.DataFrame not in formatter.type_printers:  # where nobody else shows frames
        for module in ("pandas", "pandas.core.frame"):  # new releases and old ones
            if (module, "DataFrame") not in formatter.deferred_printers:
                formatter.for_type_by_name(module, "DataFrame", data_frame)
    return True


def data_frame(frame: Any) -> str | None:
    """Return a frame as HTML: one of ours with its texts on the left, any other as pandas does."""
    from personalize_nb.notebook.data_frames import shown  # loaded when something is shown

    return shown(frame)


def stepwise(thing: Any) -> str:
    """Return a repr of the form `<Kind facts: next step>` as HTML: what it is, and below it what to do next."""
    from personalize_nb.text import html  # loaded when something is shown
    from personalize_nb.text.redact import redact

    facts, _, step = redact(repr(thing)).removeprefix("<").removesuffix(">").partition(": ")
    kind, _, rest = facts.partition(" ")
    return html.output(html.lines(html.Markup("<b>{}</b> {}").format(kind, rest), step))


# What the figures of a `ThemeQuality` say; shares are from 0 to 1.
_FIGURES = {
    "themes": "themes that were measured",
    "publishable_share": "share of themes in which no check of .checks finds anything; 1 is best",
    "distinct": "different texts among them",
    "duplicate_share": "share of themes that a group of other items has as well; 0 is best",
    "good_form_share": "share of themes that read as a heading: nothing wrong in the column 'form' of .themes",
    "mean_words": "words of a theme, on average",
    "mean_coverage": "share of a group's items whose text has a word of their theme; 1 is best",
    "median_lift": "how many times more often than the whole catalogue a group has its theme's words; 1 says nothing",
    "mean_relevance": "relevance of the items to their theme, on average",
    "relevant_share": "share of items at or above the threshold of relevance",
    "mean_coherence": "likeness of a group's items; about 0 of items drawn at random, 1 of equal ones",
    "codes_share": "share of themes with a size, a flag or a stock code in them",
    "missing_share": "share of themes with a word that stands where a value is missing",
    "head_share": "share of themes that are of no noun, of one thing, or of what the items are not",
    "breadth_share": "share of themes of two kinds, or of a wider kind than their items share",
    "subject_share": "share of themes whose words after 'about' or 'with' are no noun, or not what the items share",
    "period_share": "share of themes that name a time which the items are not of",
    "language_share": "share of themes in two languages",
    "names_share": "share of themes with a name that has lost its capitals, or in capitals only",
    "fans_share": "share of themes for fans of an item that the others are not like",
}


def quality(measured: Any) -> str:
    """Return the figures of a `ThemeQuality` as a table with what each one says, its notes below."""
    from personalize_nb.text import html  # loaded when something is shown

    rows = [
        (name.replace("_", " "), f"{value:.3g}", _FIGURES.get(name, "")) for name, value in measured.summary.items()
    ]
    return html.output(
        html.lines(
            html.table(rows, numeric=(1,)),
            *measured.notes,
            "A row per theme: .themes; what is wrong with each: .checks",
        )
    )


def compared(comparison: Any) -> str:
    """Return what a `Comparison` says in short, and what has more."""
    from personalize_nb.notebook.comparisons import show_comparison  # loaded when something is shown
    from personalize_nb.text import html

    steps = ".overlap(), .by_owner(), .most_changed(), .items(), .moves(), .metrics() and .side_by_side(id) are frames"
    return html.output(html.lines(show_comparison(comparison).html, steps))
