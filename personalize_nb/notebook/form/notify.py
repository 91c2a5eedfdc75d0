"""A notification of the browser when a job has ended, for who asks for it: people look at other pages meanwhile.

Only the page can notify, and only as long as it is open and its kernel lives. It is asked through a widget, which a
page that was loaded again has as well; what is old by then is not told a second time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import ipywidgets as widgets

from personalize_nb.text import html

_SECONDS = 60  # a note that is older was told, or the page was closed

_ASK = "if ('Notification' in window && Notification.permission === 'default') Notification.requestPermission();"

# One of a tag takes the place of the one before, so that two views of a notebook notify once.
_TELL = """
const note = this.parentElement.querySelector('.pnb-note');
const fresh = Date.now() - 1000 * Number(note.dataset.at) < 1000 * Number(note.dataset.seconds);
if (fresh && 'Notification' in window && Notification.permission === 'granted') {
  new Notification(note.dataset.title, {body: note.textContent, tag: note.textContent});
}
"""


class Notifier:
    """A box to tick, and the notification for each job that ends while it is ticked.

    Parameters
    ----------
    place
        An HTML widget of the form in which nothing is seen.
    clock
        Seconds since the epoch; replaced in tests.

    Attributes
    ----------
    box
        The checkbox.
    """

    def __init__(self, place: Any, clock: Callable[[], float] = time.time):
        self._place, self._clock = place, clock
        self.box = widgets.Checkbox(
            description="Notify me when a job ends",
            tooltip="By the browser, while this page is open; it asks for your permission",
            indent=False,
        )
        self.box.layout.width = "auto"
        self.box.observe(lambda change: self._ask(), "value")

    def _ask(self) -> None:
        self._place.value = html.live("", _ASK) if self.box.value else ""

    def tell(self, text: str) -> None:
        """Notify of a job that has ended, if that is wanted."""
        if self.box.value:
            note = html.Markup(
                '<span class="pnb-note" hidden data-title="Amazon Personalize" data-at="{}" data-seconds="{}">{}</span>'
            ).format(self._clock(), _SECONDS, text)
            self._place.value = html.join([note, html.live("", _TELL)])
