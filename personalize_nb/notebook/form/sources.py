"""Where a form's input comes from: what code gave it, a frame of the notebook, a file, or S3; chosen in the form."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from personalize_nb.contract.parameters import named
from personalize_nb.errors import Problem
from personalize_nb.notebook.form import preview, stored
from personalize_nb.notebook.form.browse import S3Browser
from personalize_nb.notebook.form.console import told_place
from personalize_nb.notebook.form.fields import labelled
from personalize_nb.notebook.form.input import Source
from personalize_nb.notebook.form.stored import InputInS3
from personalize_nb.session.session import Session
from personalize_nb.text import html

if TYPE_CHECKING:
    from personalize_nb.inputs.batch import Batch
    from personalize_nb.inputs.forms import Data

GIVEN, FRAME, FILE, STORED = "given", "frame", "file", "stored"
_LABELS = {GIVEN: "given in code", FRAME: "a frame of this notebook", FILE: "a file", STORED: "S3"}
_SUFFIXES = (".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".parquet", ".txt", ".gz")
_MOST_NAMES = 200


class InputChoice:
    """What a form works on, and the fields that choose it.

    Parameters
    ----------
    data
        What code gave; None for nothing.
    address
        The `s3://` address that code gave; empty for none.
    session
        Looks into S3.
    guarded
        Wraps what a click does, so that errors are shown.

    Attributes
    ----------
    kind, frame, file, address
        The fields: where it comes from, and what it is there.
    told
        What the input is and what was done to it.
    box
        All of it, to display.
    """

    def __init__(
        self,
        data: Data | Batch | None,
        address: str,
        session: Session,
        guarded: Callable[[Callable[[], Any]], Callable[[Any], None]],
    ):
        self._session = session
        self._given = None if data is None else Source(data, _name_of(data))
        self._made: tuple[Any, Source] | None = None  # of the frame or file that was named last
        self._looked: dict[str, InputInS3] = {}
        kinds = [kind for kind in _LABELS if kind != GIVEN or self._given is not None]
        self.kind = labelled(
            widgets.RadioButtons(options=[(_LABELS[kind], kind) for kind in kinds], value=kinds[0]),
            "Input from",
            "Where the ids come from",
        )
        if self._given is None:
            self.kind.value = STORED
        self.frame = _field(widgets.Combobox, "Frame", "name of a frame", "A frame, series or list of this notebook")
        self.file = _field(widgets.Combobox, "File", "path of a CSV, JSON or Parquet file", "A file of this machine")
        row = named("data")
        self.address = _field(widgets.Text, row.label, row.hint, "An s3:// address; Browse S3 finds one", address)
        self._browser = S3Browser(session, self._take, guarded)
        auto = {"width": "auto"}
        tip = "Look for the input in buckets and folders"
        self._browse = widgets.Button(description="Browse S3", tooltip=tip, layout=auto)
        tip = "Read the input in S3 to tell records and cost; no key press does"
        self._count = widgets.Button(description="Count records", tooltip=tip, layout=auto)
        self._browse.on_click(guarded(lambda: self._browser.open(self.address.value.strip())))
        self._tools = widgets.HBox([self._browse, self._count])
        self._tools.add_class("pnb-actions")
        self.told, self._shown = told_place(), told_place()
        parts = [self.kind, self.frame, self.file, self.address, self._tools, self._browser.box]
        self.box = widgets.VBox([*parts, self.told, self._shown])
        self.follow()

    @property
    def widgets(self) -> dict[str, Any]:
        """The fields by name, `data` for the address."""
        return {"source": self.kind, "frame": self.frame, "file": self.file, "data": self.address}

    def kinds(self) -> tuple[str, ...]:
        """Return what the input can be taken for, the likeliest first; none where nobody knows."""
        source = self.source([])
        if isinstance(source, InputInS3):
            return (source.kind,) if source.kind else ()
        return source.kinds() if source is not None else ()

    def on_count(self, action: Callable[[Any], None]) -> None:
        """Do something when somebody asks how much input there is."""
        self._count.on_click(action)

    def _take(self, address: str) -> None:
        self.address.value = address

    def follow(self) -> None:
        """Show the fields of where the input comes from, with what there is to choose from now."""
        shown = {self.frame: FRAME, self.file: FILE, self.address: STORED, self._tools: STORED}
        for widget, kind in shown.items():
            widget.layout.display = "" if self.kind.value == kind else "none"
        if self.kind.value == FRAME:
            self.frame.options = sorted(frames())[:_MOST_NAMES]
        if self.kind.value == FILE:
            self.file.options = _files()
        if self.kind.value != STORED:
            self._browser.close()

    def forget(self) -> None:
        """Look again at what may have changed."""
        self._looked.clear()
        self._made = None
        self.follow()

    def source(self, wrong: list[Problem]) -> Source | InputInS3 | None:
        """Return the input as it is chosen; what is wrong with the choice is added to the problems, and None returned.

        Parameters
        ----------
        wrong
            Receives problems.
        """
        if self.kind.value == GIVEN:
            return self._given
        if self.kind.value == STORED:
            return self._stored(wrong)
        return self._named_frame(wrong) if self.kind.value == FRAME else self._named_file(wrong)

    def _stored(self, wrong: list[Problem]) -> InputInS3 | None:
        row = named("data")
        address = row.kind.parse(self.address.value)
        if address is None:
            wrong.append(Problem("data", f"Input must name a file or folder in S3: {row.hint}."))
            return None
        if any(row.kind.problems("data", address)):
            return InputInS3(address)  # the rules of the request tell of it
        if address not in self._looked:
            self._looked[address] = stored.look(self._session, address)
        return self._looked[address]

    def count(self) -> None:
        """Count the records of the input in S3."""
        found = self._stored([])
        if found is not None and not found.problem:
            self._looked[found.address] = found.counted(self._session)

    def _named_frame(self, wrong: list[Problem]) -> Source | None:
        name = self.frame.value.strip()
        there = frames()
        if name not in there:
            few = ", ".join(sorted(there)[:8]) or "none"
            wrong.append(Problem("data", f"Frame must name a frame of this notebook, got {name!r}; there are {few}."))
            return None
        data = there[name]
        return self._of((name, id(data)), data, name)

    def _named_file(self, wrong: list[Problem]) -> Source | None:
        path = self.file.value.strip()
        if not path:
            wrong.append(Problem("data", "File must name a file of ids: CSV, JSON lines or Parquet."))
            return None
        try:
            changed = Path(path).expanduser().stat().st_mtime_ns
        except (OSError, ValueError, RuntimeError):
            changed = 0  # a pattern, or what reading it will tell of
        return self._of((path, changed), path, repr(path))

    def _of(self, key: Any, data: Any, name: str) -> Source:
        if self._made is None or self._made[0] != key:
            self._made = key, Source(data, name)
        return self._made[1]

    @property
    def code(self) -> str:
        """The input as a call names it."""
        if self.kind.value == STORED:
            return repr(self.address.value.strip() or "s3://...")
        source = self.source([])
        return source.code if isinstance(source, Source) else "..."

    def tell(self, batch: Batch | None) -> None:
        """Show what the input is, its first lines, and which rows are odd."""
        source = self.source([])
        told: list[str] = []
        shown = html.Markup("")
        if isinstance(source, InputInS3):
            told, shown = source.told(), preview.of_stored(source)
        elif source is not None:
            told = source.told(batch)
            if batch is not None:
                shown = preview.of_batch(batch)
            elif source.findings is not None:
                shown = preview.of_findings(source.findings)
        self.told.value, self._shown.value = html.lines(*told), shown


def _field(kind: Any, label: str, hint: str, tooltip: str, value: str = "") -> Any:
    # not at each key press: a path is read, and an address looked at, once it is settled
    made = kind(value=value, placeholder=hint, continuous_update=False)
    return labelled(made, label, f"{tooltip}; {hint}")


def _namespace() -> Mapping[str, Any]:
    """Return what the user's notebook has named; nothing outside of one."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return dict(shell.user_ns) if shell is not None else {}


def frames() -> dict[str, Any]:
    """Return the frames of the user's notebook, of any library, by name."""
    return {
        name: value
        for name, value in _namespace().items()
        if not name.startswith("_") and not isinstance(value, type) and _is_frame(value)
    }


def _is_frame(value: Any) -> bool:
    # asked of the type: an object of the user's may answer anything, or take its time
    kind = type(value)
    named_so = kind.__name__ in ("DataFrame", "LazyFrame", "Table", "Batch")
    return named_so and kind.__module__.split(".")[0] in ("pandas", "polars", "pyarrow", "personalize_nb", "geopandas")


def _name_of(data: Any) -> str:
    """Return what the user's notebook calls something, so that a call names it as the user does."""
    found = (name for name, value in _namespace().items() if value is data and not name.startswith("_"))
    return next(found, "data")


def _files() -> list[str]:
    """Return files of the folder that the notebook works in that may hold ids."""
    try:
        names = sorted(one.name for one in Path().iterdir() if one.name.lower().endswith(_SUFFIXES))
    except OSError:
        return []
    return names[:_MOST_NAMES]
