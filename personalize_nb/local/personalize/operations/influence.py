"""What batch jobs and campaigns say about rankingInfluence: Semantic-Similarity needs data for it.

AWS does not say whether other recipes refuse the map; here they accept it and it has no effect.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from personalize_nb.contract.recipes import Recipe
from personalize_nb.local.data.schema import INTERACTIONS, ITEMS, Schema
from personalize_nb.local.personalize.operations.control import invalid

if TYPE_CHECKING:
    from types_boto3_personalize.literals import RankingInfluenceTypeType

POPULARITY: RankingInfluenceTypeType = "POPULARITY"
FRESHNESS: RankingInfluenceTypeType = "FRESHNESS"


def check_influence(
    recipe: Recipe, config: Mapping[RankingInfluenceTypeType, float], schemas: Mapping[str, str]
) -> None:
    """Refuse a `rankingInfluence` that the datasets cannot serve; its keys and values are legal by now.

    Parameters
    ----------
    recipe
        The row of the solution version's recipe.
    config
        The map as requested; empty when there is none.
    schemas
        The schema texts of the solution version, by dataset type.
    """
    if not recipe.ranking_influence:
        return
    if config.get(POPULARITY) and INTERACTIONS not in schemas:
        raise invalid(f"rankingInfluence {POPULARITY} needs an Interactions dataset; this dataset group has none.")
    items = Schema.from_avro(ITEMS, json.loads(schemas[ITEMS]))
    if config.get(FRESHNESS) and items.field("CREATION_TIMESTAMP") is None:
        raise invalid(f"rankingInfluence {FRESHNESS} needs CREATION_TIMESTAMP in the schema of the Items dataset.")
