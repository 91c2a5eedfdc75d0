"""Metadata beyond ASCII, as S3 carries it in headers: encoded words of RFC 2047, decoded before they are kept."""

from __future__ import annotations

import base64
import re
from email.errors import HeaderParseError
from email.header import decode_header, make_header

_ENCODED_WORD = re.compile(r"=\?[^?\s]+\?[bBqQ]\?[^?\s]*\?=")


def read_header(text: str) -> str:
    """Return the value of a metadata header, which HTTP has handed over byte by byte as Latin-1."""
    try:
        value = text.encode("latin-1").decode()
    except UnicodeError:
        value = text
    if _ENCODED_WORD.search(value):
        try:
            return str(make_header(decode_header(value)))
        except (HeaderParseError, LookupError, ValueError):
            return value
    return value


def shown_header(value: str) -> str:
    """Return a value as S3 answers it: as it is, or as one encoded word when HTTP could not carry it unharmed."""
    if value.isascii() and (value.isprintable() or not value):
        return value
    return f"=?UTF-8?B?{base64.b64encode(value.encode('utf-8', 'replace')).decode()}?="
