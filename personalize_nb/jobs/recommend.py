"""The one-liners: `recommend` and `themes` take ids to a started job.

They choose what the recipe takes, check it, name the job, give it a folder of its own, upload and start.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar, Unpack, cast

from personalize_nb import errors
from personalize_nb.contract import limits, parameters, recipes
from personalize_nb.contract.job_kinds import INFERENCE, SEGMENTS
from personalize_nb.contract.parameters import BATCH_INFERENCE, THEME_GENERATION
from personalize_nb.inputs.batch import Batch
from personalize_nb.inputs.forms import given as read_once
from personalize_nb.jobs import costs, side_by_side
from personalize_nb.jobs.arguments import (
    JobParameters,
    ThemeParameters,
    check_types,
    job_parameters,
    names_of,
    with_parameters,
)
from personalize_nb.jobs.batches import batch_for
from personalize_nb.jobs.beginning import begin, begin_several, own_output
from personalize_nb.jobs.job import BatchInferenceJob, new_job_name
from personalize_nb.jobs.parts import InputLimits, input_limits
from personalize_nb.jobs.questions import JobQuestion
from personalize_nb.jobs.request import AnyRequest, BatchRequest, JobRequest, SegmentRequest
from personalize_nb.jobs.reuse import once
from personalize_nb.jobs.rules import RequestContext, most_records
from personalize_nb.jobs.run import Run
from personalize_nb.jobs.runs import check_at_once
from personalize_nb.jobs.theme_columns import check_described, name_column, text_columns
from personalize_nb.jobs.unfit import no_batch, no_themes
from personalize_nb.resources.filter_texts import targets
from personalize_nb.resources.filters import Filter, find_filter
from personalize_nb.resources.solutions import SolutionVersion, find_solution_version
from personalize_nb.results import output_files
from personalize_nb.session import s3
from personalize_nb.session.connection import current
from personalize_nb.session.progress import choose
from personalize_nb.session.session import Session
from personalize_nb.text.public import public

if TYPE_CHECKING:
    from personalize_nb.inputs.filter_columns import FilterValues
    from personalize_nb.inputs.forms import Data
    from personalize_nb.inputs.given import Given

AskedFor = TypeVar("AskedFor", bound=BatchRequest)


@public
def recommend(
    data: Data | Batch,
    solution_version: SolutionVersion | str | Sequence[SolutionVersion | str],
    *,
    num_results: int | None = None,
    filter: Filter | str | Sequence[Filter | str | None] | None = None,
    filter_values: FilterValues | None = None,
    job_name: str | None = None,
    exploration_weight: float | None = None,
    exploration_item_age_cut_off: float | None = None,
    ranking_influence: Mapping[str, float] | None = None,
    mode: str = BATCH_INFERENCE,
    item_name: str | None = None,
    tags: Mapping[str, str] | None = None,
    role_arn: str | None = None,
    output: str | None = None,
    input_kms_key_arn: str | None = None,
    output_kms_key_arn: str | None = None,
    at_once: int = limits.MAX_JOBS_IN_PROGRESS,
    max_bytes: int | None = None,
    max_records: int | None = None,
    max_files: int | None = None,
    reuse: bool = False,
    max_cost: float | None = None,
    session: Session | None = None,
) -> BatchInferenceJob | Run:
    """Start a batch inference job for the ids in `data` and return it; nothing is waited for.

    Input that is more than one job takes (1 GB, 50 million records, 100 items with themes) becomes a run: as many jobs
    as are needed, with the face of one. So do several solution versions or filters, which are asked the same side by
    side, and a job for which the account has no room now: `.wait()` starts it.

    Parameters
    ----------
    data
        What the recipe takes, as a frame, list or file: users (`user_id`), items (`item_id`), or users with items to
        rank (`user_id`, `item_id`); or a checked batch of `pnb.users`, `pnb.items`, `pnb.rankings`; or the `s3://`
        address of input that lies there already.
    solution_version
        What `pnb.train` returned, a solution's name (its newest ACTIVE version), or an ARN; or a list of these, side by
        side: the column `solution_version` of the results says which.
    num_results
        Items per record; the service's default is 25.
    filter
        A filter, its name or its ARN; or a list of these, side by side, in which None is no filter: the column `filter`
        of the results says which.
    filter_values
        Values of the filter's placeholders, `{"GENRE": ["comedy", "drama"]}`. Placeholders not named here are taken
        from the frame's columns of the same name.
    job_name
        A name never used before; by default made from the solution's name and the time.
    exploration_weight, exploration_item_age_cut_off, ranking_influence, mode, item_name, tags
        See `JobRequest`.
    role_arn
        Instead of the session's role.
    output
        An `s3://` folder instead of the job's own one below the session's prefix.
    input_kms_key_arn, output_kms_key_arn
        Keys that encrypt the input and the output; the one of the input also encrypts what is uploaded.
    at_once
        The most jobs to have pending or in progress, where several are needed; AWS's quota is 5.
    max_bytes, max_records, max_files
        What a job takes: bytes of all input, lines of a file, files; AWS's quotas unless yours are others.
    reuse
        Whether a job or run that was asked the same (input, model, filter, parameters) is returned in place of a new
        one, also where another kernel or person with this bucket started it.
    max_cost
        The most it may cost by `session.rates`, all jobs together; what would cost more is not started.
    session
        Where to work; by default the solution version's session, else that of `pnb.connect()`.

    Returns
    -------
    BatchInferenceJob or Run
        `.wait().recommendations()` reads it; a run has the same methods.

    Raises
    ------
    InputError
        Rows of the data cannot be used; nothing was sent.
    RequestError
        The request breaks rules; `.problems` lists all of them; nothing was sent.

    References
    ----------
    Amazon Personalize: CreateBatchInferenceJob; "Getting batch item recommendations" of its developer guide.

    Examples
    --------
    >>> import personalize_nb as pnb
    >>> books = pnb.samples.books()
    >>> job = pnb.recommend(["r01349", "r00469"], "books", num_results=2)
    >>> job.wait(progress=False).recommendations(items=books.items)
      user_id  rank item_id     score                    title
    0  r01349     1   b0433  0.01...          What Men Live By
    1  r01349     2   b0328  0.01...    Notes from Underground
    2  r00469     1   b0283  0.01...                    Walden
    3  r00469     2   b0414  0.01...   Life on the Mississippi
    """
    given = job_parameters(locals())  # the signature names them; no name is said again
    check_types(given)
    models, several_models = side_by_side.listed(solution_version, "solution_version")
    chosen, several_filters = side_by_side.listed(filter, "filter")
    theirs = (getattr(model, "session", None) for model in models)
    session = current(session or next((one for one in theirs if one is not None), None))
    limit = input_limits(max_bytes, max_records, max_files)
    check_at_once(at_once)
    versions = [find_solution_version(one, session) for one in models]
    for version in versions:
        check_mode(mode, version)
    filters = [None if one is None else find_filter(one, session) for one in chosen]
    labels = side_by_side.labels(versions, filters)
    if not isinstance(data, Batch) and not (isinstance(data, str) and s3.is_s3(data)):
        data = read_once(data)  # of a generator or an open file nothing is left the second time
    questions = [
        _question(data, version, one, session, {**given, "filter_values": values}, limit)
        for version in versions
        for one in filters
        for values in [side_by_side.values_of(filter_values, one, filters)]
    ]
    if several_models or several_filters:
        shown = [name for name, is_shown in zip(labels[0], (several_models, several_filters), strict=True) if is_shown]
        told = [{name: one[name] for name in shown} for one in labels]
        questions = [replace(one, labels=own) for one, own in zip(questions, told, strict=True)]

    name = job_name or new_job_name(versions[0].name) if questions[0].labels else questions[0].request.job_name

    def start() -> BatchInferenceJob | Run:
        costs.check([(one.request, one.batch, one.context.recipe) for one in questions], session, max_cost)
        for note in dict.fromkeys(note for one in questions if one.batch for note in one.batch.notes):
            choose().say(note)
        for one in questions:
            if one.batch is None and output:
                say_what_is_written_over(one.request, session)
        if questions[0].labels:
            return begin_several(name, questions, session, at_once=at_once, limit=limit)
        only = questions[0]
        begun = begin(only.request, only.batch, only.context, session, at_once=at_once, limit=limit)
        return cast("BatchInferenceJob | Run", begun)

    return once(questions, filters * len(versions), session, name=name, wanted=reuse, start=start)


def _question(
    data: Given | Batch | str,
    version: SolutionVersion,
    chosen: Filter | None,
    session: Session,
    given: JobParameters,
    limit: InputLimits,
) -> JobQuestion:
    """Return what is asked of one model with one filter."""
    given = with_item_name(version, given)
    source = data if isinstance(data, str) else None
    batch = None if isinstance(data, str) else batch_for(data, version, chosen, given["filter_values"])
    request = request_for(version, source, chosen, session, given, JobRequest)
    context = request_context(version, batch, chosen)
    context = replace(context, names=names_of(INFERENCE), most_per_file=limit.max_records)
    return JobQuestion(request, batch, context)


def with_item_name(version: SolutionVersion, given: JobParameters) -> JobParameters:
    """Return the parameters of a job with the column of names that themes need."""
    if given.get("mode") != THEME_GENERATION:
        return given
    texts = text_columns(version)
    check_described(texts)
    return {**given, "item_name": name_column(version, given.get("item_name"), texts)}


def say_what_is_written_over(request: AnyRequest, session: Session) -> None:
    """Say which results of earlier jobs end with this one: output is named after the input, as on AWS."""
    try:
        files = output_files.output_files(session, request.output_path, request.input_path)
    except (errors.NotFoundError, errors.AccessError):
        return
    for file in files:
        choose().say(f"{file.address} is there already, of an earlier job with this input name, and is written over")


def shape_for(version: SolutionVersion) -> type[JobRequest] | type[SegmentRequest]:
    """Return the kind of request that the recipe of a model takes."""
    facts = recipes.recipe_of(version.recipe)
    return SegmentRequest if facts is not None and facts.segments else JobRequest


def request_for(
    version: SolutionVersion,
    source: str | None,
    chosen: Filter | None,
    session: Session,
    given: JobParameters,
    shape: type[AskedFor] = JobRequest,  # type: ignore[assignment]  # mypy has no defaults of type variables
) -> AskedFor:
    """Return the request for a model and a filter; name, folders and role are filled in where none is given.

    Parameters
    ----------
    source
        Where the input lies, or None for input that is uploaded to the job's own folder.
    given
        Parameters of `recommend`; the model, the filter and the data are looked for elsewhere.
    shape
        The kind of request.
    """
    check_types(given)
    name = given.get("job_name") or new_job_name(version.name)
    values: dict[str, Any] = {
        **given,
        "job_name": name,
        "solution_version": version.arn,
        # a token, so that two callers who take the same name never write over each other's input
        "data": source or session.location("jobs", name, "input", f"{secrets.token_hex(4)}.jsonl"),
        "output": given.get("output") or own_output(name, session),
        "role_arn": given.get("role_arn") or session.role(),
        "filter": chosen.arn if chosen else None,
    }
    rows = [row for row in parameters.sent(shape.job_kind).values() if row.name in values]
    return shape(**{row.attribute: row.kind.filled(values[row.name]) for row in rows})


def request_context(version: SolutionVersion, batch: Batch | None, chosen: Filter | None) -> RequestContext:
    """Return what is known of the world around a request for this model, input and filter."""
    facts = recipes.recipe_of(version.recipe)
    segments = facts is not None and facts.segments  # whose input is spread over files
    return RequestContext(
        recipe=version.recipe,
        region=version.session.region,
        kind=batch.kind if batch else None,
        records=len(batch) if batch else None,
        per_file=min(len(batch), most_records(SEGMENTS, facts)) if batch and segments else None,
        filter_targets=targets(chosen.expression) if chosen else frozenset(),
        required_values=chosen.required if chosen and batch else (),
        missing_values={name: batch.missing_values(name) for name in batch.placeholders} if batch else None,
    )


@public
@with_parameters(ThemeParameters)
def themes(
    data: Data | Batch,
    solution_version: SolutionVersion | str | Sequence[SolutionVersion | str],
    *,
    session: Session | None = None,
    **parameters: Unpack[ThemeParameters],
) -> BatchInferenceJob | Run:
    """Start a job that recommends similar items with a theme for each item in `data`.

    A job takes 100 items. More become a `Run`: jobs of 100 items, a few at a time, that come back as one frame.

    Parameters
    ----------
    data
        Items.
    solution_version
        One of the recipe `aws-similar-items`, trained on items with a textual column.
    session
        Where to work; by default the solution version's session, else that of `pnb.connect()`.
    **parameters
        As for `recommend`; `item_name`, the column of the items dataset that holds names, is looked up in its schema
        by default.

    Returns
    -------
    BatchInferenceJob or Run
        `.wait().themes(items=...)` reads it.

    Raises
    ------
    InputError
        Rows of the data cannot be used; nothing was sent.
    RequestError
        The request breaks rules, or the recipe makes no themes; nothing was sent.

    References
    ----------
    Amazon Personalize: CreateBatchInferenceJob with the mode `THEME_GENERATION`; "Batch recommendations with themes
    from Content Generator" of its developer guide.

    Examples
    --------
    >>> import personalize_nb as pnb
    >>> job = pnb.themes(["b0102", "b0103"], "shelves", num_results=12)
    >>> sorted(set(job.wait(progress=False).themes(minimum_items=2)["item_id"]))
    ['b0102', 'b0103']
    """
    return recommend(data, solution_version, mode=THEME_GENERATION, session=session, **parameters)


def check_mode(mode: str, version: SolutionVersion) -> None:
    """Name the wrong recipe before the data is judged by it: items have no column `user_id`."""
    facts = recipes.recipe_of(version.recipe)
    if facts is not None and not facts.batch:
        raise errors.RequestError([no_batch(facts)])
    if mode == THEME_GENERATION and facts is not None and not facts.themes:
        raise errors.RequestError([no_themes(facts.name)])
