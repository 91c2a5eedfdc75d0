"""How the jobs of a form go on, told in the form itself: a line for each, the newest first, to its end.

The record below the form is what is saved, and Jupyter rewrites it only while the page that it was made in stays open.
Widgets live with the kernel: a page that is loaded again, a cell that was deleted and comes back, a second view of the
notebook all show these lines as they stand.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from personalize_nb.notebook.form.console import told_place
from personalize_nb.notebook.form.notify import Notifier
from personalize_nb.notebook.receipts import JobState
from personalize_nb.session.progress import counted, over
from personalize_nb.text import html
from personalize_nb.text.counts import spoken


class Status:
    """The lines of a form's jobs.

    Parameters
    ----------
    box
        Holds them.

    Attributes
    ----------
    notifier
        Notifies of jobs that have ended.
    """

    def __init__(self, box: Any):
        place = told_place()
        self.notifier = Notifier(place)
        self._box, self._head = box, (self.notifier.box, place)
        box.children = self._head
        box.add_class("pnb-status")

    def line(self) -> Callable[[JobState], None]:
        """Return what is told how a job stands, and shows it above the lines that are there."""
        line, receipt = told_place(), told_place()
        known = ""

        def show(state: JobState) -> None:
            nonlocal known
            if not known:  # it has a line once there is something to say
                others = self._box.children[len(self._head) :]
                self._box.children = (*self._head, line, receipt, *others)
            line.value = _shown(state)
            if state.status != known:  # else what a reader has opened would be closed at every look
                receipt.value = html.details(f"Receipt of {state.name}", html.lines(state.view.html, _record(state)))
                if state.ended:
                    self.notifier.tell(told(state))
            known = state.status

        return show


def told(state: JobState) -> str:
    """Return in one line how a job stands."""
    if not state.ended:
        return f"{state.name}: {state.status} {counted(*(state.share or (None, None)))}".rstrip()
    outcome = state.reason or state.lines
    return f"{state.name}: {over(state.status, state.seconds)}{f'; {outcome}' if outcome else ''}"


def _record(state: JobState) -> str:
    """Return what to do about a record that could not be reached, once the job has ended.

    Nobody can tell whether there is one: which output is which, Jupyter knows only in the page that made it.
    """
    if not state.ended:
        return ""
    return (
        f"A record elsewhere that tells an earlier state was saved then: pnb.watch({state.name!r}) shows a new one, "
        "pnb.refresh_receipts(path) rewrites those of a saved notebook."
    )


def _shown(state: JobState) -> html.Markup:
    if state.ended:
        return html.status([told(state)])
    bar = html.progress(*state.share, f"Progress of {state.name}") if state.share and state.share[0] else ""
    since = f"for {spoken(state.seconds)}" if state.seconds >= 1 else ""
    # the time is no part of what a screen reader announces, or it would speak at every look
    return html.status([told(state)]) + html.lines(html.join(filter(None, [bar, since]), " "))
