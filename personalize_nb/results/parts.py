"""What output files are called, and outputs that were written in parts: `NAME.out.part0001`, `NAME.out.part0002`, ...

The parts of an output are read as one file, in the order of their numbers, wherever they were cut: between two lines,
with or without the last line's end, or within a line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from personalize_nb.session import s3

if TYPE_CHECKING:
    from personalize_nb.session.s3 import Stored
    from personalize_nb.session.session import Session

SUFFIX = ".out"

COMPRESSED = re.compile(r"\.(gz|gzip|bz2|xz|zst|zstd|lz4)$", re.IGNORECASE)
_PART = re.compile(r"(?<=\.out)[._-]part[^/]*$", re.IGNORECASE)
_SPACE = b" \t\r\n\xef\xbb\xbf"


def whole_name(name: str) -> str:
    """Return the name of the output that a file is, or is a part of, as it would be written plainly.

    Examples
    --------
    >>> whole_name("users.jsonl.out.part0001"), whole_name("users.jsonl.out.part-2.gz"), whole_name("part-1.jsonl.out")
    ('users.jsonl.out', 'users.jsonl.out', 'part-1.jsonl.out')
    """
    return _PART.sub("", COMPRESSED.sub("", name))


def input_name(name: str) -> str:
    """Return the name of the input file that an output file is named after.

    Examples
    --------
    >>> input_name("users.jsonl.out"), input_name("users.jsonl.out.gz"), input_name("users.jsonl.out.part0001")
    ('users.jsonl', 'users.jsonl', 'users.jsonl')
    """
    return whole_name(name).removesuffix(SUFFIX)


def is_output(name: str) -> bool:
    """Tell whether a file is called as output is."""
    return whole_name(name).endswith(SUFFIX)


def outputs(files: Iterable[Stored]) -> list[tuple[str, list[Stored]]]:
    """Return outputs with the names they are told by, in the order of their first files, each with its parts in order.

    A part that is alone keeps its name.
    """
    found: dict[str, list[Stored]] = {}
    for file in files:
        found.setdefault(whole_name(file.address) if is_output(file.name) else file.address, []).append(file)
    return [
        (parts[0].name if len(parts) == 1 else whole_name(parts[0].name), sorted(parts, key=_place))
        for parts in found.values()
    ]


def _place(file: Stored) -> list[tuple[int, int, str]]:
    """Order parts by their numbers: the second before the tenth, however they are written; what has none is first."""
    found = _PART.search(COMPRESSED.sub("", file.name))
    pieces = re.findall(r"\d+|\D+", found[0]) if found else []
    return [(0, int(one), one) if one.isdecimal() else (1, 0, one) for one in pieces]


def line_blocks(session: Session | None, files: Iterable[Stored], size: int) -> Iterator[bytes]:
    """Yield what the parts of an output hold, in blocks of about a size that end with a line's end."""
    cut = b""
    for file in files:
        for block in s3.line_blocks(session, file.address, size, whole=file.size):
            if cut:
                # `}` and `{` meet between two lines only
                between = b"\n" if cut.rstrip(_SPACE).endswith(b"}") and block.lstrip(_SPACE).startswith(b"{") else b""
                block, cut = b"".join((cut, between, block)), b""
            end = block.rfind(b"\n") + 1
            if end < len(block):
                block, cut = block[:end], block[end:]
            if block:
                yield block
    if cut:
        yield cut
