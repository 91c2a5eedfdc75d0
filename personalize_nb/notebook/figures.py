"""Figures by matplotlib: in the user's style or in one that is read on light and dark pages, written as small SVG.

Nothing is left behind: no figure is known to pyplot, so none is shown twice, and the style holds only while drawing.
matplotlib is imported by the first picture.
"""

from __future__ import annotations

import io
import unicodedata
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from personalize_nb.contract.ranking_metrics import CUT_OFFS
from personalize_nb.errors import ArgumentError
from personalize_nb.text import html
from personalize_nb.text.values import shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.text import Text

Spell: TypeAlias = Callable[[object], str]
# Draws on axes; names of the user's are spelled by the function, which knows what these axes can show.
Drawing: TypeAlias = "Callable[[Axes, Spell], None]"

SIZE = (5.2, 2.7)  # inches: beside a table where the page is wide
MARKERS, LINES = "osD^vPX*", ("-", "--", ":", "-.")  # colour alone tells nobody anything who does not see it
_GREY = "#767676"  # 4.5 on white, 4.1 on #111: pictures cannot inherit the page's text colour
COLOURS = (html.BLUE, html.ORANGE, "#2e8b57", "#b05cc8", "#d6455d", "#7d7a2e", "#2a8c9a", "#9a6b4f")
_LONGEST = 28
_COLUMNS = {2: (2, 1), 3: (3, 1), 4: (4, 2, 1)}  # of a legend, so that its rows are full
_JOINERS = "\u200c\u200d"  # are written: Persian and Indic scripts need them
_PAGE = (
    "axes.edgecolor",
    "axes.facecolor",
    "axes.labelcolor",
    "figure.facecolor",
    "savefig.facecolor",
    "text.color",
    "xtick.color",
    "ytick.color",
)
_CLEAR = ("axes.facecolor", "figure.facecolor", "savefig.facecolor")


def drawn(draw: Drawing, size: tuple[float, float] = SIZE) -> Axes:
    """Return the axes of a new figure, drawn on in the user's style, or in ours where the user has none."""
    import matplotlib
    from matplotlib.figure import Figure

    chosen = matplotlib.rcParams["figure.figsize"]
    if list(chosen) != list(matplotlib.rcParamsDefault["figure.figsize"]):
        size = (chosen[0], chosen[1])
    with matplotlib.rc_context(_style()), _any_glyph():
        figure = Figure(figsize=size, layout="constrained")
        ax = figure.add_subplot()
        draw(ax, spelled)
        figure.draw_without_rendering()  # ticks are made when they are needed, by the style that holds then
        made = ax.get_legend()
        if made is not None:  # many names take no room from what they name
            figure.set_figheight(size[1] + made.get_window_extent().height / figure.dpi)
            figure.draw_without_rendering()
    return ax


def changed(ax: Axes) -> bool:
    """Tell whether something was done to the figure of axes since it was written."""
    figure = ax.get_figure(root=True)
    return figure is None or figure.stale


def drawn_into(draw: Drawing, ax: Any) -> Axes:
    """Return the user's axes, drawn on in their own style.

    Raises
    ------
    ArgumentError
        They are no axes.
    """
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

    if not isinstance(ax, Axes):
        hint = "figure, ax = plt.subplots() gives some"
        if isinstance(ax, np.ndarray | list | tuple):
            hint = "choose one of them, as in ax=axes[0]"
        elif isinstance(ax, FigureBase) or hasattr(ax, "gca"):
            hint = "its axes are .gca()"
        raise ArgumentError(f"'ax' must be matplotlib axes, got {type(ax).__name__} {shown(ax)}; {hint}.")
    known = _glyphs()
    draw(ax, lambda name: "".join(one if ord(one) in known else "\u25a1" for one in spelled(name)))
    return ax


def svg(ax: Axes) -> str:
    """Return the figure of axes as SVG, the same for the same figure: text as text, and no date."""
    import matplotlib

    file = io.StringIO()
    unnamed = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    # typed loosely: only some releases of matplotlib name each setting
    options: Any = {"svg.fonttype": "none", "svg.hashsalt": "personalize_nb", "svg.image_inline": True}
    with matplotlib.rc_context(options), _any_glyph():
        figure = ax.get_figure(root=True)
        assert figure is not None  # of a view that has drawn it
        figure.savefig(file, format="svg", metadata=unnamed)
        figure.stale = False  # until something is done to it
    text = file.getvalue()
    return text[text.index("<svg") :]


def spelled(name: object) -> str:
    """Return a name as pictures have room for: one line, without what turns or hides text, cut where it is long.

    Examples
    --------
    >>> spelled("a name that goes on for ever and ever")
    'a name that goes on for eve…'
    """
    line = " ".join(str(name).split())
    text = "".join(one for one in line if one in _JOINERS or unicodedata.category(one)[0] != "C")
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1].rstrip()}…"


