"""The frame of checks that `preflight` returns: a DataFrame in code, whole sentences and policies to read.

pandas cuts cells at 50 characters, which would cut the policy to paste. So the frame has its own way to be shown,
while it has its columns; what is made of it with other columns is shown as pandas shows frames.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar, Self

import pandas as pd

from personalize_nb.access.repairs import Change, Repair
from personalize_nb.contract import columns
from personalize_nb.errors import ERROR, WARNING, UnknownCheckError
from personalize_nb.text import html
from personalize_nb.text.counts import counted
from personalize_nb.text.public import public
from personalize_nb.text.redact import MASK

# the key of `attrs` that says what was looked into, where that is no job
SUBJECT = "subject"
# the check of a job's model
MODEL = "solution version"
# levels of a check beside those of a `Problem`
OK, UNCHECKED = "ok", "could not be checked"
_MARKS = {"error": "✗", "warning": "⚠", UNCHECKED: "?", OK: "✓"}
_OWNED = re.compile(r"(arn:[\w-]+:[\w-]+:[\w-]*:)\d{12}(?=:)")
_WIDTH = 100
_HOW = ".repair() of this report shows every change of a policy that would help; .repair().apply() makes them."
_LINE = html.Markup('<span style="white-space:nowrap">{}</span>')
_TEXT = html.Markup('<span style="overflow-wrap:anywhere">{}</span>')


@dataclass(frozen=True)
class Check:
    """A row: what was checked, how bad it is, what was found, what to do, the policy to paste; and what mends it."""

    check: str
    level: str
    found: str
    to_do: str = ""
    policy: str = ""
    changes: tuple[Change, ...] = ()


@public
class Report(pd.DataFrame):
    """A DataFrame with a row per check: `check`, `level`, `found`, `to_do` and `policy`, shown to be read.

    `repair()` shows how the policies would change that the errors call for; nothing changes before its `apply()`.
    """

    # pandas hands it on to what is made of the frame
    _metadata: ClassVar[list[str]] = ["_checks"]
    _checks: tuple[Check, ...] = ()

    @classmethod
    def of(cls, checks: Iterable[Check]) -> Self:
        """Return the frame of some checks."""
        checks = tuple(checks)
        rows = [(one.check, one.level, one.found, one.to_do, one.policy) for one in checks]
        report = cls(rows, columns=list(columns.REPORT))
        report._checks = checks
        return report

    def repair(self, *checks: str) -> Repair:
        """Return the changes of policies that mend what was found: shown at once, made by its `apply()`.

        Parameters
        ----------
        *checks
            Of the column `check`; by default everything that can be mended. What a Deny, another account or a missing
            object calls for is in `to_do`: no change that could be made here would help.

        Raises
        ------
        UnknownCheckError
            The report has no such check.
        """
        there = list(self["check"]) if "check" in self else []
        if unknown := [name for name in checks if name not in there]:
            raise UnknownCheckError(
                f"the report has no check {unknown[0]!r}; it has {', '.join(dict.fromkeys(there)) or 'none'}"
            )
        shown = set(zip(there, self["found"], strict=True)) if "found" in self else set()
        return Repair(
            change
            for row in self._checks
            if (row.check, row.found) in shown and (not checks or row.check in checks)
            for change in row.changes
        )

    @property
    def _constructor(self) -> Callable[..., Report]:
        return Report

    @property
    def _is_whole(self) -> bool:
        return list(self.columns) == list(columns.REPORT)

    def __getstate__(self) -> dict[str, object]:
        # a session's connections stay in their process
        state: dict[str, object] = super().__getstate__()  # type: ignore[assignment]  # object, in pandas' stubs
        return {**state, "_checks": ()}

    def _rows(self) -> Iterator[Check]:
        return (_as_check(*row) for row in self.itertuples(index=False))

    def _headline(self) -> str:
        counts = self["level"].value_counts()
        told = ", ".join(_amount(counts[level], level) for level in _MARKS if level in counts)
        subject = self.attrs.get(SUBJECT, "job")
        unchecked = self["check"][self["level"] == UNCHECKED]
        if "error" in counts:
            return f"The {subject} would fail: {told}"
        if MODEL in set(unchecked):  # what is judged of a job depends on it
            return f"The {subject} could not be judged: {told}"
        return f"Nothing found that would make the {subject} fail: {told}" if told else "No findings"

    def _can_be_mended(self) -> bool:
        there = set(zip(self["check"], self["found"], strict=True))
        return any(row.changes for row in self._checks if (row.check, row.found) in there)

    def __repr__(self) -> str:
        if not self._is_whole:
            return super().__repr__()
        parts = [self._headline()]
        for row in self._rows():
            parts.append(
                _wrapped(f"{_MARKS.get(row.level, '-')} {row.level}, {row.check}: ", _nobodys(row.found), "    ")
            )
            if row.to_do:
                parts.append(_wrapped("    to do: ", row.to_do, "           "))
            if row.policy:
                parts.append("    policy to paste:\n" + textwrap.indent(row.policy, "        "))
        parts += [_HOW] if self._can_be_mended() else []
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
                    _TEXT.format(_nobodys(row.found)),
                    html.Markup("<b>To do:</b> {}").format(_TEXT.format(row.to_do)) if row.to_do else "",
                    html.details("Policy to paste", html.code(row.policy)) if row.policy else "",
                ),
            )
            for row in self._rows()
        ]
        heading = html.Markup("<b>{}</b>").format(self._headline())
        how = _HOW if self._can_be_mended() else ""
        return html.output(html.lines(heading, html.table(rows, ("check", "result", "found")), how))


def _amount(count: int, level: str) -> str:
    return counted(count, level) if level in (ERROR, WARNING) else f"{count} {level}"


def _nobodys(text: str) -> str:
    """Return what was found without the account that its ARNs name; the frame, and what is to be pasted, have it."""
    return _OWNED.sub(rf"\1{MASK}", text)


def _as_check(*cells: object) -> Check:
    check, level, found, to_do, policy = (str(cell) if cell else "" for cell in cells)
    return Check(check, level, found, to_do, policy)


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
