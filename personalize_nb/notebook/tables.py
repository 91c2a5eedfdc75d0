"""Tables that are made once and shown twice, as HTML and as text, and how figures are written in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from personalize_nb.notebook.charts import text_bar
from personalize_nb.text import html
from personalize_nb.text.values import one_line

_LONGEST = 60  # characters of a cell of the text
_LONG, _WIDEST = 40, "26em"  # characters of a cell of HTML that is clipped, and to what


@dataclass(frozen=True)
class Table:
    """A table that becomes HTML and text; `bars` are columns of shares that are drawn as well."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    numeric: Sequence[int] = ()
    bars: Sequence[int] = ()

    def html(self, picture: html.Markup | None = None) -> html.Markup:
        """Return the table under its title, beside a picture where there is one."""
        names: list[str] = []
        for place, name in enumerate(self.columns):
            names += [name, ""] if place in self.bars else [name]
        rows = []
        for row in self.rows:
            cells: list[object] = []
            for place, value in enumerate(row):
                text = _written(value)
                cells.append(html.clipped(text, _WIDEST) if len(text) > _LONG else text)
                if place in self.bars:
                    cells.append(html.bar(0.0 if pd.isna(value) else float(value)))
            rows.append(cells)
        shift = [sum(bar < place for bar in self.bars) for place in range(len(self.columns))]
        numeric = [place + shift[place] for place in self.numeric]
        said = one_line(self.title)
        title = html.Markup('<div style="margin-top:.6em"><b>{}</b></div>').format(said) if said else ""
        table = html.table(rows, [one_line(name) for name in names], numeric)
        return html.lines(title, html.beside(picture, table) if picture else table)

    def text(self) -> str:
        """Return the table in columns of one width, bars as block characters."""
        cells = [[*map(one_line, self.columns)]]
        for row in self.rows:
            written = [_written(value) for value in row]
            for place in self.bars:
                share = 0.0 if pd.isna(row[place]) else float(row[place])
                written[place] = f"{text_bar(share, 8)} {written[place]}"
            cells.append(written)
        cells = [[one if len(one) <= _LONGEST else f"{one[: _LONGEST - 1]}…" for one in row] for row in cells]
        widths = [max(len(row[place]) for row in cells) for place in range(len(self.columns))]
        lines = (
            "  ".join(
                one.rjust(width) if place in self.numeric else one.ljust(width)
                for place, (one, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in cells
        )
        return "\n".join([*([one_line(self.title)] if self.title else []), *(f"  {line}".rstrip() for line in lines)])


def difference(one: Any) -> str:
    """Return how far a set is from the baseline, with bounds where there are some: a row of `metrics()`."""
    middle, low, high = (
        "" if pd.isna(value) else f"{value:+.3g}" if value else "0"
        for value in (one["difference"], one["difference_low"], one["difference_high"])
    )
    return f"{middle} ({low} to {high})" if low else middle


def bounds(one: Any) -> str:
    """Return between which values a figure lies, in brackets; nothing where that is not known."""
    low, high = (figure(one[name]) for name in ("low", "high"))
    return "" if pd.isna(one["low"]) else f"({low} to {high})"


def metric_name(metric: str) -> str:
    """Return a metric's name as it is read: NDCG at 10."""
    words = metric.replace("normalized_discounted_cumulative_gain", "NDCG").replace("_", " ")
    return words[0].upper() + words[1:]


def _written(value: Any) -> str:
    if isinstance(value, str):
        return one_line(value)
    if pd.isna(value):
        return "–"
    return f"{value:.3f}" if isinstance(value, float) else f"{value:,}"


def figure(value: Any) -> str:
    """Return a figure with four digits that count."""
    return "–" if pd.isna(value) else f"{value:.4g}"
