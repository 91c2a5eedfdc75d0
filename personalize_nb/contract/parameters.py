"""The parameters of a batch job, a row for each: whatever reads, checks, shows or sends one reads its row.

The rows stand in the order of the signature of `pnb.recommend`; a row says which kinds of jobs take it. `JobRequest`,
`SegmentRequest` and their rules, `preflight`, the job form, the printed call and the receipt walk over them; tests hold
them to that signature and to botocore's model.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from personalize_nb.contract import limits, recipes
from personalize_nb.contract.job_kinds import INFERENCE, JOB_KINDS, JobKind
from personalize_nb.contract.kinds import Arn, Choice, Kind, Location, Number, Tags, Text, Weights, WholeNumber

BATCH_INFERENCE, THEME_GENERATION = "BATCH_INFERENCE", "THEME_GENERATION"
# in lists of jobs, beside the modes; AWS has no word for it
BATCH_SEGMENT = "BATCH_SEGMENT"

MAIN, RANKING, DELIVERY = "", "Exploration and ranking influence", "Output, role, keys and tags"
PANELS = (MAIN, RANKING, DELIVERY)
_LAST = 99


@dataclass(frozen=True)
class Need:
    """What a recipe must have for a parameter to mean anything to it.

    Parameters
    ----------
    fact
        The member of the recipe's row that says whether it has.
    refusal
        What is said of a recipe that has not, of the parameter's name and of the recipes that have.
    forbids
        Whether the service refuses such a request; it takes no notice of the parameter otherwise.
    """

    fact: str
    refusal: str = "'{name}' is documented for {takers}, not for {recipe}."
    forbids: bool = False

    def met(self, facts: recipes.Recipe) -> bool:
        """Tell whether a recipe has it."""
        return bool(getattr(facts, self.fact))

    def refused(self, recipe: str, name: str = "") -> str:
        """Say that a recipe has it not."""
        return self.refusal.format(recipe=recipe, name=name, takers=self.takers)

    @property
    def takers(self) -> str:
        """The names of the recipes that have it."""
        return ", ".join(facts.name for facts in recipes.RECIPES.values() if self.met(facts))


@dataclass(frozen=True)
class Line:
    """Where and how a receipt tells a parameter; those with one label share a line.

    Parameters
    ----------
    label
        What the line is called, if not as in the form.
    text
        What is said of `{}`, the value, in job `{job}`; nothing where only who started the job can tell.
    place
        Its place among the lines.
    """

    label: str = ""
    text: str = "{}"
    place: int = _LAST


@dataclass(frozen=True)
class Parameter:
    """A parameter of a job.

    Parameters
    ----------
    name
        Its name in `pnb.recommend`, and of its field in the form.
    kind
        What its value can be.
    member
        The member of botocore's request, as a path; None for parameters of the toolkit, which are not in a request.
    field
        Its name in `JobRequest`, where that is another.
    default
        Its value in `pnb.recommend` when none is given.
    applied
        What the service uses where a request says nothing, if that is a value.
    required
        Whether the API wants it in every request.
    need
        What a recipe must have to take it.
    mode
        The one mode that it is for.
    jobs
        The kinds of jobs that have it.
    label, hint
        What the form calls it, unique, so that screen readers and tests find it; and what an empty field means.
    parts
        Labels by the names of a mapping, each of which has a field.
    panel, place
        Where the form has it; None for what the form does not ask.
    line
        How the receipt tells it; None for what has another place there.
    """

    name: str
    kind: Kind
    member: str | None = None
    field: str = ""
    default: Any = None
    applied: Any = None
    required: bool = False
    need: Need | None = None
    mode: str | None = None
    jobs: tuple[JobKind, ...] = JOB_KINDS
    label: str = ""
    hint: str = ""
    parts: Mapping[str, str] = dataclasses.field(default_factory=dict)
    panel: str | None = MAIN
    place: int = _LAST
    line: Line | None = Line()

    @property
    def attribute(self) -> str:
        """Its name in `JobRequest`."""
        return self.field or self.name

    def is_set(self, value: Any) -> bool:
        """Tell whether a value says anything that the default does not."""
        try:
            return not self.kind.is_empty(value) and bool(value != self.default)
        except ValueError:
            return True  # a frame or an array, which is no default

    def misfit(self, value: Any) -> str:
        """Say what a value must be that is of a type of which no request can be made; nothing of others."""
        if self.kind.is_empty(value) and not (self.required and value is None):
            return ""
        return self.kind.misfit(self.attribute, value)

    def put(self, wanted: dict[str, Any], value: Any) -> None:
        """Put a value where the API has it in a request."""
        *path, last = self._path
        for key in path:
            wanted = wanted.setdefault(key, {})
        wanted[last] = self.kind.to_wire(value)

    def taken(self, described: Mapping[str, Any]) -> Any:
        """Return the value in a request or an answer of the API, None where it has none."""
        place: Any = described
        for key in self._path:
            place = place.get(key) if isinstance(place, Mapping) else None
        if place is None and self.required:
            raise KeyError(self.member)
        return self.kind.from_wire(place) if self.required or place not in (None, "", {}, []) else None

    @property
    def _path(self) -> list[str]:
        return self.member.split(".") if self.member else []


EXPLORATION = Need(
    "exploration", "{recipe} has no exploration settings, {takers} alone has: leave them out.", forbids=True
)
# of a mode, not of a parameter
THEMES = Need("themes", "Themes need a solution version of {takers}, this one is {recipe}.", forbids=True)
_KEY = Arn("KmsKeyArn", "must look like arn:<partition>:kms:<region>:<account>:key/<id>")

PARAMETERS: tuple[Parameter, ...] = (
    Parameter(
        "data",
        Location(),
        "jobInput.s3DataSource.path",
        field="input_path",
        required=True,
        label="Input",
        hint="s3://bucket/file.jsonl, or a folder ending in /",
        place=0,
        line=Line(text="", place=3),
    ),
    Parameter(
        "solution_version",
        Arn(
            "Arn", "must look like arn:<partition>:personalize:<region>:<account>:solution/<name>/<version>", "solution"
        ),
        "solutionVersionArn",
        field="solution_version_arn",
        required=True,
        label="Solution",
        place=1,
        line=Line(place=1),
    ),
    Parameter(
        "num_results",
        WholeNumber(1),
        "numResults",
        applied=limits.DEFAULT_NUM_RESULTS,
        label="Number of results",
        hint=f"{limits.DEFAULT_NUM_RESULTS}",
        place=6,
        line=Line("Results per line", place=5),
    ),
    Parameter(
        "filter",
        Arn("Arn", "must look like arn:<partition>:personalize:<region>:<account>:filter/<name>", "filter"),
        "filterArn",
        field="filter_arn",
        label="Filter",
        place=7,
        line=Line(place=4),
    ),
    Parameter("filter_values", Kind(), label="Filter values", panel=None),
    Parameter(
        "job_name",
        Text("Name", "must have 1 to 63 letters, digits, '-' or '_' and begin with a letter or digit"),
        "jobName",
        required=True,
        label="Job name",
        hint="empty: made from the solution's name and the time, at the start",
        place=5,
        line=None,
    ),
    Parameter(
        "exploration_weight",
        Number(0, 1, as_text=True),
        "batchInferenceJobConfig.itemExplorationConfig.explorationWeight",
        applied=limits.DEFAULT_EXPLORATION_WEIGHT,
        need=EXPLORATION,
        jobs=(INFERENCE,),
        label="Exploration weight",
        hint=f"{limits.DEFAULT_EXPLORATION_WEIGHT:g}; from 0 to 1",
        panel=RANKING,
        line=Line("Exploration", "weight {}", place=6),
    ),
    Parameter(
        "exploration_item_age_cut_off",
        Number(1, unit="day", as_text=True),
        "batchInferenceJobConfig.itemExplorationConfig.explorationItemAgeCutOff",
        applied=limits.DEFAULT_EXPLORATION_ITEM_AGE_CUT_OFF,
        need=EXPLORATION,
        jobs=(INFERENCE,),
        label="Exploration age cut-off",
        hint=f"{limits.DEFAULT_EXPLORATION_ITEM_AGE_CUT_OFF:g}; days, at least 1",
        panel=RANKING,
        line=Line("Exploration", "items of the last {} days", place=6),
    ),
    Parameter(
        "ranking_influence",
        Weights(("POPULARITY", "FRESHNESS"), Number(0, 1)),
        "batchInferenceJobConfig.rankingInfluence",
        need=Need("ranking_influence"),
        jobs=(INFERENCE,),
        label="Ranking influence",
        hint="0; from 0 to 1",
        parts={"POPULARITY": "Influence of popularity", "FRESHNESS": "Influence of freshness"},
        panel=RANKING,
        line=Line("Influence", place=7),
    ),
    Parameter(
        "mode",
        Choice("BatchInferenceJobMode"),
        "batchInferenceJobMode",
        default=BATCH_INFERENCE,
        applied=BATCH_INFERENCE,
        jobs=(INFERENCE,),
        label="Mode",
        place=2,
        line=Line(place=2),
    ),
    Parameter(
        "item_name",
        Text("ColumnName", "must be a column's name such as TITLE"),
        "themeGenerationConfig.fieldsForThemeGeneration.itemName",
        mode=THEME_GENERATION,
        jobs=(INFERENCE,),
        label="Item name column",
        hint="looked up in the schema",
        place=3,
        line=Line("Item names", place=8),
    ),
    Parameter(
        "tags",
        Tags(),
        "tags",
        label="Tags",
        hint="one key=value per line",
        panel=DELIVERY,
        place=5,
        line=Line(place=9),
    ),
    Parameter(
        "role_arn",
        Arn("RoleArn", "must look like arn:<partition>:iam::<account>:role/<name>"),
        "roleArn",
        required=True,
        label="Service role",
        hint="the session's role",
        panel=DELIVERY,
        place=2,
        line=Line(text="", place=10),
    ),
    Parameter(
        "output",
        Location(),
        "jobOutput.s3DataDestination.path",
        field="output_path",
        required=True,
        label="Output folder",
        hint="a folder of the job's own",
        panel=DELIVERY,
        place=1,
        line=Line("Output", "{} (in full: pnb.attach({job!r}).request.output_path)", place=13),
    ),
    Parameter(
        "input_kms_key_arn",
        _KEY,
        "jobInput.s3DataSource.kmsKeyArn",
        label="Input KMS key",
        hint="none",
        panel=DELIVERY,
        place=3,
        line=Line("Input key", place=11),
    ),
    Parameter(
        "output_kms_key_arn",
        _KEY,
        "jobOutput.s3DataDestination.kmsKeyArn",
        label="Output KMS key",
        hint="none",
        panel=DELIVERY,
        place=4,
        line=Line("Output key", place=12),
    ),
    Parameter(
        "at_once",
        WholeNumber(1),
        default=limits.MAX_JOBS_IN_PROGRESS,
        mode=THEME_GENERATION,
        jobs=(INFERENCE,),
        label="Jobs at a time",
        hint=f"{limits.MAX_JOBS_IN_PROGRESS}; where several are needed",
        place=4,
    ),
    Parameter("max_bytes", WholeNumber(1), jobs=(INFERENCE,), label="Bytes of a job", panel=None, line=None),
    Parameter("max_records", WholeNumber(1), jobs=(INFERENCE,), label="Records of a file", panel=None, line=None),
    Parameter("max_files", WholeNumber(1), jobs=(INFERENCE,), label="Files of a job", panel=None, line=None),
    Parameter("reuse", Kind(), default=False, label="Use again", panel=None, line=None),
    Parameter(
        "max_cost",
        Number(0),
        label="Most it may cost",
        hint="no limit; in the currency of session.rates",
        panel=DELIVERY,
        place=6,
    ),
    Parameter("session", Kind(), panel=None),
)


def named(name: str) -> Parameter:
    """Return the row of a parameter by its name in `pnb.recommend`."""
    return next(row for row in PARAMETERS if row.name == name)


def names(*without: str) -> list[str]:
    """Return the names of all parameters in the order of `pnb.recommend`, without some."""
    return [row.name for row in PARAMETERS if row.name not in without]


def kms_keys() -> list[Parameter]:
    """Return the rows of KMS keys."""
    return [row for row in PARAMETERS if row.kind == _KEY]


def sent(kind: JobKind = INFERENCE) -> dict[str, Parameter]:
    """Return the rows of what the API takes for a kind of jobs, by their names in its request."""
    return {row.attribute: row for row in PARAMETERS if row.member and kind in row.jobs}
