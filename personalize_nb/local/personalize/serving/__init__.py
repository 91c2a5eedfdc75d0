"""`personalize-runtime` and `personalize-events`: requests answered at once, from the models that trainings left.

`recommendations` asks a campaign's or recommender's model, `events` stores what is put; `models` are kept in memory
between requests. `all_operations` joins them.
"""

__all__ = ["all_operations", "models", "registry"]
