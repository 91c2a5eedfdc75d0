"""A repair: changes of policies that are shown first, made when asked, and taken back when asked.

Nothing is overwritten unseen: what is there now is compared with what was shown, before a change and before it is
undone. After a change AWS is asked until it gives the new text back several times in a row.
"""

from __future__ import annotations

import difflib
import json
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from personalize_nb import errors
from personalize_nb.access.places import Place
from personalize_nb.contract.policies.merging import same
from personalize_nb.session import explanations
from personalize_nb.text import html
from personalize_nb.text.public import public

log = logging.getLogger(__name__)

# AWS's own notebooks wait as long after making a role: IAM tells all its places in the world by then
PROPAGATION_SECONDS = 60.0
# looks in a row that must agree, and how many there may be before it is said that AWS does not follow
AGREEING_LOOKS, MAX_LOOKS, LOOK_SECONDS = 3, 30, 2.0
_TAKEN = "It was taken, and may take minutes to be known everywhere; the same call again looks again."
_STEPS = {
    "made": ".undo() takes them back",
    "made in part": ".apply() makes the rest, .undo() takes back what was made",
}
_COLOURS = {"+": html.BLUE, "-": html.ORANGE}


@dataclass(frozen=True)
class Change:
    """A policy before and after; None is the absence of one."""

    place: Place
    before: str | None
    after: str | None

    @property
    def is_empty(self) -> bool:
        """Whether it changes nothing."""
        return same(self.before, self.after)

    @property
    def excess(self) -> str:
        """What to do instead where AWS would refuse the policy for its length; empty where it would not."""
        return self.place.excess(self.after) if self.after is not None else ""

    def heading(self) -> str:
        """Name what changes."""
        return f"{self.place.title}{' (new)' if self.before is None else ''}"

    def lines(self) -> list[str]:
        """Return the difference, line by line; every line begins with `+`, `-` or a space."""
        old, new = (_lines(text) for text in (self.before, self.after))
        # the header of three lines names files, and there are none
        return [line for line in list(difflib.unified_diff(old, new, n=3, lineterm=""))[2:] if line[:2] != "@@"]


@public
class Repair:
    """Changes that let a job run, shown before they are made; `apply` makes them, `undo` takes them back."""

    def __init__(self, changes: Iterable[Change] = ()):
        self._changes = tuple(change for change in changes if not change.is_empty)
        self._made: list[Change] = []
        self._unsettled: list[Change] = []
        self._state = "not made yet"

    @property
    def differences(self) -> str:
        """Every change as text: lines that begin with `+` are added, those with `-` are taken out."""
        return "\n".join("\n".join([change.heading(), *change.lines()]) for change in self._changes)

    def apply(self, *, sleep: Callable[[float], None] = time.sleep) -> Repair:
        """Make the changes, and wait until AWS gives them back; what is there already is left as it is.

        Parameters
        ----------
        sleep
            Waits between two looks; replaced in tests.

        Raises
        ------
        ServiceError
            Something was changed since it was looked at; nothing was made.
        QuotaError
            A policy would be longer than AWS takes; nothing was made.
        """
        if too_long := [change.excess for change in self._changes if change.excess]:
            raise errors.QuotaError(" ".join(["Nothing was changed.", *too_long]))
        rest = [change for change in self._changes if change not in self._made]
        self._write(self._checked(rest, "pnb.preflight(...) shows how things stand now"), sleep)
        self._state = "made"
        self._settle(sleep)
        return self

    def undo(self, *, sleep: Callable[[float], None] = time.sleep) -> Repair:
        """Take back what `apply` made: exactly what was there before is there again.

        Parameters
        ----------
        sleep
            Waits between two looks; replaced in tests.

        Raises
        ------
        ServiceError
            Something was changed in the meantime; nothing was taken back.
        """
        back = [Change(change.place, change.after, change.before) for change in reversed(self._made)]
        self._write(self._checked(back, "take this repair's lines out by hand"), sleep, undo=True)
        self._made.clear()
        self._state = "undone"
        self._settle(sleep)
        return self

    @staticmethod
    def _checked(changes: Sequence[Change], instead: str) -> list[Change]:
        """Return the changes that are still to be made; refuse them all when one is about something else by now."""
        wanted, moved = [], []
        for change in changes:
            now = change.place.read()
            if same(now, change.after):
                continue
            if not same(now, change.before):
                moved.append(change.place.title)
            wanted.append(change)
        if moved:
            raise errors.ServiceError(
                f"Nothing was changed: the {' and the '.join(moved)} changed since it was looked at; {instead}."
            )
        return wanted

    def _write(self, changes: Sequence[Change], sleep: Callable[[float], None], undo: bool = False) -> None:
        for number, change in enumerate(changes):
            try:
                _patiently(change, sleep)
            except errors.PersonalizeError as error:
                done = [one.place.title for one in changes[:number]]
                rest = [one.place.title for one in changes[number:]]
                error.add(
                    f"Changed so far: {', '.join(done) or 'nothing'}; not changed: {', '.join(rest)}."
                    + (" .undo() takes back what was changed." if done and not undo else "")
                )
                self._state = "made in part" if self._made else self._state
                raise
            log.info("%s the %s", "took back a change of" if undo else "changed", change.place.title)
            if undo:
                self._made = [one for one in self._made if one.place != change.place]
            else:
                self._made.append(change)
            self._unsettled = [one for one in self._unsettled if one.place != change.place] + [change]

    def _settle(self, sleep: Callable[[float], None]) -> None:
        # after the state: what was written is so, whatever comes of looking at it
        _settle(self._unsettled, sleep)
        self._unsettled.clear()

    def _headline(self) -> str:
        if not self._changes:
            return "Nothing to repair"
        what = f"Repair of {len(self._changes)} change{'s' if len(self._changes) > 1 else ''}, {self._state}"
        return f"{what}; {_STEPS.get(self._state, '.apply() makes them')}"

    def __repr__(self) -> str:
        parts = [self._headline()]
        for number, change in enumerate(self._changes, 1):
            parts.append(f"{number}. {change.heading()}")
            parts += [f"     {line}" for line in change.lines()]
            if change.excess:
                parts.append(f"   {change.excess}")
        return "\n".join(parts)

    def _repr_html_(self) -> str:
        rows = [
            html.lines(html.Markup("<b>{}. {}</b>").format(number, change.heading()), _shown(change), change.excess)
            for number, change in enumerate(self._changes, 1)
        ]
        return str(html.lines(html.Markup("<b>{}</b>").format(self._headline()), *rows))


