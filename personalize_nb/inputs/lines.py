"""The bytes of a text file as lines of UTF-8, and the refusal of lines that cannot be read, all of them at once."""

from __future__ import annotations

import codecs

import pandas as pd

from personalize_nb.contract import columns as c
from personalize_nb.errors import InputError
from personalize_nb.text.counts import counted

_SHOWN_LINES, _SHOWN_CHARACTERS = 5, 80
# UTF-32 first: its mark begins as that of UTF-16
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class BadLines:
    """Lines of a file that cannot be read, each with its number, counted from 1, and the cause."""

    def __init__(self, name: str, form: str, repair: str) -> None:
        self._name, self._form, self.repair = name, form, repair
        self._found: list[tuple[int, str, str]] = []

    def add(self, line: int, text: bytes | str, problem: str) -> None:
        """Add a line."""
        shown = text.decode("utf-8", "backslashreplace") if isinstance(text, bytes) else text
        shown = shown.strip()[:_SHOWN_CHARACTERS].encode("utf-8", "backslashreplace").decode()
        self._found.append((line, shown, problem))

    def raise_any(self) -> None:
        """Raise `InputError` if there are any; its `.findings` has a row for each line."""
        if not self._found:
            return
        told = "; ".join(f"line {line}: {problem}: {text!r}" for line, text, problem in self._found[:_SHOWN_LINES])
        more = f"; {counted(len(self._found), 'line')} in all: error.findings" * (len(self._found) > _SHOWN_LINES)
        raise InputError(
            f"{self._name} cannot be read as {self._form}: {told}{more}. {self.repair}",
            findings=pd.DataFrame(self._found, columns=[c.LINE, "value", "problem"]),
        )


def no_utf8(error: UnicodeDecodeError) -> str:
    """Return what is wrong with a line that cannot be decoded."""
    return f"not UTF-8 ({error.reason}, byte {error.start + 1} of the line)"


def unmarked(content: bytes, name: str) -> bytes:
    """Return the text of a file as UTF-8 without the mark that Windows' editors put before it.

    Raises
    ------
    InputError
        It begins with the mark of another encoding, and is not written in that.
    """
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            try:
                return content.decode(encoding).encode()
            except UnicodeError as error:
                raise InputError(
                    f"{name} cannot be read as {encoding.upper()}, which its first bytes promise: {error}. Save it as "
                    "UTF-8."
                ) from error
    return content.removeprefix(codecs.BOM_UTF8)


def utf8(content: bytes, bad: BadLines) -> bytes:
    """Return the text of a file as UTF-8, all of which is known to be that.

    Raises
    ------
    InputError
        Lines are not UTF-8, or hold bytes that no text has.
    """
    try:
        content.decode()
        whole = b"\x00" not in content
    except UnicodeDecodeError:
        whole = False
    if whole:
        return content
    for number, line in enumerate(content.split(b"\n"), 1):
        try:
            line.decode()
        except UnicodeDecodeError as error:
            bad.add(number, line, no_utf8(error))
        else:
            if b"\x00" in line:
                bad.add(number, line, "holds a zero byte, so it is no text")
    bad.raise_any()
    return content
