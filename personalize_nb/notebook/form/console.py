"""What stands in the form and in which order, and how it tells things: the widgets around the fields.

A section is a line of `_layout`: put a new one where people should meet it, and give the console an attribute that the
form writes to (`input`, `values`, `messages`, `checks` are such). An action is a row of the list that `JobForm._build`
hands over: a label, a tooltip and what it does; the console makes the button and shows whatever the action raises.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from personalize_nb import errors
from personalize_nb.contract.parameters import MAIN, PANELS
from personalize_nb.errors import WARNING, Problem
from personalize_nb.jobs.rules import errors_of
from personalize_nb.notebook.form import fields, style
from personalize_nb.text import html

if TYPE_CHECKING:
    from personalize_nb.notebook.form.sources import InputChoice


@dataclass(frozen=True)
class Action:
    """Something that a form does at a click.

    Parameters
    ----------
    label, tooltip
        What its button says.
    run
        What it does.
    primary
        Whether it is what the form is for; there is one.
    """

    label: str
    tooltip: str
    run: Callable[[], Any]
    primary: bool = False


class Console:
    """The widgets of a form.

    Parameters
    ----------
    form_widgets
        The fields' widgets by name.
    input
        What the form works on.
    values
        A box for the fields of a filter's placeholders.
    changes
        What is to be done when a field changes, by name.
    check
        What is to be done when any other field changes.
    actions
        What there are buttons for, the primary one first.
    told
        What stands for the form where widgets cannot be shown.

    Attributes
    ----------
    box
        All of it, to display.
    input, messages, checks
        What is told of the data, of the form as it stands, and of access: HTML widgets.
    values
        A box for the fields of a filter's placeholders.
    jobs
        A box for how the jobs go that the form has started.
    start_button
        The button of the primary action.
    """

    def __init__(
        self,
        form_widgets: Mapping[str, Any],
        input: InputChoice,
        values: Any,
        changes: Mapping[str, Callable[[], Any]],
        check: Callable[[], Any],
        actions: Sequence[Action],
        told: Callable[[], str],
    ):
        self.widgets = form_widgets
        self.input, self._input = input.told, input.box
        self.messages, self.checks = told_place(), told_place()
        self.values, self.jobs = values, widgets.VBox()
        self.buttons = {action.label: self._button(action) for action in actions}
        self.start_button = next(self.buttons[action.label] for action in actions if action.primary)
        self._settling = False
        self._folds: list[tuple[Any, list[Any]]] = []
        for name, widget in form_widgets.items():
            self.watch(widget, changes.get(name, check))
        self.box = _FormBox(told, self._layout())

    def _layout(self) -> list[widgets.Widget]:
        buttons = widgets.HBox(list(self.buttons.values()))
        buttons.add_class("pnb-actions")
        return [
            told_place(style.LIVE),
            *(self._input if name == fields.DATA else self.widgets[name] for name in fields.panel(MAIN)),
            self.values,
            *(self._folded(title) for title in PANELS if title != MAIN),
            self.messages,
            buttons,
            self.checks,
            self.jobs,
        ]

    def _folded(self, title: str) -> Any:
        """Return fields behind a title that opens them; they are open where one holds something at first."""
        inside = [self.widgets[name] for name in fields.panel(title)]
        fold = widgets.VBox([told_place(html.fold(title, any(one.value for one in inside))), widgets.VBox(inside)])
        fold.add_class("pnb-fold")
        self._folds.append((fold, inside))
        return fold

    def hide_empty_sections(self) -> None:
        """Show the sections of which a field is shown, and no others."""
        for fold, inside in self._folds:
            fold.layout.display = "none" if all(one.layout.display == "none" for one in inside) else ""

    def _button(self, action: Action) -> Any:
        kind = "primary" if action.primary else ""
        button = widgets.Button(description=action.label, tooltip=action.tooltip, button_style=kind)
        button.layout.width = "auto"
        button.on_click(self.guarded(action.run))
        return button

    def watch(self, widget: Any, action: Callable[[], Any]) -> None:
        """Do something whenever a widget's value changes."""
        widget.observe(self.guarded(action), "value")

    def tell(self, problems: Sequence[Problem], told: Sequence[str], ready: bool) -> None:
        """Show what is wrong with the form and how it stands; what is wrong, or not ready, cannot be started."""
        wrong = errors_of(list(problems))
        notes = [problem for problem in problems if problem.level == WARNING]
        self.messages.value = (
            html.alert(wrong, "To be mended before the job can start:")
            + html.alert(notes, "Worth a look:", urgent=False)
            + html.status(told)
        )
        self.start_button.disabled = bool(wrong) or not ready

    @contextlib.contextmanager
    def settled(self) -> Iterator[None]:
        """Let widgets change without an answer to each change; the caller checks once at the end."""
        before, self._settling = self._settling, True
        try:
            yield
        finally:
            self._settling = before

    def guarded(self, action: Callable[[], Any]) -> Callable[[Any], None]:
        """Wrap a callback: whatever it raises is shown in the form, because Jupyter would hide it."""

        def run(_event: Any) -> None:
            if self._settling:
                return
            try:
                action()
            except Exception as error:  # a callback has no caller who could see it
                text = str(error) if isinstance(error, errors.PersonalizeError) else f"{type(error).__name__}: {error}"
                self.messages.value = html.alert(text.splitlines(), "It did not work:")
                self.start_button.disabled = False

        return run


def told_place(value: str = "") -> Any:
    """Return a place to tell something; without a tooltip of its own ipywidgets writes `title="null"`."""
    place = widgets.HTML(value, tooltip="")
    place.layout.width = "auto"
    return place


class _FormBox(widgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """The form's box; where widgets cannot be shown, it says what to do instead of printing its innards."""

    def __init__(self, told: Callable[[], str], children: list[widgets.Widget]):
        super().__init__(children)
        self.add_class("pnb-form")
        self._told = told

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        bundle["text/plain"] = self._told()
        bundle["text/html"] = html.output(html.lines("The job form is shown here when this cell runs in JupyterLab."))
        return bundle
