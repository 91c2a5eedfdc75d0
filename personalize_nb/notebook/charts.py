"""A view: something to look at, in notebooks as HTML, in terminals as text; of a picture also the axes it is drawn on.

The numbers of a picture stand in a table beside it and in bars of block characters, so nothing is lost where images
are not shown, and a screen reader reads what the picture says.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from personalize_nb.contract.ranking_metrics import CUT_OFFS
from personalize_nb.errors import MissingAttributeError
from personalize_nb.notebook import figures
from personalize_nb.text import html
from personalize_nb.text.html import Markup
from personalize_nb.text.values import one_line

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from personalize_nb.notebook.figures import Drawing
    from personalize_nb.notebook.tables import Table

_BLOCKS = " ▏▎▍▌▋▊▉█"


class View:
    """Something to look at.

    Parameters
    ----------
    shown
        What notebooks show.
    text
        What terminals show, and notebooks without HTML.
    """

    def __init__(self, shown: Markup, text: str):
        self._shown = shown
        self.text = text

    @property
    def html(self) -> Markup:
        """What notebooks show."""
        return self._shown

    @property
    def ax(self) -> Axes:
        """The axes that the picture is drawn on, to change it or to save its figure; only views of pictures have some.

        Raises
        ------
        MissingAttributeError
            The view has no picture.
        """
        raise MissingAttributeError("This view has no picture, so it has no 'ax'; views of pnb.plot_...() have.", "ax")

    def __repr__(self) -> str:
        return self.text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, View) and (self.html, self.text) == (other.html, other.text)

    def __hash__(self) -> int:
        return hash(self.text)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/html": html.output(self.html), "text/plain": self.text}


class Chart(View):
    """A picture beside its table.

    It is drawn when it is made, by the style that holds then, and written when it is shown: what was done to its axes
    in between is seen.

    Parameters
    ----------
    title
        What the picture says, in a line.
    draw
        Draws it.
    alt
        What a screen reader says in place of the picture.
    table
        The numbers.
    text
        The same for terminals.
    ax
        The user's axes to draw on. Their figure is shown by whoever made it, so the view has the table only.
    size
        Of a figure of its own, width and height in inches.
    notes
        Lines below.
    caption
        A line below the picture: how to read it.
    """

    def __init__(
        self,
        title: str,
        draw: Drawing,
        alt: str,
        table: Markup,
        text: str,
        *,
        ax: Axes | None = None,
        size: tuple[float, float] = figures.SIZE,
        notes: Sequence[str] = (),
        caption: str = "",
    ):
        title = one_line(title)
        super().__init__(table, "\n".join([title, text, *notes]))
        self._title, self._alt, self._notes, self._caption = title, one_line(alt), notes, caption
        self._own, self._svg = ax is None, ""
        self._ax = figures.drawn(draw, size) if ax is None else figures.drawn_into(draw, ax)

    @property
    def ax(self) -> Axes:
        """The axes that the picture is drawn on, to change it or to save its figure."""
        return self._ax

    @property
    def picture(self) -> Markup:
        """The picture alone, with what says how to read it; nothing where the axes are the user's."""
        return html.lines(html.image(self._drawn(), self._alt), self._caption) if self._own else Markup("")

    @property
    def html(self) -> Markup:
        """The picture beside its table."""
        title = Markup("<b>{}</b>").format(self._title)
        return html.lines(title, html.beside(self.picture, self._shown), *self._notes)

    def _drawn(self) -> str:
        if not self._svg or figures.changed(
            self._ax
        ):  # else it would be laid out again, and a hair's breadth elsewhere
            self._svg = figures.svg(self._ax)
        return self._svg


class Overview(View):
    """Several tables, some of them beside a picture of what they say.

    Parameters
    ----------
    heading
        What it is about, and what is to be known of all of it.
    parts
        Tables, each with the chart whose picture stands beside it, or None.
    text
        The same for terminals.
    """

    def __init__(self, heading: Markup, parts: Sequence[tuple[Table, Chart | None]], text: str):
        super().__init__(heading, text)
        self._parts = parts

    @property
    def ax(self) -> Axes:
        """The axes that the first picture is drawn on, to change it or to save its figure.

        Raises
        ------
        MissingAttributeError
            The view has no picture.
        """
        return next((chart.ax for _, chart in self._parts if chart is not None), None) or super().ax

    @property
    def html(self) -> Markup:
        """What notebooks show."""
        parts = (table.html(None if chart is None else chart.picture) for table, chart in self._parts)
        return html.lines(self._shown, *parts)


def thinned(rows: Sequence[tuple[Any, ...]], ranks: Sequence[int], most: int = 10) -> list[tuple[Any, ...]]:
    """Return rows enough to read: all of a few, else those of the usual cut-offs, of round ranks, and the last.

    Examples
    --------
    >>> thinned([(rank,) for rank in range(1, 41)], range(1, 41))
    [(1,), (2,), (3,), (5,), (10,), (25,), (40,)]
    """
    if len(rows) <= most:
        return list(rows)
    kept = {1, 2, 3, *CUT_OFFS, 50, 100, 250, ranks[-1]}
    found = [row for row, rank in zip(rows, ranks, strict=True) if rank in kept]
    # ranks with holes in between
    places = np.unique(np.linspace(0, len(rows) - 1, most).round().astype(int))
    return found if len(found) >= len(CUT_OFFS) else [rows[place] for place in places]


def text_bars(
    labels: Sequence[str], values: Sequence[float] | np.ndarray, form: str = "{:.4g}", full: float | None = None
) -> str:
    """Return a line for each value: its label, a bar, and the number; `full`, or the greatest, has the longest bar."""
    top = max((float(value) for value in values if value == value), default=0.0) if full is None else full
    top = top if top > 0 else 1.0
    width = max(map(len, labels), default=0)
    return "\n".join(
        f"{label:>{width}} {text_bar(value / top)} {form.format(value)}"
        for label, value in zip(labels, values, strict=True)
    )


def text_bar(share: float, width: int = 20) -> str:
    """Return a bar of block characters, `share` of `width` characters long."""
    eighths = round(max(0.0, min(1.0, float(share))) * width * 8) if share == share else 0
    return ("█" * (eighths // 8) + _BLOCKS[eighths % 8]).strip().ljust(width)
