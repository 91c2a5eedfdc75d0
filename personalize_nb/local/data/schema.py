"""What a training reads: schemas of the imported datasets, and their rows as Arrow tables.

Plain values, cheap to import (the server process parses schemas too); reading and writing files is in
`datasets`. Column names keep the upper-case spelling of the schema.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

INTERACTIONS, ITEMS, USERS = "INTERACTIONS", "ITEMS", "USERS"
# of Next-Best-Action, whose data are kept and exported and train nothing here
ACTIONS, ACTION_INTERACTIONS = "ACTIONS", "ACTION_INTERACTIONS"
DATASET_TYPES = (INTERACTIONS, ITEMS, USERS)
# of items: a moment, and no attribute like others
CREATION_TIMESTAMP = "CREATION_TIMESTAMP"

# Avro's primitive types as far as Amazon's schemas know them, in no particular order.
NUMERIC_TYPES = frozenset({"int", "long", "float", "double"})
FIELD_TYPES = NUMERIC_TYPES | {"string", "boolean"}


# columns of interactions that are no metadata
RESERVED = frozenset(
    {
        *("USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE", "EVENT_VALUE", "IMPRESSION"),
        *("RECOMMENDATION_ID", "EVENT_ATTRIBUTION_SOURCE"),
    }
)


@dataclass(frozen=True)
class Field:
    """One column of a dataset.

    Parameters
    ----------
    name
        As written in the schema, upper case by Amazon's habit.
    type
        `string`, `int`, `long`, `float`, `double` or `boolean`.
    nullable
        Whether an empty cell is legal; it becomes null.
    categorical, textual, item_name
        Amazon's marks: `A|B` lists of categories, the one free text that may train a model, and the item's title.
    """

    name: str
    type: str
    nullable: bool = False
    categorical: bool = False
    textual: bool = False
    item_name: bool = False

    @property
    def numeric(self) -> bool:
        return self.type in NUMERIC_TYPES


@dataclass(frozen=True)
class Schema:
    """The columns of one dataset; `type` is INTERACTIONS, ITEMS or USERS."""

    type: str
    fields: tuple[Field, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.fields)

    def field(self, name: str) -> Field | None:
        """Return the column of that exact name, or None."""
        return next((column for column in self.fields if column.name == name), None)

    @property
    def metadata(self) -> tuple[str, ...]:
        """Names of the columns of an interactions dataset that Amazon does not reserve."""
        return tuple(name for name in self.names if name not in RESERVED)

    @property
    def categorical(self) -> tuple[str, ...]:
        """Names of the categorical columns, in schema order."""
        return tuple(column.name for column in self.fields if column.categorical)

    @property
    def textual(self) -> str | None:
        """Name of the textual column, where there is one."""
        return next((column.name for column in self.fields if column.textual), None)

    @property
    def item_name(self) -> str | None:
        """Name of the column marked itemName, where there is one."""
        return next((column.name for column in self.fields if column.item_name), None)

    @classmethod
    def from_avro(cls, dataset_type: str, avro: Mapping[str, Any]) -> Schema:
        """Read a parsed Avro schema that CreateSchema has accepted.

        Parameters
        ----------
        dataset_type
            INTERACTIONS, ITEMS or USERS, in any case.
        avro
            The schema's JSON text, parsed.

        Raises
        ------
        ValueError
            A field has a type that no Personalize schema knows.
        """
        return cls(dataset_type.upper(), tuple(_field(column) for column in avro["fields"]))


def _field(column: Mapping[str, Any]) -> Field:
    declared = column["type"]
    union = list(declared) if isinstance(declared, list) else [declared]
    types = [name for name in union if name != "null"]
    if len(types) != 1 or types[0] not in FIELD_TYPES:
        raise ValueError(
            f"field {column['name']!r} has type {declared!r}; legal is one of "
            f"{', '.join(sorted(FIELD_TYPES))}, alone or in a list with 'null'"
        )
    return Field(
        name=column["name"],
        type=types[0],
        nullable="null" in union,
        categorical=bool(column.get("categorical", False)),
        textual=bool(column.get("textual", False)),
        item_name=bool(column.get("itemName", False)),
    )


@dataclass(frozen=True)
class TrainingData:
    """The imported datasets of one dataset group; a dataset without rows is None.

    Interactions are ordered by TIMESTAMP, items by ITEM_ID, users by USER_ID, so that equal imports give
    equal models; an ITEM_ID or USER_ID occurs once in its own dataset.
    """

    interactions: pa.Table | None
    items: pa.Table | None
    users: pa.Table | None
    schemas: dict[str, Schema] = field(default_factory=dict)
