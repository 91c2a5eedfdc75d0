"""The fields of the items that a model was trained on, as their schema tells them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from personalize_nb.session.session import Session


def item_fields(dataset_group_arn: str, session: Session) -> list[dict[str, Any]]:
    """Return the fields of a dataset group's Items schema; empty where there is none."""
    for dataset in session.pages("list_datasets", "datasets", datasetGroupArn=dataset_group_arn):
        if dataset["datasetType"].upper() == "ITEMS":
            described = session.call("describe_dataset", datasetArn=dataset["datasetArn"])["dataset"]
            schema = session.call("describe_schema", schemaArn=described["schemaArn"])["schema"]
            return list(json.loads(schema["schema"])["fields"])
    return []


def kinds(field: Mapping[str, Any]) -> set[str]:
    """Return the types that a field's values may have, `null` apart.

    Examples
    --------
    >>> kinds({"name": "YEAR", "type": ["null", "long"]})
    {'long'}
    """
    kind = field["type"]
    return {kind} - {"null"} if isinstance(kind, str) else set(kind) - {"null"}
