"""Every rule of the API about a request, and of what is known around it, in one pure function."""

from __future__ import annotations

import numbers
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from personalize_nb import errors
from personalize_nb.contract import limits, recipes, releases
from personalize_nb.contract.job_kinds import SEGMENTS, JobKind
from personalize_nb.contract.parameters import THEME_GENERATION
from personalize_nb.errors import ERROR, WARNING, Problem
from personalize_nb.jobs.request import KIND_OF_KEYS, AnyRequest, JobRequest, SegmentRequest, misfits, rows_of
from personalize_nb.jobs.unfit import no_batch, no_segments, no_themes
from personalize_nb.text.public import public


@dataclass(frozen=True)
class RequestContext:
    """What is known of the world around a request; None where it is not.

    Parameters
    ----------
    recipe
        The recipe's name.
    region
        Where the job would run.
    kind
        `users`, `items`, `rankings` or `queries`: what the input holds.
    records
        Lines of input.
    per_file
        Lines of each file, where the input is spread over several.
    most_per_file
        The most lines that a file may have, where the account's quota is not the usual one.
    required_values
        Placeholders that every record must fill.
    missing_values
        Records without a value, by placeholder; those not named have no value at all.
    filter_targets
        What the filter chooses: `items`, `users` or `actions`; empty where there is none or it is not known.
    input_listed
        Whether it was looked at what lies at `input_path`, so that nothing has to be guessed from its name.
    names
        What fields are called where the request was made, if not as in the request.
    """

    recipe: str | None = None
    region: str | None = None
    kind: str | None = None
    records: int | None = None
    per_file: int | None = None
    most_per_file: int | None = None
    required_values: tuple[str, ...] = ()
    missing_values: Mapping[str, int] | None = None
    filter_targets: frozenset[str] = frozenset()
    input_listed: bool = False
    names: Mapping[str, str] = field(default_factory=dict)

    def called(self, problem: Problem) -> Problem:
        """Return a problem with the fields called as its reader knows them."""
        text = problem.text
        for name, argument in self.names.items():
            text = text.replace(f"'{name}'", f"'{argument}'")
        return replace(problem, text=text)


@public
def problems(request: AnyRequest, context: RequestContext | None = None) -> list[Problem]:
    """Return every rule of the API that the request breaks, errors and warnings, without asking the service.

    Parameters
    ----------
    request
        The request.
    context
        What is known of recipe, region and input; more is checked then.

    Returns
    -------
    list of Problem
        Errors and warnings; empty where nothing is wrong.

    References
    ----------
    Amazon Personalize: what CreateBatchInferenceJob and CreateBatchSegmentJob refuse.

    Examples
    --------
    >>> import personalize_nb as pnb
    >>> request = pnb.JobRequest("a b", "x", "s3://b/in.jsonl", "s3://b/out/", "r")
    >>> [problem.field for problem in pnb.problems(request)]
    ['job_name', 'solution_version_arn', 'role_arn']
    """
    if not isinstance(request, JobRequest | SegmentRequest):
        raise errors.ArgumentError(
            f"'request' must be a pnb.JobRequest or a pnb.SegmentRequest, got {errors.received(request)}"
        )
    context = context or RequestContext()
    if misfits(request):  # the rules that follow read what is there
        return [context.called(problem) for problem in _values(request)]
    own = (_mode(request), _themes(request, context)) if isinstance(request, JobRequest) else ()
    broken = (_values(request), _paths(request, context), _most_results(request), *own, _fit(request, context))
    return [context.called(problem) for problems_of_kind in broken for problem in problems_of_kind]


def errors_of(problems: list[Problem]) -> list[Problem]:
    """Return the problems that forbid sending a request."""
    return [problem for problem in problems if problem.level == ERROR]


def _values(request: AnyRequest) -> Iterator[Problem]:
    """Every value by itself."""
    operation = f"Create{request.job_kind.operations}"
    for row, value in rows_of(request):
        if wrong := row.misfit(value):
            yield Problem(row.attribute, wrong)
        elif row.is_set(value) and row.member and (newer := releases.lacking(operation, row.member)):
            yield Problem(row.attribute, f"'{row.attribute}' {newer}.")
        elif row.required or row.default is not None or not row.kind.is_empty(value):
            for text in row.kind.problems(row.attribute, value):
                yield Problem(row.attribute, text)


def _paths(request: AnyRequest, context: RequestContext) -> Iterator[Problem]:
    source, target = request.input_path, request.output_path
    if source.rstrip("/") == target.rstrip("/"):
        yield Problem("output_path", f"'output_path' must differ from 'input_path', both are {source!r}.")
    elif source.endswith("/") and target.startswith(source):
        text = f"The output {target!r} lies inside the input folder {source!r}; the next job would read it as input."
        yield Problem("output_path", text, WARNING)
    if not target.endswith("/"):
        yield Problem("output_path", f"'output_path' should end with '/', got {target!r}.", WARNING)
    if not context.input_listed and not source.endswith("/") and "." not in source.rsplit("/", 1)[-1]:
        text = f"{source!r} takes every object whose key begins so; end it with '/' to take that folder only."
        yield Problem("input_path", text, WARNING)


