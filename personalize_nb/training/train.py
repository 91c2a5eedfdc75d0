"""`train`: frames to an ACTIVE solution version in one call, through the API only, the same on AWS.

Every resource has a name made from the given one and from what it holds, so a call can be repeated: what exists and
is identical is used and said so, what is under way is waited for, what is new is made (`steps.py`). Data of the same
structure goes into the same dataset group; new data is a new import and a new solution version there. What can be
checked without the service is checked before anything is made.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc

from personalize_nb import errors
from personalize_nb.contract import columns
from personalize_nb.contract.recipes import RECIPES, names_where
from personalize_nb.inputs.frames import table
from personalize_nb.inputs.ids import Findings
from personalize_nb.resources.solutions import SolutionVersion
from personalize_nb.session import waiting
from personalize_nb.session.progress import Progress, choose
from personalize_nb.session.session import Session, current
from personalize_nb.training import schemas
from personalize_nb.training.hyperparameters import check as check_hyperparameters
from personalize_nb.training.hyperparameters import configuration
from personalize_nb.training.schemas import INTERACTIONS, ITEMS, USERS, Dataset
from personalize_nb.training.steps import Steps

if TYPE_CHECKING:
    from personalize_nb.inputs.forms import Data

_LONGEST_NAME = 24  # leaves room for what is added to it within 63 characters


def train(
    interactions: Data,
    items: Data | None = None,
    users: Data | None = None,
    *,
    name: str = "personalize-nb",
    recipe: str = "aws-user-personalization",
    textual: str | bool | None = None,
    categorical: Collection[str] = (),
    event_type: str | None = None,
    hyperparameters: Mapping[str, Any] | None = None,
    solution_config: Mapping[str, Any] | None = None,
    tags: Mapping[str, str] | None = None,
    role_arn: str | None = None,
    wait: bool = True,
    timeout: float | None = None,
    progress: Progress | bool | None = None,
    session: Session | None = None,
) -> SolutionVersion:
    """Import frames, train a recipe on them and return the solution version.

    Repeating the call costs nothing when nothing has changed, and goes on where an interrupted one stopped. A call that
    fails before it has imported anything deletes the dataset group it made; after an import, which at AWS takes
    minutes, the group stays for the next call and the error says so.

    Parameters
    ----------
    interactions
        Columns (or index levels) `user_id`, `item_id`, `timestamp` (datetimes or epoch seconds), and if there are any
        `event_type`, `event_value`, `impression` and up to 5 more.
    items
        `item_id`, once each, and metadata; a title column stays plain text, one column of descriptions is textual.
    users
        `user_id`, once each, and metadata.
    name
        Begins the names of all resources.
    recipe
        A recipe's name, for example `aws-similar-items`. For `aws-semantic-similarity` the items need a column `title`
        or `name`, which is marked in the schema, so that the dataset group is another one than that of other recipes.
    textual
        The items' column of descriptions; None finds it, False uses none.
    categorical
        Columns that are categories, of any frame, beside those that are found: text with `|` or that repeats.
    event_type
        Train on these interactions only.
    hyperparameters
        `algorithmHyperParameters` of the recipe; values may be numbers.
    solution_config
        Anything else of the API's `solutionConfig`, in its spelling. Its form is checked first; values that only the
        service can judge are judged after the import, and a refusal says what stays. The column of an
        `optimizationObjective` must have a number for every item: its schema, and so its dataset group, says so.
    tags
        Tags of the dataset group, solution and solution version.
    role_arn
        Instead of the session's role.
    wait
        False returns while the training runs; `.wait()` waits for it.
    timeout
        Seconds for all of it; what was begun goes on and the next call takes it up.
    progress
        False for silence, or a display of your own.
    session
        Where to work; by default the session of `pnb.connect()`.

    Raises
    ------
    InputError
        The frames cannot be used, or a hyperparameter is none or out of range; nothing was made.
    FailedError
        The service failed at a step; `.reason` is its text.

    Examples
    --------
    >>> import personalize_nb as pnb
    >>> books = pnb.samples.books()
    >>> pnb.train(books.interactions, books.items, name="books", progress=False)
    <SolutionVersion books-user-personalization-... of aws-user-personalization: pnb.recommend(ids, this) starts a job>
    """
    _check_types(
        {"name": name, "recipe": recipe},
        {"hyperparameters": hyperparameters, "solution_config": solution_config, "tags": tags},
    )
    waiting.check_timeout(timeout)
    recipe = recipe.rsplit("/", 1)[-1]
    if recipe not in RECIPES:
        raise errors.InputError(f"There is no recipe {recipe!r}; there are {', '.join(sorted(RECIPES))}.")
    row = RECIPES[recipe]
    if not row.batch and not row.segments:
        legal = ", ".join(sorted(names_where(lambda other: other.batch)))
        raise errors.InputError(f"No batch job takes a solution version of {recipe}; train one of {legal}.")
    base = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-_")[:_LONGEST_NAME].strip("-_")
    if not base:
        raise errors.InputError(f"'name' needs letters or digits, got {name!r}.")
    datasets = _datasets(interactions, items, users, textual, categorical)
    config = configuration(hyperparameters, solution_config)
    if "itemName" in row.item_marks:
        datasets = _with_item_name(datasets, recipe)
    objective = config.get("optimizationObjective", {})
    if "itemAttribute" in objective:
        datasets, column = _with_objective(datasets, objective["itemAttribute"])
        config["optimizationObjective"] = {**objective, "itemAttribute": column}
    schemas.check_enough(datasets[0], event_type)
    unmatched = schemas.unmatched(datasets)
    session = current(session)
    chosen = choose(progress)
    session.location("data")  # a session without a bucket says so before anything is made
    steps = Steps(session, base, role_arn or session.role(), tags or {}, chosen, timeout)
    check_hyperparameters(session, recipe, config)
    for note in [*(note for one in datasets for note in one.notes), *unmatched]:
        chosen.say(note)
    with steps.accounted():
        group = steps.group(datasets)
        steps.datasets(group, datasets)
        begun = [steps.begin_import(group, one) for one in datasets]  # side by side at AWS, where each takes minutes
        imported = max([steps.end_import(one) for one in begun])
        version = steps.version(steps.solution(group, recipe, event_type, config), imported)
        return steps.waited(version) if wait else version


def _check_types(texts: Mapping[str, Any], mappings: Mapping[str, Any]) -> None:
    for name, value in texts.items():
        if not isinstance(value, str):
            raise errors.InputError(f"{name!r} must be text, got {value!r}.")
    for name, value in mappings.items():
        if value is not None and not isinstance(value, Mapping):
            raise errors.InputError(f"{name!r} must be a mapping of names to values, got {value!r}.")
    for key, value in (mappings["tags"] or {}).items():
        if not (isinstance(key, str) and isinstance(value, str)):
            raise errors.InputError(f"A tag is text and has text as value, got {key!r}: {value!r}.")


def _datasets(
    interactions: Data,
    items: Data | None,
    users: Data | None,
    textual: str | bool | None,
    categorical: Collection[str],
) -> list[Dataset]:
    categorical = [categorical] if isinstance(categorical, str) else categorical
    others = [(kind, data) for kind, data in ((ITEMS, items), (USERS, users)) if data is not None]
    frames = [
        (kind, table(data, f"The {kind.lower()} must be a pandas DataFrame"))
        for kind, data in [(INTERACTIONS, interactions), *others]
    ]
    own = {kind: {schemas.amazon_name(one) for one in frame.columns} for kind, frame in frames}
    absent = [one for one in categorical if not any(schemas.amazon_name(one) in names for names in own.values())]
    if absent:
        raise errors.InputError(f"'categorical' names {absent}, which no frame has.")
    return [
        schemas.prepare(
            kind,
            frame,
            textual=textual,
            categorical=[one for one in categorical if schemas.amazon_name(one) in own[kind]],
        )
        for kind, frame in frames
    ]


# What single recipes and objectives ask of the items' schema, beyond what every training asks, makes another schema,
# and so another dataset group: nobody else's training is changed by it.


def _with_item_name(datasets: Sequence[Dataset], recipe: str) -> list[Dataset]:
    """Return datasets whose items' names are marked as such, for a recipe that reads them by that mark.

    Raises
    ------
    InputError
        There is no column of names, or none of descriptions.
    """
    _, fields = _items(datasets)
    texts = {
        field["name"].lower(): field
        for field in fields
        if "string" in field["type"] and schemas.role(field) == "string"
    }
    named = next((name for name in columns.NAME_COLUMNS if name in texts), None)
    if named is None or not any(field.get("textual") for field in fields):
        have = ", ".join(f"{field['name'].lower()} ({schemas.role(field)})" for field in fields) or "no items frame"
        raise errors.InputError(
            f"{recipe} compares items by their names and descriptions, so the items need a text column of names, "
            f"called one of {', '.join(columns.NAME_COLUMNS)}, and a textual one of descriptions (textual='...'); got "
            f"{have}."
        )
    return _with_field(datasets, texts[named], itemName=True)


def _with_objective(datasets: Sequence[Dataset], attribute: object) -> tuple[list[Dataset], str]:
    """Return datasets whose items can serve an optimization objective, and the schema's name of its column.

    AWS takes only a number that the schema does not let be null.

    Raises
    ------
    InputError
        There is no such column of numbers, or numbers are missing; `.findings` says where.
    """
    items, fields = _items(datasets)
    numeric = {field["name"]: field for field in fields if "string" not in field["type"]}
    name = schemas.amazon_name(attribute)
    if items is None or name not in numeric:
        legal = ", ".join(column.lower() for column in numeric) or "none"
        raise errors.InputError(
            "'itemAttribute' of the optimization objective must be a column of numbers of the items, got "
            f"{attribute!r}; legal: {legal}."
        )
    numbers, findings = items.table.column(name), Findings()
    repair = f"the number is missing; fill it, or drop such rows: frame.dropna(subset=[{name.lower()!r}])"
    findings.error(pc.is_null(numbers), name.lower(), numbers, repair)
    findings.raise_errors(items.table.num_rows, "items")
    declared = numeric[name]["type"]
    plain = declared if isinstance(declared, str) else next(kind for kind in declared if kind != "null")
    return _with_field(datasets, numeric[name], type=plain), name


def _items(datasets: Sequence[Dataset]) -> tuple[Dataset | None, list[dict[str, Any]]]:
    """Return the items and the fields of their schema; None and no fields where there are none."""
    items = next((dataset for dataset in datasets if dataset.type == ITEMS), None)
    return items, items.schema["fields"] if items is not None else []


def _with_field(datasets: Sequence[Dataset], changing: dict[str, Any], **changes: Any) -> list[Dataset]:
    """Return datasets with a field of the items changed."""
    changed = []
    for dataset in datasets:
        fields = [{**field, **changes} if field is changing else field for field in dataset.schema["fields"]]
        changed.append(replace(dataset, schema={**dataset.schema, "fields": fields}))
    return changed
