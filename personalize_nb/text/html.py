"""The only place where HTML and SVG are built, so that one place escapes everything.

Shared notebooks are sanitised by whoever shows them: no style block, no script, no inline SVG survives. So the
floor is plain tables and text that read well with every attribute removed; colours are mid-tones that hold on
white and on black, text colour is inherited, and pictures are data-URI images with their numbers beside them.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence

from markupsafe import Markup, escape

__all__ = [
    "BLUE",
    "GREY",
    "ORANGE",
    "Markup",
    "alert",
    "bar",
    "beside",
    "clipped",
    "code",
    "details",
    "escape",
    "fold",
    "heading",
    "image",
    "join",
    "lines",
    "link",
    "live",
    "output",
    "progress",
    "shelf",
    "table",
    "tip",
]

# Contrast on white / on #111: 4.6 / 4.1 and 3.8 / 5.0.
BLUE, ORANGE, GREY = "#1976d2", "#c96a00", "rgba(127,127,127,.5)"

# What has the focus keeps its keys to itself: JupyterLab would take `b` for a new cell and `d d` for one less.
_OWN_KEYS = Markup(' data-lm-suppress-shortcuts="true"')

_CELL = "padding:.15em .6em;vertical-align:top;"


def join(parts: Iterable[str], separator: str = "") -> Markup:
    """Join parts; plain strings are escaped, markup is kept."""
    return Markup(separator).join(parts)


def table(
    rows: Iterable[Sequence[object]],
    columns: Sequence[str] = (),
    numeric: Iterable[int] = (),
    note: str = "",
) -> Markup:
    """Return a plain table.

    Parameters
    ----------
    rows
        Cells; plain values are escaped, `Markup` is kept.
    columns
        Column names; none gives a table whose first column is the row's heading.
    numeric
        Positions of right-aligned columns.
    note
        A line below, for what the table does not show ("10 of 1,250,000 rows").
    """
    right = frozenset(numeric)

    def cell(position: int, value: object, tag: str) -> Markup:
        align = "right" if position in right else "left"
        scope = Markup(' scope="row"') if tag == "th" else Markup("")
        style = _CELL + ("white-space:nowrap;" if tag == "th" or position in right else "")  # no number is broken
        return Markup('<{0}{1} style="{2}text-align:{3}">{4}</{0}>').format(Markup(tag), scope, style, align, value)

    head = Markup("")
    if columns:
        names = join(
            Markup('<th scope="col" style="{}text-align:{}">{}</th>').format(
                _CELL, "right" if i in right else "left", name
            )
            for i, name in enumerate(columns)
        )
        head = Markup("<thead><tr>{}</tr></thead>").format(names)
    body = join(
        Markup("<tr>{}</tr>").format(
            join(cell(i, value, "th" if i == 0 and not columns else "td") for i, value in enumerate(row))
        )
        for row in rows
    )
    below = Markup("<div><i>{}</i></div>").format(note) if note else Markup("")
    return Markup('<table style="border:1px solid {}">{}<tbody>{}</tbody></table>{}').format(GREY, head, body, below)


def output(fragment: Markup) -> str:
    """Return what Jupyter shows as an output: nothing between two dollars is a formula, and what is wide scrolls."""
    # `anywhere` also lets tables shrink; sanitizers drop it, and leave what stands before
    opened = '<div class="mathjax_ignore tex2jax_ignore" style="max-width:100%;overflow-x:auto;'
    return str(Markup(opened + 'overflow-wrap:break-word;overflow-wrap:anywhere">{}</div>').format(fragment))


def lines(*parts: object) -> Markup:
    """Return each part as a block of its own, empty ones left out."""
    return join(Markup("<div>{}</div>").format(part) for part in parts if part)


def heading(text: object) -> Markup:
    """Return a heading, which screen readers list and JupyterLab's table of contents shows."""
    return Markup('<h4 style="margin:.4em 0 .2em;font-weight:600;overflow-wrap:break-word">{}</h4>').format(text)


def clipped(text: str, width: str) -> Markup:
    """Return text on one line of at most this width, the rest behind an ellipsis; readers and copies get all of it."""
    if not text:
        return Markup("")
    return Markup(
        '<div title="{0}" style="max-width:{1};overflow:hidden;text-overflow:ellipsis;white-space:nowrap">{0}</div>'
    ).format(text, width)


def beside(*parts: object) -> Markup:
    """Return parts beside each other where there is room and below each other where there is none."""
    cells = join(Markup('<div style="max-width:100%;overflow-x:auto">{}</div>').format(part) for part in parts if part)
    return Markup(
        '<div style="display:flex;flex-wrap:wrap;gap:.4em 1.4em;align-items:flex-start;margin-top:.4em">{}</div>'
    ).format(cells)


