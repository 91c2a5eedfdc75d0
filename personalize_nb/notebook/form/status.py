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
from personalize_nb.notebook.receipts import NAME, STATUS, JobState
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
            line.value = _shown(state) + _record(state)
            if state.status != known:  # else what a reader has opened would be closed at every look
                receipt.value = html.details(f"Receipt of {state.name}", state.view.html)
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


# Hides what stands beside it while the page has a record that tells the same; a record is rewritten a moment later.
_HIDE = """
const hint = this.parentElement.querySelector('[data-pnb-status]'), told = hint.dataset;
const look = () => {
  const records = [...document.querySelectorAll('.pnb-receipt')].filter(one => one.dataset.pnbName === told.pnbName);
  hint.hidden = records.some(one => one.dataset.pnbStatus === told.pnbStatus);
  if (hint.isConnected) setTimeout(look, 1000);
};
setTimeout(look, 1000);
"""


def _record(state: JobState) -> html.Markup:
    """Return what to do where no record can be reached; it is shown where the page has none that tells the same.

    Which output is which, Jupyter knows only in the page that made it: in a page that was loaded anew the record of a
    job stays as it was saved, and one that is started there has none.
    """
    hint = (
        "The notebook keeps no record that tells this: the page was loaded anew. "
        f"pnb.watch({state.reference!r}) in a cell makes one that is saved; "
        "pnb.refresh_receipts(path) rewrites those of a saved notebook."
    )
    mark = html.Markup('<div hidden {}="{}" {}="{}">{}</div>')
    return mark.format(NAME, state.reference, STATUS, state.status, hint) + html.live("", _HIDE)


def _shown(state: JobState) -> html.Markup:
    if state.ended:
        return html.status([told(state)])
    bar = html.progress(*state.share, f"Progress of {state.name}") if state.share and state.share[0] else ""
    since = f"for {spoken(state.seconds)}" if state.seconds >= 1 else ""
    # the time is no part of what a screen reader announces, or it would speak at every look
    return html.status([told(state)]) + html.lines(html.join(filter(None, [bar, since]), " "))
