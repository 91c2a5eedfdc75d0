"""The additional objective of a solution: a number of each item that recommendations should also raise.

Amazon says which recipes have it (User-Personalization and Personalized-Ranking), that the column must be a number
without nulls, and that a higher sensitivity gives it more importance. Here an item's place among the values of the
column, from 0 to 1, times the sensitivity is added to the logarithm of its probability. A place rather than the
value: one item of a thousand times the usual price must not fill every list.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from personalize_nb.local.data.schema import TrainingData
from personalize_nb.local.errors import WorkError

# What the most rewarding item gains over the least one, as a logarithm. On MovieLens a user's first place and the
# 3rd, 10th, 25th and 250th are 0.7, 1.7, 2.3 and 3.7 apart.
SENSITIVITY = {"OFF": 0.0, "LOW": 0.5, "MEDIUM": 1.5, "HIGH": 4.0}


@dataclass(frozen=True)
class Objective:
    """What each item is worth, and by what logarithm that raises its probability."""

    rewards: np.ndarray
    lift: np.ndarray


def read_objective(data: TrainingData, item_ids: pa.StringArray, config: Mapping[str, str] | None) -> Objective | None:
    """Read the column that `optimizationObjective` names; None without one.

    Raises
    ------
    WorkError
        The Items dataset has no such number.
    """
    if not config or "itemAttribute" not in config:
        return None
    name, sensitivity = config["itemAttribute"], config.get("objectiveSensitivity", "OFF")
    schema = data.schemas.get("ITEMS")
    field = None if schema is None else schema.field(name)
    if data.items is None or field is None or not field.numeric:
        legal = [] if schema is None else [known.name for known in schema.fields if known.numeric]
        raise WorkError(
            f"The optimization objective names the item attribute {name!r}; legal are the numbers of the Items "
            f"dataset: {', '.join(legal) or 'there are none'}."
        )
    rewards = np.zeros(len(item_ids))
    codes = pc.index_in(data.items["ITEM_ID"].combine_chunks(), item_ids).to_numpy(zero_copy_only=False)
    rewards[codes] = pc.fill_null(data.items[name].cast(pa.float64()), 0.0).to_numpy()
    distinct, which = np.unique(rewards, return_inverse=True)
    place = which / max(1, len(distinct) - 1)
    return Objective(rewards, SENSITIVITY[sensitivity] * place)
