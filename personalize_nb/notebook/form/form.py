"""The job form: fields for every parameter of a batch job, checked while they are filled.

The form fills the same request that `pnb.recommend` or `pnb.segments` makes and starts it the same way. It shows the
call that does the same, lists every problem beside the button that they disable, and leaves receipts that outlive it.
Errors never escape into Jupyter's log, where nobody looks: they are shown in the form.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Unpack

from personalize_nb import errors
from personalize_nb.access import preflight
from personalize_nb.contract.parameters import named
from personalize_nb.errors import WARNING, Problem
from personalize_nb.jobs import recommend
from personalize_nb.jobs.arguments import JobParameters, with_parameters
from personalize_nb.jobs.job import AnyJob, new_job_name
from personalize_nb.jobs.request import errors_of
from personalize_nb.notebook import code
from personalize_nb.notebook.form import fields, input, state
from personalize_nb.notebook.form.console import Action, Console
from personalize_nb.notebook.form.fields import DATA, FILTER, MODE, SOLUTION, Presets
from personalize_nb.notebook.form.options import NO_FILTER, Options
from personalize_nb.notebook.form.state import FormState
from personalize_nb.notebook.receipt_facts import REPEAT
from personalize_nb.notebook.receipts import Board, Receipt, displayed
from personalize_nb.session import s3
from personalize_nb.session.connection import current
from personalize_nb.session.session import Session
from personalize_nb.text import html

if TYPE_CHECKING:
    import pandas as pd

    from personalize_nb.inputs.batch import Batch
    from personalize_nb.inputs.forms import Data
    from personalize_nb.jobs.run import Run
    from personalize_nb.resources.filters import Filter
    from personalize_nb.resources.solutions import SolutionVersion

_DOUBLE_CLICK = 1.0  # seconds after a start in which another click is the same one
_STALE = "The form has changed since access was checked: check again."


class JobForm:
    """A form that starts a batch job; display it as the last line of a cell.

    Parameters
    ----------
    data
        Users, items or rankings as for `pnb.recommend`, or what `pnb.segments` takes; None to name input that lies in
        S3 already.
    solution_version
        The one chosen at first: a `SolutionVersion`, a solution's name or an ARN; by default the newest ACTIVE one.
    session
        Where to work; by default the solution version's session, else that of `pnb.connect()`.
    **parameters
        What the fields hold at first: any parameter of `pnb.recommend`, as it takes them.

    Attributes
    ----------
    job : BatchInferenceJob, BatchSegmentJob, Run or None
        The job started last, or the run, where themes for more than 100 items were asked.

    Raises
    ------
    NotFoundError
        There is no ACTIVE solution version to choose, or none, or no filter, of the name given.
    TypeError
        `pnb.recommend` has no such parameter; the message lists those it has. Or models or filters are several.

    Examples
    --------
    >>> import personalize_nb as pnb
    >>> pnb.JobForm(["r01349", "r00469"], "books", num_results=10, tags={"team": "books"})
    <JobForm for books-user-personalization-...: display it in JupyterLab, or .start()>
    """

    @with_parameters(JobParameters, checked=False)
    def __init__(
        self,
        data: Data | Batch | None = None,
        solution_version: SolutionVersion | str | None = None,
        *,
        session: Session | None = None,
        **parameters: Unpack[JobParameters],
    ):
        fields.check_names(parameters)
        fields.check_one(solution_version, parameters.get("filter"))
        self.session = current(session or getattr(solution_version, "session", None))
        self.job: AnyJob | Run | None = None
        self.receipt: Receipt | None = None
        self._board = Board()
        self._call_place: Any = None
        self._call_shown = ""
        self._options = Options(self.session)
        address = data if isinstance(data, str) and s3.is_s3(data) else ""
        self._source = None if data is None or address else input.Source(data)
        self._started: set[str] = set()  # names of jobs started here
        self._told: list[str] = []
        self._checked: Any = None
        self._suggested = ""
        self._values: dict[str, Any] = {}  # fields of the filter's placeholders
        self._put_away: dict[str, str] = {}  # values of fields that the recipe does not take
        self._clock: Callable[[], float] = time.monotonic
        self._last_start = float("-inf")
        self._build(solution_version, fields.presets(parameters, self.session), address)

    def _build(self, solution_version: SolutionVersion | str | None, given: Presets, address: str) -> None:
        options = self._options.solutions(solution_version)
        chosen = self._options.first_solution(solution_version, options)
        filters = self._options.filters()
        self.widgets: dict[str, Any] = {
            name: field.widget(given.texts.get(name, "")) for name, field in fields.text_fields().items()
        }
        self.widgets[MODE] = fields.dropdown(MODE, fields.modes(themes=True), given.mode)
        self.widgets[SOLUTION] = fields.dropdown(SOLUTION, options, chosen)
        self.widgets[FILTER] = fields.dropdown(FILTER, filters, self._options.first_filter(given.filter, filters))
        if self._source is None:
            self.widgets[DATA] = fields.FormField(named(DATA)).widget(address)
        self._given_values, self._without_field = given.filter_values, given.without_field
        changes = {SOLUTION: self._solution_changed, FILTER: self._filter_changed, MODE: self._mode_changed}
        actions = [
            Action("Start job", "Send the input to S3 and start the job", self._start_clicked, primary=True),
            Action("Check access", "Role, policies, buckets, keys, quota", self._show_preflight),
            Action("Refresh lists", "Look for new solutions and filters", self.refresh),
        ]
        self.console = Console(self.widgets, changes, self._check, actions, lambda: repr(self))
        self._solution_changed()

    # What the fields say

    @property
    def solution_version(self) -> SolutionVersion:
        """The solution version chosen."""
        return self._options.version(self.widgets[SOLUTION].value)

    @property
    def filter(self) -> Filter | None:
        """The filter chosen, if any."""
        return self._options.filter(self.widgets[FILTER].value)

    def parameters(self) -> tuple[JobParameters, list[Problem]]:
        """Return what differs from the defaults, as `pnb.recommend` takes it, and the fields that make no sense."""
        fixed = {name: value for name, value in self._given_values.items() if self._fixed(name)}
        values = fixed | {name: widget.value for name, widget in self._values.items()}
        given, wrong = state.given_by(self.widgets, values, self._without_field)
        if MODE in given:
            try:
                given["item_name"] = self._options.name_column(self.solution_version, given.get("item_name"))
            except errors.NotFoundError as error:
                wrong.append(Problem("item_name", fields.spoken(str(error))))
        return given, wrong

    def plan(self) -> FormState:
        """Return the request the fields describe, its input, what is known around it, and every problem."""
        given, wrong = self.parameters()
        version, chosen = self.solution_version, self.filter
        source = self._source or named(DATA).kind.parse(self.widgets[DATA].value)
        wrong += [Problem(SOLUTION, text, WARNING) for text in fields.idle(self._put_away, version.recipe)]
        wrong += state.idle_values(self._given_values, chosen)
        return state.state_of(given, wrong, version, chosen, source, self.session, self._options)

    def _fixed(self, name: str) -> bool:
        """Tell whether code gave a value for each record, which no field can show, and the filter wants it."""
        wanted = self.filter.placeholders if self.filter else ()
        return name in wanted and not isinstance(self._given_values.get(name, ""), str)

    def problems(self) -> list[Problem]:
        """Return everything that is wrong with the form as it stands; warnings do not stop a job."""
        return self.plan().problems

    @property
    def code(self) -> str:
        """The call that does what the form does."""
        return self._code(self.parameters()[0], self._options.spelling(self.solution_version))

    def _code(self, given: Mapping[str, Any], solution: str, name: bool = True) -> str:
        """Return the call for a solution; names that the form made up, or that are used up, are left out."""
        kept = {key: value for key, value in given.items() if key != "job_name" or (name and value != self._suggested)}
        if values := kept.get("filter_values"):
            kept["filter_values"] = {key: v if isinstance(v, list) else code.PER_RECORD for key, v in values.items()}
        source = self._source.code if self._source else repr(self.widgets[DATA].value.strip() or "s3://...")
        kind = recommend.shape_for(self.solution_version).job_kind
        return code.recommend(source, solution, kept, kind)

    # What the buttons do

    def start(self) -> AnyJob | Run:
        """Start the job and show its receipt; the button does the same.

        Raises
        ------
        RequestError
            The form has problems, which are shown in it as well, or it has started a job of this name already.
        """
        plan = self.plan()
        wrong = errors_of(plan.problems)
        if plan.request is not None and plan.request.job_name in self._started:
            text = f"{plan.request.job_name!r} is started already; set the widget 'job_name' to start another job"
            wrong = [Problem("job_name", text)]
        if plan.request is None or wrong:
            self._show(plan)
            raise errors.RequestError(wrong)
        given, _ = self.parameters()
        call = self._code(given, self.solution_version.arn.split(":solution/", 1)[-1], name=False)
        details = state.details(plan, given, self.filter) | {REPEAT: call}
        self.console.start_button.disabled = True
        self.console.checks.value, self._checked = "", None
        self.console.messages.value = html.status(["The input goes to S3, then the job starts."])
        try:
            self.job = job = state.begun(plan.request, plan.batch, plan.context, given, self.filter, self.session)
        except errors.PersonalizeError:
            self._check()
            raise
        self._options.own.add(plan.request.job_name)
        self._started.add(plan.request.job_name)
        place = self._board.place() if self._board.handle is not None else None
        self.receipt = Receipt(job, details).show(place).start()
        self._told = [f"{plan.request.job_name!r} is started; its receipt is below."]
        self._suggest()
        self._check()
        self._last_start = self._clock()
        return job

    def _suggest(self) -> None:
        """Put a new name in place of one that the form made up; a name that the user wrote stays."""
        name = self.widgets["job_name"]
        if name.value == self._suggested:
            with self.console.settled():
                self._suggested = name.value = new_job_name(self.solution_version.name)
                self._options.own.add(self._suggested)

    def _start_clicked(self) -> None:
        if self._clock() - self._last_start < _DOUBLE_CLICK:
            return
        with contextlib.suppress(errors.RequestError):  # what is wrong stands in the form
            self.start()

    def preflight(self) -> pd.DataFrame:
        """Return what `pnb.preflight` finds for the request of the form, whose input is uploaded only at the start."""
        return self._preflight(self.plan())

    def _preflight(self, plan: FormState) -> pd.DataFrame:
        if plan.request is None:
            raise errors.RequestError(plan.problems)
        return preflight.of_request(plan.request, self.session, uploads=plan.batch is not None)

    def _show_preflight(self) -> None:
        plan = self.plan()
        if plan.request is None:
            self.console.checks.value, self._checked = "", None
            self._show(plan)
            return
        self.console.checks.value = html.status(["Access is being checked."])
        found = self._preflight(plan)[["check", "level", "found", "to_do"]]
        self.console.checks.value = html.table(
            found.itertuples(index=False), ("check", "result", "found", "what to do")
        )
        self._checked = plan.subject

    def refresh(self) -> None:
        """Look for new solutions, filters and names; what is chosen stays chosen."""
        self._options.forget()
        version, chosen = self.widgets[SOLUTION], self.widgets[FILTER]
        options, kept = self._options.solutions(), version.value
        names, kept_filter = self._options.filters(), chosen.value
        with self.console.settled():
            version.options = options
            version.value = kept if kept in dict(options).values() else options[0][1]
            chosen.options = names
            chosen.value = kept_filter if kept_filter in dict(names).values() else NO_FILTER[1]
        self._solution_changed()

    # How the form follows its fields

    def _solution_changed(self) -> None:
        with self.console.settled():
            if self.widgets["job_name"].value == self._suggested:
                self._suggest()
            fields.fit(self.widgets, self.solution_version.recipe, self._put_away)
        self._mode_changed()

    def _mode_changed(self) -> None:
        hidden = fields.of_other_modes(self.widgets[MODE].value)
        for name, field in fields.text_fields().items():
            self.widgets[name].layout.display = "none" if field.row.name in hidden else ""
        self._filter_changed()

    def _filter_changed(self) -> None:
        wanted = self.filter.placeholders if self.filter else ()
        columns = {name.lower() for name in self._source.columns} if self._source else set()
        asked = [name for name in wanted if name.lower() not in columns or name in self._given_values]
        needed = [name for name in asked if not self._fixed(name)] if self._source is not None else []
        self._values = {name: self._values.get(name) or self._value_field(name) for name in needed}
        self.console.values.children = tuple(self._values.values())
        self._check()

    def _value_field(self, name: str) -> Any:
        widget = fields.value_widget(name, self._given_values.get(name, ""))
        self.console.watch(widget, self._check)
        return widget

    def _check(self) -> None:
        self._show(self.plan())

    def _show(self, plan: FormState) -> None:
        started = self.widgets["job_name"].value.strip() in self._started
        told = [*self._told, "Change the job name to start another."] if started else [*self._told, *plan.notes]
        self.console.tell(plan.problems, told, ready=not started)
        if self._source is not None:
            self.console.input.value = html.lines(*self._source.told(plan.batch))
        if self._checked is not None and self._checked != plan.subject:
            self.console.checks.value, self._checked = html.status([_STALE]), None
        if self._call_place is not None and self._call_shown != self.code:
            self._call_shown = self.code
            self._call_place.update(code.shown(self._call_shown)._repr_mimebundle_(), raw=True)

    def _ipython_display_(self) -> None:
        from IPython.display import display  # loaded already wherever this is called

        display(self.console.box)
        self._call_shown = self.code
        self._call_place = displayed(code.shown(self._call_shown)._repr_mimebundle_())
        self._board.display()

    def __repr__(self) -> str:
        return f"<JobForm for {self.solution_version.name}: display it in JupyterLab, or .start()>"
