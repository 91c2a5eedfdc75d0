"""A job request as a value, and every rule of the API about it in one pure function.

The form fills a `JobRequest`, `problems(request)` checks it, `start(request)` sends it, the receipt prints it as the
Python call that repeats it.
"""

from __future__ import annotations

import numbers
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from personalize_nb.contract import limits, recipes

BATCH_INFERENCE, THEME_GENERATION = "BATCH_INFERENCE", "THEME_GENERATION"
INFLUENCES = ("POPULARITY", "FRESHNESS")
KIND_OF_KEYS = {("userId",): "users", ("itemId",): "items", ("userId", "itemList"): "rankings"}

ERROR, WARNING = "error", "warning"


@dataclass(frozen=True)
class Problem:
    """One rule that a request breaks: the field, and a sentence with what is legal and what was given."""

    field: str
    text: str
    level: str = ERROR

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class JobRequest:
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
        Keys that decrypt the input and encrypt the output.
    tags
        Up to 50 tags.
    """

    job_name: str
    solution_version_arn: str
    input_path: str
    output_path: str
    role_arn: str
    filter_arn: str | None = None
    num_results: int | None = None
    exploration_weight: float | None = None
    exploration_item_age_cut_off: float | None = None
    ranking_influence: Mapping[str, float] = field(default_factory=dict)
    mode: str = BATCH_INFERENCE
    item_name: str | None = None
    input_kms_key_arn: str | None = None
    output_kms_key_arn: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    def replace(self, **changes: Any) -> JobRequest:
        """Return a copy with some fields changed."""
        return replace(self, **changes)

    def to_api(self) -> dict[str, Any]:
        """Return the parameters as boto3's `create_batch_inference_job` takes them; what is not set is left out."""
        exploration = {
            "explorationWeight": _plain(self.exploration_weight),
            "explorationItemAgeCutOff": _plain(self.exploration_item_age_cut_off),
        }
        config = {
            "itemExplorationConfig": {key: value for key, value in exploration.items() if value is not None},
            "rankingInfluence": {key: float(value) for key, value in self.ranking_influence.items()},
        }
        wanted = {
            "jobName": self.job_name,
            "solutionVersionArn": self.solution_version_arn,
            "filterArn": self.filter_arn,
            "numResults": None if self.num_results is None else int(self.num_results),
            "jobInput": {"s3DataSource": _location(self.input_path, self.input_kms_key_arn)},
            "jobOutput": {"s3DataDestination": _location(self.output_path, self.output_kms_key_arn)},
            "roleArn": self.role_arn,
            "batchInferenceJobConfig": {key: value for key, value in config.items() if value},
            "batchInferenceJobMode": None if self.mode == BATCH_INFERENCE else self.mode,
            "themeGenerationConfig": {"fieldsForThemeGeneration": {"itemName": self.item_name}}
            if self.item_name
            else None,
            "tags": [{"tagKey": key, "tagValue": value} for key, value in self.tags.items()],
        }
        return {key: value for key, value in wanted.items() if value not in (None, {}, [])}

    @classmethod
    def from_api(cls, described: Mapping[str, Any]) -> JobRequest:
        """Return the request behind an answer of DescribeBatchInferenceJob (which holds no tags)."""
        source, target = described["jobInput"]["s3DataSource"], described["jobOutput"]["s3DataDestination"]
        config = described.get("batchInferenceJobConfig") or {}
        exploration = config.get("itemExplorationConfig") or {}
        theme_fields = (described.get("themeGenerationConfig") or {}).get("fieldsForThemeGeneration") or {}
        return cls(
            job_name=described["jobName"],
            solution_version_arn=described["solutionVersionArn"],
            input_path=source["path"],
            output_path=target["path"],
            role_arn=described["roleArn"],
            filter_arn=described.get("filterArn"),
            num_results=described.get("numResults"),
            exploration_weight=_number(exploration.get("explorationWeight")),
            exploration_item_age_cut_off=_number(exploration.get("explorationItemAgeCutOff")),
            ranking_influence=dict(config.get("rankingInfluence") or {}),
            mode=described.get("batchInferenceJobMode") or BATCH_INFERENCE,
            item_name=theme_fields.get("itemName"),
            input_kms_key_arn=source.get("kmsKeyArn"),
            output_kms_key_arn=target.get("kmsKeyArn"),
        )

    def to_code(self) -> str:
        """Return the Python call that starts the same job; fields at their defaults are left out."""
        defaults = JobRequest("", "", "", "", "")
        lines = [
            f"        {one.name}={_python(getattr(self, one.name))!r},"
            for one in fields(self)
            if getattr(self, one.name) != getattr(defaults, one.name)
        ]
        return "\n".join(["pnb.start(", "    pnb.JobRequest(", *lines, "    )", ")"])