def _most_results(request: AnyRequest) -> Iterator[Problem]:
    count = request.num_results
    if not isinstance(count, numbers.Integral):
        return
    if isinstance(request, SegmentRequest):
        if count > limits.MAX_SEGMENT_USERS:
            text = f"'num_results' may be at most {limits.MAX_SEGMENT_USERS:,} users for each line, got {count:,}."
            yield Problem("num_results", text)
    elif count > limits.MAX_REALTIME_RESULTS:
        most = limits.MAX_REALTIME_RESULTS
        text = f"'num_results' over {most}, the limit in real time, is not documented for batch jobs, got {count}."
        yield Problem("num_results", text, WARNING)


def _mode(request: JobRequest) -> Iterator[Problem]:
    if request.mode == THEME_GENERATION and not request.item_name:
        yield Problem(
            "item_name", "Themes need 'item_name', the column of the items dataset that holds the items' names."
        )
    for row, value in rows_of(request):
        if row.mode is not None and row.mode != request.mode and row.is_set(value):
            text = f"'{row.attribute}' is for mode {row.mode}, got mode {request.mode!r}."
            yield Problem(row.attribute, text)


def _themes(request: JobRequest, known: RequestContext) -> Iterator[Problem]:
    """Judge what themes need of recipe, region and input."""
    if request.mode != THEME_GENERATION:
        return
    facts = recipes.recipe_of(known.recipe) if known.recipe else None
    if facts is not None and not facts.themes:
        yield no_themes(facts.name)
    if known.region and known.region not in limits.THEME_REGIONS:
        yield Problem(
            "mode", f"Themes are offered in {', '.join(limits.THEME_REGIONS)}, this session is in {known.region}."
        )


def _fit(request: AnyRequest, known: RequestContext) -> Iterator[Problem]:
    facts = recipes.recipe_of(known.recipe) if known.recipe else None
    if facts is not None:
        yield from _recipe_fit(request, facts, known.kind)
    in_file = known.per_file or known.records
    themes = isinstance(request, JobRequest) and request.mode == THEME_GENERATION
    most = known.most_per_file or (
        limits.MAX_THEME_RECORDS_PER_FILE if themes else most_records(request.job_kind, facts)
    )
    if in_file is not None and in_file > most:
        text = f"A file holds at most {most:,} records, got {in_file:,}"
        if themes:
            text = f"A theme job takes at most {most:,} items per file, got {in_file:,}"
        if isinstance(request, JobRequest):
            text += f"; pnb.{'themes(items' if themes else 'recommend(ids'}, model) splits them into jobs"
        yield Problem("input_path", f"{text}.")
    if request.job_kind == SEGMENTS and known.records and known.per_file:
        files, most = -(-known.records // known.per_file), limits.MAX_INPUT_FILES
        if files > most:
            text = f"A job takes at most {most:,} files of {known.per_file:,} records, got {known.records:,} records."
            yield Problem("input_path", text)
    if known.filter_targets and (wrong := known.filter_targets - {request.job_kind.filtered}):
        text = f"A {request.job_kind.noun} takes filters on {request.job_kind.filtered}, this one is on {min(wrong)}."
        yield Problem("filter_arn", text)
    if known.missing_values is not None:
        yield from _filter_values(known.required_values, known.missing_values, known.records or 0)


def most_records(kind: JobKind, facts: recipes.Recipe | None) -> int:
    """Return how many records a file of input may have, themes apart."""
    if kind != SEGMENTS:
        return limits.MAX_RECORDS_PER_FILE
    by_attributes = facts is not None and facts.by_attributes
    return limits.MAX_ATTRIBUTE_SEGMENTS_PER_FILE if by_attributes else limits.MAX_ITEM_SEGMENTS_PER_FILE


def _filter_values(required: tuple[str, ...], missing: Mapping[str, int], records: int) -> Iterator[Problem]:
    for name in required:
        absent = missing.get(name)
        if absent is None:
            give = f"filter_values={{{name!r}: [...]}}, or a column {name!r} in the frame"
            yield Problem("filter_values", f"The filter needs values for ${name}: {give}.")
        elif absent:
            yield Problem(
                "filter_values",
                f"{absent:,} of {records:,} records have no value for the filter's ${name}: fill or leave them out.",
            )


def _recipe_fit(request: AnyRequest, facts: recipes.Recipe, kind: str | None) -> Iterator[Problem]:
    segments = isinstance(request, SegmentRequest)
    if segments and not facts.segments:
        yield no_segments(facts)
    elif not segments and not facts.batch:
        yield no_batch(facts)
    wanted = KIND_OF_KEYS.get(facts.input_keys)
    if kind is not None and wanted is not None and kind != wanted:
        yield Problem(
            "input_path", f"{facts.name} takes {wanted} ({', '.join(facts.input_keys)}), the input holds {kind}."
        )
    if request.num_results is not None and facts.ranks_lists:
        text = f"'num_results' has no effect: {facts.name} answers with the whole list of each line, in another order."
        yield Problem("num_results", text, WARNING)
    yield from _needs(request, facts)


def _needs(request: AnyRequest, facts: recipes.Recipe) -> Iterator[Problem]:
    """One problem for each need that the recipe does not meet, though several parameters have it."""
    asked = {row.need for row, value in rows_of(request) if row.need is not None and row.is_set(value)}
    unmet = {need for need in asked if not need.met(facts)}
    for row, _ in rows_of(request):
        if row.need is not None and row.need in unmet:
            unmet.remove(row.need)
            text = row.need.refused(facts.name, row.attribute)
            yield Problem(row.attribute, text, ERROR if row.need.forbids else WARNING)
