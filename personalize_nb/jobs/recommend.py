"""The one-liners: `recommend` and `themes` take ids to a started job.

They choose what the recipe takes, check it, name the job, give it a folder of its own, upload and start.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Unpack

from personalize_nb import errors
from personalize_nb.contract import columns, limits, parameters, recipes
from personalize_nb.contract.parameters import BATCH_INFERENCE, THEME_GENERATION
from personalize_nb.errors import Problem
from personalize_nb.inputs.batch import KEYS, Batch, make_batch
from personalize_nb.inputs.filter_columns import named_column
from personalize_nb.inputs.forms import given
from personalize_nb.inputs.key_columns import frame as as_frame
from personalize_nb.jobs import costs
from personalize_nb.jobs.arguments import JobParameters, ThemeParameters, job_parameters, with_parameters
from personalize_nb.jobs.job import BatchInferenceJob, check_name, new_job_name, refuse, start
from personalize_nb.jobs.request import KIND_OF_KEYS, JobRequest, RequestContext, no_batch, no_themes
from personalize_nb.jobs.run import Run
from personalize_nb.jobs.runs import start_run
from personalize_nb.resources import estimate
from personalize_nb.resources.filters import Filter, find_filter
from personalize_nb.resources.solutions import SolutionVersion, find_solution_version
from personalize_nb.results import output_files
from personalize_nb.session import s3, waiting
from personalize_nb.session.connection import current
from personalize_nb.session.progress import choose
from personalize_nb.session.session import Session

if TYPE_CHECKING:
    from personalize_nb.inputs.filter_columns import FilterValues
    from personalize_nb.inputs.forms import Data
    from personalize_nb.inputs.given import Given

    Texts = Mapping[str, bool]


def recommend(
    data: Data | Batch,
    solution_version: SolutionVersion | str,
    *,
    num_results: int | None = None,
    filter: Filter | str | None = None,
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
    max_cost: float | None = None,
    session: Session | None = None,
) -> BatchInferenceJob | Run:
    """Start a batch inference job for the ids in `data` and return it; nothing is waited for.

    Themes for more than 100 items become a run: as many jobs as are needed, with the face of one.

    Parameters
    ----------
    data
        What the recipe takes, as a frame, list or file: users (`user_id`), items (`item_id`), or users with items to
        rank (`user_id`, `item_id`); or a checked batch of `pnb.users`, `pnb.items`, `pnb.rankings`; or the `s3://`
        address of input that lies there already.
    solution_version
        What `pnb.train` returned, a solution's name (its newest ACTIVE version), or an ARN.
    num_results
        Items per record; the service's default is 25.
    filter
        A filter, its name or its ARN.
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
    max_cost
        The most it may cost by `session.rates`, all jobs together; what would cost more is not started.
    session
        Where to work; by default the solution version's session, else that of `pnb.connect()`.

    Raises
    ------
    InputError
        Rows of the data cannot be used; nothing was sent.
    RequestError
        The request breaks rules; `.problems` lists all of them; nothing was sent.

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
    session = current(session or getattr(solution_version, "session", None))
    version = find_solution_version(solution_version, session)
    _check_mode(mode, version)
    if mode == THEME_GENERATION:
        texts = text_columns(version)
        _check_described(texts)
        given["item_name"] = name_column(version, item_name, texts)
    chosen = find_filter(filter, session) if filter is not None else None
    source = data if isinstance(data, str) and s3.is_s3(data) else None
    batch = None if source else batch_for(data, version, chosen, filter_values)
    request = request_for(version, source, chosen, session, given)
    for note in batch.notes if batch else ():
        choose().say(note)
    if source and output:
        _say_what_is_written_over(request, session)
    names = {row.attribute: row.name for row in parameters.sent().values()}
    context = replace(request_context(version, batch, chosen), names=names)
    return begin(request, batch, context, session, at_once=at_once, max_cost=max_cost)


def _say_what_is_written_over(request: JobRequest, session: Session) -> None:
    """Say which results of earlier jobs end with this one: output is named after the input, as on AWS."""
    try:
        files = output_files.output_files(session, request.output_path, request.input_path)
    except (errors.NotFoundError, errors.AccessError):
        return
    for file in files:
        choose().say(f"{file.address} is there already, of an earlier job with this input name, and is written over")


def makes_run(request: JobRequest, batch: Batch | None) -> bool:
    """Tell whether a request takes several jobs: one for themes takes 100 items."""
    themes = request.mode == THEME_GENERATION
    return themes and batch is not None and len(batch) > limits.MAX_THEME_RECORDS_PER_FILE


