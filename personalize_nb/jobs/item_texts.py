"""The text columns of the items that a model was trained on: which holds names, which describes, for themes."""

from __future__ import annotations

import json
from collections.abc import Mapping

from personalize_nb import errors
from personalize_nb.contract import columns
from personalize_nb.errors import Problem
from personalize_nb.resources.solutions import SolutionVersion

Texts = Mapping[str, bool]


def check_described(texts: Texts) -> None:
    """Refuse themes of items that nothing describes, which a job would find out after its start."""
    if not any(texts.values()):
        there = f"its text columns are {', '.join(texts)}" if texts else "it has no text column"
        text = (
            f"Themes are made of descriptions, and the items dataset has no textual column; {there}. Train again with "
            "such a column: pnb.train(..., items, textual='...')."
        )
        raise errors.RequestError([Problem("mode", text)])


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
