"""Columns whose header says that they hold accounts, buckets or secrets, in the tables that notebooks show.

A header stands far from its cells. In HTML and Markdown and in CSV they have the same number in their rows; in the text
of a frame they stand below it, whichever side they are aligned to, and below a series stands its name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from personalize_nb.text.leaks import Found, Leak
from personalize_nb.text.names_and_values import kind_of
from personalize_nb.text.wordings import is_of_scale, is_placeholder

_ACCOUNT = re.compile(
    r"(?i)(?:[\w .-]{0,30}[_ .-])?(?:acc(?:oun)?ts?(?:[_ ]?(?:ids?|numbers?|no))?|owner[_ ]?id)"
    r"|(?:aws|[a-z]{1,12})Account(?:Id|Number)?"
)
_TOLD = re.compile(r"(?i)acc(?:oun)?t|owner|bucket|secret|token|passw|passphrase|pwd|key|role[ _]?name")
_TWELVE = re.compile(r"\d{12}(?=\.0\b|$)|\d{4}-\d{4}-\d{4}$|\d\.\d{6,12}[eE]\+11$")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9]$")
_SECRET = re.compile(r"(?=\S{0,200}\d)[^\s*]{16,}$")
_ROLE = re.compile(r"(?=.{0,128}[A-Z\d-])[\w+=,.@-]{3,128}$")
_TABLE = re.compile(r"<table\b.{0,2000000}?(?:</table>|\Z)", re.S | re.I)
_ROW = re.compile(r"<tr\b[^<>]{0,2000}>", re.I)
_CELL = re.compile(r"<t[hd]\b([^<>]{0,2000})>\s*([^<]*(?:<(?!/?t[hdr]\b)[^<]*)*)", re.I)
_SPAN = re.compile(r"colspan=[\"']?(\d{1,3})", re.I)
_TAG = re.compile(r"<[^<>]{0,2000}>")
_INNER = re.compile(r"[^<>\s][^<>]*")
_WORD = re.compile(r"[^\s|│┆]+")
_LEAST = 6  # what is shorter is no account, secret or bucket that a column is masked for
_SIGNS = ("|│┆", "\t", ";", ",")
_NAME = re.compile(r"^Name: ([^,\n]{1,60}), (?:Length: \d+, )?dtype: ", re.M)
_EMPTY = re.compile(r"[-=:+|\u2500-\u257f\s]*")


def _kind(header: str) -> str | None:
    """Return what a column of that name holds."""
    name = header.strip().strip("\"'`*")
    if not _TOLD.search(name) or len(name) > 40:
        return None
    if _ACCOUNT.fullmatch(name):
        return "account"
    told = kind_of(name)
    return (
        told[0] if told and (told[1] or told[0] == "secret" or name.lower().replace(" ", "_") == "role_name") else None
    )


def _cell(kind: str, text: str, start: int, end: int) -> Iterator[tuple[Found, ...]]:
    """Return a cell that holds what its column is said to hold; `start` and `end` are those of its text."""
    while start < end and text[start] in " \t\"'`*":
        start += 1
    while start < end and text[end - 1] in " \t\r\"'`*":
        end -= 1
    value = text[start:end]
    form = {"account": _TWELVE, "bucket": _BUCKET, "secret": _SECRET, "role": _ROLE}[kind]
    match = form.match(value)
    if match is None or (kind == "bucket" and ("-" not in value or is_of_scale(value))) or is_placeholder(value):
        return
    yield (Found(kind, start, start + match.end()),)


def _of_html(text: str) -> Iterator[tuple[Found, ...]]:
    for table in _TABLE.finditer(text):
        if not _TOLD.search(table.group()):
            continue
        kinds: dict[int, str] = {}
        starts = [row.end() for row in _ROW.finditer(text, *table.span())]
        for start, end in zip(starts, [*starts[1:], table.end()], strict=True):
            column, heads = 0, {}
            for cell in _CELL.finditer(text, start, end):
                wide = _SPAN.search(cell[1])
                inner = _TAG.sub("", cell[2]).strip()
                kind = _kind(inner) if len(inner) <= 60 else None
                if kind:
                    heads[column] = kind
                elif column in kinds:
                    for one in _INNER.finditer(text, *cell.span(2)) if inner else ():
                        yield from _cell(kinds[column], text, *one.span())
                column += int(wide[1]) if wide else 1
            kinds |= heads


def _lines(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for line in text.splitlines(keepends=True):
        yield start, start + len(line.rstrip("\r\n"))
        start += len(line)


def _split(text: str, start: int, end: int, signs: str) -> list[tuple[int, int]]:
    """Return where the cells of a row are; a comma within quotes separates none."""
    cells, begin, quoted = [], start, False
    for place in range(start, end):
        if text[place] == '"':
            quoted = not quoted
        elif text[place] in signs and not quoted:
            cells.append((begin, place))
            begin = place + 1
    return [*cells, (begin, end)]


def _of_lines(text: str) -> Iterator[tuple[Found, ...]]:
    sign, width = "", 0
    kinds: dict[int, str] = {}
    below: list[tuple[int, int, str | None]] = []
    for start, end in _lines(text):
        line = text[start:end]
        if len(line) > 20000 or not line.strip():
            sign, below = "", []
            continue
        if _TOLD.search(line):
            found = _head(text, start, end)
            if found:
                sign, kinds, width, below = found
                continue
        if sign and any(one in line for one in sign):
            cells = _split(text, start, end, sign)
            for column, kind in kinds.items():
                if column < len(cells) and len(cells) >= width - 1:
                    yield from _cell(kind, text, *cells[column])
        elif sign and not _EMPTY.fullmatch(line):
            sign = ""
        for word in _WORD.finditer(text, start, end) if below else ():
            long = word.end() - word.start() >= _LEAST
            column_kind = _column(below, word.start() - start, word.end() - start) if long else None
            if column_kind:
                yield from _cell(column_kind, text, *word.span())


def _column(heads: list[tuple[int, int, str | None]], start: int, end: int) -> str | None:
    """Return what the column holds to which a word of a frame is aligned, if it stands below its header at all."""
    left, right, kind = min(heads, key=lambda head: min(abs(head[0] - start), abs(head[1] - end)))
    return kind if start < right + 20 and end > left - 20 else None


def _head(text: str, start: int, end: int) -> tuple[str, dict[int, str], int, list[tuple[int, int, str | None]]] | None:
    """Return how the columns below a header are found: by their separator and numbers, or by their places."""
    for sign in _SIGNS:
        cells = _split(text, start, end, sign) if any(one in text[start:end] for one in sign) else []
        kinds = {column: kind for column, span in enumerate(cells) if (kind := _kind(text[slice(*span)]))}
        if kinds and all(span[1] - span[0] <= 60 for span in cells):
            return sign, kinds, len(cells), []
    places = [
        (word.start() - start, word.end() - start, _kind(word.group())) for word in _WORD.finditer(text, start, end)
    ]
    between = re.split(r"\s{2,}", text[start:end].strip())
    if any(kind for _, _, kind in places) and (len(between) > 1 or len(text[start:end].split()) == 1):
        return "", {}, 0, places
    return None


def _of_series(text: str) -> Iterator[tuple[Found, ...]]:
    done = 0
    for name in _NAME.finditer(text):
        kind, above = _kind(name[1]), max(done, text.rfind("\n\n", done, name.start()))
        done = name.end()
        for start, end in _lines(text[above : name.start()]) if kind else ():
            last = text[above + start : above + end].split()[-1:]
            if last and kind:
                yield from _cell(kind, text, above + end - len(last[0]), above + end)


RULES = (
    Leak(("<table",), _of_html),
    Leak(("account", "acct", "owner", "bucket", "secret", "token", "pass", "pwd", "key", "role"), _of_lines),
    Leak(("dtype: ",), _of_series),
)