def begin(
    request: JobRequest,
    batch: Batch | None,
    context: RequestContext,
    session: Session,
    *,
    at_once: int = limits.MAX_JOBS_IN_PROGRESS,
    max_cost: float | None = None,
) -> BatchInferenceJob | Run:
    """Start what a request asks for: one job, or a run of several; parameters as for `submit` and `recommend`."""
    if max_cost is not None:
        estimate.refuse(costs.of_request(request, batch, context.recipe, session), max_cost)
    if batch is None or not makes_run(request, batch):
        return submit(request, batch, context, session)
    name, output = request.job_name, request.output_path
    if output == _own_output(name, session):
        output = session.location("runs", name, "output") + "/"
    else:
        output = "/".join((output.rstrip("/"), name, "output", ""))
    return start_run(request.replace(output_path=output), batch, context, session, at_once=at_once)


def _own_output(name: str, session: Session) -> str:
    return session.location("jobs", name, "output") + "/"


def request_for(
    version: SolutionVersion, source: str | None, chosen: Filter | None, session: Session, given: JobParameters
) -> JobRequest:
    """Return the request for a model and a filter; name, folders and role are filled in where none is given.

    Parameters
    ----------
    source
        Where the input lies, or None for input that is uploaded to the job's own folder.
    given
        Parameters of `recommend`; the model, the filter and the data are looked for elsewhere.
    """
    name = given.get("job_name") or new_job_name(version.name)
    values: dict[str, Any] = {
        **given,
        "job_name": name,
        "solution_version": version.arn,
        # a token, so that two callers who take the same name never write over each other's input
        "data": source or session.location("jobs", name, "input", f"{secrets.token_hex(4)}.jsonl"),
        "output": given.get("output") or _own_output(name, session),
        "role_arn": given.get("role_arn") or session.role(),
        "filter": chosen.arn if chosen else None,
    }
    rows = [row for row in parameters.sent().values() if row.name in values]
    for row in rows:
        value, example = values[row.name], row.kind.example
        if example and value is not None and not isinstance(value, Mapping):
            text = f"{row.name!r} must be a mapping such as {example}, got {value!r}."
            raise errors.RequestError([Problem(row.attribute, text)])
    return JobRequest(**{row.attribute: row.kind.filled(values[row.name]) for row in rows})


def request_context(version: SolutionVersion, batch: Batch | None, chosen: Filter | None) -> RequestContext:
    """Return what is known of the world around a request for this model, input and filter."""
    return RequestContext(
        recipe=version.recipe,
        region=version.session.region,
        kind=batch.kind if batch else None,
        records=len(batch) if batch else None,
        required_values=chosen.required if chosen and batch else (),
        missing_values={name: batch.missing_values(name) for name in batch.placeholders} if batch else None,
    )


def submit(request: JobRequest, batch: Batch | None, context: RequestContext, session: Session) -> BatchInferenceJob:
    """Check a request, upload its input and start it; a refused job leaves nothing behind.

    Parameters
    ----------
    request
        The request; its input is written to `input_path`.
    batch
        The input, or None where it lies at `input_path` already.
    context
        What is known of the world around the request.
    session
        Where to work.
    """
    if batch is None:
        return start(request, context=context, session=session)
    refuse(request, context)
    check_name(request.job_name, session)
    batch.upload(session, request.input_path, request.input_kms_key_arn)
    try:
        return start(request, context=context, session=session)
    except errors.PersonalizeError as error:
        if waiting.passing(error):  # an answer was lost, and whether it was carried out could not be looked up
            error.add(f"Whether the job was started is not known: pnb.attach({request.job_name!r}) tells it.")
        else:
            s3.delete(session, [request.input_path])  # nothing half done stays behind
        raise