@dataclass(frozen=True)
class Context:
    """What is known of the world around a request; None where it is not.

    Parameters
    ----------
    recipe
        The recipe's name.
    region
        Where the job would run.
    kind
        `users`, `items` or `rankings`: what the input holds.
    records
        Lines of input.
    per_file
        Lines of each file, where the input is spread over several.
    required_values
        Placeholders that every record must fill.
    missing_values
        Records without a value, by placeholder; those not named have no value at all.
    names
        What fields are called where the request was made, if not as in `JobRequest`.
    """

    recipe: str | None = None
    region: str | None = None
    kind: str | None = None
    records: int | None = None
    per_file: int | None = None
    required_values: tuple[str, ...] = ()
    missing_values: Mapping[str, int] | None = None
    names: Mapping[str, str] = field(default_factory=dict)

    def called(self, problem: Problem) -> Problem:
        """Return a problem with the fields called as its reader knows them."""
        text = problem.text
        for name, known in self.names.items():
            text = text.replace(f"'{name}'", f"'{known}'")
        return replace(problem, text=text)


def problems(request: JobRequest, context: Context | None = None) -> list[Problem]:
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
    known = context or Context()
    checks = (_names(request), _paths(request), _numbers(request), _mode(request), _tags(request), _fit(request, known))
    return [known.called(problem) for check in checks for problem in check]


def no_themes(recipe: str) -> Problem:
    """Return the problem of asking a recipe for themes that makes none."""
    return Problem("mode", f"Themes need a solution version of aws-similar-items, this one is {recipe}.")


def errors_of(found: list[Problem]) -> list[Problem]:
    """Return the problems that forbid sending a request."""
    return [problem for problem in found if problem.level == ERROR]


_ARNS = (
    ("solution_version_arn", "Arn", "arn:aws:personalize:<region>:<account>:solution/<name>/<version>"),
    ("role_arn", "RoleArn", "arn:aws:iam::<account>:role/<name>"),
    ("filter_arn", "Arn", "arn:aws:personalize:<region>:<account>:filter/<name>"),
    ("input_kms_key_arn", "KmsKeyArn", "arn:aws:kms:<region>:<account>:key/<id>"),
    ("output_kms_key_arn", "KmsKeyArn", "arn:aws:kms:<region>:<account>:key/<id>"),
)
_REQUIRED = {"solution_version_arn", "role_arn"}


def _names(request: JobRequest) -> Iterator[Problem]:
    if not limits.string_rule("Name").allows(request.job_name):
        yield Problem(
            "job_name",
            "'job_name' must have 1 to 63 letters, digits, '-' or '_' and begin with a letter or digit, got "
            f"{request.job_name!r}.",
        )
    for name, shape, form in _ARNS:
        value = getattr(request, name)
        if (value or name in _REQUIRED) and not limits.string_rule(shape).allows(value or ""):
            yield Problem(name, f"'{name}' must look like {form}, got {value!r}.")


