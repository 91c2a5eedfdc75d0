"""Everything that could make a job fail, found before it is started: `pnb.preflight(...)`.

It reads what the session may read, from Personalize, IAM, S3 and KMS, and judges it as AWS would. What may not be read
is said to be unchecked; nothing of it is raised and nothing is changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Unpack

from personalize_nb import errors
from personalize_nb.access.account_reader import Reader
from personalize_nb.access.permission_checks import PermissionChecks
from personalize_nb.access.report import OK, UNCHECKED, Check, Report
from personalize_nb.access.subject import Subject, from_data, from_request
from personalize_nb.contract import limits
from personalize_nb.contract.parameters import THEME_GENERATION
from personalize_nb.errors import ERROR, WARNING
from personalize_nb.jobs.arguments import JobParameters, with_parameters
from personalize_nb.jobs.request import JobRequest, problems
from personalize_nb.resources.filters import uses_events
from personalize_nb.resources.solutions import SolutionVersion
from personalize_nb.session.connection import current
from personalize_nb.session.session import Session

if TYPE_CHECKING:
    import boto3

    from personalize_nb.inputs.batch import Batch
    from personalize_nb.inputs.forms import Data


@with_parameters(JobParameters)
def preflight(
    request: JobRequest | Mapping[str, Any] | Data | Batch,
    solution_version: SolutionVersion | str | None = None,
    session: Session | boto3.Session | None = None,
    **parameters: Unpack[JobParameters],
) -> Report:
    """Check a job and the world around it, all at once; nothing is uploaded or started.

    Parameters
    ----------
    request
        What `pnb.recommend` takes, with the model beside it; or a `JobRequest`; or the arguments of boto3's
        `create_batch_inference_job`.
    solution_version
        The model, where `request` is data: as for `pnb.recommend`. A session may stand here where there is none.
    session
        Where the job would run; by default the solution version's session, else that of `pnb.connect()`.
    **parameters
        As for `pnb.recommend`, where `request` is data: `num_results`, `filter`, `mode`, ...

    Returns
    -------
    Report
        A DataFrame with a row per check, the worst first: `check`, `level` (`error`, `warning`, `could not be
        checked`, `ok`), `found`, `to_do`, and `policy`, the document to paste where one is missing.

    Raises
    ------
    RequestError
        `request` is neither of these, or has keys that the API does not know.
    NotFoundError
        There is no such solution version.

    Examples
    --------
    >>> import personalize_nb as pnb
    >>> pnb.preflight(["r01349", "r00469"], "books", num_results=10)[["check", "level"]]
                  check level
    0  solution version    ok
    1           request    ok
    2          job name    ok
    3             quota    ok
    4       permissions    ok
    """
    if session is None and not isinstance(solution_version, (SolutionVersion, str, type(None))):
        solution_version, session = None, solution_version
    session = current(session or getattr(solution_version, "session", None))
    if solution_version is not None:
        subject = from_data(request, solution_version, session, parameters)
    elif parameters:
        raise TypeError(f"{sorted(parameters)} go with ids and their model: pnb.preflight(ids, model, ...)")
    else:
        subject = from_request(request)
    checks = list(_JobChecks(subject, session).run())
    order = {ERROR: 0, WARNING: 1, UNCHECKED: 2, OK: 3}
    checks.sort(key=lambda check: order[check.level])
    return Report.of(checks)


@dataclass
class _JobChecks:
    subject: Subject
    session: Session
    request: JobRequest = field(init=False)
    reader: Reader = field(init=False)
    version: Mapping[str, Any] = field(default_factory=dict)
    counts_events: bool = False

    def __post_init__(self) -> None:
        self.request, self.reader = self.subject.request, Reader(self.session)

    def run(self) -> Iterator[Check]:
        """Every check; a part that cannot be read does not keep the others from being told."""
        about = (self._model, self._rules, self._themes, self._name, self._quota, self._filter, self._history)
        for part in (*about, self._permissions):
            try:
                yield from part()
            except errors.PersonalizeError as error:
                yield Check(part.__name__.strip("_"), UNCHECKED, str(error))

    # the request and Personalize

    def _model(self) -> Iterator[Check]:
        arn = self.request.solution_version_arn
        try:
            self.version = self.session.call("describe_solution_version", solutionVersionArn=arn)["solutionVersion"]
        except errors.NotFoundError:
            found = f"There is none of ARN {arn!r} here."
            yield Check("solution version", ERROR, found, "pnb.list_solution_versions()")
            return
        status = self.version["status"]
        if status == limits.ACTIVE:
            yield Check("solution version", OK, f"ACTIVE, recipe {self._recipe}")
        else:
            yield Check("solution version", ERROR, f"Its status is {status}.", "Wait until it is ACTIVE.")

    def _rules(self) -> Iterator[Check]:
        context = replace(self.subject.context, recipe=self._recipe, region=self.session.region)
        found = problems(self.request, context)
        for problem in self.subject.problems:
            yield Check(problem.field, problem.level, problem.text)
        for problem in found:
            yield Check(f"request: {problem.field}", problem.level, problem.text)
        if not found:
            yield Check("request", OK, "It keeps the rules of the API.")

    def _themes(self) -> Iterator[Check]:
        if self.request.mode != THEME_GENERATION or not self.version:
            return
        fields = self.reader.item_fields(self.version["datasetGroupArn"])
        names = [one["name"] for one in fields if "string" in one["type"]]
        textual = [one["name"] for one in fields if one.get("textual")]
        if not textual:
            to_do = 'Mark a field of the Items schema "textual": true, import and train again.'
            yield Check("themes", ERROR, "The Items dataset has no textual field.", to_do)
        if self.request.item_name and self.request.item_name not in names:
            found = f"The Items schema has no string field {self.request.item_name!r}."
            yield Check("themes", ERROR, found, f"Legal for 'item_name': {', '.join(names) or 'none'}.")
        elif textual and self.request.item_name:
            yield Check("themes", OK, f"Textual field {textual[0]}, names in {self.request.item_name}.")

    def _name(self) -> Iterator[Check]:
        arn = self.session.arn("batch-inference-job", self.request.job_name)
        try:
            self.session.call("describe_batch_inference_job", batchInferenceJobArn=arn)
        except errors.NotFoundError:
            yield Check("job name", OK, f"{self.request.job_name!r} is free.")
            return
        found = f"{self.request.job_name!r} is taken; jobs are never deleted, so it stays so."
        yield Check("job name", ERROR, found, "Choose another 'job_name'.")

    def _quota(self) -> Iterator[Check]:
        jobs = self.session.pages("list_batch_inference_jobs", "batchInferenceJobs")
        running = sum(job["status"] not in limits.TERMINAL for job in jobs)
        found = f"{running} batch inference jobs are pending or in progress; {limits.MAX_JOBS_IN_PROGRESS} may be."
        full = running >= limits.MAX_JOBS_IN_PROGRESS
        to_do = "Wait for one to end (pnb.list_jobs()), or raise the quota in Service Quotas." if full else ""
        yield Check("quota", ERROR if full else OK, found, to_do)

    def _filter(self) -> Iterator[Check]:
        arn = self.request.filter_arn
        if arn is None:
            return
        try:
            described = self.session.call("describe_filter", filterArn=arn)["filter"]
        except errors.NotFoundError:
            yield Check("filter", ERROR, f"There is no filter {arn!r} here.", "pnb.list_filters()")
            return
        group = self.version.get("datasetGroupArn", described["datasetGroupArn"])
        if described["status"] != limits.ACTIVE:
            yield Check("filter", ERROR, f"Its status is {described['status']}.", "Wait until it is ACTIVE.")
        elif described["datasetGroupArn"] != group:
            found = f"It belongs to {described['datasetGroupArn']}, the model to {group}."
            yield Check("filter", ERROR, found, "Create the filter in the model's dataset group.")
        else:
            yield Check("filter", OK, f"{described['name']} is ACTIVE.")
            self.counts_events = uses_events(described["filterExpression"])

    def _history(self) -> Iterator[Check]:
        """Warn where AWS's filters have stopped counting users' events, which nothing else tells."""
        last = self.reader.last_import(self.version["datasetGroupArn"]) if self.counts_events and self.version else None
        if last is not None and datetime.now(UTC) - last >= timedelta(days=limits.FILTER_HISTORY_DAYS):
            found = (
                f"Interactions were last imported on {last:%Y-%m-%d}. On AWS, filters no longer count the events of "
                "users for whom none were imported for three months."
            )
            to_do = "Import the interactions again in full, not only the new ones: create_dataset_import_job."
            yield Check("history", WARNING, found, to_do)

    def _permissions(self) -> Iterator[Check]:
        return PermissionChecks(self.subject, self.session, self.reader).run()

    @property
    def _recipe(self) -> str | None:
        return self.version["recipeArn"].rsplit("/", 1)[-1] if "recipeArn" in self.version else None
