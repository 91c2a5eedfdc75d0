"""Hyperparameters as the developer guide lists them: names, defaults, legal ranges; the rows of `recipes` name them.

In the API every value is a string. A hyperparameter's default tells its type.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from personalize_nb.contract import limits

Value = float | int | bool | str


@dataclass(frozen=True)
class Hyperparameter:
    """One hyperparameter of a recipe.

    Parameters
    ----------
    default
        The value where a solution gives none; its type is the type of all values.
    low, high
        The least and the greatest number.
    choices
        The legal texts.
    tunable
        Whether hyperparameter optimization may search it.
    featurizes
        Whether it belongs into `featureTransformationParameters`, not into `algorithmHyperParameters`.
    """

    default: Value
    low: float = 0.0
    high: float = 1.0
    choices: tuple[str, ...] = ()
    tunable: bool = False
    featurizes: bool = False

    @property
    def kind(self) -> str:
        """How the API calls its ranges: `categorical`, `integer` or `continuous`."""
        if isinstance(self.default, (bool, str)):
            return "categorical"
        return "integer" if isinstance(self.default, int) else "continuous"

    @property
    def values(self) -> tuple[Value, ...]:
        """All values of a categorical one."""
        return (True, False) if isinstance(self.default, bool) else self.choices

    def parse(self, name: str, text: str) -> Value:
        """Return the value that a string stands for.

        Raises
        ------
        ValueError
            The string is no value of the right type within the range; the message says what is legal.
        """
        value: Value | None
        if isinstance(self.default, str):
            value = text if text in self.choices else None
            legal = ", ".join(self.choices)
        elif isinstance(self.default, bool):
            value = {"true": True, "false": False}.get(text.strip().lower())
            legal = "true or false"
        else:
            value = self._number(text)
            number = "a whole number" if isinstance(self.default, int) else "a number"
            legal = f"{number} from {self.low:g} to {self.high:g}"
        if value is None:
            raise ValueError(f"Invalid value {text!r} of hyperparameter {name}; legal is {legal}.")
        return value

    def _number(self, text: str) -> float | int | None:
        try:
            number = int(text) if isinstance(self.default, int) else float(text)
        except ValueError:
            return None
        return number if self.low <= number <= self.high else None


Hyperparameters = Mapping[str, Hyperparameter]

SEQUENTIAL: Hyperparameters = {
    "hidden_dimension": Hyperparameter(149, 32, 256, tunable=True),
    "bptt": Hyperparameter(32, 2, 32, tunable=True),
    "recency_mask": Hyperparameter(True, tunable=True),
    "min_user_history_length_percentile": Hyperparameter(0.0, featurizes=True),
    "max_user_history_length_percentile": Hyperparameter(0.99, featurizes=True),
}
EXPLORING: Hyperparameters = {
    **SEQUENTIAL,
    "exploration_weight": Hyperparameter(limits.DEFAULT_EXPLORATION_WEIGHT),
    "exploration_item_age_cut_off": Hyperparameter(limits.DEFAULT_EXPLORATION_ITEM_AGE_CUT_OFF, 1.0, 1e6),
}
TRANSFORMER: Hyperparameters = {"apply_recency_bias": Hyperparameter(True)}
SIMILAR_ITEMS: Hyperparameters = {
    "popularity_discount_factor": Hyperparameter(0.0),
    "item_id_hidden_dim": Hyperparameter(100, 30, 200, tunable=True),
    "item_metadata_hidden_dim": Hyperparameter(100, 30, 200, tunable=True),
}
SIMS: Hyperparameters = {
    "popularity_discount_factor": Hyperparameter(0.5, tunable=True),
    "min_cointeraction_count": Hyperparameter(3, 0, 10, tunable=True),
    "min_user_history_length_percentile": Hyperparameter(0.005, featurizes=True),
    "max_user_history_length_percentile": Hyperparameter(0.995, featurizes=True),
    "min_item_interaction_count_percentile": Hyperparameter(0.01, featurizes=True),
    "max_item_interaction_count_percentile": Hyperparameter(0.9, featurizes=True),
}
TRENDING_NOW: Hyperparameters = {
    "trend_discovery_frequency": Hyperparameter(
        "3 hours", choices=("30 minutes", "1 hour", "2 hours", "3 hours", "1 day"), featurizes=True
    ),
}
SEGMENTS: Hyperparameters = {"hidden_dimension": Hyperparameter(149, 32, 256)}
