"""What differs between the data that a dataset group was made for and other data: datasets, columns, roles."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from personalize_nb.session.session import Session
from personalize_nb.training import schemas
from personalize_nb.training.schemas import Dataset


def of_group(session: Session, group_arn: str) -> dict[str, dict[str, Any]]:
    """Return the schemas of a dataset group's datasets by dataset type, `INTERACTIONS` and so on."""
    found = {}
    for entry in session.pages("list_datasets", "datasets", datasetGroupArn=group_arn):
        schema = session.call("describe_dataset", datasetArn=entry["datasetArn"])["dataset"]["schemaArn"]
        text = session.call("describe_schema", schemaArn=schema)["schema"]["schema"]
        found[entry["datasetType"].upper()] = json.loads(text)
    return found


def differences(old: Mapping[str, Mapping[str, Any]], new: Sequence[Dataset]) -> str:
    """Return in words what the new data has that the old structure has not, and the other way round."""
    told = [", ".join(_of_dataset(old.get(one.type), one)) for one in new]
    told += [f"no {kind.lower()}" for kind in old if kind not in [one.type for one in new]]
    return "; ".join(text for text in told if text) or "no column differs by name or role"


def _of_dataset(old: Mapping[str, Any] | None, new: Dataset) -> Iterator[str]:
    kind = new.type.lower()
    if old is None:
        yield f"{kind} are new"
        return
    before = {one["name"]: _shown(one) for one in old["fields"]}
    after = {one["name"]: _shown(one) for one in new.schema["fields"]}
    for name in [*after, *(one for one in before if one not in after)]:
        if name not in before:
            yield f"{kind} have a new column {name} ({after[name]})"
        elif name not in after:
            yield f"{kind} have no column {name}"
        elif before[name] != after[name]:
            yield f"{name} of the {kind} is {after[name]}, was {before[name]}"


def _shown(field: Mapping[str, Any]) -> str:
    return schemas.role(field) + (" or missing" if "null" in field["type"] else "")
