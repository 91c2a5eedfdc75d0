"""Hyperparameters of each recipe: names, defaults, legal ranges, as the developer guide lists them.

Values arrive as strings, as in the API. `resolve` answers with typed values, defaults filled in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from personalize_nb.local.errors import WorkError


@dataclass(frozen=True)
class Parameter:
    """One hyperparameter: its default tells the type; `tunable` by HPO."""

    default: float | int | bool
    low: float = 0.0
    high: float = 1.0
    tunable: bool = False

    def parse(self, name: str, text: str) -> float | int | bool:
        """Return the typed value; refuse what is not a number of the right kind within the range."""
        value: float | int | bool | None
        if isinstance(self.default, bool):
            value = {"true": True, "false": False}.get(text.strip().lower())
            legal = "true or false"
        else:
            kind = "a whole number" if isinstance(self.default, int) else "a number"
            legal = f"{kind} from {self.low:g} to {self.high:g}"
            try:
                value = int(text) if isinstance(self.default, int) else float(text)
            except ValueError:
                value = None
            if value is not None and not self.low <= value <= self.high:
                value = None
        if value is None:
            raise WorkError(f"Invalid value {text!r} of hyperparameter {name}; legal is {legal}.")
        return value


@dataclass(frozen=True)
class OneOf:
    """A hyperparameter that is one of a few texts."""

    default: str
    legal: tuple[str, ...]
    tunable: bool = False

    def parse(self, name: str, text: str) -> str:
        """Return the text; refuse any other."""
        if text not in self.legal:
            raise WorkError(f"Invalid value {text!r} of hyperparameter {name}; legal is {', '.join(self.legal)}.")
        return text


_HISTORY_LENGTHS = {
    "min_user_history_length_percentile": Parameter(0.0),
    "max_user_history_length_percentile": Parameter(0.99),
}
_SEQUENTIAL = {
    "hidden_dimension": Parameter(149, 32, 256, tunable=True),
    "bptt": Parameter(32, 2, 32, tunable=True),
    "recency_mask": Parameter(True, tunable=True),
    **_HISTORY_LENGTHS,
}
_EXPLORING = {
    "exploration_weight": Parameter(0.3),
    "exploration_item_age_cut_off": Parameter(30.0, 1.0, 1e6),
}
_SEGMENTS = {"hidden_dimension": Parameter(149, 32, 256)}
_TRANSFORMER = {"apply_recency_bias": Parameter(True)}

PARAMETERS: dict[str, dict[str, Parameter | OneOf]] = {
    "aws-user-personalization": {**_SEQUENTIAL, **_EXPLORING},
    "aws-user-personalization-v2": _TRANSFORMER,
    "aws-hrnn": _SEQUENTIAL,
    "aws-hrnn-metadata": _SEQUENTIAL,
    "aws-hrnn-coldstart": _SEQUENTIAL,
    "aws-personalized-ranking": _SEQUENTIAL,
    "aws-personalized-ranking-v2": _TRANSFORMER,
    "aws-similar-items": {
        "popularity_discount_factor": Parameter(0.0),
        "item_id_hidden_dim": Parameter(100, 30, 200, tunable=True),
        "item_metadata_hidden_dim": Parameter(100, 30, 200, tunable=True),
    },
    "aws-sims": {
        "popularity_discount_factor": Parameter(0.5, tunable=True),
        "min_cointeraction_count": Parameter(3, 0, 10, tunable=True),
        "min_user_history_length_percentile": Parameter(0.005),
        "max_user_history_length_percentile": Parameter(0.995),
        "min_item_interaction_count_percentile": Parameter(0.01),
        "max_item_interaction_count_percentile": Parameter(0.9),
    },
    "aws-popularity-count": {},
    "aws-trending-now": {
        "trend_discovery_frequency": OneOf("3 hours", ("30 minutes", "1 hour", "2 hours", "3 hours", "1 day")),
    },
    "aws-semantic-similarity": {},
    "aws-item-affinity": _SEGMENTS,
    "aws-item-attribute-affinity": _SEGMENTS,
}


def resolve(recipe: str, given: Mapping[str, str] | None) -> dict[str, float | int | bool | str]:
    """Return all hyperparameters of a recipe with the given values in place of defaults.

    Raises
    ------
    WorkError
        A name that the recipe does not know, or a value out of its range.
    """
    known = PARAMETERS[recipe]
    values: dict[str, float | int | bool | str] = {name: parameter.default for name, parameter in known.items()}
    for name, text in (given or {}).items():
        if name not in known:
            legal = ", ".join(sorted(known)) or "none"
            raise WorkError(f"Unknown hyperparameter {name!r} of recipe {recipe}; legal is: {legal}.")
        values[name] = known[name].parse(name, str(text))
    return values
