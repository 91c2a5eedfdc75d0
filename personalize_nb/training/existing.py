"""A dataset group that is there already: frames are fitted to its schemas, and its data is used as it is.

Schemas can never be changed, so a frame is made to what they say: columns by their names, numbers and text by their
types. What they ask and a frame lacks is told before anything is imported.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from personalize_nb import errors
from personalize_nb.contract import limits
from personalize_nb.errors import ERROR, WARNING, Problem
from personalize_nb.session import waiting
from personalize_nb.session.session import Session
from personalize_nb.training.patient_calls import AGAIN
from personalize_nb.training.schemas import Dataset

_TYPES = {
    "string": pa.string(),
    "int": pa.int64(),
    "long": pa.int64(),
    "float": pa.float64(),
    "double": pa.float64(),
}
_TRUTH = ("true", "false")


@dataclass(frozen=True)
class ExistingGroup:
    """A dataset group with what its datasets look like.

    Parameters
    ----------
    name
        Its name.
    domain
        Its domain; empty for a custom one.
    schemas
        The schema of each dataset by type, `INTERACTIONS` and so on.
    """

    name: str
    domain: str = ""
    schemas: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def fields(self) -> dict[str, list[Mapping[str, Any]]]:
        """The fields of each schema."""
        return {kind: schema["fields"] for kind, schema in self.schemas.items()}


def read(name: str, session: Session) -> ExistingGroup:
    """Return a dataset group by its name or ARN.

    Raises
    ------
    NotFoundError
        There is none; the message names near ones.
    InputError
        It cannot be trained in, because its making failed.
    """
    if not isinstance(name, str):
        raise errors.ArgumentError(f"'dataset_group' must be the name or ARN of a dataset group, got {name!r}")
    arn = name if name.startswith("arn:") else session.arn("dataset-group", name)
    try:
        described = _patiently(
            "describe_dataset_group",
            lambda: session.call("describe_dataset_group", datasetGroupArn=arn)["datasetGroup"],
        )
    except errors.NotFoundError as error:
        names = session.names("list_dataset_groups", "datasetGroups")
        raise errors.NotFoundError(
            f"There is no dataset group {name!r}{errors.there_is(name, names)} Leave out 'dataset_group' to make one."
        ) from error
    if described["status"] == limits.FAILED:
        raise errors.InputError(f"Dataset group {name!r} is {described['status']}; name another, or leave it out.")
    schemas = _patiently("list_datasets", lambda: schemas_of(session.call, session.pages, arn))
    return ExistingGroup(described["name"], described.get("domain") or "", schemas)


def _patiently(what: str, call: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    return waiting.until_answered(call, what, again=AGAIN)


def schemas_of(
    call: Callable[..., dict[str, Any]], pages: Callable[..., Any], group_arn: str
) -> dict[str, dict[str, Any]]:
    """Return the schemas of a dataset group's datasets by dataset type.

    Parameters
    ----------
    call, pages
        Call an operation, as a session does.
    group_arn
        The group.
    """
    found = {}
    for entry in pages("list_datasets", "datasets", datasetGroupArn=group_arn):
        arn = call("describe_dataset", datasetArn=entry["datasetArn"])["dataset"].get("schemaArn")
        if arn:  # what an event tracker makes has none
            text = call("describe_schema", schemaArn=arn)["schema"]["schema"]
            found[entry["datasetType"].upper()] = json.loads(text)
    return found


def fitted(dataset: Dataset, group: ExistingGroup) -> tuple[Dataset, list[Problem]]:
    """Return a dataset as the group's schema has it, with what keeps it from that; unchanged where there is none.

    Parameters
    ----------
    dataset
        What a frame became.
    group
        The group.
    """
    schema = group.schemas.get(dataset.type)
    if schema is None:
        return dataset, []
    given = {_plain(name): name for name in dataset.table.column_names}
    problems: list[Problem] = []
    columns: dict[str, pa.Array | pa.ChunkedArray] = {}
    for one in schema["fields"]:
        name = given.pop(_plain(one["name"]), None)
        column = None if name is None else dataset.table.column(name)
        made = _column(dataset, one, column, problems)
        if made is not None:
            columns[one["name"]] = made
    if given:
        text = (
            f"{dataset.type.lower()}: {', '.join(name.lower() for name in given.values())} left out, for the schema of "
            f"dataset group {group.name!r} has no such column"
        )
        problems.append(Problem(dataset.type.lower(), text, WARNING))
    if any(problem.level == ERROR for problem in problems):
        return dataset, problems
    return replace(dataset, schema=dict(schema), table=pa.table(columns)), problems


def unmarked(datasets: Mapping[str, Dataset], group: ExistingGroup) -> Iterator[Problem]:
    """Yield where a recipe or objective asks a schema for what the group's has not; a schema can never be changed."""
    for kind, dataset in datasets.items():
        schema = group.schemas.get(kind)
        if schema is None or schema["fields"] == dataset.schema["fields"]:
            continue
        before = {one["name"]: one for one in schema["fields"]}
        asked = [one for one in dataset.schema["fields"] if before.get(one["name"]) != one]
        told = ", ".join(f"{json.dumps(one)} in place of {json.dumps(before.get(one['name']))}" for one in asked)
        text = (
            f"This training needs {told} in the schema of the {kind.lower()}; that of dataset group {group.name!r} "
            "cannot be changed. Leave out 'dataset_group', and one with such a schema is made."
        )
        yield Problem("dataset_group", text)


def _column(
    dataset: Dataset, one: Mapping[str, Any], column: Any, problems: list[Problem]
) -> pa.Array | pa.ChunkedArray | None:
    """Return a column as a field of a schema has it; None, and a problem, where that cannot be."""
    kinds = [one["type"]] if isinstance(one["type"], str) else list(one["type"])
    plain = next((kind for kind in kinds if kind != "null"), "string")
    name, frame = one["name"].lower(), dataset.type.lower()
    target = _TYPES.get(plain, pa.string())
    if column is None:
        if "null" in kinds:
            return pa.nulls(dataset.table.num_rows, target)
        problems.append(Problem(frame, f"The {frame} need the column {name!r} ({plain}), which the schema requires."))
        return None
    try:
        made = pc.cast(column, target)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        text = f"Column {name!r} of the {frame} is {plain} in the group's schema, and its values are not: {error}."
        problems.append(Problem(frame, text))
        return None
    if plain == "boolean":
        made = pc.utf8_lower(made)
        if not pc.all(pc.is_in(pc.drop_null(made), pa.array(_TRUTH))).as_py():
            problems.append(Problem(frame, f"Column {name!r} of the {frame} must be true or false, by its schema."))
            return None
    if made.null_count and "null" not in kinds:
        text = f"Column {name!r} of the {frame} lacks {made.null_count:,} values, and the group's schema requires it."
        problems.append(Problem(frame, text))
        return None
    return made


def _plain(name: str) -> str:
    return name.replace("_", "").lower()