def shelf(tiles: Iterable[object], label: str) -> Markup:
    """Return tiles in a row that scrolls sideways, a list with a name for who does not see it.

    Parameters
    ----------
    tiles
        What each tile holds.
    label
        The name of the row.
    """
    one = Markup(
        '<li style="flex:0 0 10em;box-sizing:border-box;min-width:0;padding:.5em;border:1px solid {};'
        'border-radius:4px;list-style-type:none">{}</li>'
    )
    return Markup(
        '<ul tabindex="0" aria-label="{}"{} style="display:flex;gap:.6em;overflow-x:auto;margin:0;padding:.2em 0 .6em;'
        'list-style-type:none">{}</ul>'
    ).format(label, _OWN_KEYS, join(one.format(GREY, tile) for tile in tiles))


def link(address: str, text: str) -> Markup:
    """Return a link that opens beside the notebook; an address that is none of the web stays text."""
    if not address.startswith("https://"):
        return escape(text)
    return Markup('<a href="{}" target="_blank" rel="noopener noreferrer">{}</a>').format(address, text)


def alert(messages: Sequence[object], heading: str = "", urgent: bool = True) -> Markup:
    """Return messages as a list that a screen reader announces, or nothing when there are none."""
    if not messages:
        return Markup("")
    role = Markup('role="alert"') if urgent else Markup('role="status" aria-live="polite"')
    items = join(Markup("<li>⚠ {}</li>").format(message) for message in messages)
    title = Markup("<b>{}</b>").format(heading) if heading else Markup("")
    return Markup(
        '<div {} style="border-left:3px solid {};padding-left:.6em">{}<ul style="margin:0">{}</ul></div>'
    ).format(role, ORANGE, title, items)


def status(messages: Sequence[object]) -> Markup:
    """Return how things stand, for a screen reader to announce when it has time."""
    if not messages:
        return Markup("")
    return Markup(
        '<div role="status" aria-live="polite" style="border-left:3px solid {};padding-left:.6em">{}</div>'
    ).format(BLUE, lines(*messages))


def code(text: str) -> Markup:
    """Return text as it is, in a fixed-width block."""
    return Markup('<pre style="margin:.3em 0;white-space:pre-wrap">{}</pre>').format(text)


def shown(view: object) -> Markup:
    """Return what an object shows of itself in a notebook; it has escaped every value here already."""
    own = getattr(view, "_repr_html_", None)
    found = own() if callable(own) else None
    return Markup(found) if found is not None else code(repr(view))


def details(summary: str, content: object) -> Markup:
    """Return content that is folded away until its summary is clicked."""
    return Markup("<details><summary{}>{}</summary>{}</details>").format(_OWN_KEYS, summary, content)


def progress(done: int, total: int, label: str) -> Markup:
    """Return a bar of how much is done, with the percentage for who sees no bar."""
    return Markup(
        '<progress value="{0}" max="{1}" aria-label="{2}" style="vertical-align:middle">{3} %</progress>'
    ).format(done, total, label, 100 * done // max(total, 1))


def fold(title: str, opened: bool = False) -> Markup:
    """Return the title of a part that opens and closes beside it, which takes a style sheet; see `live`.

    It is reached by Tab, opened by Space and Enter and says whether it is open, as every browser does for `summary`,
    even while the kernel is busy. The accordion of ipywidgets can do none of this.
    """
    return Markup("<details{}><summary{}>{}</summary></details>").format(
        Markup(" open" if opened else ""), _OWN_KEYS, title
    )


def live(style: str, shown: str) -> Markup:
    """Return a style sheet, and a script that runs when it is shown, for a widget in a running notebook.

    Parameters
    ----------
    style
        The style sheet; no value of anybody's may be in it.
    shown
        The script, whose `this` is an element of the widget; no value of anybody's may be in it. A widget's HTML runs
        no `script`, so it is what happens when a picture that is none fails to load.
    """
    return Markup('<style>{}</style><img alt="" hidden src="data:," onerror="{}">').format(Markup(style), shown)


def tip(text: str, more: str) -> Markup:
    """Return text that tells more when it is pointed at.

    Dollars are written as entities: JupyterLab takes what is between two of them for mathematics, tags and all.
    """
    return Markup(str(Markup('<span title="{}">{}</span>').format(more, text)).replace("$", "&#36;"))


def image(svg: str, alt: str) -> Markup:
    """Return an SVG picture as an image that survives sanitisers."""
    data = base64.b64encode(svg.encode()).decode()
    return Markup('<img alt="{}" src="data:image/svg+xml;base64,{}">').format(alt, Markup(data))


def bar(share: float, width: int = 96, height: int = 10) -> Markup:
    """Return a horizontal bar, `share` of its full width (0 to 1), as an image."""
    filled = max(0.0, min(1.0, share)) * width
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
        f'<rect width="{width}" height="{height}" fill="rgba(127,127,127,.2)"/>'
        f'<rect width="{filled:.1f}" height="{height}" fill="{BLUE}"/></svg>'
    )
    return image(svg, "")
