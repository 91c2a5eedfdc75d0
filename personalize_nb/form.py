"""The job form: fields for every parameter of a batch inference job, checked while they are filled. Floor 3.

The form fills the same `JobRequest` that `pnb.recommend` makes and hands it to the same `submit`. It shows the call
that does the same, lists every problem beside the button that they disable, and leaves a receipt that outlives it.
Errors never escape into Jupyter's log, where nobody looks: they are shown in the form.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from personalize_nb import errors, fields, inputs, inspection, launch, limits, markup
from personalize_nb.filters import Filter, find_filter, list_filters
from personalize_nb.jobs import BatchInferenceJob, new_job_name
from personalize_nb.receipts import Receipt
from personalize_nb.requests import THEME_GENERATION, WARNING, Context, JobRequest, Problem, problems
from personalize_nb.session import Session, current
from personalize_nb.solutions import SolutionVersion, find_solution_version, list_solution_versions

if TYPE_CHECKING:
    import pandas as pd

    from personalize_nb.inputs import Batch, Data

_NO_FILTER = ("no filter", "")


class JobForm:
    """A form that starts a batch inference job; display it as the last line of a cell.

    Parameters
    ----------
    data
        Users, items or rankings as for `pnb.recommend`; None to name input that lies in S3 already.
    solution_version
        The one chosen at first: a `SolutionVersion`, a solution's name or an ARN; by default the newest ACTIVE one.
    session
        Where to work; by default the session of `pnb.connect()`.
    **values
        Texts of fields to begin with, by parameter name: `num_results="10"`.

    Attributes
    ----------
    job : BatchInferenceJob or None
        The job started last.

    Raises
    ------
    NotFoundError
        There is no ACTIVE solution version to choose.

    Examples
    --------
    >>> import personalize_nb as pnb
    >>> form = pnb.JobForm(["12", "7"])  # doctest: +SKIP
    >>> form  # doctest: +SKIP
    """

    def __init__(
        self,
        data: Data | Batch | None = None,
        solution_version: SolutionVersion | str | None = None,
        *,
        session: Session | None = None,
        **values: str,
    ):
        self.session = current(session)
        self.job: BatchInferenceJob | None = None
        self.receipt: Receipt | None = None
        self._receipt_place: Any = None
        self._data = data
        self._started: set[str] = set()
        self._batches: dict[Any, Batch] = {}
        self._versions: dict[str, SolutionVersion] = {}
        self._filters: dict[str, Filter] = {}
        self._name_columns: dict[str, str] = {}
        self._suggested = ""
        self._build(solution_version, values)
        self._mode_changed()
        self._solution_changed()

    def _build(self, solution_version: SolutionVersion | str | None, values: dict[str, str]) -> None:
        unknown = sorted(set(values) - set(fields.TEXT_FIELDS) - {"tags", "data"})
        if unknown:
            raise TypeError(f"the form has no field {unknown}; it has {sorted([*fields.TEXT_FIELDS, 'tags', 'data'])}")
        self.widgets: dict[str, Any] = {name: field.text_widget() for name, field in fields.TEXT_FIELDS.items()}
        self.widgets["tags"] = fields.tags_area()
        self.widgets["mode"] = fields.mode_buttons()
        options, chosen = self._solution_options(solution_version)
        self.widgets["solution_version"] = fields.dropdown("Solution", options, chosen)
        self.widgets["filter"] = fields.dropdown("Filter", self._filter_options(), "")
        if self._data is None:
            self.widgets["data"] = fields.INPUT.text_widget()
        for name, value in values.items():
            self.widgets[name].value = str(value)
        self._values_box = widgets.VBox()
        self._values: dict[str, widgets.Text] = {}
        self._messages, self._checks, self._call = widgets.HTML(), widgets.HTML(), widgets.HTML()
        self._start_button = widgets.Button(description="Start job", button_style="primary")
        self._check_button = widgets.Button(description="Check access", tooltip="Role, policies, buckets, keys, quota")
        self._refresh_button = widgets.Button(description="Refresh lists", tooltip="Look for new solutions and filters")
        self.box = _FormBox(self, self._layout())
        self.widgets["solution_version"].observe(self._guarded(self._solution_changed), "value")
        self.widgets["filter"].observe(self._guarded(self._filter_changed), "value")
        for name, widget in self.widgets.items():
            if name not in ("solution_version", "filter"):
                widget.observe(self._guarded(self._check), "value")
        self.widgets["mode"].observe(self._guarded(self._mode_changed), "value")
        self._start_button.on_click(self._guarded(self._start_clicked))
        self._check_button.on_click(self._guarded(self._show_preflight))
        self._refresh_button.on_click(self._guarded(self.refresh))

    def _layout(self) -> list[widgets.Widget]:
        shown = self.widgets
        source = shown.get("data") or widgets.HTML(markup.lines(f"Input: {self._source_text()}"))
        more = widgets.Accordion([widgets.VBox([shown[name] for name in names]) for names in fields.PANELS.values()])
        for place, title in enumerate(fields.PANELS):
            more.set_title(place, title)
        main = ("solution_version", "mode", "item_name", "job_name", "num_results", "filter")
        buttons = widgets.HBox([self._start_button, self._check_button, self._refresh_button])
        return [
            source,
            *(shown[name] for name in main),
            self._values_box,
            more,
            self._messages,
            buttons,
            self._checks,
            self._call,
        ]

    def _solution_options(self, wanted: SolutionVersion | str | None) -> tuple[list[tuple[str, str]], str]:
        frame = list_solution_versions(self.session)
        frame = frame[frame["status"] == limits.ACTIVE]
        options = [
            (f"{row.solution} ({row.recipe}, {row.created:%Y-%m-%d %H:%M})", row.solution_version_arn)
            for row in frame.itertuples()
        ]
        if not options:
            raise errors.NotFoundError(
                "There is no ACTIVE solution version to choose; pnb.train(interactions, items, name='...') makes one."
            )
        arn = find_solution_version(wanted, self.session).arn if wanted is not None else options[0][1]
        if arn not in dict(options).values():
            raise errors.NotFoundError(f"Solution version {arn!r} is not ACTIVE yet; wait for it, then make the form.")
        return options, arn

    def _filter_options(self) -> list[tuple[str, str]]:
        frame = list_filters(self.session)
        names = frame.loc[frame["status"] == limits.ACTIVE, "name"]
        return [_NO_FILTER, *((name, name) for name in names)]

    def _source_text(self) -> str:
        if isinstance(self._data, inputs.Batch):
            return f"{len(self._data):,} {self._data.kind}"
        counted = hasattr(self._data, "__len__") and not isinstance(self._data, str)
        return f"{len(self._data):,} rows" if counted else str(self._data)

    # What the fields say

    @property
    def solution_version(self) -> SolutionVersion:
        """The solution version chosen."""
        arn = self.widgets["solution_version"].value
        if arn not in self._versions:
            self._versions[arn] = find_solution_version(arn, self.session)
        return self._versions[arn]

    @property
    def filter(self) -> Filter | None:
        """The filter chosen, if any."""
        name = self.widgets["filter"].value
        if name and name not in self._filters:
            self._filters[name] = find_filter(name, self.session)
        return self._filters[name] if name else None

    def parameters(self) -> tuple[dict[str, Any], list[Problem]]:
        """Return what differs from the defaults, as `pnb.recommend` takes it, and the fields that make no sense."""
        found: list[Problem] = []
        given = {
            name: fields.parsed(field, self.widgets[name].value, found) for name, field in fields.TEXT_FIELDS.items()
        }
        influence = {"POPULARITY": given.pop("popularity"), "FRESHNESS": given.pop("freshness")}
        given["ranking_influence"] = {key: value for key, value in influence.items() if value is not None}
        given["tags"] = fields.parsed(fields.TAGS, self.widgets["tags"].value, found)
        given["filter"] = self.widgets["filter"].value
        given["filter_values"] = {
            name: value
            for name, widget in self._values.items()
            if (value := fields.filter_text(widget.value)) is not None
        }
        if self.widgets["mode"].value == THEME_GENERATION:
            given["mode"] = THEME_GENERATION
            given["item_name"] = given["item_name"] or self._name_column(found)
        return {name: value for name, value in given.items() if value not in (None, "", {})}, found

    def _name_column(self, found: list[Problem]) -> str | None:
        version = self.solution_version
        try:
            if version.arn not in self._name_columns:
                self._name_columns[version.arn] = launch.name_column(version)
            return self._name_columns[version.arn]
        except errors.NotFoundError as error:
            found.append(Problem("item_name", str(error)))
            return None

    def plan(self) -> tuple[JobRequest | None, Batch | None, Context, list[Problem]]:
        """Return the request the fields describe, its input, what is known around it, and every problem."""
        given, found = self.parameters()
        values, _ = given.pop("filter_values", None), given.pop("filter", None)
        version, chosen = self.solution_version, self.filter
        batch = None
        source = fields.text(self.widgets["data"].value) if "data" in self.widgets else self._data
        if source is None:
            found.append(Problem("data", f"Input must name a file or folder in S3: {fields.INPUT.hint}."))
        elif "data" not in self.widgets:
            try:
                batch = self._batch(version, chosen, values)
            except (errors.InputError, errors.NotFoundError) as error:
                found.append(Problem("data", str(error)))
        known = launch.context(version, batch, chosen)
        if any(problem.field == "data" for problem in found):
            return None, None, known, found
        try:
            request = launch.request_for(version, source if batch is None else None, chosen, self.session, **given)
        except errors.NotFoundError as error:
            return None, batch, known, [*found, Problem("role_arn", str(error))]
        found += problems(request, known)
        return request, batch, known, found

    def _batch(self, version: SolutionVersion, chosen: Filter | None, values: Any) -> Batch:
        """Check the data once for each kind of input and filter value, not at each key press."""
        key = (version.recipe, chosen.name if chosen else "", repr(values))
        if key not in self._batches:
            self._batches = {key: launch.batch_for(self._data, version, chosen, values)}
        return self._batches[key]

    def problems(self) -> list[Problem]:
        """Return everything that is wrong with the form as it stands; warnings do not stop a job."""
        return self.plan()[3]

    @property
    def code(self) -> str:
        """The call that does what the form does."""
        given, _ = self.parameters()
        parts = [f"{name}={value!r}" for name, value in given.items() if name != "job_name" or value != self._suggested]
        return ", ".join([f"pnb.recommend(data, {self.solution_version.name!r}", *parts]) + ")"

    # What the buttons do

    def start(self) -> BatchInferenceJob:
        """Start the job and show its receipt; the button does the same.

        Raises
        ------
        RequestError
            The form has problems, which are shown in it as well, or it has started a job of this name already.
        """
        request, batch, known, found = self.plan()
        wrong = [one for one in found if one.level != WARNING]
        if request is not None and request.job_name in self._started:
            text = f"{request.job_name!r} is started already; set the widget 'job_name' to start another job"
            wrong = [Problem("job_name", text)]
        if request is None or wrong:
            self._show(found)
            raise errors.RequestError(wrong)
        self._start_button.disabled = True
        self._messages.value = markup.status(["The input goes to S3, then the job starts."])
        self.job = launch.submit(request, batch, known, self.session)
        self._started.add(request.job_name)
        if self.receipt is not None:
            self.receipt.close()
        self.receipt = Receipt(self.job).show(self._receipt_place).start()
        self._check()
        return self.job

    def _start_clicked(self) -> None:
        with contextlib.suppress(errors.RequestError):  # what is wrong stands in the form
            self.start()

    def preflight(self) -> pd.DataFrame:
        """Return what `pnb.preflight` finds for the request of the form, whose input is uploaded only at the start."""
        request, batch, _, found = self.plan()
        if request is None:
            raise errors.RequestError(found)
        findings = inspection.preflight(request, self.session)
        return findings[findings["check"] != "input"] if batch is not None else findings

    def _show_preflight(self) -> None:
        shown = self.preflight()[["check", "level", "found", "to_do"]]
        self._checks.value = markup.table(shown.itertuples(index=False), ("check", "result", "found", "what to do"))

    def refresh(self) -> None:
        """Look for new solutions and filters; what is chosen stays chosen."""
        version, chosen = self.widgets["solution_version"], self.widgets["filter"]
        options, _ = self._solution_options(version.value)
        kept, names = version.value, self._filter_options()
        version.options, version.value = options, kept
        kept_filter = chosen.value if chosen.value in dict(names).values() else ""
        chosen.options, chosen.value = names, kept_filter
        self._check()

    def _solution_changed(self) -> None:
        name = self.widgets["job_name"]
        if name.value in ("", self._suggested):
            self._suggested = new_job_name(self.solution_version.name)
            name.value = self._suggested
        self._filter_changed()

    def _mode_changed(self) -> None:
        themes = self.widgets["mode"].value == THEME_GENERATION
        self.widgets["item_name"].layout.display = "" if themes else "none"

    def _filter_changed(self) -> None:
        wanted = self.filter.placeholders if self.filter else ()
        columns = {str(name).lower() for name in getattr(self._data, "columns", ())}
        needed = [name for name in wanted if name.lower() not in columns] if self._data is not None else []
        self._values = {name: self._values.get(name) or self._value_field(name) for name in needed}
        self._values_box.children = tuple(self._values.values())
        self._check()

    def _value_field(self, name: str) -> widgets.Text:
        field = fields.Field("filter_values", f"${name}", fields.filter_text, "values for every line, comma separated")
        widget = field.text_widget()
        widget.observe(self._guarded(self._check), "value")
        return widget

    def _check(self) -> None:
        self._show(self.problems())

    def _show(self, found: list[Problem]) -> None:
        wrong = [problem for problem in found if problem.level != WARNING]
        notes = [problem for problem in found if problem.level == WARNING]
        started = self.widgets["job_name"].value.strip() in self._started
        told = ["The job is started; its receipt is below. Change the job name to start another."] if started else []
        self._messages.value = (
            markup.alert(wrong, "To be mended before the job can start:")
            + markup.alert(notes, "Worth a look:", urgent=False)
            + markup.status(told)
        )
        self._start_button.disabled = bool(wrong) or started
        self._call.value = markup.Markup("<details><summary>The same without the form</summary>{}</details>").format(
            markup.code(self.code)
        )

    def _guarded(self, action: Callable[[], Any]) -> Callable[[Any], None]:
        """Wrap a callback: whatever it raises is shown in the form, because Jupyter would hide it."""

        def run(_event: Any) -> None:
            try:
                action()
            except Exception as error:  # a callback has no caller who could see it
                text = str(error) if isinstance(error, errors.PersonalizeError) else f"{type(error).__name__}: {error}"
                self._messages.value = markup.alert(text.splitlines(), "It did not work:")
                self._start_button.disabled = False

        return run

    def _ipython_display_(self) -> None:
        from IPython.display import display  # loaded already wherever this is called

        display(self.box)
        self._receipt_place = display({"text/plain": ""}, raw=True, display_id=True)

    def __repr__(self) -> str:
        return f"<JobForm for {self.solution_version.name}: display it in JupyterLab, or .start()>"


class _FormBox(widgets.VBox):
    """The form's box; where widgets cannot be shown, it says what to do instead of printing its innards."""

    def __init__(self, form: JobForm, children: list[widgets.Widget]):
        super().__init__(children)
        self.add_class("pnb-form")
        self._form = form

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        bundle["text/plain"] = f"{self._form!r}"
        bundle["text/html"] = markup.lines(
            "The job form is shown when this cell runs in JupyterLab. Without it:", markup.code(self._form.code)
        )
        return bundle
