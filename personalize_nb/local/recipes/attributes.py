"""What a training by attributes of items cannot do without: an attribute that tells items apart.

An attribute is what trains a model and can be asked for: a category or a number. Free text, strings without a mark
and truth values are none, and neither is the moment of an item's creation.
"""

from __future__ import annotations

from personalize_nb.contract.attributes import NO_ATTRIBUTE, tells_apart
from personalize_nb.local.data.schema import CREATION_TIMESTAMP, ITEMS, TrainingData
from personalize_nb.local.errors import WorkError


def check_attributes(data: TrainingData) -> None:
    """Raise WorkError in Amazon's words where no attribute of the items tells them apart."""
    schema = data.schemas.get(ITEMS)
    if schema is not None and data.items is not None:
        for column in schema.fields:
            attribute = column.categorical or (column.numeric and column.name != CREATION_TIMESTAMP)
            if attribute and tells_apart(data.items[column.name].to_pylist()):
                return
    raise WorkError(NO_ATTRIBUTE)