def literal(texts: Iterable[Text]) -> None:
    """Let texts be shown as they are: a dollar sign begins no formula, and no backslash a command of TeX."""
    for text in texts:
        text.set_parse_math(False)
        text.set_usetex(False)


def label(ax: Axes, x: str = "", y: str = "") -> None:
    """Say what the axes are."""
    if x:
        ax.set_xlabel(x)
    if y:
        ax.set_ylabel(y)
    literal([ax.xaxis.label, ax.yaxis.label])


def legend(ax: Axes, handles: list[Any], names: list[str]) -> None:
    """Name what is drawn, above it, where there are several: in as many columns as the axes are wide for."""
    if len(handles) < 2:
        return
    figure = ax.get_figure(root=True)
    assert figure is not None
    figure.draw_without_rendering()  # what else stands beside the axes takes its room first
    room = ax.get_window_extent().width
    for columns in _COLUMNS.get(len(handles), (4, 3, 2, 1)):
        place: Any = {"loc": "lower left", "bbox_to_anchor": (0.0, 1.0), "ncols": columns, "borderaxespad": 0.2}
        # a name that begins with "_" would be left out, so it is written afterwards
        made = ax.legend(handles, [str(number) for number in range(len(handles))], **place)
        for text, name in zip(made.get_texts(), names, strict=True):
            text.set_text(name)
        literal(made.get_texts())
        if made.get_window_extent().width <= room:  # a wider one would push the axes together
            return


def named_ticks(axis: Axis, names: list[str]) -> None:
    """Give each whole number from 0 a name."""
    axis.set_ticks(range(len(names)))
    axis.set_ticklabels(names)
    literal(axis.get_ticklabels())


def rank_ticks(axis: Axis, first: int, last: int, beyond: tuple[float, str] | None = None) -> None:
    """Label the first and last rank, and the usual cut-offs between, as far as they have room; and what is beyond."""
    span, ticks = last - first, [float(first)]
    for tick in (*CUT_OFFS, 50, 100, 250):
        if first < tick <= last and tick - ticks[-1] > 0.035 * span:
            ticks.append(tick)
    if last - ticks[-1] > 0.05 * span:
        ticks.append(last)
    names = [f"{tick:.0f}" for tick in ticks]
    if beyond is not None:
        ticks.append(beyond[0])
        names.append(beyond[1])
    axis.set_ticks(ticks)
    axis.set_ticklabels(names)
    literal(axis.get_ticklabels())


def colours(number: int) -> list[str]:
    """Return the first colours of the style that holds, for what is drawn by something without a cycle of its own."""
    import matplotlib
    from matplotlib.colors import to_hex

    cycle = matplotlib.rcParams["axes.prop_cycle"].by_key().get("color", COLOURS)
    return [to_hex(cycle[place % len(cycle)]) for place in range(number)]


def percent(axis: Axis) -> None:
    """Label shares as percentages."""
    from matplotlib.ticker import PercentFormatter

    axis.set_major_formatter(PercentFormatter(1.0, symbol="%"))


@contextmanager
def _any_glyph() -> Iterator[None]:
    """Let text have characters that no font here has: who views the picture has others."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph \d+ .*missing from")
        yield


def _style() -> Any:
    """Return what to change of the style: nothing of one that the user chose, of which colours belong together."""
    import matplotlib
    from cycler import cycler

    rc: Any = matplotlib.rcParams
    default: Any = matplotlib.rcParamsDefault
    # shows names and numbers only, for which TeX would be started
    style: dict[str, Any] = {"text.usetex": False, "axes.formatter.use_mathtext": False}
    if rc["axes.prop_cycle"] == default["axes.prop_cycle"]:
        style["axes.prop_cycle"] = cycler(color=COLOURS)
    if all(rc[name] == default[name] for name in _PAGE):
        style |= {name: "none" if name in _CLEAR else _GREY for name in _PAGE}
        for name, value in {
            "axes.grid": True,
            "axes.grid.axis": "y",
            "axes.axisbelow": True,
            "axes.spines.right": False,
            "axes.spines.top": False,
            "font.size": 9.5,
            "grid.alpha": 0.3,
            "grid.color": _GREY,
            "legend.frameon": False,
        }.items():
            if rc[name] == default[name]:
                style[name] = value
    return style


def _glyphs() -> set[int]:
    """Return the characters that the user's fonts have; any other would be a warning whenever the figure is drawn."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    found: set[int] = set()
    for family in FontProperties().get_family():
        found.update(get_font(findfont(FontProperties(family=[family]))).get_charmap())
    return found
