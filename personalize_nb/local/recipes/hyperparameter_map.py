"""What Amazon's hyperparameters change here, all in one table.

Amazon's models are neural networks and ours are sparse regressions, so that a dimension has no counterpart by name.
Each hyperparameter is mapped to what it stands for, and Amazon's default always to ours:

====================================== ============================================================================
hidden_dimension                       capacity: how many other items may predict an item, in proportion (149: all)
bptt                                   how many steps back the models look, in training and in a user's memory (32)
recency_mask, apply_recency_bias       whether newer steps say more than older ones
min/max_user_history_length_percentile users with shorter or longer histories teach nothing; they are still answered
exploration_weight, ..._age_cut_off    exploration, where the job or campaign does not say otherwise
popularity_discount_factor             the power of an item's popularity that its counts are divided by
min_cointeraction_count                users who must have met two items before SIMS relates them
min/max_item_interaction_count_perc... items with fewer or more interactions are left out of SIMS, when changed
item_id_hidden_dim                     how many neighbours by behaviour Similar-Items keeps of an item (100: 600)
item_metadata_hidden_dim               how many factors of behaviour are predicted from metadata (100: 64)
====================================== ============================================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from personalize_nb.contract.hyperparameters import SEQUENTIAL, SIMILAR_ITEMS
from personalize_nb.local.recipes.history import Sequences
from personalize_nb.local.recipes.sequential import Settings


def settings_of(values: Mapping[str, Any]) -> Settings:
    """Translate the hyperparameters of the recipes that rank for users; those a recipe lacks have their default."""

    def relative(name: str) -> float:
        usual = float(SEQUENTIAL[name].default)
        return float(values.get(name, usual)) / usual

    recency = bool(values.get("recency_mask", values.get("apply_recency_bias", True)))
    return Settings(recency, relative("hidden_dimension"), relative("bptt"))


def usual_users(sequences: Sequences, values: Mapping[str, Any]) -> Sequences:
    """Leave out users with unusually short or long histories, by the percentiles of the hyperparameters."""
    lengths = np.diff(sequences.starts)
    low = np.quantile(lengths, values.get("min_user_history_length_percentile", 0.0))
    high = np.quantile(lengths, values.get("max_user_history_length_percentile", 1.0))
    kept = (lengths >= low) & (lengths <= high)
    return sequences if kept.all() else sequences.of_users(np.flatnonzero(kept))


def neighbours(values: Mapping[str, Any], name: str, by_default: int) -> int:
    """Return how many neighbours, or factors, a dimension of Similar-Items stands for."""
    return max(1, round(by_default * float(values[name]) / float(SIMILAR_ITEMS[name].default)))
