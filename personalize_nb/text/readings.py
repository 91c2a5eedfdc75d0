r"""Text as its reader sees it, beside the text as it is written: what is recognised in the one is masked in the other.

A notebook says one thing in many ways: `arn:aws:iam::` is `arn%3Aaws%3Aiam%3A%3A` in an address, has `&#58;` in HTML,
`\u003a` in JSON, a colour of a traceback or a tag of highlighted code in its midst. Rules know the thing only; a
`Reading` undoes the writing, and remembers where each character came from.
"""

from __future__ import annotations

import html
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

# What a reader sees as nothing, as a gap or as another character. A run of backslashes is read from its beginning
# only and every part is bounded, so that no text takes more than one pass.
_WRITTEN = re.compile(
    r"""
    (?P<colour>\x1b\[[\d;:]*m|\\(?:u001b|x1b|033)\[[\d;]{0,20}m)
    |(?P<gap></?(?:br|caption|dd|div|dl|dt|g|h[1-6]|hr|li|ol|p|pre|table|tbody|td|text|th|thead|tr|ul)\b[^<>]{0,2000}>)
    |(?P<tag></?[A-Za-z][^<>]{0,2000}>)
    |(?P<entity>&(?:\#[0-9]{1,7}|\#[xX][0-9A-Fa-f]{1,6}|[A-Za-z]{2,24});)
    |(?P<percent>%(?:25){0,3}(?:0[aA]|[2-9A-Fa-f][0-9A-Fa-f]))
    |(?P<escape>(?<!\\)\\{1,8}(?:u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|[nrt"'/]))
    |(?P<unseen>[\u00ad\u200b-\u200d\u2060\ufeff])
    """,
    re.VERBOSE,
)
_SPACES = {"n": "\n", "r": "\r", "t": "\t"}
_STAYING = ("colour", "gap", "tag")  # HTML and colours that begin in what is masked are ended after it


class Span(NamedTuple):
    """A part of what is read, and what takes its place."""

    start: int
    end: int
    instead: str


class _Piece(NamedTuple):
    written: str
    read: str
    plain: bool  # written as it is read, so it may be cut
    stays: bool


class Reading:
    r"""A text as it is read.

    Parameters
    ----------
    source
        The text as it is written.

    Examples
    --------
    >>> reading = Reading("https%3A%2F%2Fx <b>a</b>&amp;b")
    >>> reading.text
    'https://x a&b'
    >>> reading.replaced([Span(8, 9, "***"), Span(10, 13, "***")])
    'https%3A%2F%2F*** <b>***</b>'
    """

    def __init__(self, source: str):
        self.source = source
        self.text = _WRITTEN.sub(_as_read, source)

    def replaced(self, spans: Sequence[Span]) -> str:
        """Return the source with spans of what is read replaced; they are in order and do not overlap."""
        parts: list[str] = []
        coming = iter(spans)
        span, place = next(coming, None), 0
        for piece in _pieces(self.source):
            begin, place, cut = place, place + len(piece.read), 0
            if not piece.plain:
                while span is not None and span.end <= begin:
                    span = next(coming, None)
                within = span is not None and span.start < place and span.end > begin
                if within and span is not None and span.start >= begin:
                    parts.append(span.instead)
                parts.append(piece.written if not within or piece.stays or not piece.read else "")
                continue
            while span is not None and span.start < place:
                if span.start >= begin:
                    parts += (piece.written[cut : span.start - begin], span.instead)
                cut = min(len(piece.written), span.end - begin)
                if span.end > place:
                    break
                span = next(coming, None)
            parts.append(piece.written[cut:])
        return "".join(parts)

    def written(self, spans: Sequence[Span]) -> list[Span]:
        """Return where spans of what is read are written."""
        pieces = list(_pieces(self.source))
        reads = [0, *accumulate(len(piece.read) for piece in pieces)]
        writes = [0, *accumulate(len(piece.written) for piece in pieces)]

        def place(read: int, behind: int) -> int:
            at = bisect_right(reads, read) - 1
            return writes[at] + read - reads[at] + behind if pieces[at].plain else writes[at + behind]

        return [Span(place(start, 0), place(end - 1, 1), instead) for start, end, instead in spans]


def _pieces(source: str) -> Iterator[_Piece]:
    done = 0
    for match in _WRITTEN.finditer(source):
        if done < match.start():
            plain = source[done : match.start()]
            yield _Piece(plain, plain, True, False)
        kind = str(match.lastgroup)
        yield _Piece(match.group(), _as_read(match), False, kind in _STAYING)
        done = match.end()
    if done < len(source):
        yield _Piece(source[done:], source[done:], True, False)


def _as_read(match: re.Match[str]) -> str:
    kind = match.lastgroup
    if kind == "tag":
        return ""
    if kind == "gap":
        return " "
    written = match.group()
    if kind == "entity":
        return html.unescape(written)
    if kind == "percent":
        code = int(written[-2:], 16)
        return chr(code) if code < 0x80 else "\ufffd"  # a part of a letter that no rule asks for
    if kind == "escape":
        code_or_letter = written.lstrip("\\")
        return (
            _SPACES.get(code_or_letter, code_or_letter)
            if len(code_or_letter) == 1
            else chr(int(code_or_letter[1:], 16))
        )
    return ""
