"""The job form: fields for every parameter of a batch job, checked while they are filled.

The form fills the same request that `pnb.recommend` or `pnb.segments` makes and starts it the same way. It shows the
call that does the same, lists every problem beside the button that they disable, and leaves receipts that outlive it.
Errors never escape into Jupyter's log, where nobody looks: they are shown in the form.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Unpack

from personalize_nb import errors
from personalize_nb.access import preflight
from personalize_nb.errors import WARNING, Problem
from personalize_nb.jobs import recommend
from personalize_nb.jobs.arguments import JobParameters, with_parameters
from personalize_nb.jobs.job import AnyJob, new_job_name
from personalize_nb.jobs.rules import errors_of
from personalize_nb.notebook import code
from personalize_nb.notebook.form import fields, filter_fields, prefill, state
from personalize_nb.notebook.form.console import Action, Console
from personalize_nb.notebook.form.fields import FILTER, MODE, SOLUTION, Presets
from personalize_nb.notebook.form.input import Source
from personalize_nb.notebook.form.name_field import NameField
from personalize_nb.notebook.form.options import NO_FILTER, Options
from personalize_nb.notebook.form.sources import InputChoice
from personalize_nb.notebook.form.state import FormState
from personalize_nb.notebook.form.status import Status
from personalize_nb.notebook.receipt_facts import REPEAT
from personalize_nb.notebook.receipts import Board, Receipt, displayed
from personalize_nb.session import s3
from personalize_nb.session.connection import current
from personalize_nb.session.session import Session
from personalize_nb.text import html
from personalize_nb.text.public import public

if TYPE_CHECKING:
    import pandas as pd

    from personalize_nb.inputs.batch import Batch
    from personalize_nb.inputs.forms import Data
    from personalize_nb.jobs.run import Run
    from personalize_nb.resources.filters import Filter
    from personalize_nb.resources.solutions import SolutionVersion

_DOUBLE_CLICK = 1.0  # seconds after a start in which another click is the same one
_STALE = "The form has changed since access was checked: check again."


@public
class JobForm:
    """A form that starts a batch job; display it as the last line of a cell.

    Parameters
    ----------
    data
        Users, items or rankings as for `pnb.recommend`, or what `pnb.segments` takes; None to choose in the form: a
        frame of the notebook, a file, or what lies in S3. Or a job or run, or a job's ARN, whoever started it and how:
        the form then begins with everything that it was asked, on the input that it had.
    solution_version
        The one chosen at first: a `SolutionVersion`, a solution's name or an ARN; by default the newest ACTIVE one that
        fits the data.
    session
        Where to work; by default the solution version's session, else that of `pnb.connect()`.
    items
        The items as a frame, whose values are suggested to filters; by default those of the training data.
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
    ArgumentError
        `pnb.recommend` has no such parameter; the message lists those it has. Or models or filters are several.

    References
    ----------
    The parameters of CreateBatchInferenceJob and CreateBatchSegmentJob, each a field.

    Examples
    --------
    >>> import personalize_nb as pnb
    >>> pnb.JobForm(["r01349", "r00469"], "books", num_results=10, tags={"team": "books"})
    <JobForm for books-user-personalization-...: display it in JupyterLab, or .start()>
    >>> job = pnb.recommend(["r01349"], "books", num_results=10)
    >>> form = pnb.JobForm(job, num_results=20)  # runs it again, with a change
    >>> form.code
    "pnb.recommend('s3://.../jobs/books-.../input/....jsonl', 'books-user-personalization-...', num_results=20)"
    >>> form.solution_version.recipe, form.filter, form.problems(), form.parameters()[0]["num_results"]
    ('aws-user-personalization', None, [], 20)
    >>> form.plan().request.num_results, form.preflight()["level"].unique().tolist(), form.refresh()
    (20, ['ok'], None)
    >>> form.start().wait(progress=False).recommendations()["rank"].max()
    Job ...
    np.int64(20)
    """

    @with_parameters(JobParameters, checked=False)
    def __init__(
        self,
        data: Data | Batch | AnyJob | Run | None = None,
        solution_version: SolutionVersion | str | None = None,
        *,
        session: Session | None = None,
        items: pd.DataFrame | None = None,
        **parameters: Unpack[JobParameters],
    ):
        fields.check_names(parameters)
        fields.check_one(solution_version, parameters.get("filter"))
        begun = prefill.started(data, session or getattr(solution_version, "session", None))
        self.session = current(session or getattr(begun or solution_version, "session", None))
        self.job: AnyJob | Run | None = None
        self.receipt: Receipt | None = None
        self._board = Board()
        self._call_place: Any = None
        self._call_shown = ""
        self._options = Options(self.session, items)
        self._noted: list[Problem] = []
        given: dict[str, Any] = {**parameters}
        address = data if isinstance(data, str) and s3.is_s3(data) else ""
        if begun is not None:
            filled = prefill.of(begun)
            address, given, self._noted = filled.address, {**filled.given, **parameters}, filled.notes
            solution_version = filled.solution_version if solution_version is None else solution_version
        self._started: set[str] = set()  # names of jobs started here
        self._told: list[str] = []
        self._checked: Any = None
        self._suggested = ""
        self._put_away: dict[str, str] = {}  # values of fields that the recipe does not take
        self._clock: Callable[[], float] = time.monotonic
        self._last_start = float("-inf")
        self._data = InputChoice(None if address else data, address, self.session, lambda act: self._guarded(act))
        self._build(solution_version, fields.presets(given, self.session))

    def _build(self, solution_version: SolutionVersion | str | None, given: Presets) -> None:
        options = self._options.solutions(solution_version, self._data.kinds(), given.filter)
        chosen = self._options.first_solution(solution_version, options)
        version = self._options.version(chosen)
        filters = self._options.filters(version)
        self.widgets: dict[str, Any] = {
            name: field.widget(given.texts.get(name, "")) for name, field in fields.text_fields().items()
        }
        self.widgets[MODE] = fields.mode_widget(given.mode)
        self.widgets[SOLUTION] = NameField(SOLUTION, options, chosen)
        first = self._options.first_filter(given.filter, version)
        self.widgets[FILTER] = NameField(FILTER, filters, first, NO_FILTER[0])
        self.widgets |= self._data.widgets
        self._without_field = given.without_field
        self._values = filter_fields.FilterFields(given.filter_values, self._guarded(self._check))
        changes = {SOLUTION: self._solution_changed, FILTER: self._filter_changed, MODE: self._mode_changed}
        changes |= dict.fromkeys(self._data.widgets, self._input_changed)
        actions = [
            Action("Start job", "Send the input to S3 and start the job", self._start_clicked, primary=True),
            Action("Check access", "Role, policies, buckets, keys, quota", self._show_preflight),
            Action("Refresh lists", "Look for new solutions and filters", self.refresh),
        ]
        self.console = Console(
            self.widgets, self._data, self._values.box, changes, self._check, actions, lambda: repr(self)
        )
        self.box = self.console.box
        self._status = Status(self.console.jobs)
        self._data.on_count(self._guarded(self._count))
        self._solution_changed()

    def _guarded(self, action: Callable[[], Any]) -> Callable[[Any], None]:
        return lambda event: self.console.guarded(action)(event)

    # What the fields say

    @property
    def solution_version(self) -> SolutionVersion:
        """The solution version chosen."""
        return self._options.version(self.widgets[SOLUTION].chosen)

    @property
    def filter(self) -> Filter | None:
        """The filter chosen, if any."""
        return self._options.filter(self.widgets[FILTER].chosen)

    def parameters(self) -> tuple[JobParameters, list[Problem]]:
        """Return what differs from the defaults.

        Returns
        -------
        tuple of dict and list of Problem
            Parameters as `pnb.recommend` takes them, and the fields that make no sense.
        """
        given, wrong = state.given_by(self.widgets, self._values.texts(self.filter), self._without_field)
        wrong += [one.problem for one in (self.widgets[SOLUTION], self.widgets[FILTER]) if one.problem]
        if MODE in given:
            try:
                given["item_name"] = self._options.name_column(self.solution_version, given.get("item_name"))
            except errors.NotFoundError as error:
                wrong.append(Problem("item_name", fields.spoken(str(error))))
        return given, wrong

    def plan(self) -> FormState:
        """Return the request the fields describe.

        Returns
        -------
        FormState
            `.request`, its input, what is known around it, and every problem.
        """
        given, wrong = self.parameters()
        version, chosen = self.solution_version, self.filter
        source = self._data.source(wrong)
        wrong += self._noted
        wrong += [Problem(SOLUTION, text, WARNING) for text in fields.idle(self._put_away, version.recipe)]
        wrong += state.idle_values(self._values.given, chosen)
        return state.state_of(given, wrong, version, chosen, source, self.session, self._options)

    def problems(self) -> list[Problem]:
        """Return everything that is wrong with the form as it stands.

        Returns
        -------
        list of Problem
            Errors, and warnings, which do not stop a job.
        """
        return self.plan().problems

    @property
    def code(self) -> str:
        """The call that does what the form does."""
        given, solution = self.parameters()[0], self._options.spelling(self.solution_version)
        kind = recommend.shape_for(self.solution_version).job_kind
        return code.of_form(self._data.code, solution, given, kind, self._suggested)

    # What the buttons do

    def start(self) -> AnyJob | Run:
        """Start the job and show its receipt; the button does the same.

        Returns
        -------
        BatchInferenceJob, BatchSegmentJob or Run
            What was started.

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
        details = state.details(plan, given, self.filter)
        self.console.start_button.disabled = True
        self.console.checks.value, self._checked = "", None
        self.console.messages.value = html.status(["The input goes to S3, then the job starts."])
        try:
            self.job = job = state.begun(plan.request, plan.batch, plan.context, given, self.filter, self.session)
        except errors.PersonalizeError:
            self._check()
            raise
        details[REPEAT] = code.of_started(job, plan.request)
        self._options.own.add(plan.request.job_name)
        self._started.add(plan.request.job_name)
        place = self._board.place() if self._board.handle is not None else None
        self.receipt = Receipt(job, details, told=self._status.line()).show(place).start()
        self._told = [f"{plan.request.job_name!r} is started; below stands how it goes."]
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
        """Return what `pnb.preflight` finds, with what the form itself does; input is uploaded only at the start.

        Returns
        -------
        pandas.DataFrame
            Columns as of `pnb.preflight`.
        """
        return self._preflight(self.plan())

    def _preflight(self, plan: FormState) -> pd.DataFrame:
        uploads = plan.batch is not None
        return preflight.of_request(
            plan.request, self.session, uploads=uploads, judged=[fields.named_problem(one) for one in plan.problems]
        )

    def _show_preflight(self) -> None:
        self._options.forget_buckets()
        plan = self.plan()
        self._show(plan)
        self.console.checks.value = html.status(["Access is being checked."])
        self.console.checks.value = html.shown(self._preflight(plan))
        self._checked = plan.subject

    def refresh(self) -> None:
        """Look for new solutions, filters and names; what is chosen stays chosen."""
        self._options.forget()
        self._data.forget()
        self._offer(self._options.solutions(kinds=self._data.kinds()))
        self._solution_changed()

    def _offer(self, options: list[tuple[str, str]]) -> None:
        """Offer solution versions; the one that is chosen stays so, where it is there and others fit no better."""
        kinds, kept = self._data.kinds(), self.widgets[SOLUTION].chosen
        stays = kept in dict(options).values() and (
            self._options.fits(kept, kinds) or not self._options.fits(options[0][1], kinds)
        )
        with self.console.settled():
            self.widgets[SOLUTION].offer(options, kept if stays else options[0][1])

    def _count(self) -> None:
        self._data.count()
        self._check()

    # How the form follows its fields

    def _input_changed(self) -> None:
        self._data.follow()
        self._offer(self._options.fitting(self._data.kinds()))
        self._solution_changed()

    def _solution_changed(self) -> None:
        self._offer_filters()
        with self.console.settled():
            if self.widgets["job_name"].value == self._suggested:
                self._suggest()
            fields.fit(self.widgets, self.solution_version.recipe, self._put_away)
        self._mode_changed()

    def _offer_filters(self) -> None:
        """Offer the filters of the version's own data; one that is none of them is put away, and told of."""
        widget, names = self.widgets[FILTER], self._options.filters(self.solution_version)
        wanted = self._put_away.pop(FILTER, "") or widget.chosen
        legal = wanted in dict(names).values()
        if not legal:
            self._put_away[FILTER] = wanted
        with self.console.settled():
            widget.offer(names, wanted if legal else NO_FILTER[1])

    def _mode_changed(self) -> None:
        fields.hide_other_modes(self.widgets)
        self.console.hide_empty_sections()
        self._filter_changed()

    def _filter_changed(self) -> None:
        source, chosen = self._data.source([]), self.filter
        columns = source.columns if isinstance(source, Source) else None
        self._values.follow(chosen, columns, self._options.known_values(self.solution_version, chosen))
        self._check()

    def _check(self) -> None:
        self._show(self.plan())

    def _show(self, plan: FormState) -> None:
        started = self.widgets["job_name"].value.strip() in self._started
        told = [*self._told, "Change the job name to start another."] if started else [*self._told, *plan.notes]
        self.console.tell(plan.problems, told, ready=not started)
        self._data.tell(plan.batch)
        if self._checked is not None and self._checked != plan.subject:
            self.console.checks.value, self._checked = html.status([_STALE]), None
        if self._call_place is not None and self._call_shown != self.code:
            self._call_shown = self.code
            self._call_place.update(code.shown(self._call_shown)._repr_mimebundle_(), raw=True)

    def _ipython_display_(self) -> None:
        from IPython.display import display  # loaded already wherever this is called

        display(self.box)
        self._call_shown = self.code
        self._call_place = displayed(code.shown(self._call_shown)._repr_mimebundle_())
        self._board.display()

    def __repr__(self) -> str:
        return f"<JobForm for {self.solution_version.name}: display it in JupyterLab, or .start()>"
