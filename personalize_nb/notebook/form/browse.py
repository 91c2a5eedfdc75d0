"""Looking through S3 in a form: buckets, folders and files with their sizes, each a button.

The buttons stay and only their labels change, so that whoever goes through them by keyboard keeps the place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import ipywidgets as widgets

from personalize_nb.notebook.form.console import told_place
from personalize_nb.session import s3_levels
from personalize_nb.session.s3_levels import Level
from personalize_nb.session.session import Session
from personalize_nb.text import html
from personalize_nb.text.counts import size
from personalize_nb.text.values import one_line

_SHOWN = 10


@dataclass(frozen=True)
class _Entry:
    label: str
    address: str
    is_file: bool = False


class S3Browser:
    """Buttons that lead through S3 to an input.

    Parameters
    ----------
    session
        Looks.
    chosen
        Is given the address of a file or folder that was chosen.
    guarded
        Wraps what a click does, so that errors are shown.

    Attributes
    ----------
    box
        The widgets; empty of entries until somebody browses.
    """

    def __init__(
        self,
        session: Session,
        chosen: Callable[[str], None],
        guarded: Callable[[Callable[[], Any]], Callable[[Any], None]],
    ):
        self._session, self._chosen = session, chosen
        self._level = Level("s3://")
        self._first = 0
        self._place = told_place()
        self._up = self._button("Up", "One level up", guarded(self._go_up))
        self._use = self._button("Use this folder", "Take all files of this folder as input", guarded(self._take_level))
        self._more = self._button("More", "The next entries of this level", guarded(self._go_on))
        self._close = self._button("Close", "Close the list", guarded(self.close))
        self._entries: list[_Entry] = []
        self._buttons = [self._button("-", "-", guarded(partial(self._click, place))) for place in range(_SHOWN)]
        tools, entries = widgets.HBox([self._up, self._use, self._more, self._close]), widgets.VBox(self._buttons)
        for group in (tools, entries):
            group.add_class("pnb-actions")
        self.box = widgets.VBox([self._place, tools, entries])
        self.box.add_class("pnb-browse")
        self.close()

    @staticmethod
    def _button(label: str, tooltip: str, action: Callable[[Any], None]) -> Any:
        button = widgets.Button(description=label, tooltip=tooltip, layout={"width": "auto"})
        button.on_click(action)
        return button

    @property
    def entries(self) -> list[str]:
        """The labels that are shown."""
        return [button.description for button in self._buttons if button.layout.display != "none"]

    def close(self) -> None:
        """Show nothing."""
        self.box.layout.display = "none"

    def open(self, address: str = "") -> None:
        """Show what lies at an address, by default the level where it was left.

        Parameters
        ----------
        address
            An `s3://` address; of a file, the folder around it is shown.
        """
        start = address if address.endswith("/") else s3_levels.parent(address) if address else self._level.address
        self._show(s3_levels.level(self._session, start))
        self.box.layout.display = ""

    def _show(self, found: Level, first: int = 0) -> None:
        self._level, self._first = found, first
        below = len(found.address)
        self._entries = [_Entry(f"{one[below:]}", one) for one in found.folders]
        self._entries += [_Entry(f"{one.address[below:]} ({size(one.size)})", one.address, True) for one in found.files]
        shown = self._entries[first : first + _SHOWN]
        for place, button in enumerate(self._buttons):
            button.layout.display = "" if place < len(shown) else "none"
            if place < len(shown):
                button.description = one_line(shown[place].label)
                button.tooltip = one_line(f"{'Take' if shown[place].is_file else 'Open'} {shown[place].address}")
        self._up.disabled = self._use.disabled = found.address == "s3://"
        self._more.disabled = first + _SHOWN >= len(self._entries)
        self._place.value = html.status([self._told()])

    def _told(self) -> str:
        count = len(self._entries)
        if not count:
            return f"{self._level.address}: empty"
        last = min(self._first + _SHOWN, count)
        more = "" if self._level.complete else " of the first; type how a name begins to see others"
        return f"{self._level.address}: {self._first + 1} to {last} of {count:,}{more}"

    def _click(self, place: int) -> None:
        entry = self._entries[self._first + place]
        if entry.is_file:
            self.close()
            self._chosen(entry.address)
        else:
            self._show(s3_levels.level(self._session, entry.address))

    def _go_up(self) -> None:
        self._show(s3_levels.level(self._session, s3_levels.parent(self._level.address)))

    def _go_on(self) -> None:
        self._show(self._level, self._first + _SHOWN)

    def _take_level(self) -> None:
        self.close()
        self._chosen(self._level.address)