def _lines(text: str | None) -> list[str]:
    return [] if text is None else json.dumps(json.loads(text), indent=2).splitlines()


def _shown(change: Change) -> html.Markup:
    """Return the lines of a change, coloured; the signs say the same where colours are taken away."""
    lines = [
        html.Markup('<span style="color:{}">{}</span>').format(_COLOURS[line[0]], line) if line[0] in _COLOURS else line
        for line in change.lines()
    ]
    return html.Markup('<pre style="margin:.3em 0;white-space:pre-wrap">{}</pre>').format(html.join(lines, "\n"))


def _patiently(change: Change, sleep: Callable[[float], None]) -> None:
    """Write a change; a role that was made just now is not known to all of AWS, which then refuses to hear of it."""
    for look in _looks(sleep):
        try:
            return change.place.write(change.after)
        except errors.PersonalizeError as error:
            in_policy = error.code.startswith("MalformedPolicy") and "principal" in str(error).lower()
            in_name = error.code == "NoSuchEntity" and change.after is not None
            if look.is_last or not (in_policy or in_name):
                raise
    return None


@dataclass(frozen=True)
class _Look:
    is_last: bool


def _looks(sleep: Callable[[float], None]) -> Iterator[_Look]:
    for number in range(1, MAX_LOOKS + 1):
        yield _Look(number == MAX_LOOKS)
        sleep(LOOK_SECONDS)


def _settle(changes: Sequence[Change], sleep: Callable[[float], None]) -> None:
    """Wait until every change is read back several times in a row, which the local service gives at once."""
    if not changes:
        return
    titles = ", ".join(change.place.title for change in changes)
    for look in _looks(sleep):
        try:
            if all(same(change.place.read(), change.after) for _ in range(AGREEING_LOOKS) for change in changes):
                break
        except errors.PersonalizeError as error:
            if look.is_last or not explanations.passes(error):
                error.add(f"This was a look at what had been written before: {titles}. {_TAKEN}")
                raise
    else:
        raise errors.WaitTimeoutError(
            f"AWS does not give back what was written after {MAX_LOOKS * LOOK_SECONDS:.0f} s: {titles}. {_TAKEN}"
        )
    if any(change.place.spreads and not change.place.session.is_local for change in changes):
        sleep(PROPAGATION_SECONDS)
