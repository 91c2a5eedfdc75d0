"""A training as it is meant, judged as a whole before anything is made: `train` refuses what `problems` hold.

What can be known is known here, from the frames, the recipe's row and the configuration. Left to the service are:
whether the role, the bucket and its policies allow the import (`pnb.preflight` looks into those for jobs), quotas on
resources of the account, names that others have taken, what AWS checks and does not document, and faults of its own.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from personalize_nb import errors
from personalize_nb.contract import solution_config as rules
from personalize_nb.contract.domain_recipes import DOMAIN_RECIPES
from personalize_nb.contract.parameters import named
from personalize_nb.contract.recipes import RECIPES, Recipe, names_where
from personalize_nb.errors import ERROR, WARNING, InputError, Problem
from personalize_nb.inputs.frames import table
from personalize_nb.training import amounts, filter_columns, hyperparameters, item_marks, schemas
from personalize_nb.training.configuration import configuration
from personalize_nb.training.existing import ExistingGroup, fitted, unmarked
from personalize_nb.training.schemas import INTERACTIONS, ITEMS, USERS, Dataset

if TYPE_CHECKING:
    import pandas as pd

    from personalize_nb.inputs.forms import Data
    from personalize_nb.resources.filters import Filter
    from personalize_nb.session.session import Session

_LONGEST_NAME = 24  # leaves room for what is added to it within 63 characters


@dataclass
class TrainingPlan:
    """What `train` is to make, and everything that keeps it from that.

    `base` begins all names; `datasets` and `config` are as the service gets them; `problems` are errors, and warnings
    that are said before the training; `causes` are the errors that have findings row by row. `existing` is the dataset
    group it is made in, where that is there already.
    """

    base: str = ""
    recipe: str = ""
    event_type: str | None = None
    config: dict[str, Any] = field(default_factory=dict)
    datasets: list[Dataset] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    causes: list[tuple[str, InputError]] = field(default_factory=list)
    existing: ExistingGroup = field(default_factory=lambda: ExistingGroup(""))

    @property
    def performs_hpo(self) -> bool:
        """Whether hyperparameters are searched: a configuration of the search asks for it."""
        return "hpoConfig" in self.config

    @property
    def notes(self) -> list[str]:
        """What is said before the training."""
        return [problem.text for problem in self.problems if problem.level == WARNING]

    def refuse(self) -> None:
        """Raise everything that is wrong as one `InputError`; nothing where nothing is."""
        wrong = [problem for problem in self.problems if problem.level == ERROR]
        if not wrong:
            return
        if len(wrong) == len(self.causes) == 1:
            raise self.causes[0][1]
        raise InputError("\n".join(problem.text for problem in wrong), findings=self._findings())

    def _findings(self) -> pd.DataFrame | None:
        found = [(kind, error.findings) for kind, error in self.causes if error.findings is not None]
        if len(found) < 2:
            return found[0][1] if found else None
        import pandas as pd

        return pd.concat([frame.assign(frame=kind) for kind, frame in found], ignore_index=True)

    @contextmanager
    def collecting(self, name: str) -> Iterator[None]:
        """Take over an `InputError` of the code inside."""
        try:
            yield
        except InputError as error:
            self.problems.append(Problem(name, str(error)))
            self.causes.append((name, error))


def plan(
    interactions: Data | None,
    items: Data | None = None,
    users: Data | None = None,
    *,
    name: str,
    recipe: str,
    textual: str | bool | None = None,
    categorical: Collection[str] = (),
    event_type: str | None = None,
    hyperparameters: Mapping[str, Any] | None = None,
    solution_config: Mapping[str, Any] | None = None,
    tags: Mapping[str, str] | None = None,
    filter: Filter | str | None = None,
    existing: ExistingGroup | None = None,
    session: Session | None = None,
) -> TrainingPlan:
    """Return the plan of a training with everything that is wrong with it.

    Parameters
    ----------
    interactions, items, users, name, recipe, textual, categorical, event_type, hyperparameters, solution_config, tags
        As `train` takes them.
    filter
        A filter, or the expression of one, that jobs are to use with the model.
    existing
        The dataset group to train in; None for one of its own.
    session
        Where DescribeRecipe and DescribeAlgorithm may be asked; None asks nobody.
    """
    made = TrainingPlan(event_type=event_type, existing=existing or ExistingGroup(""))
    _arguments(made, name, recipe, hyperparameters, solution_config, tags, session)
    _prepare(made, {INTERACTIONS: interactions, ITEMS: items, USERS: users}, textual, categorical)
    row = RECIPES.get(made.recipe)
    with made.collecting("solution_config"):
        if _mapping(hyperparameters) and _mapping(solution_config):
            made.config = configuration(hyperparameters, solution_config)
    by_type = {dataset.type: dataset for dataset in made.datasets}
    whole = len(by_type) == sum(frame is not None for frame in (interactions, items, users))
    if whole:
        made.config = _with_schema_names(made.config, by_type)
    if row is not None:
        _configure(made, row, by_type if whole else {}, whole, session)
    if whole and filter is not None:
        made.problems += filter_columns.problems(filter, by_type, row)
    if whole:
        made.problems += unmarked({dataset.type: dataset for dataset in made.datasets}, made.existing)
    if INTERACTIONS in by_type:
        made.problems += amounts.problems(by_type[INTERACTIONS], row, event_type, made.config)
        with made.collecting("interactions"):
            notes = amounts.unmatched(made.datasets)
            made.problems += [Problem("interactions", note, WARNING) for note in notes]
    return made


def _mapping(value: object) -> bool:
    return value is None or isinstance(value, Mapping)


def _arguments(
    made: TrainingPlan,
    name: object,
    recipe: object,
    hyperparameters: object,
    solution_config: object,
    tags: object,
    session: Session | None,
) -> None:
    """Judge what is no data: names, the recipe, mappings."""
    for argument, value in (("name", name), ("recipe", recipe)):
        if not isinstance(value, str):
            made.problems.append(Problem(argument, f"{argument!r} must be text, got {value!r}."))
    mappings = {"hyperparameters": hyperparameters, "solution_config": solution_config, "tags": tags}
    for argument, value in mappings.items():
        if not _mapping(value):
            text = f"{argument!r} must be a mapping of names to values, got {value!r}."
            made.problems.append(Problem(argument, text))
    if isinstance(tags, Mapping):
        made.problems += [Problem("tags", text) for text in named("tags").kind.problems("tags", tags)]
    if isinstance(name, str):
        made.base = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-_")[:_LONGEST_NAME].strip("-_")
        if not made.base:
            made.problems.append(Problem("name", f"'name' needs letters or digits, got {name!r}."))
    if isinstance(recipe, str):
        made.recipe = recipe.rsplit("/", 1)[-1]
        made.problems += _recipe_problems(made.recipe, session)


def _recipe_problems(recipe: str, session: Session | None) -> Iterator[Problem]:
    if recipe in DOMAIN_RECIPES:
        text = f"{recipe} is for recommenders of domain {DOMAIN_RECIPES[recipe].domain}; a solution needs a custom one."
        yield Problem("recipe", text)
    elif recipe not in RECIPES:
        meant = errors.meant(recipe, RECIPES)
        known = _is_there(recipe, session)
        if known is False:
            yield Problem("recipe", f"There is no recipe {recipe!r}{meant}; there are {', '.join(sorted(RECIPES))}.")
        else:
            told = "the service has it" if known else "whether the service has it could not be asked"
            text = f"recipe {recipe!r} is none that this release knows{meant}; {told}, and only it judges the training"
            yield Problem("recipe", text, WARNING)
    elif not RECIPES[recipe].batch and not RECIPES[recipe].segments:
        legal = ", ".join(sorted(names_where(lambda other: other.batch)))
        yield Problem("recipe", f"No batch job takes a solution version of {recipe}; train one of {legal}.")


def _is_there(recipe: str, session: Session | None) -> bool | None:
    """Ask the service for a recipe that may be newer than this release; None where nobody can be asked."""
    if session is None:
        return None
    try:
        session.call("describe_recipe", recipeArn=f"arn:{session.partition}:personalize:::recipe/{recipe}")
    except errors.CredentialsError:
        raise
    except errors.PersonalizeError as error:
        # what is no name of a recipe at all is invalid input
        return False if isinstance(error, errors.NotFoundError) or error.code == "InvalidInputException" else None
    return True


def _prepare(
    made: TrainingPlan, frames: Mapping[str, Data | None], textual: str | bool | None, categorical: Collection[str]
) -> None:
    """Make the datasets; what is wrong with one frame does not keep the others from being judged."""
    categorical = [categorical] if isinstance(categorical, str) else categorical
    given: dict[str, pd.DataFrame] = {}
    for kind, data in frames.items():
        if data is not None or (kind == INTERACTIONS and kind not in made.existing.schemas):
            with made.collecting(kind.lower()):
                given[kind] = table(data, f"The {kind.lower()} must be a DataFrame")
    own = {kind: {schemas.amazon_name(one) for one in frame.columns} for kind, frame in given.items()}
    absent = [one for one in categorical if not any(schemas.amazon_name(one) in names for names in own.values())]
    if absent and len(given) == sum(data is not None for data in frames.values()):
        made.problems.append(Problem("categorical", f"'categorical' names {absent}, which no frame has."))
    for kind, frame in given.items():
        wanted = [one for one in categorical if schemas.amazon_name(one) in own[kind]]
        with made.collecting(kind.lower()):
            dataset = schemas.prepare(kind, frame, textual=textual, categorical=wanted)
            dataset, problems = fitted(dataset, made.existing)
            made.datasets.append(dataset)
            made.problems += problems
            made.problems += [Problem(kind.lower(), note, WARNING) for note in dataset.notes]


def _configure(
    made: TrainingPlan, row: Recipe, by_type: Mapping[str, Dataset], whole: bool, session: Session | None
) -> None:
    """Judge the configuration by the recipe and the datasets, and mark in the schemas what both ask for."""
    held = made.existing.fields
    fields = {**held, **{kind: dataset.schema["fields"] for kind, dataset in by_type.items()}}
    made.problems += rules.problems(row, made.config, fields)
    facts = hyperparameters.known(session, row, made.config)
    made.problems += hyperparameters.problems(row, made.config, facts)
    made.problems += _without_effect(made)
    objective = made.config.get("optimizationObjective", {})
    meant = objective.get("itemAttribute")
    spelled = {**objective, "itemAttribute": schemas.amazon_name(meant)} if meant is not None else objective
    wrong = list(rules.objective_problems(row, spelled, made.config.get("trainingDataConfig", {})))
    made.problems += wrong
    if not whole:
        return
    made.problems += _absent_datasets(made.config, fields)
    if ITEMS in held and ITEMS not in by_type:
        return  # what their values allow only the service knows
    made.problems += item_marks.problems(made.datasets, row, made.config)
    with made.collecting("items"):
        if "itemName" in row.item_marks:
            made.datasets = item_marks.with_item_name(made.datasets, row.name)
    with made.collecting("items"):
        if objective and not wrong:
            made.datasets, column = item_marks.with_objective(made.datasets, objective["itemAttribute"])
            made.config["optimizationObjective"] = {**objective, "itemAttribute": column}


def _without_effect(made: TrainingPlan) -> Iterator[Problem]:
    """Yield warnings on what is legal and does nothing."""
    config = made.config
    if config.get("eventsConfig", {}).get("eventParametersList"):
        for name, given in (
            ("event_type", made.event_type),
            ("eventValueThreshold", config.get("eventValueThreshold")),
        ):
            if given is not None:
                text = f"{name} {given!r} has no effect beside eventsConfig, which says alone which events count"
                yield Problem(name, text, WARNING)
    for member, why in (("autoMLConfig", "one recipe"), ("autoTrainingConfig", "once, with performAutoTraining off")):
        if config.get(member):
            yield Problem(member, f"{member} has no effect, because pnb.train trains {why}", WARNING)


def _with_schema_names(config: dict[str, Any], by_type: Mapping[str, Dataset]) -> dict[str, Any]:
    """Return the configuration with columns named as in the schemas, as everywhere else in `train`."""
    chosen = config.get("trainingDataConfig")
    if not chosen:
        return config

    def named(kind: str, columns: Sequence[str]) -> list[str]:
        known = by_type[kind.upper()].table.column_names if kind.upper() in by_type else []
        return [
            one if one in known or schemas.amazon_name(one) not in known else schemas.amazon_name(one)
            for one in columns
        ]

    renamed = {
        member: {kind: named(kind, columns) for kind, columns in choice.items()} for member, choice in chosen.items()
    }
    return {**config, "trainingDataConfig": renamed}


def _absent_datasets(config: Mapping[str, Any], by_type: Mapping[str, Any]) -> Iterator[Problem]:
    for member, choice in config.get("trainingDataConfig", {}).items():
        for kind in choice:
            if kind.upper() not in by_type and kind.upper() in (ITEMS, USERS):
                text = f"{member} of trainingDataConfig names the dataset {kind}, but there is no {kind.lower()} frame."
                yield Problem("trainingDataConfig", text)