@with_parameters(ThemeParameters)
def themes(
    data: Data | Batch,
    solution_version: SolutionVersion | str,
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
    """
    session = current(session or getattr(solution_version, "session", None))
    version = find_solution_version(solution_version, session)
    _check_mode(THEME_GENERATION, version)
    return recommend(data, version, mode=THEME_GENERATION, session=session, **parameters)


def _check_mode(mode: str, version: SolutionVersion) -> None:
    """Name the wrong recipe before the data is judged by it: items have no column `user_id`."""
    facts = recipes.recipe_of(version.recipe)
    if facts is not None and not facts.batch:
        raise errors.RequestError([no_batch(facts)])
    if mode == THEME_GENERATION and facts is not None and not facts.themes:
        raise errors.RequestError([no_themes(facts.name)])


def _check_described(texts: Texts) -> None:
    """Refuse themes of items that nothing describes, which a job would find out after its start."""
    if not any(texts.values()):
        there = f"its text columns are {', '.join(texts)}" if texts else "it has no text column"
        text = (
            f"Themes are made of descriptions, and the items dataset has no textual column; {there}. Train again with "
            "such a column: pnb.train(..., items, textual='...')."
        )
        raise errors.RequestError([Problem("mode", text)])


def batch_for(
    data: Data | Given | Batch,
    version: SolutionVersion,
    chosen: Filter | None = None,
    values: FilterValues | None = None,
) -> Batch:
    """Return the checked batch that the recipe of a solution version takes, with values for a filter."""
    facts = recipes.recipe_of(version.recipe)
    if facts is not None and not facts.batch:
        raise errors.RequestError([no_batch(facts)])
    numbers = chosen.numbers if chosen is not None else ()
    if isinstance(data, Batch):
        return data.fit(values, numbers)
    kind = KIND_OF_KEYS.get(facts.input_keys if facts else ("userId",))
    read = given(data)  # once: of a generator or an open file nothing is left the second time
    if kind is None:
        return make_batch("users", read, values, numbers)
    return make_batch(kind, read, _values(read, chosen, values, KEYS[kind][0]), numbers)


def _values(data: Given, chosen: Filter | None, values: FilterValues | None, key: str) -> FilterValues | None:
    """Return values for every placeholder of the filter: the ones given, else the frame's column of that name."""
    if chosen is None:
        if values:
            raise errors.InputError(f"'filter_values' need a filter: pass filter=... as well, got {values!r} alone.")
        return values
    if values is not None and not isinstance(values, Mapping):
        return values
    any_case = {name.lower(): name for name in chosen.placeholders}
    named = {
        name if name in chosen.placeholders else any_case.get(str(name).lower(), name): value
        for name, value in (values or {}).items()
    }
    unknown = [name for name in named if name not in chosen.placeholders]
    if unknown:
        raise errors.InputError(
            f"Filter {chosen.name!r} has no placeholder {unknown}; it has {list(chosen.placeholders)}: "
            f"{chosen.expression}"
        )
    frame = as_frame(data, key)
    found = {name: named_column(frame, name) for name in chosen.placeholders if name not in named}
    return {**{name: column for name, column in found.items() if column is not None}, **named} or None


def name_column(version: SolutionVersion, wanted: str | None = None, texts: Texts | None = None) -> str:
    """Return the column of item names in the schema of the version's items dataset.

    Parameters
    ----------
    version
        A solution version that themes can be made with.
    wanted
        The column, in any case; by default the one whose name says that it holds names.
    texts
        What `text_columns` returned, where it is known already.

    Raises
    ------
    NotFoundError
        There is no such column.
    """
    texts = text_columns(version) if texts is None else texts
    if wanted is not None:
        named = [name for name in texts if name.lower() == str(wanted).lower()]
        told = f"'item_name' must be a text column of the items, one of {list(texts)}, got {wanted!r}."
    else:
        plain = [name for name, textual in texts.items() if not textual]
        named = [name for name in plain if name.lower() in columns.NAME_COLUMNS]
        told = f"No column of item names was found among {plain}; pass item_name='...'."
    if not named:
        raise errors.NotFoundError(told)
    return named[0]


def text_columns(version: SolutionVersion) -> Texts:
    """Return the text columns of the version's items dataset, each with whether it is the textual one."""
    session = version.session
    datasets = session.pages("list_datasets", "datasets", datasetGroupArn=version.dataset_group_arn)
    arn = next((entry["datasetArn"] for entry in datasets if entry["datasetType"].upper() == "ITEMS"), None)
    if arn is None:
        raise errors.NotFoundError(
            "Themes need an items dataset with names and a textual column: pnb.train(..., items)."
        )
    schema_arn = session.call("describe_dataset", datasetArn=arn)["dataset"]["schemaArn"]
    schema = json.loads(session.call("describe_schema", schemaArn=schema_arn)["schema"]["schema"])
    return {
        one["name"]: bool(one.get("textual"))
        for one in schema["fields"]
        if "string" in one["type"] and one["name"] != "ITEM_ID"
    }