def _paths(request: JobRequest) -> Iterator[Problem]:
    for name in ("input_path", "output_path"):
        value = getattr(request, name)
        if not limits.string_rule("S3Location").allows(value) or not re.match(r"s3://[^/]", value):
            longest = limits.string_rule("S3Location").max_length
            yield Problem(name, f"'{name}' must be s3://bucket/key with at most {longest} characters, got {value!r}.")
    source, target = request.input_path, request.output_path
    if source.rstrip("/") == target.rstrip("/"):
        yield Problem("output_path", f"'output_path' must differ from 'input_path', both are {source!r}.")
    elif source.endswith("/") and target.startswith(source):
        text = f"The output {target!r} lies inside the input folder {source!r}; the next job would read it as input."
        yield Problem("output_path", text, WARNING)
    if not target.endswith("/"):
        yield Problem("output_path", f"'output_path' should end with '/', got {target!r}.", WARNING)
    if not source.endswith("/") and "." not in source.rsplit("/", 1)[-1]:
        text = f"{source!r} takes every object whose key begins so; end it with '/' to take that folder only."
        yield Problem("input_path", text, WARNING)


def _numbers(request: JobRequest) -> Iterator[Problem]:
    count, most = request.num_results, limits.MAX_REALTIME_RESULTS
    if count is not None:
        if isinstance(count, bool) or not isinstance(count, numbers.Integral) or count < 1:
            yield Problem("num_results", f"'num_results' must be a whole number from 1, got {count!r}.")
        elif count > most:
            text = f"'num_results' over {most}, the limit in real time, is not documented for batch jobs, got {count}."
            yield Problem("num_results", text, WARNING)
    if request.exploration_weight is not None and not _within(request.exploration_weight, 0, 1):
        yield Problem(
            "exploration_weight", f"'exploration_weight' must be from 0 to 1, got {request.exploration_weight!r}."
        )
    days = request.exploration_item_age_cut_off
    if days is not None and not _within(days, 1, float("inf")):
        yield Problem(
            "exploration_item_age_cut_off", f"'exploration_item_age_cut_off' must be 1 day or more, got {days!r}."
        )
    for name, value in request.ranking_influence.items():
        if name not in INFLUENCES:
            yield Problem("ranking_influence", f"'ranking_influence' takes {' and '.join(INFLUENCES)}, got {name!r}.")
        elif not _within(value, 0, 1):
            yield Problem("ranking_influence", f"'ranking_influence' {name} must be from 0 to 1, got {value!r}.")


def _mode(request: JobRequest) -> Iterator[Problem]:
    modes = limits.string_rule("BatchInferenceJobMode").values
    if request.mode not in modes:
        yield Problem("mode", f"'mode' must be one of {', '.join(modes)}, got {request.mode!r}.")
    if request.mode == THEME_GENERATION and not request.item_name:
        yield Problem(
            "item_name", "Themes need 'item_name', the column of the items dataset that holds the items' names."
        )
    if request.item_name and request.mode != THEME_GENERATION:
        yield Problem("item_name", f"'item_name' is for mode {THEME_GENERATION}, got mode {request.mode!r}.")
    if request.item_name and not limits.string_rule("ColumnName").allows(request.item_name):
        yield Problem("item_name", f"'item_name' must be a column's name such as TITLE, got {request.item_name!r}.")


def _tags(request: JobRequest) -> Iterator[Problem]:
    if len(request.tags) > limits.MAX_TAGS:
        yield Problem("tags", f"A job has at most {limits.MAX_TAGS} tags, got {len(request.tags)}.")
    for key, value in request.tags.items():
        texts = isinstance(key, str) and isinstance(value, str)
        fit = texts and limits.string_rule("TagKey").allows(key) and limits.string_rule("TagValue").allows(value)
        if not fit or key.lower().startswith("aws:") or value.lower().startswith("aws:"):
            yield Problem(
                "tags",
                "A tag is text: a key of 1 to 128 and a value of up to 256 letters, digits, spaces and _.:/=+-@, not "
                f"beginning with 'aws:', got {key!r}: {value!r}.",
            )


