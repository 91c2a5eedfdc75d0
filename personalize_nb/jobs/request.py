"""A job request as a value, and every rule of the API about it in one pure function.

There is one for each kind of jobs: `JobRequest` asks for items, `SegmentRequest` for users. The form fills one,
`problems(request)` checks it, `start(request)` sends it, the receipt prints it as the
Python call that repeats it.
"""

from __future__ import annotations

import numbers
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar, Self, TypeAlias

from personalize_nb import errors
from personalize_nb.contract import limits, parameters, recipes, releases
from personalize_nb.contract.job_kinds import INFERENCE, SEGMENTS, JobKind
from personalize_nb.contract.parameters import BATCH_INFERENCE, BATCH_SEGMENT, THEME_GENERATION, Parameter
from personalize_nb.errors import ERROR, WARNING, Problem
from personalize_nb.jobs.arguments import check_names
from personalize_nb.jobs.unfit import no_batch, no_segments, no_themes
from personalize_nb.text.public import public
from personalize_nb.text.redact import redact
from personalize_nb.text.values import python

KIND_OF_KEYS = {
    ("userId",): "users",
    ("itemId",): "items",
    ("userId", "itemList"): "rankings",
    ("itemAttributes",): "queries",
}


@dataclass(frozen=True, repr=False)
class BatchRequest:
    """What requests of both kinds have."""

    job_kind: ClassVar[JobKind]

    job_name: str
    solution_version_arn: str
    input_path: str
    output_path: str
    role_arn: str
    filter_arn: str | None = None
    num_results: int | None = None

    def replace(self, **changes: Any) -> Self:
        """Return a copy with some fields changed."""
        check_names(changes, f"{type(self).__name__}.replace", [one.name for one in fields(self)])
        return replace(self, **changes)

    def to_api(self) -> dict[str, Any]:
        """Return the parameters as boto3's method takes them; what is not set is left out.

        Raises
        ------
        RequestError
            A field is of a type that the API does not take.
        """
        if wrong := _misfits(self):
            raise errors.RequestError(wrong)
        wanted: dict[str, Any] = {}
        for row, value in (one for one in rows_of(self) if one[0].required or one[0].is_set(one[1])):
            row.put(wanted, value)
        return wanted

    @classmethod
    def from_api(cls, described: Mapping[str, Any]) -> Self:
        """Return the request behind a description of its job (which holds no tags) or behind `to_api`."""
        try:
            values = {name: row.taken(described) for name, row in parameters.sent(cls.job_kind).items()}
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            why = f"it has no {error}" if isinstance(error, KeyError) else error
            told = f"No request of a {cls.job_kind.noun} can be read from {errors.received(described)}: {why}."
            raise errors.RequestError([Problem("request", told)]) from error
        return cls(**{name: value for name, value in values.items() if value is not None})

    def __repr__(self) -> str:
        """Return what is set as code, account, bucket and role masked: reprs are shared, `to_code` is run."""
        return redact(f"{type(self).__name__}({', '.join(self._set())})")

    def to_code(self) -> str:
        """Return the Python call that starts the same job; fields at their defaults are left out."""
        lines = [f"        {one}," for one in self._set()]
        return "\n".join(["pnb.start(", f"    pnb.{type(self).__name__}(", *lines, "    )", ")"])

    def _set(self) -> list[str]:
        return [f"{row.attribute}={python(value)!r}" for row, value in rows_of(self) if row.is_set(value)]


@public
@dataclass(frozen=True, repr=False)
class JobRequest(BatchRequest):
    """Every parameter of CreateBatchInferenceJob.

    Parameters
    ----------
    job_name
        1 to 63 letters, digits, `-` and `_`; used once and never again in an account and region.
    solution_version_arn
        The trained model.
    input_path, output_path
        `s3://` addresses: a file, or a folder ending in `/`; and the folder for the output.
    role_arn
        The service role.
    filter_arn
        One filter for the whole job; values of its placeholders come with each record.
    num_results
        Items per record; the service's default is 25.
    exploration_weight, exploration_item_age_cut_off
        `itemExplorationConfig`: 0 to 1, and days (at least 1); for `aws-user-personalization` only.
    ranking_influence
        `POPULARITY` and `FRESHNESS`, each 0 to 1; for `aws-semantic-similarity`.
    mode
        `BATCH_INFERENCE` or `THEME_GENERATION`.
    item_name
        For themes: the column of the items dataset that holds the items' names.
    input_kms_key_arn, output_kms_key_arn
        Keys that the input is encrypted under, also when it is uploaded, and that encrypt the output.
    tags
        Up to 50 tags.
    """

    job_kind = INFERENCE

    exploration_weight: float | None = None
    exploration_item_age_cut_off: float | None = None
    ranking_influence: Mapping[str, float] = field(default_factory=dict)
    mode: str = BATCH_INFERENCE
    item_name: str | None = None
    input_kms_key_arn: str | None = None
    output_kms_key_arn: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


@public
@dataclass(frozen=True, repr=False)
class SegmentRequest(BatchRequest):
    """Every parameter of CreateBatchSegmentJob.

    Parameters
    ----------
    job_name, solution_version_arn, input_path, output_path, role_arn
        As for `JobRequest`; the input holds items, or attributes of items.
    filter_arn
        One filter on users for the whole job; values of its placeholders come with each record.
    num_results
        Users per record, at most 5 million; the service's default is 25.
    input_kms_key_arn, output_kms_key_arn, tags
        As for `JobRequest`.
    """

    job_kind = SEGMENTS
    mode: ClassVar[str] = BATCH_SEGMENT  # it has no other

    input_kms_key_arn: str | None = None
    output_kms_key_arn: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


AnyRequest: TypeAlias = JobRequest | SegmentRequest


def rows_of(request: BatchRequest) -> list[tuple[Parameter, Any]]:
    """Return what the table of parameters says of each field of a request, with the field's value."""
    sent = parameters.sent(request.job_kind)
    return [(sent[one.name], getattr(request, one.name)) for one in fields(request)]


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
    if _misfits(request):  # the rules that follow read what is there
        return [context.called(problem) for problem in _values(request)]
    own = (_mode(request), _themes(request, context)) if isinstance(request, JobRequest) else ()
    broken = (_values(request), _paths(request, context), _most_results(request), *own, _fit(request, context))
    return [context.called(problem) for problems_of_kind in broken for problem in problems_of_kind]


def errors_of(problems: list[Problem]) -> list[Problem]:
    """Return the problems that forbid sending a request."""
    return [problem for problem in problems if problem.level == ERROR]


def _misfits(request: BatchRequest) -> list[Problem]:
    """Return the problems of values of a type of which no request can be made."""
    return [Problem(row.attribute, text) for row, value in rows_of(request) if (text := row.misfit(value))]


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
