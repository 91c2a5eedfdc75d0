"""The frame of checks that `preflight` returns: a DataFrame in code, whole sentences and policies to read.

pandas cuts cells at 50 characters, which would cut the policy to paste. So the frame has its own way to be shown,
while it has its columns; what is made of it with other columns is shown as pandas shows frames.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Self

import pandas as pd

from personalize_nb.contract import columns
from personalize_nb.text import html

# the key of `attrs` that says what was looked into, where that is no job
SUBJECT = "subject"
# levels of a check beside those of a `Problem`
OK, UNCHECKED = "ok", "could not be checked"
_MARKS = {"error": "✗", "warning": "⚠", UNCHECKED: "?", OK: "✓"}
_WIDTH = 100
_LINE = html.Markup('<span style="white-space:nowrap">{}</span>')
_TEXT = html.Markup('<span style="overflow-wrap:anywhere">{}</span>')


@dataclass(frozen=True)
class Check:
    """A row: what was checked, how bad it is, what was found, what to do, the policy to paste."""

    check: str
    level: str
    found: str
    to_do: str = ""
    policy: str = ""


class Report(pd.DataFrame):
    """A DataFrame with a row per check: `check`, `level`, `found`, `to_do` and `policy`, shown to be read."""

    @classmethod
    def of(cls, checks: Iterable[Check]) -> Self:
        """Return the frame of some checks."""
        rows = [(one.check, one.level, one.found, one.to_do, one.policy) for one in checks]
        return cls(rows, columns=list(columns.REPORT))

    @property
    def _constructor(self) -> Callable[..., Report]:
        return Report

    @property
    def _is_whole(self) -> bool:
        return list(self.columns) == list(columns.REPORT)

    def _rows(self) -> Iterator[Check]:
        return (Check(*(str(cell) if cell else "" for cell in row)) for row in self.itertuples(index=False))

    def _headline(self) -> str:
        counts = self["level"].value_counts()
        told = ", ".join(f"{counts[level]} {level}" for level in _MARKS if level in counts)
        subject = self.attrs.get(SUBJECT, "job")
        if "error" in counts:
            return f"The {subject} would fail: {told}"
        return f"Nothing found that would make the {subject} fail: {told}" if told else "No findings"

    def __repr__(self) -> str:
        if not self._is_whole:
            return super().__repr__()
        parts = [self._headline()]
        for row in self._rows():
            parts.append(_wrapped(f"{_MARKS.get(row.level, '-')} {row.level}, {row.check}: ", row.found, "    "))
            if row.to_do:
                parts.append(_wrapped("    to do: ", row.to_do, "           "))
            if row.policy:
                parts.append("    policy to paste:\n" + textwrap.indent(row.policy, "        "))
        return "\n".join(parts)

    def _repr_html_(self) -> str | None:
        if not self._is_whole:
            plain: str | None = super()._repr_html_()  # type: ignore[misc]  # pandas' stubs leave it out
            return plain
        rows = [
            (
                _LINE.format(row.check),
                _LINE.format(f"{_MARKS.get(row.level, '-')} {row.level}"),
                html.lines(
                    _TEXT.format(row.found),
                    html.Markup("<b>To do:</b> {}").format(_TEXT.format(row.to_do)) if row.to_do else "",
                    html.details("Policy to paste", html.code(row.policy)) if row.policy else "",
                ),
            )
            for row in self._rows()
        ]
        heading = html.Markup("<b>{}</b>").format(self._headline())
        return str(html.lines(heading, html.table(rows, ("check", "result", "found"))))


def _wrapped(begin: str, text: str, indent: str) -> str:
    """Text from `begin` on, its later lines indented; ARNs and calls are never cut."""
    lines = textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=begin,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(lines) or begin.rstrip()