def _fit(request: JobRequest, known: Context) -> Iterator[Problem]:
    themes = request.mode == THEME_GENERATION
    facts = recipes.recipe_of(known.recipe) if known.recipe else None
    if facts is not None:
        yield from _recipe_fit(request, facts, known.kind)
    if themes and known.region and known.region not in limits.THEME_REGIONS:
        yield Problem(
            "mode", f"Themes are offered in {', '.join(limits.THEME_REGIONS)}, this session is in {known.region}."
        )
    in_file = known.per_file or known.records
    if themes and in_file is not None and in_file > limits.MAX_THEME_RECORDS_PER_FILE:
        most = limits.MAX_THEME_RECORDS_PER_FILE
        yield Problem(
            "input_path",
            f"A theme job takes at most {most} items per file, got {in_file:,}; pnb.themes(items, model) splits them "
            "into jobs.",
        )
    if in_file is not None and in_file > limits.MAX_RECORDS_PER_FILE:
        yield Problem("input_path", f"A file holds at most {limits.MAX_RECORDS_PER_FILE:,} records, got {in_file:,}.")
    for name in known.required_values if known.missing_values is not None else ():
        absent = known.missing_values.get(name)
        if absent is None:
            give = f"filter_values={{{name!r}: [...]}}, or a column {name!r} in the frame"
            yield Problem("filter_values", f"The filter needs values for ${name}: {give}.")
        elif absent:
            yield Problem(
                "filter_values",
                f"{absent:,} of {known.records:,} records have no value for the filter's ${name}: fill them or "
                "leave them out.",
            )


def _recipe_fit(request: JobRequest, facts: recipes.Recipe, kind: str | None) -> Iterator[Problem]:
    if not facts.batch:
        yield Problem("solution_version_arn", f"Batch inference jobs do not work with the recipe {facts.name}.")
    wanted = KIND_OF_KEYS.get(facts.input_keys)
    if kind is not None and wanted is not None and kind != wanted:
        yield Problem(
            "input_path", f"{facts.name} takes {wanted} ({', '.join(facts.input_keys)}), the input holds {kind}."
        )
    if request.mode == THEME_GENERATION and not facts.themes:
        yield no_themes(facts.name)
    explored = request.exploration_weight is not None or request.exploration_item_age_cut_off is not None
    if explored and not facts.exploration:
        text = f"{facts.name} has no exploration settings, aws-user-personalization alone has: leave them out."
        yield Problem("exploration_weight", text)
    if request.num_results is not None and facts.type == "PERSONALIZED_RANKING":
        text = f"'num_results' has no effect: {facts.name} answers with the whole list of each line, in another order."
        yield Problem("num_results", text, WARNING)
    if request.ranking_influence and not facts.ranking_influence:
        text = f"'ranking_influence' is documented for aws-semantic-similarity, not for {facts.name}."
        yield Problem("ranking_influence", text, WARNING)


def _within(value: Any, low: float, high: float) -> bool:
    return not isinstance(value, bool) and isinstance(value, numbers.Real) and low <= value <= high


def _plain(number: float | None) -> str | None:
    """Return a number as the API's text: `0.3`, and `30` rather than `30.0`."""
    if number is None:
        return None
    return str(int(number)) if float(number).is_integer() else repr(float(number))


def _python(value: Any) -> Any:
    """Return a value whose repr is plain Python: `0.3`, not `np.float64(0.3)`."""
    if isinstance(value, Mapping):
        return {_python(key): _python(one) for key, one in value.items()}
    if isinstance(value, str):
        return str(value)
    return value.item() if hasattr(value, "item") else value


def _number(text: str | None) -> float | None:
    return None if text is None else float(text)


def _location(path: str, key: str | None) -> dict[str, str]:
    return {"path": path, "kmsKeyArn": key} if key else {"path": path}
